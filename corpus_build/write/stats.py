"""Counts over a finished build: the sets by task category, what is known of the plans, drops, and years."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from corpus_build.divide.split import SETS
from corpus_build.extract.static_plan import DEFAULT
from corpus_build.records import Confidence
from corpus_build.store import CorpusStore
from corpus_build.write.datasets import read_dataset

FIELDS = tuple(Confidence.__dataclass_fields__)


@dataclass(slots=True)
class Stats:
    """Rows by set and task category, by year of execution ("undated" among them), and for each field of plan,
    requirement and attributes how many rows know it (confidence above 0), and how many more surely than by a default
    of Keras."""

    rows: Counter[str] = field(default_factory=Counter)
    categories: dict[str, Counter[str]] = field(default_factory=dict)
    years: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    stated: Counter[str] = field(default_factory=Counter)
    layers: list[int] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def read_stats(store: CorpusStore) -> Stats:
    """The counts, a batch of rows in memory at a time."""
    stats = Stats(dropped=dict((store.read_json("manifest.json") or {}).get("dropped_by_reason", {})))
    for name in SETS:
        for row in read_dataset(store, name):
            stats.rows[name] += 1
            stats.categories.setdefault(row.plan.task_category, Counter())[name] += 1
            stats.years[row.provenance.executed_at[:4] or "undated"] += 1
            stats.layers.append(len(row.plan.layers))
            stats.known.update(name for name in FIELDS if getattr(row.confidence, name) > 0)
            stats.stated.update(name for name in FIELDS if getattr(row.confidence, name) > DEFAULT)
    return stats
