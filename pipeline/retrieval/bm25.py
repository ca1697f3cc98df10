"""BM25 Okapi (Robertson et al., 1995) and BM25+ (Lv and Zhai, 2011) as `rank-bm25` defines them, scored through posting
lists.

`rank_bm25.BM25Okapi.get_scores` walks every document for every query token. The index here takes
the statistics from that class and lays each token's weights down once, so that a query costs only
the documents its tokens occur in; the scores are the same numbers (a test holds that).

Okapi weighs a token below zero that stands in more than half of the documents, and so ranks what has nothing in common
with the query first in a small pool about one thing. BM25+ has no such weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from rank_bm25 import BM25Okapi, BM25Plus

Variant = Literal["okapi", "plus"]


@dataclass(frozen=True, slots=True)
class _Posting:
    """The documents that a token occurs in, and what one occurrence in a query adds to the score of each."""

    documents: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]


class Bm25Index:
    """An index over tokenised documents. An empty document never matches; an index of none gives no scores."""

    def __init__(self, documents: Sequence[Sequence[str]], variant: Variant = "okapi") -> None:
        self.size = len(documents)
        self._postings: dict[str, _Posting] = {}
        if not any(documents):
            return  # rank-bm25 would divide by the number of its words
        texts = [list(document) for document in documents]
        bm25 = BM25Plus(texts) if variant == "plus" else BM25Okapi(texts)
        # rank-bm25 gives BM25+'s delta to documents without the token too; the paper, to those alone that hold it.
        delta = bm25.delta if variant == "plus" else 0.0
        lengths = np.asarray(bm25.doc_len, dtype=np.float64)
        norms = bm25.k1 * (1 - bm25.b + bm25.b * lengths / bm25.avgdl)
        occurrences: dict[str, list[tuple[int, int]]] = {}
        for number, frequencies in enumerate(bm25.doc_freqs):
            for token, frequency in frequencies.items():
                occurrences.setdefault(token, []).append((number, frequency))
        for token, pairs in occurrences.items():
            numbers = np.array([number for number, _ in pairs], dtype=np.int64)
            counts = np.array([frequency for _, frequency in pairs], dtype=np.float64)
            weights = bm25.idf[token] * counts * (bm25.k1 + 1) / (counts + norms[numbers])
            self._postings[token] = _Posting(numbers, weights + delta * bm25.idf[token])

    def scores(self, query: Sequence[str]) -> npt.NDArray[np.float64]:
        """The BM25 score of every document for the query's tokens; shape (documents,). Unknown tokens add nothing."""
        total = np.zeros(self.size)
        for token, count in Counter(query).items():
            posting = self._postings.get(token)
            if posting is not None:
                total[posting.documents] += count * posting.weights
        return total


def ranking(scores: npt.NDArray[np.float64]) -> list[int]:
    """Document numbers from the highest score down; equal scores in document order, so a run can be repeated."""
    numbers: list[int] = np.argsort(-scores, kind="stable").tolist()
    return numbers
