"""Near-duplicate clusters: connected pairs, and the one notebook that is kept of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

UNDATED = float("-inf")


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What decides which of several is kept: the newest, then (of one date) the kernel's current version, then the most
    votes, then the smallest id and place, so that there is always one. UNDATED is older than any date."""

    executed_at: float
    current: bool
    votes: int
    id: str
    place: str


def best(standings: Sequence[Standing]) -> int:
    """The place of the one that is kept."""
    return min(range(len(standings)), key=lambda place: _key(standings[place]))


def _key(standing: Standing) -> tuple[float, bool, int, str, str]:
    return (-standing.executed_at, not standing.current, -standing.votes, standing.id, standing.place)


def components(rows: int, pairs: Iterable[tuple[int, int]]) -> npt.NDArray[np.int64]:
    """For each row the smallest row it is connected with, over any number of pairs (itself where there is none)."""
    edges = np.array([*pairs], dtype=np.int64).reshape(-1, 2)
    graph = coo_matrix((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(rows, rows))
    count, labels = connected_components(graph, directed=False)
    smallest = np.full(count, rows, np.int64)
    np.minimum.at(smallest, labels, np.arange(rows))
    found: npt.NDArray[np.int64] = smallest[labels]
    return found
