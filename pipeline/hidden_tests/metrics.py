"""The metrics: each compares the answers with predictions of the same examples, by scikit-learn's functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn import metrics as sk

from pipeline.hidden_tests.draw import Array


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A metric of answers and predictions: arrays with an example a row, as `predictions.read` gives them."""

    name: str
    function: Callable[[Array, Array], float]
    higher_is_better: bool = True

    def __call__(self, answers: Array, predictions: Array) -> float:
        return float(self.function(answers, predictions))

    def better(self, one: float, other: float) -> bool:
        """Whether a value is better than another by more than the rounding of bounds in certificates."""
        gain = one - other if self.higher_is_better else other - one
        return gain > 1e-5 * max(1.0, abs(other))

    def best(self, *values: float) -> float:
        return max(values) if self.higher_is_better else min(values)


def _macro_f1(answers: Array, predictions: Array) -> float:
    return float(sk.f1_score(answers, predictions, average="macro", zero_division=0))


def _quadratic_kappa(answers: Array, predictions: Array) -> float:
    """For classes that are numbers with an order."""
    return float(sk.cohen_kappa_score(answers.astype(int), predictions.astype(int), weights="quadratic"))


def _intersection_over_union(answers: Array, predictions: Array) -> float:
    """Of the foreground, over all test images together: an image without foreground has no value of its own."""
    return float(sk.jaccard_score(answers.ravel(), predictions.ravel(), zero_division=0))


def _token_f1(answers: Array, predictions: Array) -> float:
    """Macro F1 over the tokens of all sentences: most tokens have no tag, and accuracy would reward that."""
    return _macro_f1(np.concatenate(list(answers)), np.concatenate(list(predictions)))


_ALL = (
    Metric(name="accuracy", function=sk.accuracy_score),
    Metric(name="balanced_accuracy", function=sk.balanced_accuracy_score),
    Metric(name="macro_f1", function=_macro_f1),
    Metric(name="quadratic_kappa", function=_quadratic_kappa),
    Metric(name="roc_auc", function=sk.roc_auc_score),
    Metric(name="average_precision", function=sk.average_precision_score),
    Metric(name="mean_absolute_error", function=sk.mean_absolute_error, higher_is_better=False),
    Metric(name="root_mean_squared_error", function=sk.root_mean_squared_error, higher_is_better=False),
    Metric(name="r2", function=sk.r2_score),
    Metric(name="intersection_over_union", function=_intersection_over_union),
    Metric(name="token_f1", function=_token_f1),
)

METRICS = {metric.name: metric for metric in _ALL}
