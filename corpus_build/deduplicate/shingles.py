"""Texts as sets of token runs (shingles), each a 64-bit number that is the same on every machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.retrieval.tokenize import words

Hashes = npt.NDArray[np.uint64]

NGRAM = 5
"""Tokens of code in a shingle."""

_TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|[^\s\w]")
_COMMENT = re.compile(r"^[ \t]*#.*$|[ \t]#[ !].*$", re.MULTILINE)
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd: multiplying by it loses nothing
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_KNOWN_TOKENS = 200_000
_hashes: dict[str, int] = {}


def code_shingles(code: str) -> Hashes:
    """The code's runs of NGRAM tokens, comments left out; sorted, each once."""
    return hashed_shingles(_TOKEN.findall(_COMMENT.sub("", code)), NGRAM)


def word_shingles(text: str, size: int) -> Hashes:
    """A text's runs of `size` words, as the contamination firewall counts words; sorted, each once."""
    return hashed_shingles(words(text), size)


def hashed_shingles(tokens: Sequence[str], size: int) -> Hashes:
    """The runs of `size` tokens; a shorter text is one run, an empty one none. Sorted, each once."""
    if not tokens:
        return np.empty(0, np.uint64)
    numbers = np.fromiter(map(_hash, tokens), np.uint64, len(tokens))
    size = min(size, len(tokens))
    runs = len(tokens) - size + 1
    found = np.zeros(runs, np.uint64)
    for place in range(size):
        found = found * _FACTOR + numbers[place : place + runs]
    found ^= found >> np.uint64(31)
    found *= _MIX
    found ^= found >> np.uint64(29)
    return np.unique(found)


def jaccard(first: Hashes, second: Hashes) -> float:
    """Shared shingles over all, in [0, 1]; 0 where either text is empty."""
    if not len(first) or not len(second):
        return 0.0
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (len(first) + len(second) - shared)


def _hash(token: str) -> int:
    found = _hashes.get(token)
    if found is None:
        if len(_hashes) >= _KNOWN_TOKENS:  # bounds the memory of a worker that lives long
            _hashes.clear()
        found = int.from_bytes(hashlib.blake2b(token.encode("utf-8", "replace"), digest_size=8).digest(), "little")
        _hashes[token] = found
    return found
