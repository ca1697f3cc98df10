"""One field of a plan as a decision: the candidate value with the highest expected score for a requirement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.planner import ridge
from pipeline.planner.payoff import Floats, Payoff, Value

PENALTIES = (0.3, 1.0, 3.0)
"""Ridge penalties to choose from: small ones trust the nearest known plans, large ones the many."""


@dataclass(frozen=True, slots=True)
class FieldModel:
    """`table`: shape (known plans, candidates); a requirement's similarities times it, plus `base`, is the expected
    score of each candidate. `penalty` was best in cross-validation, with `score` the mean payoff held out.
    `candidate_of`: the candidate each known plan has, -1 for none."""

    name: str
    candidates: tuple[Value, ...]
    table: Floats
    base: Floats
    candidate_of: npt.NDArray[np.int32]
    penalty: float
    score: float

    def best(self, similarity: Floats, excluded: ridge.Rows | None = None) -> Value | None:
        """The value for a requirement; None without candidates. What only `excluded` plans say is no candidate."""
        if not self.candidates:
            return None
        expected = similarity @ self.table + self.base
        if excluded is not None and len(excluded):
            count = len(self.candidates)
            said = np.bincount(self.candidate_of[self.candidate_of >= 0], minlength=count)
            own = self.candidate_of[excluded]
            expected[said == np.bincount(own[own >= 0], minlength=count)] = -np.inf
        return self.candidates[int(expected.argmax())]


def fit_field(name: str, payoff: Payoff, inverses: dict[float, Floats], blocks: Sequence[ridge.Rows]) -> FieldModel:
    """The field's model with the penalty, a key of `inverses`, that scores best on held-out blocks of known plans."""
    deviations, base = ridge.centred(payoff.table, loss=payoff.is_loss)
    best: FieldModel | None = None
    for penalty, inverted in inverses.items():
        table = inverted @ deviations
        score = 0.0
        if len(inverses) > 1 and payoff.candidates:
            chosen = (ridge.held_out(inverted, table, deviations, blocks) + base).argmax(axis=1)
            reached = payoff.table[np.arange(len(chosen)), chosen]
            score = float(np.nanmean(reached)) if not np.isnan(reached).all() else 0.0
        if best is None or score > best.score:
            best = FieldModel(name, payoff.candidates, table, base, payoff.candidate_of, penalty, score)
    assert best is not None
    return best
