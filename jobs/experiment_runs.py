"""An experiment's runs as methods that are scored: what each is called, which are seeds of one, and which one the
others are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.experiment_spec import Arm
from jobs.scoring.run_outputs import RUNS
from pipeline.score.outputs import Name

OURS = "dlcodegen"


def named_arms(arms: Sequence[Arm]) -> dict[Name, Arm]:
    """The runs by their names; a seed is named only where there are several."""
    groups = [arm.group for arm in arms]
    return {
        Name(RUNS, arm.model, arm.label + (f", seed {arm.seed}" if groups.count(arm.group) > 1 else "")): arm
        for arm in arms
    }


def seeds_of(names: Mapping[Name, Arm]) -> dict[Name, list[Name]]:
    """Methods with several seeds, and their runs."""
    groups: dict[tuple[str, str, float | None], list[Name]] = {}
    for name, arm in names.items():
        groups.setdefault(arm.group, []).append(name)
    return {
        runs[0]._replace(method=f"{names[runs[0]].label} (mean of {len(runs)} seeds)"): runs
        for runs in groups.values()
        if len(runs) > 1
    }


def ours_of(names: Mapping[Name, Arm]) -> list[Name]:
    """For each model the run that the others are compared with: the first of DLCodeGen, without one the first."""
    found = []
    for model in dict.fromkeys(name.model for name in names if name.model) or [""]:
        of_model = [name for name in names if name.model == model]
        ours = [name for name in of_model if names[name].config.method == OURS]
        found.append((ours or of_model)[0])
    return found
