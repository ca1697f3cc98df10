"""One field of a plan as a decision: the candidate value with the highest expected score for a requirement."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.planner import ridge
from pipeline.planner.payoff import Floats, Payoff, Value

PENALTIES = (0.3, 1.0, 3.0)
"""Ridge penalties to choose from: small ones trust the nearest known plans, large ones the many. For numbers they are
the weight of a prior: with a large one every answer is the median of all known plans."""
_LEAST_PAYOFF = -16.0
"""What a held-out row can cost at most when penalties are compared: batches and epochs off by about 500. A few known
values of ten thousands would else decide alone."""


@dataclass(frozen=True, slots=True)
class FieldModel:
    """`table`: shape (known plans, candidates); a requirement's similarities times it, plus `base`, is the expected
    score of each candidate. `penalty` was best in cross-validation, with `score` the mean payoff held out.
    `candidate_of`: the candidate each known plan has, -1 for none. `held_out`: the candidate that each would have been
    given by a fit without its part of the last folding."""

    name: str
    candidates: tuple[Value, ...]
    table: Floats
    base: Floats
    candidate_of: npt.NDArray[np.int32]
    penalty: float
    score: float
    held_out: npt.NDArray[np.int32]

    def best(self, similarity: Floats, sayers: npt.NDArray[np.bool_]) -> Value | None:
        """The value for a requirement, among those that the `sayers`, of the known plans, have; None where they have
        none."""
        own = self.candidate_of[sayers]
        said = np.unique(own[own >= 0])
        if not len(said):
            return None
        expected = similarity @ self.table + self.base
        return self.candidates[int(said[expected[said].argmax()])]

    def holders(self, values: Collection[Value]) -> npt.NDArray[np.bool_]:
        """Which known plans have one of the values."""
        wanted = np.array([candidate in values for candidate in (*self.candidates, None)])
        found: npt.NDArray[np.bool_] = wanted[self.candidate_of]  # -1 is the last place
        return found


def fit_field(
    name: str, payoff: Payoff, inverses: Mapping[float, Floats], foldings: Sequence[Sequence[ridge.Rows]]
) -> FieldModel:
    """The field's model with the penalty, a key of `inverses`, that scores best on known plans held out, on average
    over the `foldings`: each divides all rows into those that are held out together."""
    deviations, base = ridge.centred(payoff.table, loss=payoff.is_loss)
    best: FieldModel | None = None
    for penalty, inverted in inverses.items():
        table = inverted @ deviations
        chosen = [np.zeros(0, np.intp)]
        score = 0.0
        if payoff.candidates:
            expected = (ridge.held_out(inverted, table, deviations, folds) + base for folds in foldings)
            chosen = [values.argmax(axis=1) for values in expected]
            score = float(np.mean([_reached(payoff, each) for each in chosen]))
        if best is None or score > best.score:
            held_out = chosen[-1].astype(np.int32)
            best = FieldModel(name, payoff.candidates, table, base, payoff.candidate_of, penalty, score, held_out)
    assert best is not None
    return best


def _reached(payoff: Payoff, chosen: npt.NDArray[np.intp]) -> float:
    reached = np.maximum(payoff.table[np.arange(len(chosen)), chosen], _LEAST_PAYOFF)
    return float(np.nanmean(reached)) if not np.isnan(reached).all() else 0.0
