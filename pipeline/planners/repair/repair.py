"""The one repair step: what was asked is kept, and the plan holds together, whichever planner made it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from inspect import isawaitable
from typing import cast

from pipeline.plan.change import PlanChange
from pipeline.plan.dataset_facts import DatasetFacts
from pipeline.plan.frameworks import PYTORCH, canonical_framework
from pipeline.plan.shapes import CLASSIFICATION, plan_facts
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.origins import field_origins, guessed_by
from pipeline.planners.repair.asked import Asked
from pipeline.planners.repair.building import make_buildable
from pipeline.planners.repair.draft import PlanDraft
from pipeline.planners.repair.heads import head_of
from pipeline.planners.repair.networks import keep_network
from pipeline.planners.repair.outputs import agree
from pipeline.planners.repair.prose import drop_foreign_prose
from pipeline.planners.repair.settings import keep_settings
from pipeline.planners.repair.sizes import keep_generated_sizes, keep_layer_sizes, keep_sizes
from pipeline.planners.repair.widths import keep_widths
from pipeline.records import Requirement
from pipeline.request.constraints import Constraint
from pipeline.request.data_contract import DataContract
from pipeline.request.stated_category import corrected_category
from pipeline.stage import Fields, Step
from pipeline.understanding import asked_of


def repair_plan(
    plan: SolutionPlan, constraints: Sequence[Constraint], text: str = "", data: DataContract | None = None
) -> tuple[SolutionPlan, tuple[PlanChange, ...]]:
    """The plan with what the request states in the place of what was predicted, its output, loss, metric and class
    count in agreement, and layers that build; and what was changed for it.

    A plan that contradicts neither the request nor itself is returned as it is. `text` are the user's own words (no
    prose is judged without them), `data` the user's own.
    """
    asked, draft = Asked(constraints, data), PlanDraft(plan)
    category = corrected_category(draft.category, constraints)
    planned_for = draft.category
    if category != planned_for:
        draft.set("task_category", category, "asked: the problem and the data")
    keep_settings(draft, asked)
    keep_network(draft, asked, planned_for)
    keep_widths(draft, asked)
    facts = asked.facts_within_reach(category)
    agree(draft, asked, facts)
    before = plan_facts(draft.plan(), draft.category)
    keep_sizes(draft, facts, _output_sizes(draft))
    known = facts.otherwise(plan_facts(draft.plan(), draft.category))
    keep_layer_sizes(draft, known)
    if draft.category == "Image Generation":
        keep_generated_sizes(draft, before, known)
    per_step = "tagging" in asked.values("problem")
    if per_step:
        keep_tags(draft, known)
    make_buildable(draft, known, per_step=per_step)
    if text:
        drop_foreign_prose(draft, text)
    return draft.plan(), tuple(draft.changes)


def keep_tags(draft: PlanDraft, facts: DatasetFacts) -> None:
    """The output of a tagger: a class for each token."""
    head = head_of(draft.entries)
    if head is None or head.units is None or not facts.sequence_length:
        return
    shape = f"(batch_size, {facts.sequence_length}, {head.units})"
    if shape not in draft.values["output"]:
        draft.set("output", f"Shape of the output data is {shape}.", "asked: tagging")


def _output_sizes(draft: PlanDraft) -> Mapping[str, int]:
    """The units of the output layer, as the size of the output's only axis."""
    head = head_of(draft.entries)
    if head is None or head.units is None:
        return {}
    if head.is_convolution:
        return {"classes": head.units} if draft.category == "Image Segmentation" else {}
    if draft.category in CLASSIFICATION:
        return {"classes": head.units}
    return {"targets": head.units, "horizon": head.units}


class RepairedPlanner:
    """Plans as the planner does, then keeps what was asked. It waits where its planner waits."""

    def __init__(self, planner: Step) -> None:
        self._planner = planner

    def __call__(self, record: Requirement) -> Fields | Awaitable[Fields]:
        """The planner's fields with the repaired `plan`, `plan_changes` and `plan_origins`."""
        fields = self._planner(record)
        if isawaitable(fields):
            return _repaired_later(fields, record)
        return _repaired(fields, record)


async def _repaired_later(fields: Awaitable[Fields], record: Requirement) -> Fields:
    return _repaired(await fields, record)


def _repaired(fields: Fields, record: Requirement) -> Fields:
    plan = cast("SolutionPlan", fields["plan"])
    constraints = asked_of(record)
    plan, changes = repair_plan(plan, constraints, f"{record.requirement}\n{record.attributes}", record.data)
    plan = for_framework(plan, canonical_framework(Asked(constraints).first("framework")))
    origins = field_origins(plan, changes, constraints, guessed_by(fields, record.calls))
    return {**fields, "plan": plan, "plan_changes": changes, "plan_origins": origins}


def for_framework(plan: SolutionPlan, framework: str) -> SolutionPlan:
    """The plan for a framework. PyTorch has one cross-entropy of classes, whatever form the labels have for Keras."""
    hyper = plan.hyperparameters
    if framework == PYTORCH and hyper.loss.endswith("categorical_crossentropy"):
        hyper = hyper.model_copy(update={"loss": "crossentropy"})
    architecture = plan.architecture.model_copy(update={"hyperparameters": hyper})
    return plan.model_copy(update={"framework": framework, "architecture": architecture})
