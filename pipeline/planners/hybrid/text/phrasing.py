"""How alike two requirements are phrased: cosines of short word runs in which only common words are left.

Known plans come from several hands, each with its way of asking ("I want to build and evaluate a model to ...", "I aim
to ...") and its style of answering. Rare words tell what a requirement is about; with them masked, what is left tells
whose it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize

from pipeline.planners.hybrid.similarity import Text

_BITS = 18
_COMMON = 0.03
"""Share of the known texts that have a word from which on it counts as common."""
_TOKEN = re.compile(r"[a-z]+|\d+|\S")

Floats = npt.NDArray[np.float32]


class Phrasing:
    """Similarities to known texts, in [0, 1]. `common`: the words that are left; `postings`: (features, texts), the
    texts' unit vectors."""

    def __init__(self, common: Sequence[str], postings: sp.csr_matrix) -> None:
        self.common = tuple(common)
        self.postings = postings

    @classmethod
    def of(cls, texts: Sequence[Text]) -> Phrasing:
        seen = Counter(word for text in texts for word in set(re.findall("[a-z]+", text.view("both").lower())))
        common = sorted(word for word, count in seen.items() if count > _COMMON * len(texts))
        return cls(common, _unit_vectors(texts, common).T.tocsr())

    def similarities(self, texts: Sequence[Text]) -> Floats:
        """Shape (texts, known texts)."""
        found: Floats = (_unit_vectors(texts, self.common) @ self.postings).toarray()
        return found


def _unit_vectors(texts: Sequence[Text], common: Sequence[str]) -> sp.csr_matrix:
    """Damped frequencies of runs of one to three words, of length 1; shape (texts, features)."""
    hashing = HashingVectorizer(
        n_features=2**_BITS,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
        ngram_range=(1, 3),
        token_pattern=r"\S+",
    )
    kept = frozenset(common)
    found = hashing.transform([_masked(text, kept) for text in texts]).tocsr()
    found.data = 1 + np.log(found.data)
    return normalize(found, copy=False)


def _masked(text: Text, common: frozenset[str]) -> str:
    """Common words and punctuation as they are, other words as *, numbers as #."""
    words = _TOKEN.findall(f"{text.requirement} || {text.attributes}".lower())
    return " ".join("#" if word.isdigit() else "*" if word.isalpha() and word not in common else word for word in words)
