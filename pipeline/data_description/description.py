"""What a look at somebody's data gives."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pipeline.request.data_contract import DataContract

SEED = 0
"""Of the choice of files that are looked at, where there are too many for all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DataDescription:
    """What data hold: names, kinds and counts, and no value but the names of classes."""

    attributes: str
    """In plain words, as a planner reads the dataset attributes of a request."""

    contract: DataContract | None = None
    """None where it cannot be told which of several files are meant."""

    target_rule: str = ""
    """What decided what is predicted, in a few words; "" where nothing did."""

    notes: tuple[str, ...] = ()
    """What a reader of the data has to know, and what was not looked at."""

    damaged: tuple[str, ...] = ()
    """Files that could not be read, each with the reason."""

    def as_json(self) -> dict[str, object]:
        """As plain values, in the order of the fields."""
        return asdict(self)
