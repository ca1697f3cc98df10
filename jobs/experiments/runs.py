"""An experiment's runs as methods that are scored: what each is called, which are seeds of one, and which one the
others are compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from jobs.experiments.spec import Arm
from jobs.scoring.run_outputs import RUNS
from pipeline.measures.outputs import MethodName

OURS = "dlcodegen"


def named_arms(arms: Sequence[Arm]) -> dict[MethodName, Arm]:
    """The runs by their names; temperature and seed are in them only where there are several."""
    labels = labels_of(arms)
    groups = [arm.group for arm in arms]
    return {
        MethodName(
            RUNS, arm.model, labels[arm.group] + (f", seed {arm.seed}" if groups.count(arm.group) > 1 else "")
        ): arm
        for arm in arms
    }


def labels_of(arms: Iterable[Arm]) -> dict[tuple[str, str, float | None], str]:
    """What each group of runs that differ in their seed alone is called beside its model."""
    groups = dict.fromkeys(arm.group for arm in arms)
    several = len({temperature for _, _, temperature in groups if temperature is not None}) > 1
    return {
        (method, model, temperature): f"{method}, temperature {temperature:g}"
        if several and temperature is not None
        else method
        for method, model, temperature in groups
    }


def seeds_by_method(names: Mapping[MethodName, Arm]) -> dict[MethodName, list[MethodName]]:
    """Methods with several seeds, and their runs."""
    labels = labels_of(names.values())
    groups: dict[tuple[str, str, float | None], list[MethodName]] = {}
    for name, arm in names.items():
        groups.setdefault(arm.group, []).append(name)
    return {runs[0]._replace(method=labels[group]): runs for group, runs in groups.items() if len(runs) > 1}


def ours_of(names: Mapping[MethodName, Arm]) -> list[MethodName]:
    """For each model the run that the others are compared with: the first of DLCodeGen, without one the first."""
    found = []
    for model in dict.fromkeys(name.model for name in names if name.model) or [""]:
        of_model = [name for name in names if name.model == model]
        ours = [name for name in of_model if names[name].config.writing.method == OURS]
        found.append((ours or of_model)[0])
    return found
