"""Which row goes into which set: DLCodeEval by date, DLSamplePool by quality, DLPlanData by a hash.

The sets are filled in the order of SETS. A row that is too similar to a row of an earlier set leaves the build, and
rows with nearly equal requirements form a group, of which no two sets get a part.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from corpus_build.deduplicate.clusters import connected_rows
from corpus_build.deduplicate.shingles import Hashes
from corpus_build.divide.overlap import OverlapIndex
from corpus_build.settings import MOST_BY_SHARE, PlanDataSizes, SplitSettings

EVALUATION, POOL = "DLCodeEval", "DLSamplePool"
TRAIN, EVAL, TEST = "DLPlanData/train", "DLPlanData/eval", "DLPlanData/test"
SETS = (EVALUATION, POOL, TEST, EVAL, TRAIN)
"""In the order in which they choose."""


LEAST_STATED, LEAST_REQUIREMENT = 0.8, 0.4
"""Confidence above which a setting was read from code that parses, and from which a requirement says a task."""


@dataclass(frozen=True, slots=True)
class SplitRow:
    """An extracted row as the split needs it."""

    number: int
    """Counts all rows, in the order of their code digests."""
    shard: int
    row: int
    """Its number among the shard's extracted rows."""
    id: str
    place: str
    cluster: str
    category: str
    quality: float
    executed_at: float | None
    first_executed_at: float | None
    complete: bool = True
    """Whether it may stand in DLCodeEval (`is_complete`)."""


def is_complete(plan: Mapping[str, Any], confidence: Mapping[str, float]) -> bool:
    """Whether a row is fit to judge others by: its code parses and states layers, loss and optimizer, and its texts
    say what it is for. The rest goes to the other sets."""
    architecture = plan.get("architecture") or {}
    hyper = architecture.get("hyperparameters") or {}
    says_all = bool(architecture.get("layers")) and bool(hyper.get("loss")) and bool(hyper.get("optimizer"))
    parses = confidence.get("optimizer", 0.0) > LEAST_STATED
    return says_all and parses and confidence.get("requirement", 0.0) >= LEAST_REQUIREMENT


def requirement_groups(sets: Sequence[Hashes], similarity: float) -> npt.NDArray[np.int64]:
    """For each row the first row whose requirement is similar to it, directly or through others. Rows with the same
    shingles are compared once, whatever their number."""
    firsts: dict[bytes, int] = {}
    pairs: list[tuple[int, int]] = []
    for number, shingles in enumerate(sets):
        first = firsts.setdefault(shingles.tobytes(), number)
        if first != number:
            pairs.append((number, first))
    distinct = list(firsts.values())
    index = OverlapIndex([sets[number] for number in distinct], similarity)
    for number in distinct:
        for other, _ in index.similar(sets[number]):
            if distinct[other] < number:
                pairs.append((number, distinct[other]))
    return connected_rows(len(sets), pairs)


def choose_evaluation(rows: Iterable[SplitRow], settings: SplitSettings) -> list[SplitRow]:
    """Complete rows executed since the date. An undated row is never among them; with `fresh`, neither is one of whose
    near-duplicates one is older."""
    since = settings.since_seconds
    recent = [row for row in rows if row.complete and is_since(row.executed_at, since)]
    if settings.fresh:
        recent = [row for row in recent if is_since(row.first_executed_at, since)]
    if settings.eval_size is None:
        return recent
    return sorted(recent, key=_best_first)[: settings.eval_size]


def pool_quotas(rows: Iterable[SplitRow], split: SplitSettings) -> dict[str, int]:
    """How many rows of each task category the pool may have: the quota, but at most `pool_share` of what there is, so
    that a small corpus leaves something for DLPlanData; one of a few, none of a single one."""
    counts = Counter(row.category for row in rows)
    quotas = {}
    for category, count in counts.items():
        if count > 1:
            quotas[category] = min(split.quota, max(1, int(split.pool_share * count)))
    return quotas


def choose_pool(
    rows: Iterable[SplitRow],
    groups: npt.NDArray[np.int64],
    quotas: Mapping[str, int],
    approved: Collection[str] | None,
) -> list[SplitRow]:
    """The best rows of each task category, at most its quota, one of a group; only the approved ids after a review."""
    chosen: list[SplitRow] = []
    counts: Counter[str] = Counter()
    chosen_groups: set[int] = set()
    for row in sorted(rows, key=_best_first):
        group = int(groups[row.number])
        full = counts[row.category] >= quotas.get(row.category, 0)
        rejected = approved is not None and row.id not in approved
        if group in chosen_groups or full or rejected:
            continue
        chosen_groups.add(group)
        counts[row.category] += 1
        chosen.append(row)
    return chosen


def divide_plan_data(
    rows: Iterable[SplitRow], groups: npt.NDArray[np.int64], sizes: PlanDataSizes, seed: int
) -> dict[str, list[SplitRow]]:
    """The rows by part, whole groups on one side; under "" those beyond the size of train.

    Groups stand in the order of a hash of their clusters. Shares cut the hash's range, so a group keeps its part
    whatever else is in the corpus, up to MOST_BY_SHARE rows; sizes are filled one after the other, a group that would
    overfill a part going on to the next. A group larger than a tenth of all rows always goes to train.
    """
    members: dict[int, list[SplitRow]] = {}
    for row in rows:
        members.setdefault(int(groups[row.number]), []).append(row)
    total = sum(map(len, members.values()))
    parts: dict[str, list[SplitRow]] = {TEST: [], EVAL: [], TRAIN: [], "": []}
    with_points = [(_point(group, seed), group) for group in members.values()]
    for point, group in sorted(with_points, key=itemgetter(0)):
        parts[_part(point, len(group), parts, sizes, total)] += group
    return parts


def _part(point: float, size: int, parts: Mapping[str, Sequence[SplitRow]], sizes: PlanDataSizes, total: int) -> str:
    """The part for a group of `size` rows at this point of the hash's range, "" where train is full."""
    start = 0.0
    for name, wanted in ((TEST, sizes.test), (EVAL, sizes.eval)):
        if wanted < 1:  # a share
            fits = size <= max(1.0, total / 10) and len(parts[name]) + size <= MOST_BY_SHARE
            if start <= point < start + wanted and fits:
                return name
            start += wanted
        elif len(parts[name]) + size <= wanted:
            return name
    if sizes.train is None:
        return TRAIN
    if sizes.train < 1:
        fits = point < start + sizes.train
    else:
        fits = len(parts[TRAIN]) + size <= sizes.train
    return TRAIN if fits else ""


def _point(group: Iterable[SplitRow], seed: int) -> float:
    """A number in [0, 1) by which the group is divided: a hash of its smallest cluster."""
    name = f"{seed} {min(row.cluster for row in group)}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) / 2**64


def is_since(time: float | None, since: float) -> bool:
    """Whether a row is of this time or later; an undated one is not."""
    return time is not None and time >= since


def _best_first(row: SplitRow) -> tuple[float, str]:
    return (-row.quality, row.id)
