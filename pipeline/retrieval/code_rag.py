"""Two-stage retrieval over the sample pool (DLCodeGen, section III.B): task category first, then BM25 plan to plan.

Beyond the paper, the requirement's words count beside the plan's, on both sides; and in a pool whose samples declare
their cells, what is asked for comes before all words (`steering.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from pipeline.errors import StageFailure
from pipeline.own_data.serving import in_words, is_served
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_category
from pipeline.records import ExcludedSample, Planned, Requirement, Retrieved, RetrievedSample, Understood
from pipeline.request.data_contract import DataContract
from pipeline.retrieval.bm25 import Bm25Index, Variant, ranking
from pipeline.retrieval.firewall import Firewall, query_shingles, row_shingles
from pipeline.retrieval.sample_pool import Sample
from pipeline.retrieval.steering import is_steered
from pipeline.retrieval.tokenize import content_words, words
from pipeline.retrieval.wanted import wanted_of

WRONG_CATEGORY_RATIO = 2.0
"""A sample of another category goes first where its score is this many times the best within the plan's category."""


@dataclass(frozen=True, slots=True)
class _Admission:
    """What the firewall let through, nearest first, and what it kept out before that was enough."""

    samples: tuple[RetrievedSample, ...]
    excluded: tuple[ExcludedSample, ...]


class CodeRag:
    """Finds the `top` samples most similar to a plan, nearest first."""

    def __init__(
        self,
        samples: Sequence[Sample],
        *,
        top: int = 2,
        firewall: Firewall | None = None,
        bm25: Variant = "plus",
    ) -> None:
        self.samples = samples
        self._top = top
        self._firewall = firewall or Firewall()
        self._index = Bm25Index([self._document(sample) for sample in samples], bm25)
        # Made where the firewall first asks: of most samples it never does.
        self._shingles = cache(lambda number: row_shingles(samples[number].requirement, samples[number].code))
        self._categories = [_category(sample) for sample in samples]
        self._steered = is_steered(samples)

    def _document(self, sample: Sample) -> list[str]:
        """The words that a sample is indexed by."""
        if sample.plan is None:
            return content_words(sample.requirement)
        return _plan_words(sample.plan, sample.requirement)

    def __call__(self, record: Planned) -> dict[str, object]:
        """The fields `samples` and `excluded`. Raises StageFailure where the firewall leaves nothing."""
        if record.plan is None:
            raise StageFailure("no_plan", "the row has no plan to retrieve by")
        scores = self._index.scores(_plan_words(record.plan, record.requirement))
        if self._steered:
            order = self._fitting(ranking(scores), record)
        else:
            order = self._order(scores, canonical_category(record.plan.task_category))
        admitted = self._admit(record, order, scores, self._top, "plan")
        return {"samples": admitted.samples, "excluded": admitted.excluded}

    def _admit(self, record: Requirement, order: Iterable[int], scores: np.ndarray, top: int, by: str) -> _Admission:
        """The first `top` samples in an order that the firewall lets through; `by` says what the order is by."""
        query = query_shingles(record)
        chosen: list[RetrievedSample] = []
        excluded: list[ExcludedSample] = []
        for number in order:
            if len(chosen) == top:
                break
            sample = self.samples[number]
            reason = self._firewall.reason(query, self._shingles(number))
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
                    by=by,
                )
            )
        if not chosen:
            raise StageFailure("no_sample", f"the firewall kept out all {len(self.samples)} samples of the pool")
        return _Admission(tuple(chosen), tuple(excluded))

    def _order(self, scores: np.ndarray, category: str) -> list[int]:
        """Samples of the plan's category from the best down, then the others.

        The others go first where the category has no sample, or where one of them fits so much
        better that the category is most likely wrong.
        """
        order = ranking(scores)
        inside = [number for number in order if self._categories[number] == category]
        outside = [number for number in order if self._categories[number] != category]
        if not inside or not outside:
            return order
        # In a small pool the average weight of a word, and with it a score, may be below 0.
        if scores[outside[0]] > WRONG_CATEGORY_RATIO * max(scores[inside[0]], 0.0):
            return order
        return [*inside, *outside]

    def _fitting(self, order: Iterable[int], record: Requirement) -> list[int]:
        """Of the samples in an order, those in a framework that may be taken, the best fit first.

        Where none is in the asked framework (`allow_substitutes`), all are taken.
        """
        constraints = record.constraints if isinstance(record, Understood) else ()
        plan = record.plan if isinstance(record, Planned) else None
        wanted = wanted_of(constraints, plan, record.requirement)
        order = list(order)
        taken = [number for number in order if wanted.takes(self.samples[number].cell())] or order
        # Stable: those that fit alike stay in their order.
        return sorted(taken, key=lambda number: wanted.fit(self.samples[number]), reverse=True)


class ExampleRag(CodeRag):
    """Finds the one sample whose requirement is most like the row's, by BM25 on the content words of both: with all
    words, "I want to build a model" decides.

    The baseline CEDAR does this (paper, section IV.B). The example is added to the samples that the row has already.
    """

    def _document(self, sample: Sample) -> list[str]:
        return content_words(sample.requirement)

    def __call__(self, record: Requirement) -> dict[str, object]:
        """The fields `samples` and `excluded`, with the example last. Raises StageFailure as `CodeRag`."""
        scores = self._index.scores(content_words(record.requirement))
        admitted = self._admit(record, ranking(scores), scores, 1, "requirement")
        if not isinstance(record, Retrieved):
            return {"samples": admitted.samples, "excluded": admitted.excluded}
        return {
            "samples": (*record.samples, *admitted.samples),
            "excluded": (*record.excluded, *admitted.excluded),
        }


class OwnDataRag(CodeRag):
    """Finds samples for rows with data of their own: of those that read such data alone, the most similar to the plan,
    or without a plan to the row's words."""

    def __call__(self, record: Requirement) -> dict[str, object]:
        """The fields `samples` and `excluded`. Raises StageFailure (`unserved_data`) where no sample reads the data."""
        assert record.data is not None
        plan = record.plan if isinstance(record, Planned) else None
        query = content_words(record.requirement) if plan is None else _plan_words(plan, record.requirement)
        scores = self._index.scores(query)
        served = [number for number in ranking(scores) if self._reads(number, record.data)]
        served = self._fitting(served, record)
        if not served:
            raise StageFailure(
                "unserved_data",
                f"no sample of the pool reads data of this kind ({in_words(record.data)}); docs/data.md says which are "
                "read, and a pool of your own may have samples that declare it",
            )
        earlier = record.samples if isinstance(record, Retrieved) else ()
        by = "requirement" if plan is None or earlier else "plan"
        admitted = self._admit(record, served, scores, 1 if by == "requirement" else self._top, by)
        kept_out = record.excluded if isinstance(record, Retrieved) else ()
        return {"samples": (*earlier, *admitted.samples), "excluded": (*kept_out, *admitted.excluded)}

    def _reads(self, number: int, contract: DataContract) -> bool:
        serves = self.samples[number].serves
        return serves is not None and is_served(contract, serves)


def _category(sample: Sample) -> str:
    """The canonical task category; Other where no plan is known."""
    return canonical_category(sample.plan.task_category if sample.plan else "")


def _plan_words(plan: SolutionPlan, requirement: str) -> list[str]:
    """The words of a plan, then those of its requirement."""
    return [*words(plan.text()), *content_words(requirement)]
