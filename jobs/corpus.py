"""The corpus job: notebooks in; DLPlanData, DLSamplePool and DLCodeEval out, with a drop report, a card and an audit.

    ray job submit --working-dir . -- python -m jobs.corpus --input s3://bucket/notebooks --out s3://bucket/corpus

The same command goes on after a kill, without redoing finished shards. As a call: `main(CorpusConfig(...))`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import partial

from corpus_build.deduplicate.candidates import exact_groups, read_candidates, write_rows_to_sign
from corpus_build.deduplicate.clusters import write_clusters
from corpus_build.deduplicate.steps import PAIR_TASKS, PairStep, SignStep
from corpus_build.divide.assign import Assignment, Splitter
from corpus_build.divide.steps import OverlapStep
from corpus_build.extract.steps import ExtractStep
from corpus_build.read.scan import ScanStep
from corpus_build.read.stage_input import stage_listing
from corpus_build.store import CorpusStore
from corpus_build.write.audit import audit_sets
from corpus_build.write.data_card import write_data_card
from corpus_build.write.datasets import write_datasets
from corpus_build.write.report import write_drop_report
from corpus_build.write.review import read_approvals
from jobs.cluster.ray_start import start_ray
from jobs.corpora.settings import CorpusConfig
from jobs.corpora.shard_steps import ShardRunner, StepSeconds
from jobs.corpora.summary import CorpusSummary
from jobs.generation.language_model import language_model, with_context_length
from pipeline.errors import DLCodeGenError
from pipeline.storage.files import write_manifest
from pipeline.storage.one_writer import one_writer


def main(config: CorpusConfig) -> CorpusSummary:
    """Builds the data sets. Raises DLCodeGenError for settings or input that cannot work, and where the audit fails."""
    with one_writer(config.out):
        return _build(config)


def _build(config: CorpusConfig) -> CorpusSummary:
    store = CorpusStore(config.out)
    seconds = StepSeconds()
    approved = read_approvals(config.review) if config.review else None

    with seconds.measure("list"):
        listing = stage_listing(store, config.input, config.shard_files, config.reading_key())
    runner = ShardRunner(config, store, listing.shards, seconds)
    runner.run("scan", partial(ScanStep, store, config.input, config.framework, config.row_seconds))
    if store.pending("clusters", listing.shards):
        _deduplicate(config, store, listing.shards, runner, seconds)
    _extract(config, store, runner)
    with seconds.measure("split"):
        assignment = _divide(config, store, listing.shards, runner, approved)
    with seconds.measure("write"):
        write_datasets(store, assignment)
    with seconds.measure("report"):
        counts = write_drop_report(store, listing.shards, assignment)
    with seconds.measure("audit"):
        audit = audit_sets(store, config.settings())
    store.write_json(audit.to_json(), "audit.json")
    write_data_card(store, config.settings(), counts, audit)
    below = assignment.below_floor
    summary = CorpusSummary(counts=counts, audit=audit, seconds=seconds.by_step, out=config.out, below_floor=below)
    write_manifest(config.out, summary.manifest(config, listing))
    if not audit.clean:
        raise DLCodeGenError(
            f"the audit found {sum(audit.counts.values())} leaks between the sets, the first: {audit.leaks[0]}; "
            f"see {store.path('audit.json')} and report it"
        )
    return summary


def _deduplicate(
    config: CorpusConfig, store: CorpusStore, shards: int, runner: ShardRunner, seconds: StepSeconds
) -> None:
    """Exact duplicates here, by their digests; near-duplicate pairs on the workers; clusters of them here again."""
    with seconds.measure("index"):
        candidates = read_candidates(store, shards, config.meta_kaggle)
    groups = exact_groups(candidates)
    write_rows_to_sign(store, shards, groups)
    runner.run("sign", partial(SignStep, store, config.input, config.row_seconds), folder="signatures", extension="npz")
    pair_step = partial(PairStep, store, shards, config.dedup.similarity)
    runner.run("pair", pair_step, folder="pairs", extension="npz", parts=PAIR_TASKS, unit="groups of bands")
    with seconds.measure("cluster"):
        write_clusters(store, shards, groups)


def _extract(config: CorpusConfig, store: CorpusStore, runner: ShardRunner) -> None:
    """Plans by rules, and by the language model if there is one, whose replies are kept beside the build."""
    settings = with_context_length(config.llm.with_cache_for(config.out))
    if settings.backend == "vllm":
        start_ray(config.address, config.workers, config.out)
    with language_model(settings, workers=config.workers or 1) as llm:
        length = settings.context_length
        step = partial(ExtractStep, store, config.input, config.framework, llm, length, config.row_seconds)
        runner.run("extract", step, folder="extracted")


def _divide(
    config: CorpusConfig, store: CorpusStore, shards: int, runner: ShardRunner, approved: Collection[str] | None
) -> Assignment:
    """Which row goes into which set. Each choice of settings and approvals has files of its own."""
    approvals = "" if approved is None else hashlib.sha256("\n".join(sorted(approved)).encode()).hexdigest()
    settings = config.settings()

    def compare(step: OverlapStep) -> None:
        runner.run("compare", step.build, folder=step.folder)

    return Splitter(store, shards, settings, f"split-{settings.split_digest(approvals)}", compare).run(approved)


if __name__ == "__main__":
    from jobs import run_command

    run_command("corpus", "build")
