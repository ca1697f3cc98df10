"""Texts as tokens for BM25, and as shingles for near-duplicate tests."""

from __future__ import annotations

import re
from collections.abc import Sequence

Shingles = frozenset[tuple[str, ...]]
"""Runs of neighbouring tokens: texts that share many of them are near-duplicates."""

# A version number or a decimal stays one token: "2.5".
_WORD = re.compile(r"[a-z0-9]+(?:\.\d+)?")

_STOP = frozenset(
    "a an and are as at be been build by can classify create data dataset deep develop each for from has have i in "
    "into is it its learning like model my network neural of on or our predict project so such that the their them "
    "these this those to total train training use used uses using various want was we which will with would you".split()
)
"""Function words, and the words with which nearly every requirement asks ("I want to build a model ...")."""


def words(text: str) -> list[str]:
    """Lower-case words and numbers in order, plural endings cut: "32 Flower Species" -> 32, flower, species."""
    return [_singular(word) for word in _WORD.findall(text.lower())]


def content_words(text: str) -> list[str]:
    """`words` without what nearly every requirement says ("I want to build a model ...")."""
    return [word for word in words(text) if word not in _STOP]


def shingles(tokens: Sequence[str], size: int) -> Shingles:
    """All runs of `size` tokens; a shorter text is one shingle, an empty one none."""
    if not tokens:
        return frozenset()
    runs = max(1, len(tokens) - size + 1)
    return frozenset(tuple(tokens[start : start + size]) for start in range(runs))


def jaccard(first: Shingles, second: Shingles) -> float:
    """Shared shingles over all shingles, in [0, 1]; 0 where either is empty."""
    if not first or not second:
        return 0.0
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared)


def _singular(word: str) -> str:
    """The word without a plural's "s"; "gas", "glass", "corpus", "analysis" and "classes" stay."""
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "es")):
        return word[:-1]
    return word
