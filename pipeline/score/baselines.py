"""What CodeBLEU comes to without any model: a known solution handed over as it is.

CodeBLEU rises with length (n-gram parts carry a brevity penalty, syntax and data flow are recalls of the reference),
and a whole notebook is longer than what a model writes. So values are shown beside those of copying. Each function
says which sample each row would copy; a row's own reference is never among them.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.retrieval.bm25 import Bm25Index, ranking
from pipeline.retrieval.tokenize import words


@dataclass(frozen=True, kw_only=True, slots=True)
class Solution:
    """A requirement and the code that solves it: a row with its reference, or a sample of the pool."""

    requirement: str
    category: str
    code: str


def others(row: Solution, samples: Sequence[Solution]) -> list[int]:
    """The samples a row may copy: all whose code differs from its reference by more than white space."""
    own = row.code.split()
    return [number for number, sample in enumerate(samples) if sample.code.split() != own]


def neighbours(rows: Sequence[Solution], samples: Sequence[Solution]) -> list[int]:
    """The sample in the row's own place: the published pool is the references, moved on by one within a category."""
    return [number % len(samples) for number in range(len(rows))]


def nearest_by_requirement(rows: Sequence[Solution], samples: Sequence[Solution]) -> list[int]:
    """The sample whose requirement has the highest BM25 score for the row's."""
    index = Bm25Index([words(sample.requirement) for sample in samples])
    chosen = []
    for row in rows:
        allowed = set(others(row, samples))
        chosen.append(next(number for number in ranking(index.scores(words(row.requirement))) if number in allowed))
    return chosen


def random_of_category(rows: Sequence[Solution], samples: Sequence[Solution], seed: int) -> list[int]:
    """A random sample of the row's category; of any category where no other has it."""
    draw = random.Random(seed)
    chosen = []
    for row in rows:
        allowed = others(row, samples)
        same = [number for number in allowed if samples[number].category == row.category]
        chosen.append(draw.choice(same or allowed))
    return chosen


def best_in_hindsight(scores: npt.NDArray[np.float64]) -> list[int]:
    """For each row the sample with the highest score against its reference, which no method can know beforehand.
    `scores` has a row a row and a column a sample; NaN for a pair that is not allowed or not measured."""
    return [int(number) for number in np.nanargmax(scores, axis=1)]


def best_for_all(scores: npt.NDArray[np.float64]) -> int:
    """The one sample with the highest mean score over all rows, for every task the same. Shape as above."""
    return int(np.nanargmax(np.nanmean(scores, axis=0)))
