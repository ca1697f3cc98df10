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
from pipeline.planners.hybrid.contest import FieldContest
from pipeline.planners.hybrid.field_model import PENALTIES, FieldModel, Unseen, fit_field
from pipeline.planners.hybrid.holding_out import spread, strangers
from pipeline.planners.hybrid.payoff import PAYOFFS, Floats
from pipeline.planners.hybrid.similarity import Text, TextViews
from pipeline.planners.hybrid.text.writer import WRITTEN, TextWriter, fit_writer
from pipeline.retrieval.sample_pool import KnownPlan

MOST_PLANS = 8000
"""Known plans that are used: memory and time of a fit grow with their square and cube. Of more, every k-th is."""
PARTS = 6
"""Parts of consecutive known plans that are held out together: large ones, as a file is written in one style for long
stretches."""
_ASKED = 2000
"""Known plans that are also held out one by one, with their likes, of more every k-th."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit gives and a folder holds. `inverses`: by ridge penalty, for leaving rows out. `digest`: SHA-256 of the
    known plans, of which `plans` are those used. `contest`: who is best at which field; empty where nobody asked.
    `writer`: of Input and Output; None where the known plans are too few to learn it from."""

    ids: tuple[str, ...]
    texts: tuple[Text, ...]
    plans: tuple[SolutionPlan, ...]
    views: TextViews
    fields: tuple[FieldModel, ...]
    inverses: Mapping[float, Floats]
    digest: str
    contest: tuple[FieldContest, ...] = ()
    writer: TextWriter | None = None

    @property
    def known(self) -> tuple[KnownPlan, ...]:
        """The known plans that are used, with their requirements."""
        return tuple(
            KnownPlan(id=name, requirement=text.requirement, attributes=text.attributes, plan=plan)
            for name, text, plan in zip(self.ids, self.texts, self.plans, strict=True)
        )


def fit(known: Sequence[KnownPlan], penalties: Sequence[float] = PENALTIES) -> Fitted:
    """Fits every field on the known plans. Raises DLCodeGenError where there are none."""
    if not known:
        raise DLCodeGenError("no known plan to fit a planner on; set `plans` to a file with plans")
    known = [known[row] for row in spread(len(known), MOST_PLANS)]
    texts = tuple(Text(item.requirement, item.attributes) for item in known)
    views = TextViews.of(texts)
    similarities = views.similarities(texts)
    inverses = {penalty: ridge.inverse(similarities, penalty) for penalty in penalties}
    unseen = _unseen(similarities, inverses)
    parts = np.array_split(np.arange(len(known)), min(PARTS, len(known)))
    fields = tuple(
        fit_field(field.name, PAYOFFS[field.measure]([field.of(item.plan) for item in known]), inverses, unseen, parts)
        for field in FIELDS
    )
    used = {model.penalty for model in fields}
    kept = {penalty: inverted for penalty, inverted in inverses.items() if penalty in used}
    categories = [canonical_category(item.plan.task_category) for item in known]
    written = {name: [FIELD[name].of(item.plan) for item in known] for name in WRITTEN}
    return Fitted(
        ids=tuple(item.id for item in known),
        texts=texts,
        plans=tuple(item.plan for item in known),
        views=views,
        fields=fields,
        inverses=kept,
        digest=_digest(known),
        writer=fit_writer(texts, similarities, categories, written),
    )


def _unseen(similarities: Floats, inverses: Mapping[float, Floats]) -> Unseen:
    rows = spread(len(similarities), _ASKED)
    left_out = [np.flatnonzero(~strangers(row, similarities[row])) for row in rows]
    return Unseen(
        rows,
        {
            penalty: np.stack(
                [ridge.without(similarities[row], inverted, out) for row, out in zip(rows, left_out, strict=True)]
            )
            for penalty, inverted in inverses.items()
        },
    )


def _digest(known: Sequence[KnownPlan]) -> str:
    digest = hashlib.sha256()
    for item in known:
        digest.update(
            "\0".join((item.requirement, item.attributes, item.plan.to_json(), "")).encode("utf-8", "replace")
        )
    return digest.hexdigest()
