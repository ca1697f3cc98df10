"""Requirements and plans as the tokens of a GPT-2: prompt, separator, the plan's JSON, end token.

A plan's skeleton and its values are tokenised separately, so that the text that every plan shares
is always the same tokens and a value always ends with a token of its own: what a model learns is
then exactly what constrained decoding lets it write. The text is `SolutionPlan.to_json()`,
character by character.

What is longer than the model's context is shortened by one rule, the same in training and in use. A
prompt gets at most five eighths of the context: the attributes lose their end first, then the
requirement. The plan gets the rest: values longer than their field allows lose their end; then
layers are left out from the middle of the list; then, which only a tiny context makes necessary,
the texts are halved until the plan fits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipeline.errors import DLCodeGenError
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.causal_lm.automata import DEAD, Automaton, count_automaton, number_automaton, text_automaton
from pipeline.planners.causal_lm.bpe import token_bytes
from pipeline.planners.causal_lm.grammar import (
    BETWEEN,
    CLOSES,
    END,
    GRAMMAR,
    LIST_END,
    MAX_LAYERS,
    STRING,
    GrammarField,
    Kind,
)

SEPARATOR = "\nCode Plan: "
CONTEXT = 1024
"""Tokens of a whole example, at most: GPT-2's context (paper, section IV.A)."""

_PROMPT_EIGHTHS = 5
_NUMBERS = ("number", "count")
_LAYERS = next(index for index, field in enumerate(GRAMMAR) if field.kind == "layers")
_TEXTS = [index for index, field in enumerate(GRAMMAR) if field.kind == "text"]
_AUTOMATA: dict[Kind, Callable[[], Automaton]] = {
    "text": text_automaton,
    "layers": text_automaton,
    "number": number_automaton,
    "count": count_automaton,
}

Values = list[list[tuple[int, ...]]]
"""The tokens of each field's values: one value a field, but for the layers."""


@dataclass(frozen=True, slots=True)
class Example:
    """A row to learn from."""

    tokens: tuple[int, ...]
    plan_start: int
    """Index of the plan's first token; the loss is on the plan only."""
    shortened: tuple[str, ...] = ()
    """The steps of the shortening rule that were necessary: "prompt", "values", "layers", "texts"."""


