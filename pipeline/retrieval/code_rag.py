"""Two-stage retrieval over the sample pool (DLCodeGen, section III.B): task category first, then BM25 plan to plan.

Beyond the paper, the requirement's words count beside the plan's, on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pipeline.errors import StageFailure
from pipeline.plan import SolutionPlan
from pipeline.records import ExcludedSample, Planned, RetrievedSample
from pipeline.retrieval.bm25 import Bm25Index, ranking
from pipeline.retrieval.firewall import Firewall, fingerprint, query_fingerprint
from pipeline.retrieval.sample_pool import Sample
from pipeline.retrieval.tokenize import content_words, words
from pipeline.vocabulary import canonical_category

WRONG_CATEGORY_RATIO = 2.0
"""A sample of another category goes first where its score is this many times the best within the plan's category."""


class CodeRag:
    """Finds the `top` samples most similar to a plan, nearest first."""

    def __init__(self, samples: Sequence[Sample], *, top: int = 2, firewall: Firewall | None = None) -> None:
        self.samples = samples
        self._top = top
        self._firewall = firewall or Firewall()
        self._index = Bm25Index([_document(sample) for sample in samples])
        self._fingerprints = [fingerprint(sample.requirement, sample.code) for sample in samples]
        self._categories = [canonical_category(sample.plan.task_category if sample.plan else "") for sample in samples]

    def __call__(self, record: Planned) -> dict[str, object]:
        """The fields `samples` and `excluded`. Raises StageFailure where the firewall leaves nothing."""
        if record.plan is None:
            raise StageFailure("no_plan", "the row has no plan to retrieve by")
        scores = self._index.scores(_query(record.plan, record.requirement))
        query = query_fingerprint(record)
        chosen: list[RetrievedSample] = []
        excluded: list[ExcludedSample] = []
        for number in self._order(scores, canonical_category(record.plan.task_category)):
            if len(chosen) == self._top:
                break
            sample = self.samples[number]
            reason = self._firewall.reason(query, self._fingerprints[number])
            if reason is not None:
                excluded.append(ExcludedSample(id=sample.id, reason=reason[0], similarity=round(reason[1], 4)))
                continue
            chosen.append(
                RetrievedSample(
                    id=sample.id,
                    rank=len(chosen) + 1,
                    score=round(float(scores[number]), 4),
                    task_category=self._categories[number],
                    requirement=sample.requirement,
                )
            )
        if not chosen:
            raise StageFailure("no_sample", f"the firewall kept out all {len(self.samples)} samples of the pool")
        return {"samples": tuple(chosen), "excluded": tuple(excluded)}

    def _order(self, scores: np.ndarray, category: str) -> Iterable[int]:
        """Samples of the plan's category from the best down, then the others.

        The others go first where the category has no sample, or where one of them fits so much better that the
        category is most likely wrong.
        """
        order = ranking(scores)
        inside = [number for number in order if self._categories[number] == category]
        outside = [number for number in order if self._categories[number] != category]
        if not inside or (outside and scores[outside[0]] > WRONG_CATEGORY_RATIO * max(scores[inside[0]], 0.0)):
            return order
        return [*inside, *outside]


def _document(sample: Sample) -> list[str]:
    plan = words(sample.plan.text()) if sample.plan else []
    return [*plan, *content_words(sample.requirement)]


def _query(plan: SolutionPlan, requirement: str) -> list[str]:
    return [*words(plan.text()), *content_words(requirement)]
