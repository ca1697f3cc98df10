"""The runs of an experiment, one after another: one budget for all, one language model for those that share it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import groupby

from jobs.experiments.spec import Arm, ExperimentConfig
from jobs.generate import main as generate
from jobs.generation.budget import job_budget
from jobs.generation.method_stages import opened_model
from jobs.runs.summary import RunSummary
from jobs.runs.terminal import say
from pipeline.llm.spending.budget import Spending


def run_arms(arms: Sequence[Arm], spec: ExperimentConfig) -> list[tuple[Arm, RunSummary]]:
    """Runs the arms until all are done or the budget is spent; those that were begun, with what they came to."""
    done: list[tuple[Arm, RunSummary]] = []
    with ExitStack() as stack:
        budget = None
        if spec.budget.limited:
            budget = stack.enter_context(job_budget(spec.out, spec.budget, Spending()))
        # The arms of one model follow one another, and the model is made ready once for all of them.
        for _, same_model in groupby(arms, key=lambda arm: arm.group.model):
            group = list(same_model)
            with opened_model(group[0].config) as backend:
                for arm in group:
                    if not spec.quiet:
                        say(f"run {len(done) + 1} of {len(arms)}: {arm.title}", sys.stderr)
                    summary = generate(arm.config, backend=backend, budget=budget)
                    done.append((arm, summary))
                    if summary.stopped:
                        return done
    return done
