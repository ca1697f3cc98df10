"""How alike two requests are: TF-IDF cosines of words and letters, less where their cues speak for
other tasks.

Requirement and dataset attributes count apart and together, since either may be short or say
little; runs of letters see word forms, spelling and layout, which tell how a plan's texts will be
phrased. Features are hashed (Weinberger et al., ICML 2009), so that nothing but their frequencies
has to be kept. Two requirements about the same subject may ask for different tasks; so a similarity
is multiplied by how alike the cues for a task category are (`category_cues`; a product of two
kernels is a kernel, so ridge regression still holds).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import HashingVectorizer

from pipeline.plan.category_cues import CUED_CATEGORIES, category_cues
from pipeline.planners.hybrid.ridge import Floats

_BITS = 18
"""Of a hashed feature. Changing it, or a view, makes planners that were fitted before useless."""
_WORDS = {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"[a-z0-9]+"}
_LETTERS = {"analyzer": "char_wb", "ngram_range": (2, 5)}
_VIEWS = (("requirement", _WORDS), ("attributes", _WORDS), ("both", _WORDS), ("both", _LETTERS))

_CUE_SHARE = 0.7
"""What is left of the similarity of two requests whose cues have nothing in common: 1 minus this.
Chosen by cross-validation within the published known plans, blocks and halves of the file held out."""


@dataclass(frozen=True, slots=True)
class RequestText:
    """What a planner reads of a row."""

    requirement: str
    attributes: str

    def view(self, name: str) -> str:
        """The text that a view of the similarity reads: `requirement`, `attributes`, or `both`."""
        if name == "both":
            return f"{self.requirement}\n{self.attributes}"
        return str(getattr(self, name))


class RequestSimilarity:
    """Similarities to known requests, in [0, 1]: the mean cosine over the views, times the
    agreement of the cues."""

    def __init__(self, inverse_frequency: Floats, postings: sp.csr_matrix, cues: Floats) -> None:
        self.inverse_frequency = inverse_frequency
        """Shape (views, features)."""
        self.postings = postings
        """Shape (views * features, known requests): their unit vectors."""
        self.cues = cues
        """Shape (known requests, categories): the unit vectors of their cues."""

    @classmethod
    def of(cls, known: Sequence[RequestText]) -> RequestSimilarity:
        counts, requests_with_feature = [], []
        for view in range(len(_VIEWS)):
            view_counts = _counts(known, view)
            counts.append(view_counts)
            requests_with_feature.append(np.bincount(view_counts.indices, minlength=view_counts.shape[1]))
        document_counts = np.array(requests_with_feature)
        # Smoothed as in scikit-learn: as if one more request had every feature, so that nothing is
        # divided by 0.
        inverse = (np.log((1 + len(known)) / (1 + document_counts)) + 1).astype(np.float32)
        return cls(inverse, _unit_vectors(counts, inverse).T.tocsr(), _cue_vectors(known))

    def similarities(self, requests: Sequence[RequestText]) -> Floats:
        """Shape (requests, known requests)."""
        counts = [_counts(requests, view) for view in range(len(_VIEWS))]
        cosines: Floats = (_unit_vectors(counts, self.inverse_frequency) @ self.postings).toarray()
        cue_agreement = _cue_vectors(requests) @ self.cues.T
        similarities: Floats = cosines * (1 - _CUE_SHARE + _CUE_SHARE * cue_agreement)
        return similarities


def _cue_vectors(requests: Sequence[RequestText]) -> Floats:
    """Each request's evidence for the categories, of length 1."""
    rows = []
    for request in requests:
        evidence = category_cues(request.requirement, request.attributes)
        rows.append([evidence.get(name, 0.0) for name in CUED_CATEGORIES])
    vectors = np.array(rows, np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _counts(requests: Sequence[RequestText], view: int) -> sp.csr_matrix:
    """Damped term frequencies, 1 + log(count); shape (requests, features)."""
    name, options = _VIEWS[view]
    hashing = HashingVectorizer(n_features=2**_BITS, alternate_sign=False, norm=None, dtype=np.float32, **options)
    counts = hashing.transform([request.view(name) for request in requests]).tocsr()
    np.log(counts.data, out=counts.data)
    counts.data += 1
    return counts


def _unit_vectors(counts: Sequence[sp.csr_matrix], inverse_frequency: Floats) -> sp.csr_matrix:
    """The views side by side, each row's part in each of them of equal length, so that products are
    mean cosines."""
    parts = []
    for view_counts, weights in zip(counts, inverse_frequency, strict=True):
        part = view_counts.multiply(weights[None, :]).tocsr()
        lengths = np.sqrt(np.asarray(part.multiply(part).sum(axis=1)).ravel() * len(counts))
        parts.append(sp.diags(1 / np.where(lengths > 0, lengths, 1)).dot(part))
    return sp.hstack(parts, format="csr", dtype=np.float32)
