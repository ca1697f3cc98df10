"""What CodeBLEU comes to without any model: a known solution handed over as it is.

CodeBLEU rises with length (n-gram parts carry a brevity penalty, syntax and data flow are recalls
of the reference), and a whole notebook is longer than what a model writes. So values are shown
beside those of copying. Each function says which sample each row would copy; a row's own reference
is never among them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.plan.solution_plan import SolutionPlan
from pipeline.retrieval.bm25 import Bm25Index, ranking

_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Solution:
    """A requirement, its plan in words, and the code that solves it: a row with its
    reference, or a sample."""

    requirement: str
    code: str
    category: str = ""
    plan: str = ""

    @classmethod
    def of(cls, requirement: str, code: str, plan: SolutionPlan | None) -> Solution:
        """The solution with its plan's category and text, both "" without a plan."""
        if plan is None:
            return cls(requirement=requirement, code=code)
        return cls(requirement=requirement, code=code, category=plan.canonical().task_category, plan=plan.text())


def copyable_samples(row: Solution, samples: Sequence[Solution]) -> list[int]:
    """The samples a row may copy: all whose code differs from its reference by more than white
    space. Raises ValueError where there is none."""
    own = row.code.split()
    copyable = [number for number, sample in enumerate(samples) if sample.code.split() != own]
    if not copyable:
        raise ValueError("every sample is the row's own reference")
    return copyable


def neighbours(rows: Sequence[Solution], samples: Sequence[Solution]) -> list[int]:
    """The sample with the row's own number: the published pool is the references,
    moved on by one within a category."""
    return [number % len(samples) for number in range(len(rows))]


def nearest(
    rows: Sequence[Solution],
    samples: Sequence[Solution],
    query: Callable[[Solution], str],
    document: Callable[[Solution], str],
    *,
    same_category: bool = False,
) -> list[int]:
    """The sample whose `document` has the highest BM25 score for the row's `query`, over lower-case
    letters and digits; with `same_category` one of the row's category, where there is one."""
    documents = [_words(document(sample)) for sample in samples]
    index = Bm25Index(documents)
    chosen = []
    for row in rows:
        if same_category:
            allowed = set(_same_category(row, samples))
        else:
            allowed = set(copyable_samples(row, samples))
        scores = index.scores(_words(query(row)))
        for number in ranking(scores):  # best first
            if number in allowed:
                chosen.append(number)
                break
    return chosen


def random_of_category(rows: Sequence[Solution], samples: Sequence[Solution], seed: int) -> list[int]:
    """A random sample of the row's category; of any category where no other has it."""
    draw = random.Random(seed)
    return [draw.choice(_same_category(row, samples)) for row in rows]


def best_in_hindsight(scores: npt.NDArray[np.float64]) -> list[int]:
    """For each row the sample with the highest score against its reference, which no method can
    know beforehand. `scores` has a row a row and a column a sample; NaN for a pair that is not
    allowed or was not measured. A row of NaN alone gets the first sample."""
    unmeasured_last = np.where(np.isnan(scores), -np.inf, scores)
    best: list[int] = np.argmax(unmeasured_last, axis=1).tolist()
    return best


def one_for_all(scores: npt.NDArray[np.float64]) -> list[int]:
    """The same sample for every row: the one with the highest mean score; the next best for the row
    whose reference it is. Also known in hindsight only. Shape as above."""
    measured = ~np.isnan(scores)
    # At least 1: a sample without a measured pair has the mean 0, and nothing is divided by zero.
    means = np.where(measured, scores, 0).sum(axis=0) / np.maximum(measured.sum(axis=0), 1)
    # Stable: of equal means the first sample wins, on every machine.
    best_first: list[int] = np.argsort(-means, kind="stable").tolist()
    chosen = []
    for of_row in measured:
        allowed = [number for number in best_first if of_row[number]]
        chosen.append(allowed[0] if allowed else best_first[0])
    return chosen


def _same_category(row: Solution, samples: Sequence[Solution]) -> list[int]:
    """The samples of the row's category that it may copy; where there is none, all
    that it may copy."""
    copyable = copyable_samples(row, samples)
    of_category = [number for number in copyable if samples[number].category == row.category]
    return of_category or copyable


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
