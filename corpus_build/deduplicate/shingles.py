"""Texts as sets of token runs (shingles), each a 64-bit number that is the same on every machine.

Near-duplicates are told by runs of code tokens; what two sets share is told by runs of words, as the contamination
firewall (`pipeline.retrieval.firewall`) counts them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.retrieval.tokenize import words

Hashes = npt.NDArray[np.uint64]
"""A text's shingles: sorted, each once."""

CODE_TOKENS = 5
"""Tokens of code in a shingle by which near-duplicates are told."""

REQUIREMENT_WORDS, CODE_WORDS = 2, 5
"""Words in a shingle where sets are compared: those of `pipeline.retrieval.firewall`."""

_TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.]*|[^\s\w]")
_COMMENT = re.compile(r"^[ \t]*#.*$|[ \t]#[ !].*$", re.MULTILINE)
# splitmix64's constants. Another number or shift would change every shingle that a build has written.
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd: multiplying by it loses nothing
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_KNOWN_TOKENS = 200_000
_token_hashes: dict[str, int] = {}


def code_shingles(code: str) -> Hashes:
    """The code's runs of CODE_TOKENS tokens, comments left out."""
    return hashed_shingles(_TOKEN.findall(_COMMENT.sub("", code)), CODE_TOKENS)


def word_shingles(text: str, size: int) -> Hashes:
    """A text's runs of `size` words, as the contamination firewall counts words."""
    return hashed_shingles(words(text), size)


def hashed_shingles(tokens: Sequence[str], size: int) -> Hashes:
    """The runs of `size` tokens; a shorter text is one run, an empty one none."""
    if not tokens:
        return np.empty(0, np.uint64)
    numbers = np.fromiter(map(_token_hash, tokens), np.uint64, len(tokens))
    size = min(size, len(tokens))
    runs = len(tokens) - size + 1
    hashes = np.zeros(runs, np.uint64)
    for offset in range(size):
        hashes = hashes * _FACTOR + numbers[offset : offset + runs]
    hashes ^= hashes >> np.uint64(31)
    hashes *= _MIX
    hashes ^= hashes >> np.uint64(29)
    return np.unique(hashes)


def shingle_similarity(first: Hashes, second: Hashes) -> float:
    """The Jaccard similarity: shared shingles over all, in [0, 1]; 0 where either text is empty."""
    if not len(first) or not len(second):
        return 0.0
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (len(first) + len(second) - shared)


def _token_hash(token: str) -> int:
    known = _token_hashes.get(token)
    if known is not None:
        return known
    if len(_token_hashes) >= _KNOWN_TOKENS:  # bounds the memory of a worker that lives long
        _token_hashes.clear()
    digest = hashlib.blake2b(token.encode("utf-8", "replace"), digest_size=8).digest()
    number = int.from_bytes(digest, "little")
    _token_hashes[token] = number
    return number
