"""The hybrid planner: each field of a plan from known plans, by the decision that scores best for
that field.

The known plans are weighted by how much their requirements say about the new one (`similarity`,
`ridge`); of the values they have, each field takes the one of the highest expected score under the
field's own measure (`score_tables`). No pre-trained weights; some twenty milliseconds a plan.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from pipeline.errors import StageFailure
from pipeline.plan.fields import FIELD, FIELD_NAMES, plan_of
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_category
from pipeline.planners.hybrid import ridge
from pipeline.planners.hybrid.fit import Fitted
from pipeline.planners.hybrid.holding_out import Mask
from pipeline.planners.hybrid.ridge import Floats
from pipeline.planners.hybrid.score_tables import Value
from pipeline.planners.hybrid.similarity import RequestText
from pipeline.records import Requirement
from pipeline.request.constraints import Constraint
from pipeline.request.stated_category import corrected_category
from pipeline.retrieval.firewall import Firewall, row_shingles
from pipeline.stage import Step
from pipeline.understanding import asked_of

SOURCES = 5
"""Nearest known plans that are named as a plan's sources."""


class HybridPlanner:
    """Plans from a fit; known plans that the firewall sees as near-copies of the requirement have
    no say.

    `other_planners`: by field, the planner that it is taken from where that is not the ridge.
    """

    def __init__(
        self, fitted: Fitted, *, other_planners: Mapping[str, Step] | None = None, firewall: Firewall | None = None
    ) -> None:
        self._fitted = fitted
        self._models = {model.name: model for model in fitted.fields}
        self._other_planners = other_planners or {}
        self._firewall = firewall or Firewall()
        self._shingles = [row_shingles(request.requirement, None) for request in fitted.requests]
        self._rows_with_shingle: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for row, known in enumerate(self._shingles):
            for shingle in known.requirement:
                self._rows_with_shingle[shingle].append(row)

    def __call__(self, record: Requirement) -> dict[str, object]:
        """The fields `plan` and `plan_sources`. Raises StageFailure where the firewall leaves no
        known plan."""
        fitted = self._fitted
        request = RequestText(record.requirement, record.attributes)
        similarity = fitted.similarity.similarities([request])[0]
        near_copies = self._near_copies(record)
        if len(near_copies) == len(fitted.ids):
            raise StageFailure("no_known_plan", "the firewall kept out every known plan")
        others = self._values_of_others(record)
        plan = self._plan(request, similarity, near_copies, others, asked_of(record))
        order = np.argsort(-similarity, kind="stable")  # of equals the first in the file
        nearest = order[~np.isin(order, near_copies)][:SOURCES]
        return {"plan": plan, "plan_sources": tuple(fitted.ids[row] for row in nearest)}

    def _plan(
        self,
        request: RequestText,
        similarity: Floats,
        near_copies: ridge.Rows,
        others: Mapping[str, Any],
        constraints: Sequence[Constraint],
    ) -> SolutionPlan:
        """The category first, as stated where that is clear; the texts and the rest from plans of
        that category, so that the fields go together."""
        adjusted = self._similarities_without(similarity, near_copies)
        allowed = np.ones(len(similarity), dtype=bool)
        allowed[near_copies] = False
        category = others.get("task_category") or self._best_value("task_category", adjusted, allowed)
        category = self._corrected(category, constraints)
        same_category = allowed & self._plans_of_category(category)
        texts: Mapping[str, str] = {}
        if self._fitted.writer:
            texts = self._fitted.writer.write(request, similarity, near_copies, allowed, same_category)
        values: dict[str, Any] = {"task_category": category}
        for name in FIELD_NAMES:
            if name not in values:
                values[name] = (
                    others.get(name)
                    or texts.get(name)
                    or self._best_value(name, adjusted, same_category)
                    or self._best_value(name, adjusted, allowed)
                )
        return plan_of(values)

    def _corrected(self, category: Value | None, constraints: Sequence[Constraint]) -> Value | None:
        """The category, or the stated one where some known plan has it and the two cannot mean the same."""
        predicted = canonical_category(str(category or ""))
        stated = corrected_category(predicted, constraints)
        if stated == predicted or not self._plans_of_category(stated).any():
            return category
        return stated

    def _best_value(self, name: str, adjusted: Mapping[float, Floats], eligible_plans: Mask) -> Value | None:
        model = self._models[name]
        return model.best_value(adjusted[model.penalty], eligible_plans)

    def _similarities_without(self, similarity: Floats, near_copies: ridge.Rows) -> dict[float, Floats]:
        """By ridge penalty: the similarities as if the near-copies had never been fitted."""
        adjusted = {}
        for penalty, inverted in self._fitted.inverses.items():
            adjusted[penalty] = similarity
            if len(near_copies):
                adjusted[penalty] = ridge.without_rows(similarity, inverted, near_copies)
        return adjusted

    def _plans_of_category(self, category: Value | None) -> Mask:
        """The known plans of the same canonical category."""
        model = self._models["task_category"]
        wanted = canonical_category(str(category or ""))
        same = set()
        for name in model.candidates:
            if canonical_category(str(name)) == wanted:
                same.add(name)
        return model.plans_with(same)

    def _values_of_others(self, record: Requirement) -> dict[str, Any]:
        """The fields that other planners give, each asked once."""
        plans = {}
        for planner in set(self._other_planners.values()):
            plans[planner] = cast("dict[str, Any]", planner(record))["plan"]
        values = {}
        for name, planner in self._other_planners.items():
            values[name] = FIELD[name].of(plans[planner])
        return values

    def _near_copies(self, record: Requirement) -> ridge.Rows:
        """The known plans whose requirements the firewall keeps from this one."""
        query = row_shingles(record.requirement, None)
        # A Jaccard similarity of t needs at least the share t of the query's shingles; few known
        # plans have so many.
        least = self._firewall.requirement_similarity * len(query.requirement)
        rows: Sequence[int] = range(len(self._shingles))
        if least:
            shared: Counter[int] = Counter()
            for shingle in query.requirement:
                shared.update(self._rows_with_shingle.get(shingle, ()))
            rows = sorted(row for row, count in shared.items() if count >= least)
        near = []
        for row in rows:
            if self._firewall.reason(query, self._shingles[row]) is not None:
                near.append(row)
        return np.array(near, dtype=np.intp)
