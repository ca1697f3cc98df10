"""The contamination firewall: a sample that is (nearly) the query's own reference never reaches the generator.

In the published data every benchmark requirement also occurs in the planner's training data, and
each sample is another item's reference. Without this check a score measures copying.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.records import Requirement
from pipeline.retrieval.tokenize import Shingles, jaccard, shingles, words

_REQUIREMENT_WORDS = 2
"""Words in a shingle of a requirement: it is a sentence or two, and a repeated one has most pairs in common."""

_CODE_WORDS = 5
"""Words in a shingle of code: shorter runs (`model add layers dense`) are shared by all Keras projects."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RowShingles:
    """What a row, a sample or a known plan is compared by."""

    requirement: Shingles

    code: Shingles
    """Those of the reference or sample; empty where there is no code."""


def row_shingles(requirement: str, code: str | None) -> RowShingles:
    return RowShingles(
        requirement=shingles(words(requirement), _REQUIREMENT_WORDS),
        code=shingles(words(code or ""), _CODE_WORDS),
    )


def query_shingles(record: Requirement) -> RowShingles:
    """Those of the row that is to be answered: its requirement and its known solution."""
    return row_shingles(record.requirement, record.reference)


@dataclass(frozen=True, kw_only=True, slots=True)
class Firewall:
    """Thresholds on Jaccard similarity, in [0, 1]; 1.1 lets everything pass."""

    requirement_similarity: float = 0.8
    """A paraphrase of a requirement stays below 0.6 in the published data, a repeated one is above 0.9."""

    code_similarity: float = 0.5
    """Near-duplicate notebooks (forks with other constants) share more than half of their five-word shingles."""

    def reason(self, query: RowShingles, known: RowShingles) -> tuple[str, float] | None:
        """Why the known row must stay out, with the similarity that decided; None where it may pass."""
        similarity = jaccard(query.requirement, known.requirement)
        if similarity >= self.requirement_similarity:
            return "same requirement", similarity
        similarity = jaccard(query.code, known.code)
        if similarity >= self.code_similarity:
            return "near-duplicate of the reference code", similarity
        return None
