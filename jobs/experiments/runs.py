"""An experiment's runs as methods that are scored.

What each is called, which are seeds of one, and which one the others are compared with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jobs.experiments.spec import Arm, Group
from jobs.scoring.run_outputs import RUNS
from pipeline.measures.outputs import MethodName

OURS = "dlcodegen"


def named_arms(arms: Sequence[Arm]) -> dict[MethodName, Arm]:
    """The runs by their names; temperature and seed are in them only where there are several."""
    labels = group_labels(arms)
    groups = [arm.group for arm in arms]
    names = {}
    for arm in arms:
        label = labels[arm.group]
        if groups.count(arm.group) > 1:
            label += f", seed {arm.seed}"
        names[MethodName(RUNS, arm.group.model, label)] = arm
    return names


def group_labels(arms: Iterable[Arm]) -> dict[Group, str]:
    """What each group of runs that differ in their seed alone is called beside its model."""
    groups = dict.fromkeys(arm.group for arm in arms)
    temperatures = {group.temperature for group in groups if group.temperature is not None}
    labels = {}
    for group in groups:
        label = group.method
        if len(temperatures) > 1 and group.temperature is not None:
            label += f", temperature {group.temperature:g}"
        labels[group] = label
    return labels


def seeds_by_method(names: Mapping[MethodName, Arm]) -> dict[MethodName, list[MethodName]]:
    """Methods that were run with several seeds, and their runs."""
    labels = group_labels(names.values())
    groups: dict[Group, list[MethodName]] = {}
    for name, arm in names.items():
        groups.setdefault(arm.group, []).append(name)
    seeds: dict[MethodName, list[MethodName]] = {}
    for group, runs in groups.items():
        if len(runs) > 1:
            mean = runs[0]._replace(method=labels[group])
            seeds[mean] = runs
    return seeds


def compared_with(names: Mapping[MethodName, Arm]) -> list[MethodName]:
    """For each model the run that the others are compared with: the first of DLCodeGen, without one the first."""
    # The model of a method that asks none is "", which counts only where there is no other.
    models = dict.fromkeys(name.model for name in names if name.model) or [""]
    chosen = []
    for model in models:
        of_model = [name for name in names if name.model == model]
        ours = [name for name in of_model if names[name].config.writing.method == OURS]
        chosen.append((ours or of_model)[0])
    return chosen
