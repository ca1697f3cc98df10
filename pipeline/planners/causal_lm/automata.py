"""What the values of a plan's JSON may be, as automata over bytes: strings, positive numbers, positive counts.

A language model writes tokens, and a token is a run of bytes that may end inside a character or an escape. So values
are judged byte by byte (RFC 8259 for JSON, RFC 3629 for UTF-8), and an automaton knows how far each of its states is
from a complete value: what decoding needs to end in time.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

DEAD = -1

_Ways = list[tuple[Iterable[int], str]]
_Rules = dict[str, _Ways]


@dataclass(frozen=True, slots=True)
class Automaton:
    """A deterministic automaton over bytes; state 0 is the start.

    `step[state, byte]` is the next state or DEAD. `distance[state]` is the number of bytes to the nearest complete
    value, 0 where the value is complete as it stands.
    """

    step: np.ndarray
    distance: np.ndarray

    def lifted(self, pieces: Sequence[bytes | None]) -> np.ndarray:
        """The automaton over tokens: `[state, token]` is the state after all of the token's bytes, or DEAD.

        A token without bytes (a special one) is DEAD everywhere.
        """
        states = len(self.distance)
        known = [piece or b"" for piece in pieces]
        lengths = np.array([len(piece) for piece in known])
        spelled = np.zeros((len(known), max(1, int(lengths.max(initial=1)))), dtype=np.uint8)
        for number, piece in enumerate(known):
            spelled[number, : len(piece)] = np.frombuffer(piece, dtype=np.uint8)
        reached = np.repeat(np.arange(states, dtype=np.int16)[:, None], len(known), axis=1)
        reached[:, lengths == 0] = DEAD
        for place in range(spelled.shape[1]):
            longer = np.flatnonzero(lengths > place)
            before = reached[:, longer]
            after = self.step[before, spelled[longer, place][None, :]]
            reached[:, longer] = np.where(before == DEAD, DEAD, after)
        return reached


def _automaton(rules: _Rules, complete: Iterable[str]) -> Automaton:
    """From named states, each with its rules (bytes, next state); the first named is the start."""
    number = {name: index for index, name in enumerate(rules)}
    step = np.full((len(number), 256), DEAD, dtype=np.int16)
    for name, ways in rules.items():
        for accepted, after in ways:
            step[number[name], list(accepted)] = number[after]
    distance = np.full(len(number), np.iinfo(np.int16).max, dtype=np.int16)
    distance[[number[name] for name in complete]] = 0
    for _ in number:  # shortest paths: a round for every state suffices
        nearest = np.where(step == DEAD, np.iinfo(np.int16).max - 1, distance[step]).min(axis=1)
        distance = np.minimum(distance, nearest + 1).astype(np.int16)
    return Automaton(step, distance)


@cache
def text_automaton() -> Automaton:
    """The inside of a JSON string: printable UTF-8, and the escapes that `json.dumps` writes."""
    plain = [byte for byte in range(0x20, 0x80) if byte not in b'"\\']
    tail, hexadecimal = range(0x80, 0xC0), b"0123456789abcdefABCDEF"
    characters: _Ways = [
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
"""The longest count is 999,999; the smallest number 1e-24 times 1e-99, far above the smallest float."""


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
    for place in range(1, WHOLE_DIGITS):
        rules[f"digit {place}"] = [(DIGITS, f"digit {place + 1}")]
    rules[f"digit {WHOLE_DIGITS}"] = []
    return _automaton(rules, ["null", *(f"digit {place}" for place in range(1, WHOLE_DIGITS + 1))])


@cache
def number_automaton() -> Automaton:
    """`null`, or a number above 0 as `json.dumps` writes it: 0.001, 12.0, 1e-05, 2.5e-06."""
    rules = _null("start")
    rules["start"] += [(b"0", "0"), (_LARGER_THAN_0, "digit 1")]
    rules["0"] = [(b".", "zeros 0")]
    complete = ["null"]
    for place in range(1, WHOLE_DIGITS + 1):
        rules[f"digit {place}"] = [(b".", "point"), (b"e", "e")]
        if place < WHOLE_DIGITS:
            rules[f"digit {place}"].append((DIGITS, f"digit {place + 1}"))
    rules["point"] = [(DIGITS, "decimal 1")]
    for place in range(1, FRACTION_DIGITS + 1):
        # All zeros so far is no number above 0 yet; one place is always left for the digit that makes it one.
        zeros: _Ways = [(_LARGER_THAN_0, f"decimal {place}")]
        rules[f"zeros {place - 1}"] = zeros if place == FRACTION_DIGITS else [*zeros, (b"0", f"zeros {place}")]
        rules[f"decimal {place}"] = [(b"e", "e")]
        if place < FRACTION_DIGITS:
            rules[f"decimal {place}"].append((DIGITS, f"decimal {place + 1}"))
    rules |= {"e": [(b"-", "e-")], "e-": [(DIGITS, "exponent 1")], "exponent 1": [(DIGITS, "exponent 2")]}
    rules["exponent 2"] = []
    complete += [name for name in rules if name.startswith(("digit", "decimal", "exponent"))]
    return _automaton(rules, complete)