class PlanCodec:
    """Between texts and the tokens of one byte-level BPE tokenizer (GPT-2's, or one like it).

    Raises DLCodeGenError for a tokenizer that has no end token or cannot spell every byte, and for
    a context in which not even an empty plan fits.
    """

    def __init__(self, tokenizer: Any, context: int = CONTEXT, *, name: str = "the tokenizer") -> None:
        if tokenizer.eos_token_id is None:
            raise DLCodeGenError(f"{name} has no end token; set eos_token in tokenizer_config.json")
        self.tokenizer = tokenizer
        self.context = context
        """The longest example in tokens."""
        self.end: int = int(tokenizer.eos_token_id)
        # GPT-2's own tokenizer has no token for padding. Padding is masked, so any token does.
        self.pad = self.end
        if tokenizer.pad_token_id is not None:
            self.pad = int(tokenizer.pad_token_id)
        self.pieces = token_bytes(tokenizer, name)
        """What each token spells; None for special tokens."""
        self.marks = {mark: self.pieces.index(mark.encode()) for mark in (STRING, BETWEEN, LIST_END)}
        """The tokens of the punctuation that ends a value."""
        self.leads = [tuple(self.encode(field.lead)) for field in GRAMMAR]
        self.between = tuple(self.encode(' "'))
        """The skeleton's tokens after the comma between two layers."""
        self.tail = (*self.encode(END), self.end)
        self.separator = tuple(self.encode(SEPARATOR))
        self.prompt_limit = context * _PROMPT_EIGHTHS // 8
        shortest = self._shortest_plan()
        if shortest > context - self.prompt_limit:
            raise DLCodeGenError(
                f"{name}: a context of {context} tokens is too short; the shortest plan takes {shortest} of them and "
                f"a prompt may take {self.prompt_limit}. Use a model with a larger n_positions or a larger vocabulary"
            )

    def encode(self, text: str) -> list[int]:
        """The tokens of a text; what looks like a special token is spelled out."""
        tokens: list[int] = self.tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        return tokens

    @cached_property
    def automata(self) -> dict[Kind, Automaton]:
        """What the values of each kind may be, token by token."""
        # Texts and layers share an automaton; going through the whole vocabulary for it takes a moment, so once.
        over_tokens: dict[Callable[[], Automaton], Automaton] = {}
        automata: dict[Kind, Automaton] = {}
        for kind, build in _AUTOMATA.items():
            if build not in over_tokens:
                over_tokens[build] = build().over_tokens(self.pieces)
            automata[kind] = over_tokens[build]
        return automata

    def prompt(self, requirement: str, attributes: str) -> list[int]:
        """The prompt's tokens, separator included, shortened to `prompt_limit`."""
        return self._prompt(requirement, attributes)[0]

    def example(self, requirement: str, attributes: str, plan: SolutionPlan) -> Example:
        """The whole row: prompt, plan, end token, at most `context` tokens."""
        prompt, prompt_was_cut = self._prompt(requirement, attributes)
        steps: list[str] = []
        if prompt_was_cut:
            steps.append("prompt")
        values = self._values(plan, steps)
        tokens = self._fitted_plan(values, self.context - len(prompt), steps)
        return Example((*prompt, *tokens), len(prompt), tuple(dict.fromkeys(steps)))

    def decode(self, tokens: Sequence[int]) -> SolutionPlan:
        """The plan that its tokens spell. Raises ValueError where they spell none."""
        text = b"".join(self.pieces[token] or b"" for token in tokens).decode()
        return SolutionPlan.model_validate(json.loads(text))

    def _prompt(self, requirement: str, attributes: str) -> tuple[list[int], bool]:
        """The prompt, and whether it had to be cut."""
        wanted = self.encode(_one_line(requirement))
        described: list[int] = []
        if attributes.strip():
            described = self.encode(f"\n{_one_line(attributes)}")
        room = self.prompt_limit - len(self.separator)
        was_cut = len(wanted) + len(described) > room
        wanted = wanted[:room]
        return [*wanted, *described[: room - len(wanted)], *self.separator], was_cut

    def _values(self, plan: SolutionPlan, steps: list[str]) -> Values:
        """Every value within the bounds of its field; what this took is added to `steps`."""
        values: Values = []
        for field in GRAMMAR:
            texts = field.json_value(plan)
            if isinstance(texts, str):
                texts = [texts]
            bounded = []
            for text in texts[:MAX_LAYERS]:
                whole = tuple(self.encode(text))
                bounded.append(self._complete_start(field, whole, field.max_tokens))
                if bounded[-1] != whole:
                    steps.append("values")
            if len(texts) > MAX_LAYERS:
                steps.append("layers")
            values.append(bounded)
        return values

    def _fitted_plan(self, values: Values, room: int, steps: list[str]) -> tuple[int, ...]:
        """The plan in at most `room` tokens. Takes out of `values` what does not fit."""
        layers = values[_LAYERS]
        tokens = self._plan_tokens(values)
        while len(tokens) > room and layers:
            steps.append("layers")
            # From the middle: a plan's first layers say what comes in, its last ones what goes out.
            del layers[len(layers) // 2]
            tokens = self._plan_tokens(values)
        while len(tokens) > room:
            steps.append("texts")
            longest = max(_TEXTS, key=lambda index: len(values[index][0]))
            text = values[longest][0]
            values[longest] = [self._complete_start(GRAMMAR[longest], text, len(text) // 2)]
            tokens = self._plan_tokens(values)
        return tokens

    def _complete_start(self, field: GrammarField, tokens: tuple[int, ...], limit: int) -> tuple[int, ...]:
        """The longest start of a value that is complete in itself: no half of a character or an
        escape.

        A number that is out of bounds or too long becomes null.
        """
        automaton = self.automata[field.kind]
        state = 0
        complete = 0
        if field.kind in _NUMBERS:
            complete = DEAD  # no length: unlike a text, a number cannot be empty
        for length, token in enumerate(tokens[:limit], start=1):
            state = int(automaton.step[state, token])
            if state == DEAD:
                break
            if automaton.distance[state] == 0:
                complete = length
        if field.kind in _NUMBERS and complete != len(tokens):
            return tuple(self.encode("null"))
        return tokens[:complete]

    def _plan_tokens(self, values: Values) -> tuple[int, ...]:
        tokens: list[int] = []
        for field, lead, field_values in zip(GRAMMAR, self.leads, values, strict=True):
            tokens += lead
            if field.kind == "layers":
                tokens += self._list_tokens(field_values)
            else:
                tokens += field_values[0]
            tokens.append(self.marks[CLOSES[field.kind]])
        return (*tokens, *self.tail)

    def _list_tokens(self, layers: Sequence[tuple[int, ...]]) -> Iterator[int]:
        quote, comma = self.marks[STRING], self.marks[BETWEEN]
        for index, layer in enumerate(layers):
            if index == 0:
                yield quote
            else:
                yield from (comma, *self.between)
            yield from (*layer, quote)

    def _shortest_plan(self) -> int:
        """Tokens of a plan that says nothing: no layers, empty texts, three times null, each at
        most four tokens."""
        empty: Values = []
        for field in GRAMMAR:
            if field.kind == "layers":
                empty.append([])
            else:
                empty.append([()])
        return len(self._plan_tokens(empty)) + 3 * len("null")


def _one_line(text: str) -> str:
    # A lone surrogate, which JSON can hold and UTF-8 cannot, becomes a question mark.
    return " ".join(text.split()).encode("utf-8", "replace").decode()
