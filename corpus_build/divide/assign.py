"""The split from the store's files: extracted rows in, the set of each row out.

Three times a set is chosen, written as shingles, and every remaining row compared with it by `compare` (on many
workers, or here); what is too similar leaves the build.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpus_build.deduplicate.ragged import Arrays, packed, read_arrays, unpacked, write_arrays
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
    is_complete,
    is_since,
    pool_quotas,
    requirement_groups,
)
from corpus_build.divide.steps import Overlap, OverlapStep
from corpus_build.read.execution_time import read_time
from corpus_build.settings import CorpusSettings
from corpus_build.store import CorpusStore

Compare = Callable[[OverlapStep], None]
"""Runs an overlap step over all shards of which its folder has no file yet."""

MEASURES = ("requirement", "code", "tokens")
"""By what rows of two sets are compared: words of the requirement and of the code, as the contamination firewall does,
and the code's tokens without comments, as near-duplicates are told."""

_COLUMNS = ["place", "id", "reason", "quality", "executed_at", "plan", "provenance", "confidence"]


class RowDrop(NamedTuple):
    """Why an extracted row is in no set: reason and detail, and the place of the row that it overlaps, or ""."""

    reason: str
    detail: str
    kept: str = ""


@dataclass(slots=True)
class Assignment:
    """What becomes of each extracted row, by its number."""

    rows: list[SplitRow] = field(default_factory=list)
    sets: dict[int, str] = field(default_factory=dict)
    """The set of each row that stays."""
    dropped: dict[int, RowDrop] = field(default_factory=dict)
    below_floor: int = 0
    """Rows that are new enough for DLCodeEval and not complete enough: they are in the other sets."""

    def waiting(self) -> list[SplitRow]:
        """The rows of which nothing is decided yet."""
        return [row for row in self.rows if self.is_open(row.number)]

    def is_open(self, number: int) -> bool:
        return number not in self.sets and number not in self.dropped

    def members(self, *names: str) -> list[SplitRow]:
        """The rows of these sets."""
        return [row for row in self.rows if self.sets.get(row.number) in names]

    def take(self, name: str, rows: Iterable[SplitRow]) -> None:
        """Puts into a set those of the rows that have not been dropped."""
        for row in rows:
            if row.number not in self.dropped:
                self.sets[row.number] = name

    def drop_overlap(self, number: int, other: SplitRow, by: str, how: str) -> None:
        """Drops a row for its likeness to another one, which is in a set."""
        set_name = self.sets[other.number].replace("/", "_")
        self.dropped[number] = RowDrop(f"overlaps_{set_name}", f"{by} of {other.id} ({how})", other.place)


