"""What takes no learning: the predictions that a score has to beat before anything counts as learnt."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipeline.hidden_tests.draw import Array
from pipeline.hidden_tests.metrics import METRICS, Metric
from pipeline.hidden_tests.predictions import classes_of, read, truth
from pipeline.hidden_tests.task import AnswerKind, Task, TaskData

_DEALS = 100
"""How often predictions are dealt out by chance."""

_LUCK = 0.99
"""The share of the deals that chance has to stay below."""


def trivial_predictions(data: TaskData, kind: AnswerKind) -> Iterator[Array]:
    """Constants: each class or tag, mean and median, no and all labels or pixels; and what the data's family adds."""
    count = len(data.answers)
    for further in data.further_trivial:
        yield read(further.to_csv(index=False), data, kind)
    if kind == "label":
        for name in classes_of(data, kind):
            yield np.full(count, name)
    elif kind == "score":
        yield np.zeros(count)
    elif kind == "tags":
        answers = truth(data, kind)
        for tag in classes_of(data, kind):
            yield np.array([[tag] * len(tags) for tags in answers], dtype=object)
    elif kind == "mask":
        assert data.sizes is not None
        for value in (False, True):
            yield np.full((count, data.sizes[0] * data.sizes[1]), value)
    else:
        learnt = data.train_answers[data.targets].to_numpy(dtype=float)
        constants = [np.median(learnt, axis=0), np.mean(learnt, axis=0)]
        if kind == "labels":
            constants = [np.median(learnt, axis=0).round(), np.zeros(learnt.shape[1]), np.ones(learnt.shape[1])]
        for constant in constants:
            predictions = np.tile(constant, (count, 1))
            yield predictions[:, 0] if predictions.shape[1] == 1 else predictions


def guesses(data: TaskData, kind: AnswerKind, seed: int) -> pd.DataFrame:
    """Predictions that look at no input: another training example's answer for each row, or any number for a score."""
    rng, count = np.random.default_rng(seed), len(data.answers)
    guessed = data.train_answers[data.targets].sample(count, replace=True, random_state=seed).reset_index(drop=True)
    if kind == "score":
        guessed[data.targets[0]] = rng.random(count)
    elif kind == "tags":
        tokens = [tag for tags in data.train_answers[data.targets[0]] for tag in str(tags).split()]
        lengths = [len(str(tags).split()) for tags in data.answers[data.targets[0]]]
        guessed[data.targets[0]] = [" ".join(rng.choice(tokens, size=length)) for length in lengths]
    guessed.insert(0, data.id_column, data.answers[data.id_column])
    return guessed


def trivial_score(task: Task, data: TaskData) -> float:
    """The best score of the trivial predictions."""
    metric, answers = METRICS[task.metric], truth(data, task.kind)
    return metric.best(*[metric(answers, predictions) for predictions in trivial_predictions(data, task.kind)])


def lucky_score(metric: Metric, answers: Array, predictions: Array) -> float:
    """What predictions reach by luck: dealt out to the test examples by chance, 99 of 100 deals score no better.

    Where the metric gives guesses of a good mixture more than any constant, as macro F1 does, this is the higher bound.
    """
    rng = np.random.default_rng(0)
    scores = []
    for _ in range(_DEALS):
        dealt = predictions[rng.permutation(len(predictions))]
        if answers.dtype == object:  # tags: sentences differ in length, so that tokens are dealt out
            tokens = rng.permutation(np.concatenate(list(predictions)))
            ends = np.cumsum([len(tags) for tags in answers])[:-1]
            dealt = np.empty(len(answers), dtype=object)
            dealt[:] = np.split(tokens, ends)
        scores.append(metric(answers, dealt))
    return float(np.quantile(scores, _LUCK if metric.higher_is_better else 1 - _LUCK))
