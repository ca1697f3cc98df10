"""The corpus job: notebooks in; DLPlanData, DLSamplePool and DLCodeEval out, with a drop report, a card and an audit.

    ray job submit --working-dir . -- python -m jobs.corpus --input s3://bucket/notebooks --out s3://bucket/corpus

The same command goes on after a kill, without redoing finished shards. As a call: `main(CorpusConfig(...))`.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from corpus_build.deduplicate.choose import exact_groups
from corpus_build.deduplicate.index import read_candidates, write_clusters, write_rows_to_sign
from corpus_build.deduplicate.steps import PAIR_TASKS, PairStep, SignStep
from corpus_build.divide.assign import Assignment, Splitter
from corpus_build.read.stage_input import Listing, stage_listing
from corpus_build.steps import ExtractStep, OverlapStep, ScanStep, Step
from corpus_build.store import CorpusStore
from corpus_build.write.audit import Audit, audit
from corpus_build.write.data_card import write_card
from corpus_build.write.datasets import write_datasets
from corpus_build.write.report import Counts, write_report
from corpus_build.write.review import read_approvals
from jobs.cluster.dataflow import each_shard, start_ray
from jobs.cluster.progress import RowProgress
from jobs.corpora.settings import CorpusConfig
from jobs.generation.language_model import language_model, with_context_length
from jobs.runs.versions import versions_of
from pipeline.config import load_settings
from pipeline.errors import DLCodeGenError
from pipeline.storage.files import fingerprint

T = TypeVar("T")

_VERSIONED = ("dlcodegen-ray", "ray", "pyarrow", "numpy", "msgspec")

FEW_SHARDS = 1
"""A corpus of so many shards is built in this process: starting workers would take longer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What a build came to. `seconds` by step are of this call."""

    counts: Counts
    audit: Audit
    seconds: dict[str, float] = field(default_factory=dict)
    out: str = ""


def main(config: CorpusConfig) -> Summary:
    """Builds the data sets. Raises DLCodeGenError for settings or input that cannot work, and where the audit fails."""
    return _Build(config).run()


class _Build:
    """One call of the job: the steps in order, each skipping what is done."""

    def __init__(self, config: CorpusConfig) -> None:
        self.config = config
        self.settings = config.settings()
        self.store = CorpusStore(config.out)
        self.seconds: dict[str, float] = {}
        self._shards = 0

    def run(self) -> Summary:
        config, store = self.config, self.store
        approved = read_approvals(config.review) if config.review else None
        reads = f"{self.settings.read_digest()} {fingerprint(config.meta_kaggle) if config.meta_kaggle else ''}"
        listing = self._timed("list", lambda: stage_listing(store, config.input, config.shard_files, reads))
        self._shards = listing.shards
        self._each("scan", listing.shards, partial(ScanStep, store, config.input, config.framework))
        self._deduplicate(listing)
        self._extract(listing)
        assignment = self._timed("split", lambda: self._split(listing, approved))
        self._timed("write", lambda: _write(store, assignment))
        counts = self._timed("report", lambda: write_report(store, listing.shards, assignment))
        found = self._timed("audit", lambda: audit(store, self.settings.split))
        store.write_json(found.to_json(), "audit.json")
        write_card(store, self.settings, counts, found)
        summary = Summary(counts=counts, audit=found, seconds=self.seconds, out=config.out)
        store.write_json(_manifest(config, listing, summary), "manifest.json")
        if not found.clean:
            raise DLCodeGenError(
                f"the audit found {sum(found.counts.values())} leaks between the sets, the first: {found.leaks[0]}; "
                f"see {store.path('audit.json')} and report it"
            )
        return summary

    def _deduplicate(self, listing: Listing) -> None:
        store, shards = self.store, listing.shards
        if not store.pending("clusters", shards):
            return
        candidates = self._timed("index", lambda: read_candidates(store, shards, self.config.meta_kaggle))
        groups = exact_groups(candidates)
        write_rows_to_sign(store, shards, groups)
        self._each("sign", shards, partial(SignStep, store, self.config.input), folder="signatures", extension="npz")
        similarity = self.settings.dedup.similarity
        pairs = partial(PairStep, store, shards, similarity)
        self._each("pair", PAIR_TASKS, pairs, folder="pairs", extension="npz", unit="groups of bands")
        self._timed("cluster", lambda: write_clusters(store, shards, groups))

    def _extract(self, listing: Listing) -> None:
        settings = with_context_length(self.config.llm.with_cache_for(self.config.out))
        if settings.backend == "vllm":
            start_ray(self.config.address, self.config.workers)
        with language_model(settings, workers=self.config.workers or 1) as llm:
            arguments = self.store, self.config.input, self.config.framework, llm, settings.context_length
            self._each("extract", listing.shards, partial(ExtractStep, *arguments), folder="extracted")

    def _split(self, listing: Listing, approved: frozenset[str] | None) -> Assignment:
        chosen = "" if approved is None else hashlib.sha256("\n".join(sorted(approved)).encode()).hexdigest()
        step = f"split-{self.settings.split_digest(chosen)}"

        def compare(folder: str, overlap: OverlapStep) -> None:
            self._each("compare", listing.shards, overlap.build, folder=folder)

        return Splitter(self.store, listing.shards, self.settings, step, compare).run(approved)

    def _each(
        self,
        name: str,
        shards: int,
        build: Callable[[], Step],
        *,
        folder: str = "",
        extension: str = "parquet",
        unit: str = "shards",
    ) -> None:
        """Runs a step over the shards that have no file of it yet."""
        pending = self.store.pending(folder or name, shards, extension)
        start = time.monotonic()
        parallel = len(pending) > 1 and self._shards > FEW_SHARDS and not self.config.local
        if parallel:
            start_ray(self.config.address, self.config.workers)
        done = shards - len(pending)
        with RowProgress(f"corpus {name}", shards, done, unit=unit, quiet=self.config.quiet) as progress:
            if parallel:
                for _ in each_shard(build, pending, self.config.workers):
                    progress.advance(1, 0)
            elif pending:
                step = build()
                for shard in pending:
                    step(shard)
                    progress.advance(1, 0)
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - start, 3)

    def _timed(self, name: str, work: Callable[[], T]) -> T:
        start = time.monotonic()
        result = work()
        self.seconds[name] = round(time.monotonic() - start, 3)
        return result


def _write(store: CorpusStore, assignment: Assignment) -> None:
    places = {(row.shard, row.row): row for row in assignment.rows}
    assigned = {place: assignment.sets[row.number] for place, row in places.items() if row.number in assignment.sets}
    write_datasets(store, assigned, {place: places[place].id for place in assigned})


def _manifest(config: CorpusConfig, listing: Listing, summary: Summary) -> dict[str, object]:
    counts = summary.counts
    return {
        "versions": versions_of(_VERSIONED),
        "settings": config.model_dump(mode="json"),
        "seed": config.seed,
        "input_digest": listing.digest,
        "sources": listing.sources,
        "shards": listing.shards,
        "files_in": counts.read,
        "bytes_in": counts.bytes,
        "kept": sum(counts.kept.values()),
        "kept_by_set": dict(sorted(counts.kept.items())),
        "dropped": sum(counts.dropped.values()),
        "dropped_by_reason": dict(sorted(counts.dropped.items())),
        "audit_clean": summary.audit.clean,
        "seconds": summary.seconds,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", help="YAML file of settings")
    parser.add_argument("--input")
    parser.add_argument("--out")
    parser.add_argument("--meta-kaggle", dest="meta_kaggle")
    parser.add_argument("settings", nargs="*", metavar="key=value")
    arguments = parser.parse_args()
    names = ("input", "out", "meta_kaggle")
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name)}
    print(main(load_settings(CorpusConfig, arguments.config, arguments.settings, **given)))
