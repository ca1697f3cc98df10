"""The words of a request and of a plan's texts, so that the two can be compared: "Four Classes" is
"4 classe"."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from pipeline.plan.dataset_facts import NUMBER_WORDS

_TOKEN = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|\d+(?:\.\d+)?|\S")
_FUNCTION_WORDS = frozenset(
    "a an the of to and or in on for with into from by is are be as at that this these those it its their each which "
    "i my we using use used based including such e g i.e. not no both various different multiple".split()
)
START, BETWEEN, END = "^", "|", "$"
"""Around and between requirement and attributes, among the words of a request."""

Keys = Sequence[str]
"""Words as `word_key` gives them."""
Context = tuple[tuple[str, str, str], tuple[str, str]]
"""The three keys before some words, the nearest first, and the two after them."""


@lru_cache(maxsize=1 << 16)
def word_key(word: str) -> str:
    """A word without what its use in a sentence adds: case, plural, digits or letters of a number."""
    lowered = word.lower()
    if lowered in NUMBER_WORDS:
        return str(NUMBER_WORDS[lowered])
    if len(lowered) > 3 and lowered.endswith("s") and not lowered.endswith("ss"):
        if lowered.endswith("ies"):
            return f"{lowered[:-3]}y"
        return lowered[:-1]
    return lowered


def word_keys(text: str) -> list[str]:
    return [word_key(word) for word in _TOKEN.findall(text)]


def is_content(key: str) -> bool:
    """Whether a key is neither punctuation nor a word that only binds others."""
    return key[0].isalnum() and key not in _FUNCTION_WORDS


def all_numbers(keys: Keys) -> bool:
    """Whether all content words among the keys are numbers."""
    return all(key.isdigit() for key in keys if is_content(key))


def words_with_blanks(text: str) -> Iterator[tuple[str, str]]:
    """The blanks before each word, and the word."""
    end = 0
    for match in _TOKEN.finditer(text):
        yield text[end : match.start()], match[0]
        end = match.end()


class RequestTokens:
    """The words of a requirement and its dataset attributes, and where each stands."""

    def __init__(self, requirement: str, attributes: str) -> None:
        self.blanks: list[str] = []
        """What stands before each word."""
        self.words: list[str] = []
        self.keys: list[str] = []
        self.positions: dict[str, list[int]] = defaultdict(list)
        """By key, where it stands."""
        # Two marks at each end, so that the neighbours of the first and the last word need no
        # special case.
        words = [
            ("", START), ("", START), *words_with_blanks(requirement), ("", BETWEEN),
            *words_with_blanks(attributes), ("", END), ("", END),
        ]  # fmt: skip
        for position, (blanks, word) in enumerate(words):
            key = word_key(word)
            self.blanks.append(blanks)
            self.words.append(word)
            self.keys.append(key)
            self.positions[key].append(position)
        self.pairs = set(pairwise(self.keys))
        """Keys that stand beside each other."""

    def __contains__(self, key: str) -> bool:
        return key in self.positions

    def content_keys(self) -> list[str]:
        """The different content words, in the order of appearance."""
        return [key for key in self.positions if is_content(key)]

    def starts_of(self, run: Keys) -> list[int]:
        """Where the run of keys starts."""
        starts = []
        for start in self.positions.get(run[0], ()):
            if self.keys[start : start + len(run)] == run:
                starts.append(start)
        return starts

    def longest_run(self, keys: Keys) -> int:
        """How many of the first keys stand here in a row, up to the last content word."""
        longest = 0
        for start in self.positions.get(keys[0], ()):
            count = 0
            while count < len(keys) and self.keys[start + count : start + count + 1] == [keys[count]]:
                count += 1
            while count and not is_content(keys[count - 1]):
                count -= 1
            longest = max(longest, count)
        return longest

    def context(self, start: int, end: int) -> Context:
        """What stands around the words from `start` to `end`."""
        nearest_first = self.keys[:start][-3:][::-1]
        before = [*nearest_first, START, START][:3]
        after = [*self.keys[end : end + 2], END, END][:2]
        return (before[0], before[1], before[2]), (after[0], after[1])
