"""Requirements and plans as the tokens of a GPT-2: prompt, separator, the plan's JSON, end token.

A plan's skeleton and its values are tokenised apart, so that the text that every plan shares is always the same tokens
and a value always ends with a token of its own: what a model learns is then exactly what constrained decoding lets it
write. The text is `SolutionPlan.to_json()`, character by character.

What is longer than the model's context is shortened by one rule, the same in training and in use. A prompt gets at most
five eighths of the context: the attributes lose their end first, then the requirement. The plan gets the rest: values
longer than their field allows lose their end; then layers are left out from the middle of the list; then, which only a
tiny context makes necessary, the texts are halved until the plan fits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pipeline.errors import DLCodeGenError
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.causal_lm.automata import DEAD, Automaton, count_automaton, number_automaton, text_automaton
from pipeline.planners.causal_lm.grammar import BETWEEN, CLOSES, END, FIELDS, LIST_END, MOST_LAYERS, STRING, Field, Kind

SEPARATOR = "\nCode Plan: "
CONTEXT = 1024
"""Tokens of a whole example, at most: GPT-2's context (paper, section IV.A)."""

_PROMPT_EIGHTHS = 5
_AUTOMATA: dict[Kind, Callable[[], Automaton]] = {
    "text": text_automaton,
    "layers": text_automaton,
    "number": number_automaton,
    "count": count_automaton,
}


@dataclass(frozen=True, slots=True)
class Example:
    """A row to learn from: its tokens, where the plan starts in them (the loss is on the plan only), and what the
    shortening rule did to it: "prompt", "values", "layers", "texts"."""

    tokens: tuple[int, ...]
    plan_start: int
    shortened: tuple[str, ...] = ()


