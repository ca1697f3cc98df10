"""Length, which drives CodeBLEU: how long candidates are against their references, and both cut to
one length.

The published outputs have a quarter to half of the words of their references. Lengths are counted
in the words that the n-gram parts compare (split at blanks), after the protocol's text processing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.measures.codebleu.codebleu import code_words

_WORD = re.compile(r"\S+")


def length_ratio(pairs: Sequence[tuple[str, str]]) -> float:
    """Words of all candidates over words of all references; the pairs are (candidate, reference).
    NaN without words in the references."""
    candidate_words = sum(len(code_words(candidate)) for candidate, _ in pairs)
    reference_words = sum(len(code_words(reference)) for _, reference in pairs)
    if not reference_words:
        return float("nan")
    return candidate_words / reference_words


def cut(source: str, count: int) -> str:
    """The source up to its `count`-th word, with its line breaks and indentation."""
    end = 0
    for number, word in enumerate(_WORD.finditer(source)):
        if number == count:
            break
        end = word.end()
    return source[:end]


def cut_to_equal_length(candidate: str, reference: str) -> tuple[str, str]:
    """Both, each cut to as many words as the shorter one has."""
    count = min(len(code_words(candidate)), len(code_words(reference)))
    return cut(candidate, count), cut(reference, count)
