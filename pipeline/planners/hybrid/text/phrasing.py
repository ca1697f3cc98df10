"""How alike two requests are phrased: cosines of short word runs in which only common words are
left.

Known plans come from several hands, each with its way of asking ("I want to build and evaluate a
model to ...", "I aim to ...") and its style of answering. Rare words tell what a request is about;
with them masked, what is left tells whose it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from pipeline.planners.hybrid.ridge import Floats
from pipeline.planners.hybrid.similarity import RequestText

_BITS = 18
_COMMON = 0.03
"""Words in more than this share of the known requests are common."""
_TOKEN = re.compile(r"[a-z]+|\d+|\S")


class Phrasing:
    """Similarities of phrasing to known requests, in [0, 1]."""

    def __init__(self, common_words: Sequence[str], postings: sp.csr_matrix) -> None:
        self.common_words = tuple(common_words)
        """Those that are left; others are masked."""
        self.postings = postings
        """Shape (features, known requests): their unit vectors."""

    @classmethod
    def of(cls, known: Sequence[RequestText]) -> Phrasing:
        requests_with: Counter[str] = Counter()
        for request in known:
            requests_with.update(set(re.findall("[a-z]+", request.view("both").lower())))
        common = sorted(word for word, count in requests_with.items() if count > _COMMON * len(known))
        return cls(common, _unit_vectors(known, common).T.tocsr())

    def similarities(self, requests: Sequence[RequestText]) -> Floats:
        """Shape (requests, known requests)."""
        similarities: Floats = (_unit_vectors(requests, self.common_words) @ self.postings).toarray()
        return similarities


def _unit_vectors(requests: Sequence[RequestText], common_words: Sequence[str]) -> sp.csr_matrix:
    """Damped frequencies of runs of one to three words, of length 1; shape (requests, features)."""
    hashing = HashingVectorizer(
        n_features=2**_BITS,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
        ngram_range=(1, 3),
        token_pattern=r"\S+",
    )
    common = frozenset(common_words)
    counts = hashing.transform([_masked(request, common) for request in requests]).tocsr()
    counts.data = 1 + np.log(counts.data)
    return normalize(counts, copy=False)


def _masked(request: RequestText, common: frozenset[str]) -> str:
    """Common words and punctuation as they are, other words as *, numbers as #."""
    masked = []
    for word in _TOKEN.findall(f"{request.requirement} || {request.attributes}".lower()):
        if word.isdigit():
            masked.append("#")
        elif word.isalpha() and word not in common:
            masked.append("*")
        else:
            masked.append(word)
    return " ".join(masked)
