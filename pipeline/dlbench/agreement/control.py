"""The control experiment: the same number of calls and the same tests, spent on the original prompt or on its variants.

Four arms: original x N and mutated x N/m, each with a candidate taken as it comes and with one chosen by agreement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.comparison.statistics import Interval, holm
from pipeline.dlbench.agreement.choosing import CHOICES, chosen
from pipeline.dlbench.agreement.matrix import Matrix
from pipeline.dlbench.statistics import McNemar, clustered_mean, mcnemar

AS_IT_COMES, AGREED = "as it comes", "agreement"
ORIGINAL, MUTATED = "original", "mutated"


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """The candidates of a task that one prompt, or its variants, gave."""

    correct: tuple[bool, ...]
    matrix: Matrix


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlTask:
    """A task in both ways, with as many candidates each."""

    task: str
    repository: str
    original: Drawn
    mutated: Drawn


@dataclass(frozen=True, kw_only=True, slots=True)
class Contrast:
    """One arm against another."""

    name: str
    interval: Interval
    """The difference of pass@1, in shares, with its 95 % interval, repositories drawn whole."""

    mcnemar: McNemar
    """Of the one candidate that each arm would hand over: the first of the best."""

    p_holm: float
    """McNemar's p after Holm's correction over all contrasts."""


def arm_values(tasks: Sequence[ControlTask], choice: str) -> dict[tuple[str, str], list[float]]:
    """pass@1 of each arm, task by task. `choice` names the agreement."""
    values: dict[tuple[str, str], list[float]] = {}
    for prompts in (ORIGINAL, MUTATED):
        drawn = [task.original if prompts == ORIGINAL else task.mutated for task in tasks]
        values[prompts, AS_IT_COMES] = [sum(one.correct) / len(one.correct) for one in drawn]
        values[prompts, AGREED] = [_mean_of_best(one, choice) for one in drawn]
    return values


def _mean_of_best(drawn: Drawn, choice: str) -> float:
    best = chosen(CHOICES[choice](drawn.matrix))
    return sum(drawn.correct[place] for place in best) / len(best)


def _handed_over(drawn: Drawn, way: str, choice: str) -> bool:
    place = 0 if way == AS_IT_COMES else chosen(CHOICES[choice](drawn.matrix))[0]
    return drawn.correct[place]


def contrasts(tasks: Sequence[ControlTask], choice: str) -> list[Contrast]:
    """What mutation does without and with agreement, and what agreement does on each. Raises ValueError where a task
    has not as many candidates in both ways: then more calls would be what is compared."""
    for task in tasks:
        if len(task.original.correct) != len(task.mutated.correct):
            raise ValueError(f"{task.task}: the two ways have not been given as many calls")
    values = arm_values(tasks, choice)
    pairs = [
        ("mutation, as it comes", (MUTATED, AS_IT_COMES), (ORIGINAL, AS_IT_COMES)),
        ("mutation, with agreement", (MUTATED, AGREED), (ORIGINAL, AGREED)),
        ("agreement, on the original", (ORIGINAL, AGREED), (ORIGINAL, AS_IT_COMES)),
        ("agreement, on the mutated", (MUTATED, AGREED), (MUTATED, AS_IT_COMES)),
        ("both, against neither", (MUTATED, AGREED), (ORIGINAL, AS_IT_COMES)),
    ]
    repositories = [task.repository for task in tasks]
    found = []
    for name, first, second in pairs:
        differences = [one - other for one, other in zip(values[first], values[second], strict=True)]
        outcomes = [
            [_handed_over(task.original if prompts == ORIGINAL else task.mutated, way, choice) for task in tasks]
            for prompts, way in (first, second)
        ]
        found.append((name, clustered_mean(differences, repositories), mcnemar(outcomes[0], outcomes[1])))
    adjusted = holm([test.p for _, _, test in found])
    return [
        Contrast(name=name, interval=interval, mcnemar=test, p_holm=p)
        for (name, interval, test), p in zip(found, adjusted, strict=True)
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """What one operator does to tasks of one stage. Exploratory: no test is made of it."""

    operator: str
    stage: str
    kind: str
    """How the one that fails does: a status, or "" where none fails."""

    variant_only: int = 0
    original_only: int = 0
    both: int = 0
    neither: int = 0


def effects(
    rows: Sequence[tuple[str, str, str, str]],
) -> list[Effect]:
    """The taxonomy. Each row: operator, stage, the original's status and the variant's ("pass" or how it failed)."""
    counts: dict[tuple[str, str, str], dict[str, int]] = {}
    for operator, stage, original, variant in rows:
        if original == variant == "pass":
            place, kind = "both", ""
        elif variant == "pass":
            place, kind = "variant_only", original
        elif original == "pass":
            place, kind = "original_only", variant
        else:
            place, kind = "neither", variant
        cell = counts.setdefault((operator, stage, kind), {})
        cell[place] = cell.get(place, 0) + 1
    return [_effect(key, cell) for key, cell in sorted(counts.items())]


def _effect(key: tuple[str, str, str], cell: Mapping[str, int]) -> Effect:
    operator, stage, kind = key
    return Effect(operator=operator, stage=stage, kind=kind, **cell)
