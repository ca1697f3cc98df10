"""How alike two requirements are: TF-IDF cosines of words and letters, less where their cues speak for other tasks.

Requirement and dataset attributes count apart and together, since either may be short or say little; runs of letters
see word forms, spelling and layout, which tell how a plan's texts will be phrased. Features are hashed (Weinberger et
al., ICML 2009), so that nothing but their frequencies has to be kept. Two requirements about the same subject may ask
for different tasks; so a similarity is multiplied by how alike the cues for a task category are (`cues`; a product of
two kernels is a kernel, so ridge regression still holds).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.feature_extraction.text import HashingVectorizer

from pipeline.plan.category_cues import CUED_CATEGORIES, category_cues

_BITS = 18
_WORDS = {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"[a-z0-9]+"}
_LETTERS = {"analyzer": "char_wb", "ngram_range": (2, 5)}
_VIEWS = (("requirement", _WORDS), ("attributes", _WORDS), ("both", _WORDS), ("both", _LETTERS))

_CUE_SHARE = 0.7
"""What is left of the similarity of two requirements whose cues have nothing in common: 1 minus this. Chosen by
cross-validation within the published known plans, blocks and halves of the file held out."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Text:
    """What a planner reads of a row."""

    requirement: str
    attributes: str

    def view(self, name: str) -> str:
        return f"{self.requirement}\n{self.attributes}" if name == "both" else str(getattr(self, name))


class TextViews:
    """Similarities to known texts, in [0, 1]: the mean cosine over the views, times the agreement of the cues.

    `inverse_frequency`: shape (views, features); `postings`: (views * features, texts), the texts' unit vectors;
    `cues`: (texts, categories), the unit vectors of their cues.
    """

    def __init__(self, inverse_frequency: Floats, postings: sp.csr_matrix, cues: Floats) -> None:
        self.inverse_frequency = inverse_frequency
        self.postings = postings
        self.cues = cues

    @classmethod
    def of(cls, texts: Sequence[Text]) -> TextViews:
        counts = [_counts(texts, number) for number in range(len(_VIEWS))]
        seen = np.array([np.bincount(found.indices, minlength=found.shape[1]) for found in counts])
        inverse = (np.log((1 + len(texts)) / (1 + seen)) + 1).astype(np.float32)
        return cls(inverse, _unit_vectors(counts, inverse).T.tocsr(), _cue_vectors(texts))

    def similarities(self, texts: Sequence[Text]) -> Floats:
        """Shape (texts, known texts)."""
        counts = [_counts(texts, number) for number in range(len(_VIEWS))]
        alike: Floats = (_unit_vectors(counts, self.inverse_frequency) @ self.postings).toarray()
        found: Floats = alike * (1 - _CUE_SHARE + _CUE_SHARE * (_cue_vectors(texts) @ self.cues.T))
        return found


def _cue_vectors(texts: Sequence[Text]) -> Floats:
    """Each text's evidence for the categories, of length 1."""
    cues = [category_cues(text.requirement, text.attributes) for text in texts]
    found = np.array([[each.get(name, 0.0) for name in CUED_CATEGORIES] for each in cues], np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def _counts(texts: Sequence[Text], view: int) -> sp.csr_matrix:
    """Damped term frequencies, 1 + log(count); shape (texts, features)."""
    name, options = _VIEWS[view]
    hashing = HashingVectorizer(n_features=2**_BITS, alternate_sign=False, norm=None, dtype=np.float32, **options)
    found = hashing.transform([text.view(name) for text in texts]).tocsr()
    np.log(found.data, out=found.data)
    found.data += 1
    return found


def _unit_vectors(counts: Sequence[sp.csr_matrix], inverse_frequency: Floats) -> sp.csr_matrix:
    """The views side by side, each row's part in each of them of equal length, so that products are mean cosines."""
    parts = []
    for found, weights in zip(counts, inverse_frequency, strict=True):
        part = found.multiply(weights[None, :]).tocsr()
        lengths = np.sqrt(np.asarray(part.multiply(part).sum(axis=1)).ravel() * len(counts))
        parts.append(sp.diags(1 / np.where(lengths > 0, lengths, 1)).dot(part))
    return sp.hstack(parts, format="csr", dtype=np.float32)
