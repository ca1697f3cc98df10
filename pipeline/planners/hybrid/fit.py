"""Fitting the hybrid planner to known plans: similarities, weights, and a decision for each field."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.errors import DLCodeGenError
from pipeline.plan.fields import FIELD, FIELDS
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import canonical_category
from pipeline.planners.hybrid import ridge
from pipeline.planners.hybrid.field_model import PENALTIES, FieldChoice, FieldModel, HeldOutPlans, fit_field
from pipeline.planners.hybrid.holding_out import every_kth, independent_plans
from pipeline.planners.hybrid.ridge import Floats
from pipeline.planners.hybrid.score_tables import SCORE_TABLES
from pipeline.planners.hybrid.similarity import RequestSimilarity, RequestText
from pipeline.planners.hybrid.text.writer import WRITTEN_FIELDS, TextWriter, fit_writer
from pipeline.retrieval.sample_pool import KnownPlan

MOST_PLANS = 8000
"""Known plans that are used: memory and time of a fit grow with their square and cube. Of more,
every k-th is."""
PARTS = 6
"""Parts of consecutive known plans that are held out together: large ones, as a file is written in
one style for long stretches."""
_ONE_BY_ONE = 2000
"""Known plans that are also held out one by one, with their likes; of more, every k-th."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit gives and a folder holds."""

    ids: tuple[str, ...]
    """Of the known plans that are used; so are `requests` and `plans`."""
    requests: tuple[RequestText, ...]
    plans: tuple[SolutionPlan, ...]
    similarity: RequestSimilarity
    fields: tuple[FieldModel, ...]
    inverses: Mapping[float, Floats]
    """By ridge penalty, for leaving rows out."""
    digest: str
    """SHA-256 of the known plans."""
    choices: tuple[FieldChoice, ...] = ()
    """Which planner each field is taken from; empty where none but the ridge was asked."""
    writer: TextWriter | None = None
    """Of Input and Output; None where the known plans are too few to learn it from."""

    @property
    def known_plans(self) -> tuple[KnownPlan, ...]:
        """The known plans that are used, with their requirements."""
        known = []
        for name, request, plan in zip(self.ids, self.requests, self.plans, strict=True):
            item = KnownPlan(id=name, requirement=request.requirement, attributes=request.attributes, plan=plan)
            known.append(item)
        return tuple(known)


def fit(known: Sequence[KnownPlan], penalties: Sequence[float] = PENALTIES) -> Fitted:
    """Fits every field on the known plans. Raises DLCodeGenError where there are none."""
    if not known:
        raise DLCodeGenError("no known plan to fit a planner on; set `plans` to a file with plans")
    known = [known[row] for row in every_kth(len(known), MOST_PLANS)]
    requests = tuple(RequestText(item.requirement, item.attributes) for item in known)
    plans = tuple(item.plan for item in known)
    similarity = RequestSimilarity.of(requests)
    similarities = similarity.similarities(requests)
    inverses: dict[float, Floats] = {}
    for penalty in penalties:
        inverses[penalty] = ridge.inverse(similarities, penalty)
    held_out = _held_out_one_by_one(similarities, inverses)
    parts = consecutive_parts(len(known))
    models = []
    for field in FIELDS:
        values = [field.of(plan) for plan in plans]
        table = SCORE_TABLES[field.measure](values)
        models.append(fit_field(field.name, table, inverses, held_out, parts))
    # An inverse has a number for each pair of known plans: only those that a field needs are kept.
    used_penalties = {model.penalty for model in models}
    for penalty in penalties:
        if penalty not in used_penalties:
            inverses.pop(penalty, None)
    categories = [canonical_category(plan.task_category) for plan in plans]
    written = {}
    for name in WRITTEN_FIELDS:
        written[name] = [FIELD[name].of(plan) for plan in plans]
    return Fitted(
        ids=tuple(item.id for item in known),
        requests=requests,
        plans=plans,
        similarity=similarity,
        fields=tuple(models),
        inverses=inverses,
        digest=_digest(known),
        writer=fit_writer(requests, similarities, categories, written),
    )


def consecutive_parts(count: int) -> list[ridge.Rows]:
    """The rows in PARTS parts, in their order; fewer where there are fewer rows."""
    return np.array_split(np.arange(count), min(PARTS, count))


def _held_out_one_by_one(similarities: Floats, inverses: Mapping[float, Floats]) -> HeldOutPlans:
    rows = every_kth(len(similarities), _ONE_BY_ONE)
    held_out_with = []
    for row in rows:
        held_out_with.append(np.flatnonzero(~independent_plans(row, similarities[row])))
    by_penalty = {}
    for penalty, inverted in inverses.items():
        adjusted = []
        for row, left_out in zip(rows, held_out_with, strict=True):
            adjusted.append(ridge.without_rows(similarities[row], inverted, left_out))
        by_penalty[penalty] = np.stack(adjusted)
    return HeldOutPlans(rows, by_penalty)


def _digest(known: Sequence[KnownPlan]) -> str:
    digest = hashlib.sha256()
    for item in known:
        row = "\0".join((item.requirement, item.attributes, item.plan.to_json(), ""))
        digest.update(row.encode("utf-8", "replace"))  # a requirement may hold half of a surrogate pair
    return digest.hexdigest()
