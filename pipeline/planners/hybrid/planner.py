"""The hybrid planner: each field of a plan from known plans, by the decision that scores best for that field.

The known plans are weighted by how much their requirements say about the new one (`views`, `ridge`); of the values they
have, each field takes the one of the highest expected score under the field's own measure (`payoff`). The category is
decided first; then only plans of that category are drawn from, so that the fields go together. No pre-trained
weights; some twenty milliseconds a plan. Input and Output are written from known texts where there are enough
(`text_writer`). A field at which another planner was better (`contest`) is taken from that one, and values that the
user states win.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from pipeline.errors import StageFailure
from pipeline.plan.dataset_facts import read_facts
from pipeline.plan.fields import FIELD, plan_of
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_category
from pipeline.planners.hybrid import ridge
from pipeline.planners.hybrid.field_model import FieldModel
from pipeline.planners.hybrid.fit import Fitted
from pipeline.planners.hybrid.payoff import Floats
from pipeline.planners.hybrid.similarity import Text
from pipeline.records import Requirement
from pipeline.retrieval.firewall import Firewall, row_shingles
from pipeline.stage import Step

SOURCES = 5
"""Nearest known plans that are named as a plan's sources."""


class HybridPlanner:
    """Plans from a fit; known plans that the firewall sees as near-copies of the requirement have no say.

    `others`: by field, the planner that it is taken from where that is not the ridge.
    """

    def __init__(
        self, fitted: Fitted, *, others: Mapping[str, Step] | None = None, firewall: Firewall | None = None
    ) -> None:
        self._fitted = fitted
        self._others = others or {}
        self._firewall = firewall or Firewall()
        self._shingles = [row_shingles(text.requirement, None) for text in fitted.texts]
        self._rows_with: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for row, known in enumerate(self._shingles):
            for shingle in known.requirement:
                self._rows_with[shingle].append(row)

    def __call__(self, record: Requirement) -> dict[str, object]:
        """The fields `plan` and `plan_sources`. Raises StageFailure where the firewall leaves no known plan."""
        fitted = self._fitted
        text = Text(record.requirement, record.attributes)
        similarity = fitted.views.similarities([text])[0]
        excluded = self._near_copies(record)
        if len(excluded) == len(fitted.ids):
            raise StageFailure("no_known_plan", "the firewall kept out every known plan")
        plan = self._plan(similarity, excluded, text, self._from_others(record))
        order = np.argsort(-similarity, kind="stable")
        nearest = order[~np.isin(order, excluded)][:SOURCES]
        return {"plan": plan, "plan_sources": tuple(fitted.ids[row] for row in nearest)}

    def _from_others(self, record: Requirement) -> dict[str, Any]:
        """The fields that other planners give."""
        plans = {step: cast("dict[str, Any]", step(record))["plan"] for step in set(self._others.values())}
        return {name: FIELD[name].of(plans[step]) for name, step in self._others.items()}

    def _of_category(self, model: FieldModel, category: str | None) -> npt.NDArray[np.bool_]:
        """The known plans of the same canonical category: what they say goes together."""
        wanted = canonical_category(category or "")
        return model.holders({name for name in model.candidates if canonical_category(str(name)) == wanted})

    def _near_copies(self, record: Requirement) -> ridge.Rows:
        query = row_shingles(record.requirement, None)
        # A Jaccard similarity of t needs at least the share t of the query's shingles; few known plans have so many.
        least = self._firewall.requirement_similarity * len(query.requirement)
        shared = Counter(row for shingle in query.requirement for row in self._rows_with.get(shingle, ()))
        rows = sorted(row for row, count in shared.items() if count >= least) if least else range(len(self._shingles))
        near = [row for row in rows if self._firewall.reason(query, self._shingles[row]) is not None]
        return np.array(near, dtype=np.intp)

    def _plan(self, similarity: Floats, excluded: ridge.Rows, text: Text, given: Mapping[str, Any]) -> SolutionPlan:
        adjusted = {
            penalty: ridge.without(similarity, inverted, excluded) if len(excluded) else similarity
            for penalty, inverted in self._fitted.inverses.items()
        }
        everyone = np.ones(len(similarity), dtype=bool)
        everyone[excluded] = False
        values: dict[str, Any] = {}
        sayers = everyone
        for model in self._fitted.fields:  # the category first
            values[model.name] = (
                given.get(model.name)
                or values.get(model.name)
                or model.best(adjusted[model.penalty], sayers)
                or model.best(adjusted[model.penalty], everyone)
            )
            if model.name == "task_category":
                sayers = everyone & self._of_category(model, values[model.name])
                if self._fitted.writer:
                    values |= self._fitted.writer.write(text, similarity, excluded, everyone, sayers)
        stated = read_facts(text.view("both"))
        for name in ("batch_size", "epochs", "learning_rate"):
            values[name] = getattr(stated, name) or values[name]
        return plan_of(values)
