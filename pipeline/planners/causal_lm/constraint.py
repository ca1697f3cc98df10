"""Which tokens may come next, so that what a model writes is a plan: valid, complete, and within
the token limit.

A hypothesis is followed through the grammar as a `Position`. Tokens of the skeleton are forced.
Inside a value a token is allowed if the value can still be completed, and the rest of the plan
still fits, after it: so a list or a text that would not end is closed in time, and nothing is ever
cut off. This holds for any model, since it looks at no weights.

Grammar libraries (xgrammar, llguidance) have no such token limit; docs/gpt2-planner.md has the
measurement.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from pipeline.planners.causal_lm.automata import DEAD
from pipeline.planners.causal_lm.codec import PlanCodec
from pipeline.planners.causal_lm.grammar import BETWEEN, GRAMMAR, LIST_END, MAX_LAYERS, STRING, Kind, repeats_too_often

Phase = Literal["value", "first", "next", "done"]


@dataclass(frozen=True, slots=True)
class Position:
    """How far a hypothesis is in the grammar."""

    left: int
    """Tokens that may still be written."""
    pending: tuple[int, ...]
    """Tokens of the skeleton that come before anything is chosen."""
    field: int = 0
    """Index of the field in GRAMMAR."""
    phase: Phase = "value"
    """In a value, in the layers before the `first` or the `next` entry, or after the last value."""
    state: int = 0
    """The automaton's state in the value."""
    used: int = 0
    """Tokens of the value so far."""
    items: tuple[tuple[int, ...], ...] = ()
    """Finished entries of the layers."""
    item: tuple[int, ...] = ()
    """Tokens of the entry that is being written."""

    @property
    def done(self) -> bool:
        return self.phase == "done" and not self.pending


