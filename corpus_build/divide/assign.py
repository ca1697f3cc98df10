"""The split from the store's files: extracted rows in, the set of each row out.

Three times a set is chosen, written as shingles, and every remaining row compared with it by `compare` (on many
workers, or here); what is too similar leaves the build.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from corpus_build.deduplicate.ragged import packed, read_arrays, unpacked, write_arrays
from corpus_build.deduplicate.shingles import Hashes
from corpus_build.divide.overlap import OverlapIndex
from corpus_build.divide.split import (
    EVAL,
    EVALUATION,
    POOL,
    TEST,
    TRAIN,
    SplitRow,
    choose_evaluation,
    choose_pool,
    divide_plan_data,
    pool_quotas,
    requirement_groups,
)
from corpus_build.read.execution_time import read_time
from corpus_build.settings import CorpusSettings
from corpus_build.steps import Overlap, OverlapStep
from corpus_build.store import CorpusStore

Compare = Callable[[str, OverlapStep], None]
"""Runs an overlap step, under its name, over all shards that it has not been run over."""

_COLUMNS = ["row", "place", "id", "reason", "quality", "executed_at", "plan", "provenance"]


@dataclass(slots=True)
class Assignment:
    """The set of each row that stays, and for each other one the reason, and the place of the row it overlaps."""

    rows: list[SplitRow] = field(default_factory=list)
    sets: dict[int, str] = field(default_factory=dict)
    dropped: dict[int, tuple[str, str, str]] = field(default_factory=dict)

    def waiting(self) -> list[SplitRow]:
        return [row for row in self.rows if row.number not in self.sets and row.number not in self.dropped]


class Splitter:
    """One split of a build, for one choice of settings; its files lie in a folder of their own."""

    def __init__(self, store: CorpusStore, shards: int, settings: CorpusSettings, step: str, compare: Compare) -> None:
        self._store, self._shards, self._settings = store, shards, settings
        self._step, self._compare = step, compare
        self._requirements: list[Hashes] = []
        self._numbers: dict[tuple[int, int], int] = {}

    def run(self, approved: Collection[str] | None) -> Assignment:
        """The assignment. With `approved`, only rows with these ids may enter the sample pool."""
        split = self._settings.split
        result = Assignment(rows=self._read_rows())
        groups = requirement_groups(self._requirements, split.requirement_similarity)
        self._take(result, EVALUATION, choose_evaluation(result.rows, split))
        if split.eval_size is not None:
            late = choose_evaluation(result.waiting(), split.model_copy(update={"eval_size": None}))
            full = ("beyond_size", f"DLCodeEval has {split.eval_size} rows", "")
            result.dropped |= {row.number: full for row in late}
        self._exclude(result, (EVALUATION,), groups)
        waiting = result.waiting()
        self._take(result, POOL, choose_pool(waiting, groups, pool_quotas(waiting, split), approved))
        self._exclude(result, (POOL,), groups)
        parts = divide_plan_data(result.waiting(), groups, split.plan_data, self._settings.seed)
        for row in parts[""]:
            result.dropped[row.number] = ("beyond_size", f"DLPlanData/train has {split.plan_data.train:g} rows", "")
        self._take(result, TEST, parts[TEST])
        self._take(result, EVAL, self._without(result, TEST, parts[EVAL]))
        self._exclude(result, (TEST, EVAL), groups)
        self._take(result, TRAIN, result.waiting())
        return result

    def _read_rows(self) -> list[SplitRow]:
        found: list[tuple[str, dict[str, Any], int, Hashes]] = []
        for shard in range(self._shards):
            table = self._store.columns("extracted", shard, _COLUMNS)
            sets = unpacked(read_arrays(self._store.part("shingles", shard, "npz")), "requirement")
            for number, (row, shingles) in enumerate(zip(_narrow(table), sets, strict=True)):
                if not row["reason"]:
                    found.append((row["digest"], row | {"shard": shard, "number": number}, number, shingles))
        # Numbers, and so all ties, follow the code digests: they do not depend on how the input was cut.
        found.sort(key=lambda item: item[0])
        self._requirements = [item[3] for item in found]
        rows = [
            SplitRow(
                number=number,
                shard=row["shard"],
                row=row["number"],
                id=row["id"],
                place=row["place"],
                cluster=row["cluster"],
                category=row["category"],
                quality=row["quality"],
                executed_at=row["executed_at"],
                first_executed_at=row["first"],
            )
            for number, (_, row, _, _) in enumerate(found)
        ]
        self._numbers = {(row.shard, row.row): row.number for row in rows}
        return rows

    def _take(self, result: Assignment, name: str, rows: Iterable[SplitRow]) -> None:
        result.sets |= {row.number: name for row in rows if row.number not in result.dropped}

    def _exclude(self, result: Assignment, names: tuple[str, ...], groups: np.ndarray) -> None:
        """Drops what waits and is too similar to a row of these sets, or in a group with one."""
        members = [row for row in result.rows if result.sets.get(row.number) in names]
        owners = {int(groups[row.number]): row for row in reversed(members)}
        for row in result.waiting():
            if (owner := owners.get(int(groups[row.number]))) is not None:
                self._drop(result, row.number, owner, "requirement", "similar through others")
        if not members or not result.waiting():
            return
        split = self._settings.split
        folder = f"{self._step}/{names[0].replace('/', '-')}"
        requirements, codes = self._shingles(members)
        write_arrays(
            self._store.path("work", folder, "set.npz"), **packed(requirements, "requirement"), **packed(codes, "code")
        )
        step = OverlapStep(self._store, folder, split.requirement_similarity, split.code_similarity)
        self._compare(folder, step)
        for shard in range(self._shards):
            for hit in self._store.read(folder, shard, Overlap):
                number = self._numbers.get((shard, hit.row))
                if number is not None and number not in result.sets and number not in result.dropped:
                    self._drop(result, number, members[hit.other], hit.by, f"{hit.similarity:.2f}")

    def _drop(self, result: Assignment, number: int, other: SplitRow, by: str, how: str) -> None:
        name = result.sets[other.number].replace("/", "_")
        result.dropped[number] = (f"overlaps_{name}", f"{by} of {other.id} ({how})", other.place)

    def _without(self, result: Assignment, name: str, rows: list[SplitRow]) -> list[SplitRow]:
        """The rows that are not too similar to one of the named set; the others are dropped."""
        members = [row for row in result.rows if result.sets.get(row.number) == name]
        split = self._settings.split
        own, theirs = self._shingles(rows), self._shingles(members)
        for place, (by, threshold) in enumerate(
            (("requirement", split.requirement_similarity), ("code", split.code_similarity))
        ):
            index = OverlapIndex(theirs[place], threshold)
            for row, shingles in zip(rows, own[place], strict=True):
                if row.number not in result.dropped and (hits := index.similar(shingles)):
                    other, similarity = hits[0]
                    self._drop(result, row.number, members[other], by, f"{similarity:.2f}")
        return [row for row in rows if row.number not in result.dropped]

    def _shingles(self, rows: list[SplitRow]) -> tuple[list[Hashes], list[Hashes]]:
        """Requirements' and codes' shingles of the rows, in their order."""
        places: dict[int, list[tuple[int, int]]] = {}
        for place, row in enumerate(rows):
            places.setdefault(row.shard, []).append((row.row, place))
        requirements: list[Hashes] = [np.empty(0, np.uint64)] * len(rows)
        codes = list(requirements)
        for shard, wanted in places.items():
            arrays = read_arrays(self._store.part("shingles", shard, "npz"))
            of_requirements, of_codes = unpacked(arrays, "requirement"), unpacked(arrays, "code")
            for number, place in wanted:  # copies, so that the shard's arrays can go
                requirements[place], codes[place] = of_requirements[number].copy(), of_codes[number].copy()
        return requirements, codes


def _narrow(table: Any) -> Iterable[dict[str, Any]]:
    """Rows with the few fields of plan and provenance that the split needs."""
    for row in table.to_pylist():
        plan, provenance = row.pop("plan") or {}, row.pop("provenance") or {}
        yield row | {
            "category": plan.get("task_category", ""),
            "cluster": provenance.get("cluster", ""),
            "digest": provenance.get("code_digest", ""),
            "first": read_time(provenance.get("cluster_first_executed_at", "")),
        }
