"""What is held out with a known plan, so that what is learnt from the others holds for new
requirements.

Neighbours in a file of known plans are often about the same data, and a requirement that is new has
a nearest known one at a similarity of about 0.35 (median of the published Test.txt against
Train.txt). So a known plan is answered without the lines around it and without those whose
requirements are too much like its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.planners.hybrid.ridge import Floats, Rows

_BESIDE = 75
"""Lines on each side."""
_TOO_ALIKE = 0.5
"""The `RequestSimilarity` from which on a request is too much like another."""

Mask = npt.NDArray[np.bool_]


def every_kth(count: int, most: int) -> Rows:
    """All rows up to `most`; of more, every k-th."""
    return np.arange(0, count, -(-count // most) or 1)


def distant_plans(row: int, count: int) -> Mask:
    """Which of `count` known plans do not stand near one of them in the file."""
    distant: Mask = np.abs(np.arange(count) - row) > min(_BESIDE, count // 20)
    return distant


def independent_plans(row: int, similarity: Floats) -> Mask:
    """Which known plans one of them may be answered from, given its similarities to all: the
    distant ones that are not too much like it. If that leaves none, all distant ones."""
    distant = distant_plans(row, len(similarity))
    independent: Mask = distant & (similarity < _TOO_ALIKE)
    return independent if independent.any() else distant
