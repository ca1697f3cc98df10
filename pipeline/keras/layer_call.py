"""One layer as a value: its name and arguments, and the source text it stands for."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TypeAlias

from pipeline.keras.facts import Signature, backbones, signature


@dataclass(frozen=True, slots=True)
class Symbol:
    """A Python expression that is no literal: a constant (`NUM_CLASSES`), a call (`keras.regularizers.L2(0.01)`)."""

    text: str

    def __str__(self) -> str:
        return self.text


Value: TypeAlias = "bool | int | float | str | Symbol | LayerCall | tuple[Value, ...] | None"
"""What an argument can be."""


@dataclass(frozen=True, slots=True)
class LayerCall:
    """A call of a Keras layer, or of a keras.applications model used as a layer."""

    name: str
    args: tuple[Value, ...] = ()
    keywords: tuple[tuple[str, Value], ...] = ()
    repairs: tuple[str, ...] = ()
    """What the text that the call was read from had wrong or left open, in plain words."""

    @property
    def is_backbone(self) -> bool:
        return self.name in backbones()

    @property
    def signature(self) -> Signature | None:
        """None for a name that Keras does not have."""
        if self.is_backbone:
            return signature(f"applications.{self.name}")
        return signature(f"layers.{self.name}")

    @property
    def arguments(self) -> dict[str, Value]:
        """Every argument by its parameter name, positional ones included."""
        known = self.signature
        positional = known.positional if known else ()
        return dict(zip(positional, self.args, strict=False)) | dict(self.keywords)

    def changed(self, **arguments: Value) -> LayerCall:
        """The call with these arguments set: in place where it has them already, else as further keywords."""
        known = self.signature
        args = list(self.args)
        keywords = dict(self.keywords)
        written_by_position = known.positional[: len(args)] if known else ()
        for name, value in arguments.items():
            if name in written_by_position:
                args[written_by_position.index(name)] = value
            else:
                keywords[name] = value
        return replace(self, args=tuple(args), keywords=tuple(keywords.items()))

    def without(self, *names: str) -> LayerCall:
        """The call without these keywords; positional arguments stay."""
        kept = [(name, value) for name, value in self.keywords if name not in names]
        return replace(self, keywords=tuple(kept))

    def source(self, prefix: str = "layers.") -> str:
        """The call on one line as `ruff format` writes it; a backbone is written `keras.applications.Name(...)`."""
        inner = [_source(value, prefix) for value in self.args]
        for name, value in self.keywords:
            inner.append(f"{name}={_source(value, prefix)}")
        if self.is_backbone:
            prefix = "keras.applications."
        return f"{prefix}{self.name}({', '.join(inner)})"


def _source(value: Value, prefix: str) -> str:
    match value:
        case Symbol(text):
            return text
        case LayerCall():
            return value.source(prefix)
        case str():
            # JSON gives the double quotes ruff prefers; where that needs escapes, repr chooses as ruff does.
            if value.isprintable() and '"' not in value:
                return json.dumps(value, ensure_ascii=False)
            return repr(value)
        case tuple():
            inner = [_source(item, prefix) for item in value]
            if len(inner) == 1:
                return f"({inner[0]},)"
            return f"({', '.join(inner)})"
        case _:
            return repr(value)
