"""Which tokens may come next, so that what a model writes is a plan: valid, complete, and within the token limit.

A hypothesis is followed through the grammar as a `Position`. Tokens of the skeleton are forced. Inside a value a token
is allowed if the value can still be completed, and the rest of the plan still fits, after it: so a list or a text that
would not end is closed in time, and nothing is ever cut off. This holds for any model, since it looks at no weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from pipeline.planners.causal_lm.automata import DEAD
from pipeline.planners.causal_lm.codec import PlanCodec
from pipeline.planners.causal_lm.grammar import BETWEEN, FIELDS, LIST_END, MOST_LAYERS, STRING, Kind, repeats_too_often

Phase = Literal["value", "first", "next", "done"]


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the grammar: in the `field`-th value, or in the layers before the `first` or the `next` entry.

    `pending` are tokens of the skeleton that come before anything is chosen. `left`: tokens that may still be written.
    `used`: tokens of the value so far, which is in the automaton's `state`. `items`: finished entries of the layers,
    and `item` the tokens of the one that is being written.
    """

    left: int
    pending: tuple[int, ...]
    field: int = 0
    phase: Phase = "value"
    state: int = 0
    used: int = 0
    items: tuple[tuple[int, ...], ...] = ()
    item: tuple[int, ...] = ()

    @property
    def done(self) -> bool:
        return self.phase == "done" and not self.pending


class PlanConstraint:
    """The grammar over one codec's tokens, for a model with `vocabulary` outputs."""

    def __init__(self, codec: PlanCodec, vocabulary: int) -> None:
        self._codec = codec
        self._vocabulary = vocabulary
        self._quote, self._comma, self._bracket = (codec.marks[mark] for mark in (STRING, BETWEEN, LIST_END))
        # From the end of the i-th field, its closing token written: the fewest tokens of what follows.
        self._after = [len(codec.tail)]
        for field, lead in zip(reversed(FIELDS[1:]), reversed(codec.leads[1:]), strict=True):
            shortest = 1 + (1 if field.kind in ("number", "count") else 0)
            self._after.insert(0, self._after[0] + len(lead) + shortest)
        self._farthest = {kind: int(distance.max()) for kind, (_, distance) in codec.automata.items()}
        self._masks: list[np.ndarray] = []
        self._mask_ids: dict[tuple[object, ...], int] = {}

    def start(self, left: int) -> Position:
        """Before the plan's first token, with room for `left` tokens, end token included.

        Raises ValueError where not even the shortest plan fits; the codec's prompts leave room for it.
        """
        position = Position(left=left, pending=self._codec.leads[0])
        if self._fewest(position) > left:
            raise ValueError(f"no plan fits into {left} tokens")
        return position

    def mask(self, position: Position) -> int:
        """The number, for `mask_table`, of the set of tokens that may be chosen here. Nothing may be pending."""
        if position.phase in ("first", "next"):
            may_go_on = (
                len(position.items) < MOST_LAYERS
                and not repeats_too_often(position.items)
                and self._fewest(self._opened(position)) <= position.left - 1
            )
            return self._numbered((position.phase, may_go_on), partial(self._list_mask, position.phase, may_go_on))
        kind = FIELDS[position.field].kind
        # Tokens that may still go into the value, before what has to come after it.
        room = position.left - (2 if kind == "layers" else 1) - self._after[position.field]
        room = max(0, min(room, FIELDS[position.field].longest - position.used, self._farthest[kind] + 1))
        key = (kind, position.state, room)
        return self._numbered(key, partial(self._value_mask, *key))

    def mask_table(self) -> list[np.ndarray]:
        """The sets of tokens met so far, each as booleans over the vocabulary; it only grows."""
        return self._masks

    def advance(self, position: Position, token: int) -> Position:
        """After one more token, which is pending or allowed here."""
        left = position.left - 1
        if position.pending:
            return replace(position, left=left, pending=position.pending[1:])
        if position.phase in ("first", "next"):
            return self._closed(position) if token == self._bracket else self._opened(position)
        step, _ = self._codec.automata[FIELDS[position.field].kind]
        state = int(step[position.state, token]) if token < step.shape[1] else DEAD
        if state != DEAD:
            item = (*position.item, token) if FIELDS[position.field].kind == "layers" else ()
            return replace(position, left=left, state=state, used=position.used + 1, item=item)
        if FIELDS[position.field].kind == "layers":
            items = (*position.items, position.item)
            return replace(position, left=left, phase="next", state=0, used=0, items=items, item=())
        return self._closed(position)

    def _opened(self, position: Position) -> Position:
        """A new entry of the layers: after the comma the skeleton's blank and quote, at the first the quote alone."""
        pending = () if position.phase == "first" else self._codec.between
        return replace(position, left=position.left - 1, pending=pending, phase="value")

    def _closed(self, position: Position) -> Position:
        """After the token that ends a field: at the next one, or at the plan's end."""
        left, field = position.left - 1, position.field + 1
        if field == len(FIELDS):
            return replace(position, left=left, pending=self._codec.tail, phase="done", state=0, used=0)
        phase: Phase = "first" if FIELDS[field].kind == "layers" else "value"
        return Position(left=left, pending=self._codec.leads[field], field=field, phase=phase)

    def _fewest(self, position: Position) -> int:
        """The fewest tokens from here to the end of the plan."""
        kind = FIELDS[position.field].kind
        _, distance = self._codec.automata[kind]
        value = 1 if position.phase != "value" else int(distance[position.state]) + (2 if kind == "layers" else 1)
        return len(position.pending) + value + self._after[position.field]

    def _numbered(self, key: tuple[object, ...], make: Callable[[], np.ndarray]) -> int:
        if key not in self._mask_ids:
            self._mask_ids[key] = len(self._masks)
            self._masks.append(make())
        return self._mask_ids[key]

    def _list_mask(self, phase: Phase, may_go_on: bool) -> np.ndarray:
        mask = np.zeros(self._vocabulary, dtype=bool)
        mask[self._bracket] = True
        mask[self._quote if phase == "first" else self._comma] |= may_go_on
        return mask

    def _value_mask(self, kind: Kind, state: int, room: int) -> np.ndarray:
        step, distance = self._codec.automata[kind]
        reached = step[state]
        mask = np.zeros(self._vocabulary, dtype=bool)
        mask[: len(reached)] = (reached != DEAD) & (1 + distance[np.maximum(reached, 0)] <= room)
        mask[self._comma if kind in ("number", "count") else self._quote] |= bool(distance[state] == 0)
        return mask
