"""Which notebooks stay: one of each set of exact duplicates, then one of each near-duplicate cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from corpus_build.deduplicate.clusters import UNDATED, Standing, best, components
from corpus_build.records import Clustered, KaggleFacts


@dataclass(frozen=True, slots=True)
class Candidate:
    """A notebook that passed the filter, as deduplication needs it: `shard` and `row` say where its cells are."""

    shard: int
    row: int
    place: str
    id: str
    code_digest: str
    executed_at: float | None
    time_source: str
    kaggle: KaggleFacts

    @property
    def standing(self) -> Standing:
        return Standing(
            executed_at=UNDATED if self.executed_at is None else self.executed_at,
            current=self.kaggle.current,
            votes=self.kaggle.votes,
            id=self.id,
            place=self.place,
        )


def exact_groups(candidates: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    """The candidates by code digest, digests in order; the first of each list is the one that is kept."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.code_digest, []).append(candidate)
    for members in groups.values():
        if len(members) > 1:
            place = best([member.standing for member in members])
            members.insert(0, members.pop(place))
    return dict(sorted(groups.items()))


def cluster(groups: Mapping[str, Sequence[Candidate]], pairs: Iterable[tuple[int, int]]) -> dict[int, list[Clustered]]:
    """The outcome for every candidate, by shard and in the order of rows.

    `pairs` are near-duplicate groups by their numbers in the order of digests. Versions of one kernel are the same
    work, so they join a cluster too.
    """
    digests = list(groups)
    kernels: dict[int, int] = {}
    versions = (
        (kernels.setdefault(member.kaggle.kernel_id, number), number)
        for number, members in enumerate(groups.values())
        for member in members
        if member.kaggle.kernel_id
    )
    roots = components(len(digests), [*pairs, *versions])
    found: dict[int, list[Clustered]] = {}
    # A stable sort puts the members of a cluster side by side, in the order of their digests.
    order = np.argsort(roots, kind="stable")
    ends = np.flatnonzero(np.diff(roots[order])) + 1
    for members_of in np.split(order, ends) if len(order) else ():
        numbers = [int(number) for number in members_of]
        for outcome, shard in _outcomes([groups[digests[number]] for number in numbers], digests[numbers[0]]):
            found.setdefault(shard, []).append(outcome)
    return {shard: sorted(outcomes, key=lambda item: item.row) for shard, outcomes in sorted(found.items())}


def _outcomes(groups: list[Sequence[Candidate]], name: str) -> Iterable[tuple[Clustered, int]]:
    """The outcomes of one cluster, whose groups of exact duplicates these are."""
    kept = groups[best([members[0].standing for members in groups])][0]
    times = [member.executed_at for members in groups for member in members if member.executed_at is not None]
    size = sum(map(len, groups))
    for members in groups:
        for member in members:
            reason = "" if member is kept else "near_duplicate" if member is members[0] else "exact_duplicate"
            yield (
                Clustered(
                    row=member.row,
                    place=member.place,
                    id=member.id,
                    reason=reason,
                    kept=kept.place if reason != "exact_duplicate" else members[0].place,
                    cluster=name[:16],
                    cluster_size=size,
                    first_executed_at=min(times, default=None),
                    executed_at=member.executed_at,
                    time_source=member.time_source,
                    code_digest=member.code_digest,
                    kaggle=member.kaggle,
                ),
                member.shard,
            )
