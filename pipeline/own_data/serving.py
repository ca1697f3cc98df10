"""Which data a sample reads: what its sidecar declares, against a contract."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.request.data_contract import DataContract


@dataclass(frozen=True, kw_only=True, slots=True)
class Serves:
    """The data that a sample reads, in the words of the contract (docs/starter.md)."""

    layouts: tuple[str, ...]
    """How its examples may lie on disk."""

    inputs: tuple[str, ...]
    """Kinds of input of which the data have to hold one."""

    targets: tuple[str, ...]
    """Kinds of target that it predicts."""

    beside: tuple[str, ...] = ()
    """Kinds of input that may be there as well, and that it reads too."""

    endings: tuple[str, ...] = ()
    """Endings of files that it can read; empty for all that the layout has."""

    most_inputs: int = 1
    """How many inputs it takes."""

    most_targets: int = 1
    """How many targets it predicts at a time."""

    least_inputs: int = 1
    """How many inputs it needs: an image with columns beside it is two."""

    least_targets: int = 1
    """How many targets it needs; data without any are served as well."""


def serves_of(sidecar: Mapping[str, object]) -> Serves | None:
    """The part `Serves` of a sample's sidecar; None where it declares none, which is so for those of
    `starter40`: each of them loads data of its own kind alone."""
    declared = sidecar.get("Serves")
    if not isinstance(declared, Mapping):
        return None
    return Serves(
        layouts=_words(declared, "layouts"),
        inputs=_words(declared, "inputs"),
        targets=_words(declared, "targets"),
        beside=_words(declared, "beside"),
        endings=_words(declared, "endings"),
        most_inputs=int(declared.get("most_inputs", 1)),
        most_targets=int(declared.get("most_targets", 1)),
        least_inputs=int(declared.get("least_inputs", 1)),
        least_targets=int(declared.get("least_targets", 1)),
    )


def _words(declared: Mapping[str, object], name: str) -> tuple[str, ...]:
    words = declared.get(name, ())
    return tuple(str(word) for word in words) if isinstance(words, list | tuple) else ()


def is_served(contract: DataContract, serves: Serves) -> bool:
    """Whether a sample that serves this reads the data of the contract."""
    kinds = {data_input.kind for data_input in contract.inputs}
    targets = {target.kind for target in contract.targets}
    first = contract.inputs[0]
    if first.layout not in serves.layouts or not targets <= set(serves.targets):
        return False
    if len(contract.inputs) > serves.most_inputs or len(contract.targets) > serves.most_targets:
        return False
    if len(contract.inputs) < serves.least_inputs or 0 < len(contract.targets) < serves.least_targets:
        return False
    if not kinds & set(serves.inputs) or not kinds <= {*serves.inputs, *serves.beside}:
        return False
    ending = posixpath.splitext(first.path)[1].lower()
    return not serves.endings or ending in serves.endings


def in_words(contract: DataContract) -> str:
    """The contract's kind of data in a few words: "image, text in listed_files -> number"."""
    inputs = " and ".join(data_input.kind for data_input in contract.inputs[:4])
    targets = " and ".join(dict.fromkeys(target.kind for target in contract.targets))
    count = f" ({len(contract.inputs)} inputs)" if len(contract.inputs) > 1 else ""
    several = f" ({len(contract.targets)} targets)" if len(contract.targets) > 1 else ""
    return f"{inputs}{count} in the layout {contract.inputs[0].layout} -> {targets}{several}"
