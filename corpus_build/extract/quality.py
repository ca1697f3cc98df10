"""How good a sample a notebook makes, in [0, 1]: the order in which the sample pool is filled.

0.35  how surely the plan was read: the mean confidence of layers, optimizer, loss, batch size, epochs, metric,
      input and task category
0.20  votes: log(1 + votes) / log(1 + 100), at most 1; a gold medal counts as 100, silver 50, bronze 20
0.15  prose: markdown is a quarter of the text or more
0.15  size: 40 to 400 lines of code, less for shorter and longer
0.10  the code parses without mending
0.05  the requirement was stated in the notebook's own words
"""

from __future__ import annotations

import math
from statistics import fmean

from corpus_build.records import Confidence

WEIGHTS = {"plan": 0.35, "votes": 0.20, "prose": 0.15, "size": 0.15, "parses": 0.10, "requirement": 0.05}

_MEDAL_VOTES = {1: 100, 2: 50, 3: 20}
_ENOUGH_VOTES = 100
_PROSE_SHARE = 0.25
_SHORTEST, _LONGEST = 40, 400


def quality(confidence: Confidence, *, votes: int, medal: int, lines: int, prose_share: float, parses: bool) -> float:
    """The weighted sum above, rounded to four places. `prose_share` is markdown's share of all characters."""
    counted = max(votes, _MEDAL_VOTES.get(medal, 0))
    parts = {
        "plan": fmean(
            (
                confidence.layers,
                confidence.optimizer,
                confidence.loss,
                confidence.batch_size,
                confidence.epochs,
                confidence.metric,
                confidence.input,
                confidence.task_category,
            )
        ),
        "votes": min(1.0, math.log1p(counted) / math.log1p(_ENOUGH_VOTES)),
        "prose": min(1.0, prose_share / _PROSE_SHARE),
        "size": min(1.0, lines / _SHORTEST, _LONGEST / max(lines, 1)),
        "parses": float(parses),
        "requirement": confidence.requirement,
    }
    return round(sum(WEIGHTS[name] * value for name, value in parts.items()), 4)
