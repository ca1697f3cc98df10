"""What the symbolic writer corrects in a plan: as a model's, its corrections are data, and the plan stays.

A plan is drawn from projects of other networks. A sample that was found for what is asked, and is known to learn, keeps
its own training settings; and where the plan's loss, metric or layers do not suit it, its own stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from pipeline.analysis.extract import CodeFacts
from pipeline.generate.own_training import own_settings
from pipeline.generate.symbolic.compare import CODE, TEMPLATE
from pipeline.generate.symbolic.target import Target
from pipeline.measures.delivery.code import read_code
from pipeline.measures.torch_facts import in_keras_facts
from pipeline.plan.change import PlanCorrection
from pipeline.plan.correcting import corrected
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import SectionChoice
from pipeline.request.constraints import Constraint
from pipeline.request.data_contract import DataContract
from pipeline.retrieval.sample_pool import Sample

_OF_THE_SAMPLE = "goes with the network of the sample that was found for the request"
_NO_BETTER = "the network of the sample that was found for the request does as much of what is asked"

Corrected = tuple[SolutionPlan, tuple[PlanCorrection, ...]]
"""A plan with its corrections, and these."""


@lru_cache(maxsize=16)  # drafting and comparing a row ask for the same plan
def plan_to_write(
    plan: SolutionPlan, sample: SolutionPlan | None, constraints: tuple[Constraint, ...], data: DataContract | None
) -> Corrected:
    """The plan that is written by: with the training settings of a `sample` that is known to learn with them (None for
    any other) where nobody asked for others."""
    return (plan, ()) if sample is None else corrected(plan, own_settings(plan, sample, constraints, data))


def plan_as_written(
    by: Corrected, target: Target, sample: Sample, choices: Sequence[SectionChoice], script: str, stated: set[str]
) -> Corrected:
    """The plan with what the finished script has in the place of what was left out of it for the `sample`; of what the
    request has `stated` nothing is taken back."""
    plan, corrections = by
    code = read_code(script)
    if code is None:
        return by
    facts = code.facts if code.torch is None else in_keras_facts(code.torch)
    final, further = corrected(plan, _left_out(plan.canonical(), target, sample, choices, facts), stated)
    return final, (*corrections, *further)


def _left_out(
    plan: SolutionPlan, target: Target, sample: Sample, choices: Sequence[SectionChoice], facts: CodeFacts
) -> Iterator[PlanCorrection]:
    def correction(field: str, was: str, now: str, because: str = _OF_THE_SAMPLE) -> PlanCorrection:
        return PlanCorrection(field=field, was=was, now=now, because=because)

    hyper = plan.hyperparameters
    if target.category != plan.task_category and sample.plan is not None:
        yield correction("task_category", plan.task_category, sample.plan.task_category)
    if target.loss != hyper.loss and facts.loss:
        yield correction("loss", hyper.loss, facts.loss)
    if target.metric != hyper.metric and facts.metrics and hyper.metric not in facts.metrics:
        yield correction("metric", hyper.metric, facts.metrics[0])
    of_model = next((choice for choice in choices if choice.section == "model"), None)
    is_planned = target.layers and of_model is not None and of_model.chosen == TEMPLATE
    if plan.layers and facts.layers and not is_planned:
        is_choice = target.layers and of_model is not None and of_model.chosen == CODE
        because = _NO_BETTER if is_choice else _OF_THE_SAMPLE
        yield correction("layers", "\n".join(plan.layers), "\n".join(layer.text for layer in facts.layers), because)
