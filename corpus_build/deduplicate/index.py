"""Deduplication from the store's files: candidates in, groups, and every candidate's outcome out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from corpus_build.deduplicate.choose import Candidate, cluster
from corpus_build.deduplicate.ragged import read_arrays
from corpus_build.deduplicate.shingles import Hashes
from corpus_build.deduplicate.steps import PAIR_TASKS, ToSign, digest_number
from corpus_build.read.metadata import load_kaggle_facts
from corpus_build.records import Clustered, KaggleFacts
from corpus_build.store import CorpusStore

_COLUMNS = ["place", "id", "reason", "code_digest", "executed_at", "time_source"]
_NOTHING = KaggleFacts()


def read_candidates(store: CorpusStore, shards: int, meta_kaggle: str | None) -> list[Candidate]:
    """All notebooks that passed the filter, with what Meta Kaggle says of them. Where no cell says when a notebook was
    executed, its creation date in Meta Kaggle stands in."""
    rows = list(_passed(store, shards))
    facts = load_kaggle_facts(meta_kaggle, (row["id"] for _, _, row in rows)) if meta_kaggle else {}
    found = []
    for shard, number, row in rows:
        kaggle = facts.get(row["id"], _NOTHING)
        executed_at, source = row["executed_at"], row["time_source"]
        if executed_at is None and kaggle.created_at is not None:
            executed_at, source = kaggle.created_at, "kaggle_creation_date"
        found.append(Candidate(shard, number, row["place"], row["id"], row["code_digest"], executed_at, source, kaggle))
    return found


def write_rows_to_sign(store: CorpusStore, shards: int, groups: Mapping[str, Sequence[Candidate]]) -> None:
    """For each shard its rows that are the first of their kind; what is there already is the same and stays."""
    rows: dict[int, list[ToSign]] = {}
    for digest, members in groups.items():
        rows.setdefault(members[0].shard, []).append(ToSign(members[0].row, digest))
    for shard in store.pending("exact", shards):
        store.write("exact", shard, ToSign, sorted(rows.get(shard, []), key=lambda item: item.row))


def write_clusters(store: CorpusStore, shards: int, groups: Mapping[str, Sequence[Candidate]]) -> None:
    """Every candidate's outcome, from the groups and the pairs that were found."""
    numbers = np.array([digest_number(digest) for digest in groups], np.uint64)
    outcomes = cluster(groups, _numbered(store, numbers))
    for shard in store.pending("clusters", shards):
        store.write("clusters", shard, Clustered, outcomes.get(shard, ()))


def _passed(store: CorpusStore, shards: int) -> Iterator[tuple[int, int, dict[str, Any]]]:
    for shard in range(shards):
        for number, row in enumerate(store.columns("scan", shard, _COLUMNS).to_pylist()):
            if not row["reason"]:
                yield shard, number, row


def _numbered(store: CorpusStore, numbers: Hashes) -> Iterator[tuple[int, int]]:
    """The pairs, as places in the sorted digests."""
    for task in range(PAIR_TASKS):
        pairs = read_arrays(store.part("pairs", task, "npz"))["pairs"]
        yield from map(tuple, np.searchsorted(numbers, pairs).reshape(-1, 2).tolist())
