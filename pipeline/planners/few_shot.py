"""The few-shot planner: a language model that is shown the most similar known requirements with their plans.

As the GPT planners of the paper (section IV.B: three and five examples), but the examples are chosen for the row: the
most similar of each task category, since a model that is shown one task five times plans that one. What was read in the
request stands beside it, and the reply is bound to the plan's schema where the engine can do that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from pipeline.calls import USELESS_REPLY, LLMCall
from pipeline.errors import StageFailure
from pipeline.llm.asking.asker import Asker, Asking
from pipeline.llm.row_parts import row_parts
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_category
from pipeline.planners.hybrid.similarity import RequestSimilarity, RequestText
from pipeline.records import Requirement
from pipeline.retrieval.firewall import Firewall, row_shingles
from pipeline.retrieval.sample_pool import KnownPlan
from pipeline.stage import Fields
from pipeline.understanding import asked_of

_NO_PLAN = frozenset({"unreadable_plan", "cut_off", "empty_reply", "refused"})
"""Failures of a reply, after which another planner can plan; an engine that gives none is no such thing."""


class FewShotPlanner:
    """Plans by asking a language model with `examples` known plans, none a near-copy of the requirement to the
    firewall. A reply without a plan is asked for once more; then the planner `otherwise` plans, as the last call says,
    or, without one, the row fails (`unreadable_plan`)."""

    def __init__(
        self,
        asker: Asker,
        known: Sequence[KnownPlan],
        *,
        examples: int = 5,
        firewall: Firewall | None = None,
        otherwise: Callable[[Requirement], Fields] | None = None,
    ) -> None:
        self._otherwise = otherwise
        self._asker = asker
        self._known = known
        self._examples = examples
        self._firewall = firewall or Firewall()
        self._similarity = RequestSimilarity.of([RequestText(item.requirement, item.attributes) for item in known])

    async def __call__(self, record: Requirement) -> Fields:
        """The fields `plan`, `plan_sources` and `calls`."""
        chosen = self._nearest(record)

        async def work(ask: Asking) -> SolutionPlan:
            return await ask.plan(
                "few_shot_plan",
                examples="\n\n".join(map(_example, chosen)),
                **row_parts(record, asked_of(record)),
            )

        try:
            (plan,), calls = await self._asker.ask("plan", record, work)
        except StageFailure as failure:
            if self._otherwise is None or failure.kind not in _NO_PLAN:
                raise
            asked = cast("tuple[LLMCall, ...]", failure.added["calls"])
            last = asked[-1]
            note = () if last.gave_nothing else (f"{USELESS_REPLY}{failure.kind}",)
            said = replace(last, cut=(*last.cut, *note, "the plan is drawn from similar projects"))
            return {**self._otherwise(record), "calls": (*asked[:-1], said)}
        return {"plan": plan, "plan_sources": tuple(item.id for item in chosen), "calls": calls}

    def _nearest(self, record: Requirement) -> list[KnownPlan]:
        """The most similar of each task category, then the most similar others where there are not enough categories.
        The nearest stand first: what does not fit into the context is cut from the end."""
        similarity = self._similarity.similarities([RequestText(record.requirement, record.attributes)])[0]
        query = row_shingles(record.requirement, None)
        chosen: list[KnownPlan] = []
        others: list[KnownPlan] = []
        categories: set[str] = set()
        for row in np.argsort(-similarity, kind="stable"):
            item = self._known[row]
            category = canonical_category(item.plan.task_category)
            is_other = category in categories
            if is_other and len(others) == self._examples:
                continue  # enough to fill up with
            if self._firewall.reason(query, row_shingles(item.requirement, None)) is not None:
                continue
            if is_other:
                others.append(item)
                continue
            categories.add(category)
            chosen.append(item)
            if len(chosen) == self._examples:
                return chosen
        chosen += others[: self._examples - len(chosen)]
        if not chosen:
            raise StageFailure("no_known_plan", "the firewall kept out every known plan")
        return chosen


def _example(item: KnownPlan) -> str:
    prompt = {"User Requirement": item.requirement}
    if item.attributes:
        prompt["Dataset Attributes"] = item.attributes
    return f"{json.dumps(prompt, ensure_ascii=False)}\n{item.plan.to_json()}"
