"""The contamination firewall: a sample that is (nearly) the query's own reference never reaches the generator.

In the published data every benchmark requirement also occurs in the planner's training data, and each sample is
another item's reference. Without this check a score measures copying.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.records import Requirement
from pipeline.retrieval.tokenize import jaccard, shingles, words

Shingles = frozenset[tuple[str, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fingerprint:
    """A row's requirement as two-word shingles and its code as five-word shingles."""

    requirement: Shingles
    code: Shingles


def fingerprint(requirement: str, code: str | None) -> Fingerprint:
    return Fingerprint(requirement=shingles(words(requirement), 2), code=shingles(words(code or ""), 5))


@dataclass(frozen=True, kw_only=True, slots=True)
class Firewall:
    """Thresholds on Jaccard similarity, in [0, 1]; 1.1 lets everything pass.

    A paraphrase of a requirement stays below 0.6 in the published data, a repeated one is above 0.9; near-duplicate
    notebooks (forks with other constants) share more than half of their five-word shingles.
    """

    requirement_similarity: float = 0.8
    code_similarity: float = 0.5

    def reason(self, query: Fingerprint, known: Fingerprint) -> tuple[str, float] | None:
        """Why the known row must stay out, with the similarity that decided; None where it may pass."""
        similarity = jaccard(query.requirement, known.requirement)
        if similarity >= self.requirement_similarity:
            return "same requirement", similarity
        similarity = jaccard(query.code, known.code)
        if similarity >= self.code_similarity:
            return "near-duplicate of the reference code", similarity
        return None


def query_fingerprint(record: Requirement) -> Fingerprint:
    return fingerprint(record.requirement, record.reference)