class PlanCodec:
    """Between texts and the tokens of one byte-level BPE tokenizer (GPT-2's, or one like it).

    `context` is the longest example in tokens. Raises DLCodeGenError for a tokenizer that has no end token or cannot
    spell every byte, and for a context in which not even an empty plan fits.
    """

    def __init__(self, tokenizer: Any, context: int = CONTEXT, *, name: str = "the tokenizer") -> None:
        self.tokenizer = tokenizer
        self.context = context
        if tokenizer.eos_token_id is None:
            raise DLCodeGenError(f"{name} has no end token; set eos_token in tokenizer_config.json")
        self.end: int = int(tokenizer.eos_token_id)
        self.pad: int = int(self.end if tokenizer.pad_token_id is None else tokenizer.pad_token_id)
        self.pieces = _token_bytes(tokenizer, name)
        self.marks = {mark: self._mark(mark) for mark in (STRING, BETWEEN, LIST_END)}
        self.leads = [tuple(self.encode(field.lead)) for field in FIELDS]
        self.between = tuple(self.encode(' "'))
        self.tail = (*self.encode(END), self.end)
        self.separator = tuple(self.encode(SEPARATOR))
        self.prompt_limit = context * _PROMPT_EIGHTHS // 8
        shortest = len(self._plan_tokens([[] if f.kind == "layers" else [()] for f in FIELDS])) + 3 * len("null")
        if shortest > context - self.prompt_limit:
            raise DLCodeGenError(
                f"{name}: a context of {context} tokens is too short; the shortest plan takes {shortest} of them and "
                f"a prompt may take {self.prompt_limit}. Use a model with a larger n_positions or a larger vocabulary"
            )

    def encode(self, text: str) -> list[int]:
        """The tokens of a text; what looks like a special token is spelled out."""
        found: list[int] = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        return found

    @cached_property
    def automata(self) -> dict[Kind, tuple[np.ndarray, np.ndarray]]:
        """For each kind of value: next state by state and token, and distance to a complete value by state."""
        lifted = {build: build().lifted(self.pieces) for build in set(_AUTOMATA.values())}
        return {kind: (lifted[build], build().distance) for kind, build in _AUTOMATA.items()}

    def prompt(self, requirement: str, attributes: str) -> list[int]:
        """The prompt's tokens, separator included, shortened to `prompt_limit`."""
        return self._prompt(requirement, attributes)[0]

    def example(self, requirement: str, attributes: str, plan: SolutionPlan) -> Example:
        """The whole row: prompt, plan, end token, at most `context` tokens."""
        prompt, cut = self._prompt(requirement, attributes)
        room = self.context - len(prompt)
        values, steps = self._values(plan)
        tokens = self._plan_tokens(values)
        layers = next(place for place, field in enumerate(FIELDS) if field.kind == "layers")
        while len(tokens) > room and values[layers]:
            steps["layers"] = None
            del values[layers][len(values[layers]) // 2]
            tokens = self._plan_tokens(values)
        while len(tokens) > room:
            steps["texts"] = None
            texts = [place for place, field in enumerate(FIELDS) if field.kind == "text"]
            longest = max(texts, key=lambda place: len(values[place][0]))
            values[longest] = [self._cut(FIELDS[longest], values[longest][0], len(values[longest][0]) // 2)]
            tokens = self._plan_tokens(values)
        shortened = (*(["prompt"] if cut else []), *steps)
        return Example((*prompt, *tokens), len(prompt), shortened)

    def decode(self, tokens: Sequence[int]) -> SolutionPlan:
        """The plan that its tokens spell. Raises ValueError where they spell none."""
        text = b"".join(self.pieces[token] or b"" for token in tokens).decode()
        return SolutionPlan.model_validate(json.loads(text))

    def _prompt(self, requirement: str, attributes: str) -> tuple[list[int], bool]:
        wanted = self.encode(_line(requirement))
        given = self.encode(f"\n{_line(attributes)}" if attributes.strip() else "")
        room = self.prompt_limit - len(self.separator)
        cut = len(wanted) + len(given) > room
        wanted = wanted[:room]
        return [*wanted, *given[: room - len(wanted)], *self.separator], cut

    def _values(self, plan: SolutionPlan) -> tuple[list[list[tuple[int, ...]]], dict[str, None]]:
        """Each field's values as tokens (one, but for the layers), and the steps of shortening this took."""
        found: list[list[tuple[int, ...]]] = []
        steps: dict[str, None] = {}
        for field in FIELDS:
            value = field.of(plan)
            texts = [value] if isinstance(value, str) else value
            tokens = [tuple(self.encode(text)) for text in texts[:MOST_LAYERS]]
            whole = tokens
            tokens = [self._cut(field, item, field.longest) for item in tokens]
            if tokens != whole:
                steps["values"] = None
            if len(texts) > MOST_LAYERS:
                steps["layers"] = None
            found.append(tokens)
        return found, steps

    def _cut(self, field: Field, tokens: tuple[int, ...], longest: int) -> tuple[int, ...]:
        """The longest start of a value that is complete in itself: no half of a character or an escape.

        A number that is out of bounds or too long becomes null.
        """
        step, distance = self.automata[field.kind]
        state, complete = 0, 0 if field.kind in ("text", "layers") else DEAD
        for place, token in enumerate(tokens[:longest], start=1):
            state = int(step[state, token])
            if state == DEAD:
                break
            if distance[state] == 0:
                complete = place
        if field.kind in ("number", "count") and complete != len(tokens):
            return tuple(self.encode("null"))
        return tokens[:complete]

    def _plan_tokens(self, values: Sequence[Sequence[tuple[int, ...]]]) -> tuple[int, ...]:
        tokens: list[int] = []
        for field, lead, items in zip(FIELDS, self.leads, values, strict=True):
            tokens += lead
            if field.kind == "layers":
                tokens += self._list_tokens(items)
            else:
                tokens += items[0]
            tokens.append(self.marks[CLOSES[field.kind]])
        return (*tokens, *self.tail)

    def _list_tokens(self, items: Sequence[tuple[int, ...]]) -> Iterator[int]:
        quote, comma = self.marks[STRING], self.marks[BETWEEN]
        for place, item in enumerate(items):
            yield from (comma, *self.between) if place else (quote,)
            yield from (*item, quote)

    def _mark(self, text: str) -> int:
        return next(token for token, piece in enumerate(self.pieces) if piece == text.encode())


def _line(text: str) -> str:
    return " ".join(text.split()).encode("utf-8", "replace").decode()


def _token_bytes(tokenizer: Any, name: str) -> list[bytes | None]:
    """What each token spells; None for special tokens."""
    unspelled = {character: byte for byte, character in _byte_characters().items()}
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    special = set(tokenizer.get_added_vocab().values())
    pieces: list[bytes | None] = [None] * (max(vocabulary.values(), default=-1) + 1)
    for text, token in vocabulary.items():
        if token not in special and all(character in unspelled for character in text):
            pieces[token] = bytes(unspelled[character] for character in text)
    missing = 256 - len({piece for piece in pieces if piece is not None and len(piece) == 1})
    if missing:
        raise DLCodeGenError(f"{name}: not a byte-level BPE like GPT-2's; {missing} of the 256 bytes have no token")
    return pieces


def _byte_characters() -> dict[int, str]:
    """The printable character that GPT-2's vocabulary writes for each byte (Radford et al., 2019)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (byte for byte in range(256) if byte not in printable)
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + place) for place, byte in enumerate(others)}
