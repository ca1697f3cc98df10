"""What the values of a plan's JSON may be, as automata over bytes: strings, positive numbers,
positive counts.

A language model writes tokens, and a token is a run of bytes that may end inside a character or an
escape. So values are judged byte by byte (RFC 8259 for JSON, RFC 3629 for UTF-8), and an automaton
knows how far each of its states is from a complete value: what decoding needs to end in time.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

DEAD = -1

_Transitions = list[tuple[Iterable[int], str]]
_Rules = dict[str, _Transitions]
_FAR = np.iinfo(np.int16).max


@dataclass(frozen=True, slots=True)
class Automaton:
    """A deterministic automaton over bytes, or over the tokens of a vocabulary; state 0 is the
    start."""

    step: np.ndarray
    """`[state, symbol]`: the next state, or DEAD."""
    distance: np.ndarray
    """`[state]`: bytes to the nearest complete value, 0 where the value is complete as it stands.
    Every byte is a token of its own too, so no more tokens than that are needed."""

    def over_tokens(self, pieces: Sequence[bytes | None]) -> Automaton:
        """The automaton whose symbols are tokens, which spell `pieces`. A token without bytes (a
        special one) is DEAD everywhere."""
        spelled = [piece or b"" for piece in pieces]
        lengths = np.array([len(piece) for piece in spelled])
        longest = max(1, int(lengths.max(initial=1)))
        characters = np.zeros((len(spelled), longest), dtype=np.uint8)
        for token, piece in enumerate(spelled):
            characters[token, : len(piece)] = np.frombuffer(piece, dtype=np.uint8)
        states = np.arange(len(self.distance), dtype=np.int16)
        reached = np.repeat(states[:, None], len(spelled), axis=1)
        reached[:, lengths == 0] = DEAD
        # All tokens in all states at once, one byte further in each round.
        for index in range(longest):
            unfinished = np.flatnonzero(lengths > index)
            before = reached[:, unfinished]
            after = self.step[before, characters[unfinished, index][None, :]]
            reached[:, unfinished] = np.where(before == DEAD, DEAD, after)
        return Automaton(reached, self.distance)


def _automaton(rules: _Rules, complete: Iterable[str]) -> Automaton:
    """From named states, each with its transitions (bytes, next state); the first named is the
    start."""
    number = {name: index for index, name in enumerate(rules)}
    step = np.full((len(number), 256), DEAD, dtype=np.int16)
    for name, transitions in rules.items():
        for accepted, after in transitions:
            step[number[name], list(accepted)] = number[after]
    distance = np.full(len(number), _FAR, dtype=np.int16)
    for name in complete:
        distance[number[name]] = 0
    for _ in number:  # shortest paths: a round for every state suffices
        nearest = np.where(step == DEAD, _FAR - 1, distance[step]).min(axis=1)
        distance = np.minimum(distance, nearest + 1).astype(np.int16)
    return Automaton(step, distance)


@cache
def text_automaton() -> Automaton:
    """The inside of a JSON string: printable UTF-8, and the escapes that `json.dumps` writes."""
    plain = [byte for byte in range(0x20, 0x80) if byte not in b'"\\']
    tail, hexadecimal = range(0x80, 0xC0), b"0123456789abcdefABCDEF"
    characters: _Transitions = [
        (plain, "text"), (b"\\", "escape"), (range(0xC2, 0xE0), "last"), (b"\xe0", "e0"), (b"\xed", "ed"),
        ([*range(0xE1, 0xED), 0xEE, 0xEF], "last but one"), (b"\xf0", "f0"), (range(0xF1, 0xF4), "last but two"),
        (b"\xf4", "f4"),
    ]  # fmt: skip
    rules: _Rules = {
        "text": characters,
        "escape": [(b'"\\/bfnrt', "text"), (b"u", "u")],
        "u": [(b"0", "u0")],
        "u0": [(b"0", "u00")],
        "u00": [(hexadecimal, "u00x")],  # control characters only: no half of a surrogate pair
        "u00x": [(hexadecimal, "text")],
        "last": [(tail, "text")],
        "last but one": [(tail, "last")],
        "last but two": [(tail, "last but one")],
        "e0": [(range(0xA0, 0xC0), "last")],
        "ed": [(range(0x80, 0xA0), "last")],
        "f0": [(range(0x90, 0xC0), "last but one")],
        "f4": [(range(0x80, 0x90), "last but one")],
    }
    return _automaton(rules, ["text"])


DIGITS = string.digits.encode()
_LARGER_THAN_0 = DIGITS[1:]

WHOLE_DIGITS, FRACTION_DIGITS = 6, 24
"""The longest count is 999,999; the smallest number 1e-24 times 1e-99, far above the smallest
float."""


def _null(start: str) -> _Rules:
    return {
        start: [(b"n", "n")],
        "n": [(b"u", "nu")],
        "nu": [(b"l", "nul")],
        "nul": [(b"l", "null")],
        "null": [],
    }


@cache
def count_automaton() -> Automaton:
    """`null`, or a whole number from 1 to 999,999."""
    rules = _null("start")
    rules["start"].append((_LARGER_THAN_0, "digit 1"))
    for digit in range(1, WHOLE_DIGITS):
        rules[f"digit {digit}"] = [(DIGITS, f"digit {digit + 1}")]
    rules[f"digit {WHOLE_DIGITS}"] = []
    numbers = [name for name in rules if name.startswith("digit")]
    return _automaton(rules, ["null", *numbers])


@cache
def number_automaton() -> Automaton:
    """`null`, or a number above 0 as `json.dumps` writes it: 0.001, 12.0, 1e-05, 2.5e-06."""
    rules = _null("start")
    rules["start"] += [(b"0", "0"), (_LARGER_THAN_0, "digit 1")]
    rules["0"] = [(b".", "zeros 0")]
    for digit in range(1, WHOLE_DIGITS + 1):
        rules[f"digit {digit}"] = [(b".", "point"), (b"e", "e")]
        if digit < WHOLE_DIGITS:
            rules[f"digit {digit}"].append((DIGITS, f"digit {digit + 1}"))
    rules["point"] = [(DIGITS, "decimal 1")]
    for decimal in range(1, FRACTION_DIGITS + 1):
        # All zeros so far is no number above 0 yet; one decimal is always left for the digit that makes it one.
        rules[f"zeros {decimal - 1}"] = [(_LARGER_THAN_0, f"decimal {decimal}")]
        if decimal < FRACTION_DIGITS:
            rules[f"zeros {decimal - 1}"].append((b"0", f"zeros {decimal}"))
        rules[f"decimal {decimal}"] = [(b"e", "e")]
        if decimal < FRACTION_DIGITS:
            rules[f"decimal {decimal}"].append((DIGITS, f"decimal {decimal + 1}"))
    rules |= {"e": [(b"-", "e-")], "e-": [(DIGITS, "exponent 1")], "exponent 1": [(DIGITS, "exponent 2")]}
    rules["exponent 2"] = []
    numbers = [name for name in rules if name.startswith(("digit", "decimal", "exponent"))]
    return _automaton(rules, ["null", *numbers])
