"""The main job: requirements in, scored deep-learning projects out.

    ray job submit --working-dir . -- python -m jobs.generate --input s3://bucket/in.jsonl --out s3://bucket/out

The same command goes on after a kill, without redoing finished shards. As a call: `main(GenerateConfig(...))`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import PurePosixPath

from jobs.cluster.dataflow import run_shards
from jobs.cluster.progress import RowProgress
from jobs.cluster.ray_start import start_ray
from jobs.execution.environments import build_environments
from jobs.generation.budget import JobBudget, calls_so_far, job_budget
from jobs.generation.language_model import with_preset
from jobs.generation.method_stages import method_stages, opened_model
from jobs.generation.settings import GenerateConfig
from jobs.runs.spent import server_steps_in
from jobs.runs.store import RunStore, Staged
from jobs.runs.summary import RunSummary, Totals, write_run_manifest
from pipeline.environments.catalogue import KERAS3, environment_named
from pipeline.errors import BudgetSpent
from pipeline.foreign_text import masked_url
from pipeline.inputs import is_sentence, read_requirements
from pipeline.llm.asking.prompt_files import prompts_version
from pipeline.llm.build import LLMBuilder
from pipeline.llm.spending.budget import Budget, Spending
from pipeline.measures.call_totals import CallTotals
from pipeline.own_data.describing import description_digest
from pipeline.pages.report import write_report
from pipeline.records import Scored
from pipeline.retrieval.sample_pool import load_known_plans, load_samples, whole_pool
from pipeline.storage.files import fingerprint, join
from pipeline.storage.one_writer import one_writer

_HOW_IT_RUNS = {
    "out",
    "shard_rows",
    "workers",
    "llm_workers",
    "rows_in_flight",
    "row_seconds",
    "budget",
    "quiet",
    "address",
}
"""Settings of `run` that change nothing about what comes out."""


def main(config: GenerateConfig, *, backend: LLMBuilder | None = None, budget: Budget | None = None) -> RunSummary:
    """Runs the job and writes the run's folder. Raises DLCodeGenError for settings or input that cannot work.

    Where the budget is spent, the rows that are not finished stay pending for the next call. `backend` and `budget` are
    a language model and a budget that several runs share; by default the run has its own, as its settings say.
    """
    start = time.monotonic()
    config = config.for_input(config.run.input)
    config = with_preset(config)
    # A pool that cannot be read fails here once, not in every worker.
    load_samples(config.retrieval.pool)
    load_known_plans(config.planner.plans)
    with one_writer(config.run.out):
        return _run(config, start, backend, budget)


def _run(config: GenerateConfig, start: float, backend: LLMBuilder | None, budget: Budget | None) -> RunSummary:
    """Works on what is not finished, and writes the report and the manifest of all that is."""
    run, pool, plans = config.run, config.retrieval.pool, config.planner.plans
    store = RunStore(run.out)
    read_from = "the settings" if is_sentence(run.input) else fingerprint(run.input)
    sources = {"input": read_from, "pool": fingerprint(whole_pool(pool)), "plans": fingerprint(plans)}
    if config.planner.folder:  # a planner that was fitted or trained anew plans otherwise
        sources["planner"] = fingerprint(config.planner.folder)
    if config.data.path:  # data that cannot be read fail here once, not in every row; changed data are another run
        sources["data"] = description_digest(config.data.path, config.data.target)
    if config.asks_model:  # rows of one folder do not mix prompts
        sources["prompts"] = prompts_version()
    rows = read_requirements(run.input, data=config.data.path, target=config.data.target)
    staged = store.stage(rows, run.input, config.digest(), config.rows_in_shard, " ".join(sources.values()))
    pending = store.pending(staged)
    pending_rows = _rows_in(staged, pending)
    working = time.monotonic()
    if pending:
        _work(config, store, staged, pending, backend, budget)
    worked = max(time.monotonic() - working, 1e-6)
    totals = _read_over(store)
    write_report(
        store.results(measured=True),
        join(run.out, "report.html"),
        title=f"DLCodeGen: {_title(run.input)}",
        settings=config.model_dump(mode="json", exclude={"run": _HOW_IT_RUNS}),
        items=run.report_items,
        shared_calls=(row.call() for row in store.shared_calls()),
    )
    if run.projects:
        store.write_projects()
    rows_left = _rows_in(staged, store.pending(staged))
    summary = RunSummary(
        rows=staged.rows,
        generated=totals.generated,
        failures=dict(sorted(totals.failures.items())),
        first_failure=totals.first_failure,
        asked=totals.asked,
        execution=totals.execution,
        means=totals.means(),
        calls=CallTotals.of(row.call() for row in store.calls()),
        server_steps=tuple(server_steps_in(run.out)),
        seconds=round(time.monotonic() - start, 3),
        rows_per_second=round((pending_rows - rows_left) / worked, 1),
        resumed_rows=staged.rows - pending_rows,
        pending=rows_left,
        stopped=store.stopped(),
        projects=run.projects,
        out=run.out,
    )
    write_run_manifest(store, _made_from(config, staged, sources), summary)
    return summary


def _work(
    config: GenerateConfig,
    store: RunStore,
    staged: Staged,
    pending: Sequence[int],
    backend: LLMBuilder | None,
    budget: Budget | None,
) -> None:
    """Works on the pending shards until they are done or the budget is spent."""
    run = config.run
    if config.execution.enabled:
        build_environments([environment_named(_environment(config))], quiet=run.quiet)
    elastic = start_ray(run.address, run.workers, run.out)
    store.go_on()
    done_before = staged.rows - _rows_in(staged, pending)
    with ExitStack() as stack:
        if budget is None and config.llm.backend != "none":
            budget = stack.enter_context(job_budget(run.out, run.budget, _spent_on(store)))
        if backend is None:
            backend = stack.enter_context(opened_model(config, len(pending)))
        progress = stack.enter_context(_progress(staged.rows, done_before, budget, quiet=run.quiet))
        try:
            stages = method_stages(config, len(pending), backend, budget)
            for done in run_shards(
                stages, store, pending, run.workers, elastic=elastic, rows_in_flight=run.rows_in_flight
            ):
                progress.advance(done.rows, done.failed)
        except BudgetSpent as spent:
            store.stop(str(spent))


def _environment(config: GenerateConfig) -> str:
    """The environment that projects are run in, of several the one that most are; workers build others themselves."""
    return KERAS3 if config.execution.env == "auto" else config.execution.env


def _progress(rows: int, done: int, budget: Budget | None, *, quiet: bool) -> RowProgress:
    """The rows that are done, and the calls that were made so far: a row of many calls is long under way."""
    if isinstance(budget, JobBudget):
        return RowProgress("generate", rows, done, quiet=quiet, under_way=partial(calls_so_far, budget))
    return RowProgress("generate", rows, done, quiet=quiet)


def _spent_on(store: RunStore) -> Spending:
    """What the finished rows have cost; replies from the response cache cost nothing."""
    spent = Spending()
    for row in store.calls():
        if not row.cached:
            spent += Spending(calls=1, tokens=row.tokens, cost=row.cost)
    return spent


def _title(url: str) -> str:
    return url if is_sentence(url) else PurePosixPath(masked_url(url).rstrip("/")).name


def _rows_in(staged: Staged, shards: Sequence[int]) -> int:
    return sum(map(staged.rows_in, shards))


def _read_over(store: RunStore) -> Totals:
    """Counts the finished rows and writes those that failed, in one pass over the results."""
    totals = Totals()

    def counted() -> Iterator[Scored]:
        # Where projects were run, with what each took.
        for record in store.results(measured=True):
            totals.add(record)
            yield record

    store.write_failures(counted())
    return totals


def _made_from(config: GenerateConfig, staged: Staged, sources: Mapping[str, str]) -> dict[str, object]:
    """What decides the run's results, for its manifest; `sources` are fingerprints of the files it reads."""
    return {
        "settings": config.model_dump(mode="json"),
        "settings_digest": config.digest(),
        "seed": config.writing.seed,
        "input_digest": staged.digest,
        "pool": {"location": config.retrieval.pool, "fingerprint": sources["pool"]},
        "plans": {"location": config.planner.plans, "fingerprint": sources["plans"]},
        "prompts": sources.get("prompts"),
    }


if __name__ == "__main__":
    from jobs import run_command

    run_command("generate")
