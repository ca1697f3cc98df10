"""One field of a plan as a decision: the candidate value with the highest expected score for a requirement."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.planners.hybrid import ridge
from pipeline.planners.hybrid.payoff import Floats, Payoff, Value

PENALTIES = (0.3, 1.0, 3.0)
"""Ridge penalties to choose from: small ones trust the nearest known plans, large ones the many. For numbers they are
the weight of a prior: with a large one every answer is the median of all known plans."""
_LEAST_PAYOFF = -16.0
"""What a held-out row can cost at most when penalties are compared: batches and epochs off by about 500. A few known
values of ten thousands would else decide alone."""


@dataclass(frozen=True, slots=True)
class FieldModel:
    """`table`: shape (known plans, candidates); a requirement's similarities times it, plus `base`, is the expected
    score of each candidate. `penalty` was best on known plans held out, with `score` the mean payoff of these.
    `candidate_of`: the candidate each known plan has, -1 for none. `held_out`: the candidate that each would have been
    given by a fit without its part of the known plans."""

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


@dataclass(frozen=True, slots=True)
class Unseen:
    """Known plans (`rows`) as if they were new. `similarities`: by ridge penalty, what each has to the known ones that
    are left when it and what is like it are held out (`ridge.without`); shape (rows, known plans)."""

    rows: ridge.Rows
    similarities: Mapping[float, Floats]


def fit_field(
    name: str, payoff: Payoff, inverses: Mapping[float, Floats], unseen: Unseen, parts: Sequence[ridge.Rows]
) -> FieldModel:
    """The field's model with the penalty, a key of `inverses`, that scores best on known plans held out: on average
    over the `unseen`, and over all of them by the `parts` that they are divided into."""
    deviations, base = ridge.centred(payoff.table, loss=payoff.is_loss)
    everyone = np.arange(len(payoff.table))
    best: FieldModel | None = None
    for penalty, inverted in inverses.items():
        table = inverted @ deviations
        score, held_out = 0.0, np.zeros(0, np.intp)
        if payoff.candidates:
            chosen = (unseen.similarities[penalty] @ table + base).argmax(axis=1)
            held_out = (ridge.held_out(inverted, table, deviations, parts) + base).argmax(axis=1)
            score = (_reached(payoff.table[unseen.rows, chosen]) + _reached(payoff.table[everyone, held_out])) / 2
        if best is None or score > best.score:
            best = FieldModel(
                name, payoff.candidates, table, base, payoff.candidate_of, penalty, score, held_out.astype(np.int32)
            )
    assert best is not None
    return best


def _reached(payoffs: Floats) -> float:
    """Their mean, over those of known plans that have a value."""
    told = payoffs[~np.isnan(payoffs)]
    return float(np.maximum(told, _LEAST_PAYOFF).mean()) if len(told) else 0.0