class PlanConstraint:
    """The grammar over one codec's tokens, for a model with `vocabulary` outputs."""

    def __init__(self, codec: PlanCodec, vocabulary: int) -> None:
        self._codec = codec
        self._vocabulary = vocabulary
        self._quote, self._comma, self._bracket = (codec.marks[mark] for mark in (STRING, BETWEEN, LIST_END))
        self._tokens_after = _fewest_tokens_after_fields(codec)
        self._farthest = {kind: int(automaton.distance.max()) for kind, automaton in codec.automata.items()}
        # Equal sets of tokens come up again and again, so each is made once and known by its number.
        self._masks: list[np.ndarray] = []
        self._mask_numbers: dict[Hashable, int] = {}

    def start(self, left: int) -> Position:
        """Before the plan's first token, with room for `left` tokens, end token included.

        Raises ValueError where not even the shortest plan fits; the codec's prompts leave room for
        it.
        """
        position = Position(left=left, pending=self._codec.leads[0])
        if self._fewest_tokens(position) > left:
            raise ValueError(f"no plan fits into {left} tokens")
        return position

    def mask(self, position: Position) -> int:
        """The number, for `mask_table`, of the set of tokens that may be chosen here. Nothing may
        be pending."""
        if position.phase in ("first", "next"):
            may_go_on = self._may_open_entry(position)
            return self._mask_number((position.phase, may_go_on), partial(self._list_mask, position.phase, may_go_on))
        field = GRAMMAR[position.field]
        # Tokens that may still go into the value, before what has to come after it. More room than the automaton's
        # farthest state needs makes no difference, and would only make further masks.
        room = position.left - _closing_tokens(field.kind) - self._tokens_after[position.field]
        room = max(0, min(room, field.max_tokens - position.used, self._farthest[field.kind] + 1))
        key = (field.kind, position.state, room)
        return self._mask_number(key, partial(self._value_mask, *key))

    def mask_table(self) -> list[np.ndarray]:
        """The sets of tokens met so far, each as booleans over the vocabulary; it only grows."""
        return self._masks

    def advance(self, position: Position, token: int) -> Position:
        """After one more token, which is pending or allowed here."""
        left = position.left - 1
        if position.pending:
            return replace(position, left=left, pending=position.pending[1:])
        if position.phase in ("first", "next"):
            if token == self._bracket:
                return self._field_closed(position)
            return self._entry_opened(position)
        in_layers = GRAMMAR[position.field].kind == "layers"
        step = self._codec.automata[GRAMMAR[position.field].kind].step
        state = DEAD
        if token < step.shape[1]:  # a model may have more outputs than its tokenizer has tokens
            state = int(step[position.state, token])
        if state != DEAD:
            item: tuple[int, ...] = ()
            if in_layers:
                item = (*position.item, token)  # kept for the repetition rule
            return replace(position, left=left, state=state, used=position.used + 1, item=item)
        if in_layers:
            items = (*position.items, position.item)
            return replace(position, left=left, phase="next", state=0, used=0, items=items, item=())
        return self._field_closed(position)

    def _may_open_entry(self, position: Position) -> bool:
        return (
            len(position.items) < MAX_LAYERS
            and not repeats_too_often(position.items)
            and self._fewest_tokens(self._entry_opened(position)) <= position.left - 1
        )

    def _entry_opened(self, position: Position) -> Position:
        """A new entry of the layers: after the comma the skeleton's blank and quote, at the first
        the quote alone."""
        pending: tuple[int, ...] = ()
        if position.phase == "next":
            pending = self._codec.between
        return replace(position, left=position.left - 1, pending=pending, phase="value")

    def _field_closed(self, position: Position) -> Position:
        """After the token that ends a field: at the next one, or at the plan's end."""
        left, field = position.left - 1, position.field + 1
        if field == len(GRAMMAR):
            return replace(position, left=left, pending=self._codec.tail, phase="done", state=0, used=0)
        phase: Phase = "value"
        if GRAMMAR[field].kind == "layers":
            phase = "first"
        return Position(left=left, pending=self._codec.leads[field], field=field, phase=phase)

    def _fewest_tokens(self, position: Position) -> int:
        """The fewest tokens from here to the end of the plan."""
        kind = GRAMMAR[position.field].kind
        if position.phase == "value":
            value = int(self._codec.automata[kind].distance[position.state]) + _closing_tokens(kind)
        else:
            value = 1  # the bracket that ends the list
        return len(position.pending) + value + self._tokens_after[position.field]

    def _mask_number(self, key: Hashable, make: Callable[[], np.ndarray]) -> int:
        if key not in self._mask_numbers:
            self._mask_numbers[key] = len(self._masks)
            self._masks.append(make())
        return self._mask_numbers[key]

    def _list_mask(self, phase: Phase, may_go_on: bool) -> np.ndarray:
        mask = np.zeros(self._vocabulary, dtype=bool)
        mask[self._bracket] = True
        opening = self._comma
        if phase == "first":
            opening = self._quote
        mask[opening] |= may_go_on
        return mask

    def _value_mask(self, kind: Kind, state: int, room: int) -> np.ndarray:
        automaton = self._codec.automata[kind]
        reached = automaton.step[state]
        mask = np.zeros(self._vocabulary, dtype=bool)
        mask[: len(reached)] = (reached != DEAD) & (1 + automaton.distance[np.maximum(reached, 0)] <= room)
        closing = self._quote
        if kind in ("number", "count"):
            closing = self._comma
        # `|=`: inside a text a comma, say, is allowed already and stays so.
        mask[closing] |= bool(automaton.distance[state] == 0)
        return mask


def _closing_tokens(kind: Kind) -> int:
    """Tokens that end a value: a quote or comma, for an entry of the layers the list's bracket too."""
    if kind == "layers":
        return 2
    return 1


def _fewest_tokens_after_fields(codec: PlanCodec) -> list[int]:
    """For each field, its closing token written: the fewest tokens of the rest of the plan."""
    fewest = [len(codec.tail)]
    for field, lead in zip(reversed(GRAMMAR[1:]), reversed(codec.leads[1:]), strict=True):
        shortest = 1  # the closing token alone: a text or list can be empty
        if field.kind in ("number", "count"):
            shortest = 2  # a digit before it
        fewest.insert(0, fewest[0] + len(lead) + shortest)
    return fewest
