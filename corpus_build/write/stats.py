"""Counts over a finished build: the sets by task category, what is known of the plans, drops, and years."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from corpus_build.divide.split import SETS
from corpus_build.extract.static_plan import DEFAULT
from corpus_build.records import Confidence
from corpus_build.store import CorpusStore
from corpus_build.write.datasets import read_dataset

CONFIDENCE_FIELDS = tuple(Confidence.__dataclass_fields__)
"""The fields of plan, requirement and attributes of which rows say how surely they know them."""


@dataclass(slots=True)
class CorpusStats:
    """The counts of a finished build."""

    rows: Counter[str] = field(default_factory=Counter)
    """By set."""
    categories: dict[str, Counter[str]] = field(default_factory=dict)
    """Rows by task category, then by set."""
    years: Counter[str] = field(default_factory=Counter)
    """Rows by year of execution, "undated" among them."""
    known: Counter[str] = field(default_factory=Counter)
    """For each confidence field the rows that know it at all."""
    stated: Counter[str] = field(default_factory=Counter)
    """For each confidence field the rows that know it more surely than by a default of Keras."""
    layers: list[int] = field(default_factory=list)
    """Layers in the plan of each row."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Files by the reason for which they are in no set."""

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def read_stats(store: CorpusStore) -> CorpusStats:
    """The counts, a batch of rows in memory at a time."""
    manifest = store.read_json("manifest.json") or {}
    stats = CorpusStats(dropped=dict(manifest.get("dropped_by_reason", {})))
    for set_name in SETS:
        for row in read_dataset(store, set_name):
            stats.rows[set_name] += 1
            stats.categories.setdefault(row.plan.task_category, Counter())[set_name] += 1
            stats.years[row.provenance.executed_at[:4] or "undated"] += 1
            stats.layers.append(len(row.plan.layers))
            for name in CONFIDENCE_FIELDS:
                confidence = getattr(row.confidence, name)
                stats.known[name] += confidence > 0
                stats.stated[name] += confidence > DEFAULT
    return stats