class Splitter:
    """One split of a build, for one choice of settings; its files lie in a folder of their own."""

    def __init__(
        self, store: CorpusStore, shards: int, settings: CorpusSettings, folder: str, compare: Compare
    ) -> None:
        self._store, self._shards, self._settings = store, shards, settings
        self._folder, self._compare = folder, compare

    def run(self, approved: Collection[str] | None) -> Assignment:
        """The assignment. With `approved`, only rows with these ids may enter the sample pool."""
        split = self._settings.split
        rows, requirements = self._read_rows()
        result = Assignment(rows=rows)
        groups = requirement_groups(requirements, split.requirement_similarity)

        result.take(EVALUATION, choose_evaluation(rows, split))
        incomplete = [row for row in rows if not row.complete]
        result.below_floor = sum(is_since(row.executed_at, split.since_seconds) for row in incomplete)
        if split.eval_size is not None:
            unlimited = split.model_copy(update={"eval_size": None})
            for row in choose_evaluation(result.waiting(), unlimited):
                result.dropped[row.number] = RowDrop("beyond_size", f"DLCodeEval has {split.eval_size} rows")
        self._drop_overlaps(result, (EVALUATION,), groups)

        waiting = result.waiting()
        result.take(POOL, choose_pool(waiting, groups, pool_quotas(waiting, split), approved))
        self._drop_overlaps(result, (POOL,), groups)

        parts = divide_plan_data(result.waiting(), groups, split.plan_data, self._settings.seed)
        for row in parts[""]:
            result.dropped[row.number] = RowDrop("beyond_size", f"DLPlanData/train has {split.plan_data.train:g} rows")
        result.take(TEST, parts[TEST])
        self._drop_overlaps_with_test(result, parts[EVAL])
        result.take(EVAL, parts[EVAL])
        self._drop_overlaps(result, (TEST, EVAL), groups)
        result.take(TRAIN, result.waiting())
        return result

    def _read_rows(self) -> tuple[list[SplitRow], list[Hashes]]:
        """All extracted rows, and the shingles of their requirements, in the order of their numbers."""
        extracted: list[tuple[dict[str, Any], Hashes]] = []
        for shard in range(self._shards):
            table = self._store.columns("extracted", shard, _COLUMNS)
            shingles = unpacked(read_arrays(self._store.part("shingles", shard, "npz")), "requirement")
            for row, requirement in zip(_narrow_rows(table, shard), shingles, strict=True):
                if not row["reason"]:
                    extracted.append((row, requirement))
        # Numbers, and so all ties, follow the code digests: they do not depend on how the input was cut.
        extracted.sort(key=lambda pair: pair[0]["digest"])
        rows = []
        for number, (row, _) in enumerate(extracted):
            split_row = SplitRow(
                number=number,
                shard=row["shard"],
                row=row["row_in_shard"],
                id=row["id"],
                place=row["place"],
                cluster=row["cluster"],
                category=row["category"],
                quality=row["quality"],
                executed_at=row["executed_at"],
                first_executed_at=row["first_executed_at"],
                complete=row["complete"],
            )
            rows.append(split_row)
        return rows, [requirement for _, requirement in extracted]

    def _drop_overlaps(self, result: Assignment, names: tuple[str, ...], groups: npt.NDArray[np.int64]) -> None:
        """Drops what waits and is too similar to a row of these sets, or in a group with one."""
        members = result.members(*names)
        owners: dict[int, SplitRow] = {}
        for row in members:
            owners.setdefault(int(groups[row.number]), row)
        for row in result.waiting():
            owner = owners.get(int(groups[row.number]))
            if owner is not None:
                result.drop_overlap(row.number, owner, "requirement", "similar through others")
        if not members or not result.waiting():
            return
        split = self._settings.split
        folder = f"{self._folder}/{names[0].replace('/', '-')}"
        arrays: Arrays = {}
        for by, shingles in self._shingles(members).items():
            arrays |= packed(shingles, by)
        write_arrays(self._store.path("work", folder, "set.npz"), **arrays)
        near = self._settings.dedup.similarity
        self._compare(OverlapStep(self._store, folder, split.requirement_similarity, split.code_similarity, near))
        numbers = {(row.shard, row.row): row.number for row in result.rows}
        for shard in range(self._shards):
            for overlap in self._store.read(folder, shard, Overlap):
                number = numbers.get((shard, overlap.row))
                if number is not None and result.is_open(number):
                    result.drop_overlap(number, members[overlap.other], overlap.by, f"{overlap.similarity:.2f}")

    def _drop_overlaps_with_test(self, result: Assignment, rows: list[SplitRow]) -> None:
        """Drops those of the rows that are too similar to one of DLPlanData's test part. Both are few, so they are
        compared here."""
        members = result.members(TEST)
        split = self._settings.split
        own, tests = self._shingles(rows), self._shingles(members)
        for by, threshold in (
            ("requirement", split.requirement_similarity),
            ("code", split.code_similarity),
            ("tokens", self._settings.dedup.similarity),
        ):
            index = OverlapIndex(tests[by], threshold)
            for row, own_shingles in zip(rows, own[by], strict=True):
                if row.number in result.dropped:
                    continue
                for other, similarity in index.similar(own_shingles)[:1]:
                    result.drop_overlap(row.number, members[other], by, f"{similarity:.2f}")

    def _shingles(self, rows: list[SplitRow]) -> dict[str, list[Hashes]]:
        """The shingles of the rows' requirements and codes, in their order. Each shard's file is opened once."""
        by_shard: dict[int, list[tuple[int, SplitRow]]] = {}
        for index, row in enumerate(rows):
            by_shard.setdefault(row.shard, []).append((index, row))
        shingles: dict[str, list[Hashes]] = {by: [np.empty(0, np.uint64)] * len(rows) for by in MEASURES}
        for shard, indexed_rows in by_shard.items():
            arrays = read_arrays(self._store.part("shingles", shard, "npz"))
            for by in MEASURES:
                of_shard = unpacked(arrays, by)
                for index, row in indexed_rows:  # copies, so that the shard's arrays can go
                    shingles[by][index] = of_shard[row.row].copy()
        return shingles


def _narrow_rows(table: Any, shard: int) -> Iterator[dict[str, Any]]:
    """Rows with the few fields of plan and provenance that the split needs, and where they lie."""
    for row_in_shard, row in enumerate(table.to_pylist()):
        plan, provenance = row.pop("plan") or {}, row.pop("provenance") or {}
        confidence = row.pop("confidence") or {}
        yield row | {
            "shard": shard,
            "row_in_shard": row_in_shard,
            "category": plan.get("task_category", ""),
            "complete": is_complete(plan, confidence),
            "cluster": provenance.get("cluster", ""),
            "digest": provenance.get("code_digest", ""),
            "first_executed_at": read_time(provenance.get("cluster_first_executed_at", "")),
        }
