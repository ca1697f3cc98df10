"""Near-duplicate clusters: notebooks that pairs connect, and the one that is kept of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from corpus_build.deduplicate.candidates import Candidate
from corpus_build.deduplicate.ragged import read_arrays
from corpus_build.deduplicate.shingles import Hashes
from corpus_build.deduplicate.steps import PAIR_TASKS, digest_number
from corpus_build.records import Clustered
from corpus_build.store import CorpusStore

Groups = Mapping[str, Sequence[Candidate]]
"""Candidates by code digest, digests in order; the first of each group is the one that is kept of it."""


def write_clusters(store: CorpusStore, shards: int, groups: Groups) -> None:
    """Writes what becomes of every candidate, by the groups of equal code and the near-duplicate pairs."""
    digests = np.array([digest_number(digest) for digest in groups], np.uint64)
    outcomes = cluster(groups, _read_pairs(store, digests))
    for shard in store.pending("clusters", shards):
        store.write("clusters", shard, Clustered, outcomes.get(shard, ()))


def cluster(groups: Groups, pairs: Iterable[tuple[int, int]]) -> dict[int, list[Clustered]]:
    """The outcome for every candidate, by shard and in the order of rows. `pairs` are near-duplicate groups, by their
    numbers in the order of digests."""
    digests = list(groups)
    roots = connected_rows(len(digests), [*pairs, *_versions_of_one_kernel(groups)])
    outcomes: dict[int, list[Clustered]] = {}
    for numbers in _numbers_by_cluster(roots):
        members = [groups[digests[number]] for number in numbers]
        for shard, outcome in _cluster_outcomes(members, name=digests[numbers[0]]):
            outcomes.setdefault(shard, []).append(outcome)
    for of_shard in outcomes.values():
        of_shard.sort(key=lambda outcome: outcome.row)
    return outcomes


def connected_rows(rows: int, pairs: Iterable[tuple[int, int]]) -> npt.NDArray[np.int64]:
    """For each row the smallest row it is connected with, over any number of pairs (itself where there is none)."""
    edges = np.array([*pairs], dtype=np.int64).reshape(-1, 2)
    graph = coo_matrix((np.ones(len(edges), np.int8), (edges[:, 0], edges[:, 1])), shape=(rows, rows))
    count, labels = connected_components(graph, directed=False)
    smallest = np.full(count, rows, np.int64)
    np.minimum.at(smallest, labels, np.arange(rows))
    roots: npt.NDArray[np.int64] = smallest[labels]
    return roots


def _versions_of_one_kernel(groups: Groups) -> Iterator[tuple[int, int]]:
    """Pairs of groups that hold versions of the same kernel: they are one work, however their code differs."""
    first_groups: dict[int, int] = {}
    for number, members in enumerate(groups.values()):
        for member in members:
            if kernel := member.kaggle.kernel_id:
                yield first_groups.setdefault(kernel, number), number


def _numbers_by_cluster(roots: npt.NDArray[np.int64]) -> Iterator[list[int]]:
    """The numbers of each cluster's groups, in the order of digests."""
    if not len(roots):
        return
    # A stable sort puts the members of a cluster side by side and leaves them in the order of their digests.
    order = np.argsort(roots, kind="stable")
    ends = np.flatnonzero(np.diff(roots[order])) + 1
    for numbers in np.split(order, ends):
        yield numbers.tolist()


def _cluster_outcomes(groups: list[Sequence[Candidate]], name: str) -> Iterator[tuple[int, Clustered]]:
    """Shard and outcome of all members of one cluster, whose groups of equal code these are."""
    firsts = [members[0] for members in groups]
    kept = min(firsts, key=lambda candidate: candidate.preference)
    size = sum(map(len, groups))
    first_executed_at = _earliest(groups)
    for members in groups:
        first = members[0]
        for member in members:
            if member is kept:
                reason, stands_for = "", kept
            elif member is first:
                reason, stands_for = "near_duplicate", kept
            else:
                reason, stands_for = "exact_duplicate", first
            outcome = Clustered(
                row=member.row,
                place=member.place,
                id=member.id,
                reason=reason,
                kept=stands_for.place,
                cluster=name[:16],
                cluster_size=size,
                first_executed_at=first_executed_at,
                executed_at=member.executed_at,
                time_source=member.time_source,
                code_digest=member.code_digest,
                kaggle=member.kaggle,
            )
            yield member.shard, outcome


def _earliest(groups: Iterable[Sequence[Candidate]]) -> float | None:
    times = []
    for members in groups:
        times += [member.executed_at for member in members if member.executed_at is not None]
    return min(times, default=None)


def _read_pairs(store: CorpusStore, digests: Hashes) -> Iterator[tuple[int, int]]:
    """The near-duplicate pairs of all tasks, as numbers in the sorted digests."""
    for task in range(PAIR_TASKS):
        pairs = read_arrays(store.part("pairs", task, "npz"))["pairs"]
        yield from map(tuple, np.searchsorted(digests, pairs).reshape(-1, 2).tolist())
