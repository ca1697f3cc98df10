"""The table of an experiment: a method with a model at a temperature a row, over its seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.experiments.spec import Arm, Group
from jobs.runs.call_rows import CallRow
from jobs.runs.result_files import write_tables
from jobs.scoring.code_tables import CodeTables
from pipeline.comparison.code_rows import ALL, CLEAN, CodeRow, is_clean
from pipeline.comparison.execution_rows import ExecutionRow
from pipeline.comparison.method_rows import MethodRow
from pipeline.comparison.statistics import mean_and_standard_error
from pipeline.config import PriceSettings
from pipeline.execution.ladder import Rung
from pipeline.llm.protocol import Usage
from pipeline.llm.spending.cost import cost_of
from pipeline.measures.outputs import MethodName


@dataclass(frozen=True, kw_only=True, slots=True)
class ExperimentRow:
    """A method with a model at a temperature, over the items of a subset.

    A row without code counts with the lowest value of every measure, one that the machinery failed in is in
    none. The measures are means over the seeds, each with its standard error, None for one seed.
    """

    method: str
    model: str
    temperature: float | None
    subset: str
    seeds: int
    asked: int
    """This and the next five: counts over all seeds."""
    generated: int
    parsed: int
    scored: int
    method_failures: int
    machinery_failures: int
    csr: float | None
    """Share of what was asked, as far as reading can decide it, that is met, in [0, 1]."""
    csr_error: float | None
    ssr: float | None
    """Share of the rows with all of it met."""
    ssr_error: float | None
    codebleu_paper: float | None
    """CodeBLEU over the corpus in percent, as the paper has it."""
    codebleu_paper_error: float | None
    codebleu_raw: float | None
    """The same of the texts as they are."""
    codebleu_raw_error: float | None
    codebleu_equal_length: float | None
    """As the paper has it, with both texts cut to one length."""
    codebleu_equal_length_error: float | None
    length_ratio: float | None
    """Words of the code over those of the references."""
    length_ratio_error: float | None
    conformance: float | None
    """In [0, 1]."""
    conformance_error: float | None
    parse_rate: float | None
    """Share of the rows whose code parses."""
    parse_rate_error: float | None
    prompt_tokens: float | None
    """A row's."""
    prompt_tokens_error: float | None
    completion_tokens: float | None
    """A row's."""
    completion_tokens_error: float | None
    cost: float | None
    """A run's at list price."""
    cost_error: float | None
    paid: float
    """What all runs have really cost: what came from the response cache cost nothing."""
    executed: int
    """Projects that were run, over all seeds; this and the next columns only with `execute=on`."""
    infra: int
    """Of these, those whose run the machinery failed: they are in no share."""
    trains: float | None
    """Share of the rows whose project applies an optimizer, in [0, 1]; rows without a project do not."""
    trains_error: float | None
    finishes: float | None
    """Share of the rows whose project comes to its end."""
    finishes_error: float | None
    learns: float | None
    """Share of the rows, of those where it is measurable, whose network is better than what takes none."""
    learns_error: float | None


RUN_SHARES = {"trains": Rung.ONE_STEP, "finishes": Rung.FINISHES, "learns": Rung.LEARNS}
"""The columns that are shares of rungs."""

RUN_COUNTS = ("executed", "infra")

RESULTS = (
    "csr",
    "ssr",
    "codebleu_paper",
    "codebleu_raw",
    "codebleu_equal_length",
    "length_ratio",
    "conformance",
    "parse_rate",
)
EXPENSES = ("prompt_tokens", "completion_tokens", "cost")
_CORPUS_MEASURES = ("codebleu_paper", "codebleu_raw", "codebleu_equal_length", "length_ratio")
COUNTS = ("asked", "generated", "parsed", "scored", "method_failures", "machinery_failures")
"""The measured columns of a row: what came out, what it took, and how many rows that is about."""


@dataclass(frozen=True, slots=True)
class _ArmResult:
    """An arm's figures over a subset of its items."""

    counts: MethodRow
    measures: dict[str, float | None]
    run_counts: dict[str, int]
    paid: float


def table_rows(
    names: Mapping[MethodName, Arm], scored: CodeTables, calls: Mapping[MethodName, Sequence[CallRow]]
) -> tuple[ExperimentRow, ...]:
    """The table of the runs that were scored, in the order of `names`.

    It is over all items, and over those that are not contaminated where they are fewer. `calls`: what each run
    has asked its language model.
    """
    corpora = {(MethodName.of(row), row.protocol, row.subset): row for row in scored.rows}
    results: dict[tuple[str, Group], list[_ArmResult]] = {}
    for counts in scored.methods:
        name = MethodName.of(counts)
        arm = names.get(name)
        if arm is None:  # a baseline, or the seeds of a method taken together
            continue
        own_calls = calls.get(name, ())
        if counts.subset != ALL:
            clean = {item.item for item in scored.measured[name] if is_clean(item)}
            own_calls = [call for call in own_calls if call.id in clean]
        measures = _corpus_measures(
            corpora.get((name, "paper", counts.subset)), corpora.get((name, "raw", counts.subset))
        )
        measures |= _row_measures(counts)
        measures |= _expenses(counts.asked, own_calls, arm.config.llm.price)
        # Rungs are counted over all items: a run is too dear to leave some out.
        of_arm = [row for row in scored.executions if MethodName.of(row) == name and counts.subset == ALL]
        measures |= _run_shares(of_arm)
        run_counts = {column: getattr(of_arm[0], column) if of_arm else 0 for column in RUN_COUNTS}
        result = _ArmResult(counts, measures, run_counts, math.fsum(call.cost for call in own_calls))
        results.setdefault((counts.subset, arm.group), []).append(result)
    groups = list(dict.fromkeys(arm.group for arm in names.values()))
    rows = []
    for subset in (ALL, CLEAN):
        for group in groups:
            if (subset, group) in results:
                rows.append(_row(subset, group, results[subset, group]))
    return tuple(rows)


def write_table(out: str, rows: Sequence[ExperimentRow]) -> None:
    """Writes table.csv and table.parquet."""
    write_tables(out, {"table": (rows, ExperimentRow)})


def _corpus_measures(paper: CodeRow | None, raw: CodeRow | None) -> dict[str, float | None]:
    """The measures of all code together, by the two protocols; None for one that nothing was scored by."""
    measures: dict[str, float | None] = dict.fromkeys(_CORPUS_MEASURES)
    if paper is not None:
        measures["codebleu_paper"] = paper.codebleu
        measures["codebleu_equal_length"] = paper.equal_length_codebleu
    if raw is not None:
        measures["codebleu_raw"] = raw.codebleu
        measures["length_ratio"] = raw.length_ratio
    return measures


def _row_measures(counts: MethodRow) -> dict[str, float | None]:
    """The measures that are means over the rows."""
    answered = counts.asked - counts.machinery_failures
    parse_rate = None
    if answered:
        parse_rate = counts.parsed / answered
    return {"csr": counts.csr, "ssr": counts.ssr, "conformance": counts.conformance, "parse_rate": parse_rate}


def _run_shares(rows: Sequence[ExecutionRow]) -> dict[str, float | None]:
    """The shares of the rungs that have a column; None where projects were not run."""
    shares = {row.rung: row.share for row in rows}
    return {column: shares.get(rung.value) for column, rung in RUN_SHARES.items()}


def _expenses(rows: int, calls: Sequence[CallRow], price: PriceSettings) -> dict[str, float | None]:
    """Tokens a row, and the cost of all of them at list price, as if nothing had come from the response cache."""
    prompt_tokens = completion_tokens = 0
    costs: list[float] = []
    for call in calls:
        prompt_tokens += call.prompt_tokens
        completion_tokens += call.completion_tokens
        usage = Usage(
            prompt_tokens=call.prompt_tokens,
            completion_tokens=call.completion_tokens,
            cached_tokens=call.cached_tokens,
        )
        costs.append(cost_of(usage, price))
    return {
        "prompt_tokens": prompt_tokens / rows,
        "completion_tokens": completion_tokens / rows,
        "cost": math.fsum(costs),
    }


def _row(subset: str, group: Group, results: Sequence[_ArmResult]) -> ExperimentRow:
    columns: dict[str, Any] = {}
    for name in COUNTS:
        columns[name] = sum(getattr(result.counts, name) for result in results)
    for name in RUN_COUNTS:
        columns[name] = sum(result.run_counts[name] for result in results)
    for name in (*RESULTS, *EXPENSES, *RUN_SHARES):
        values = [result.measures[name] for result in results]
        columns[name], columns[f"{name}_error"] = _mean_and_error(values)
    return ExperimentRow(
        method=group.method,
        model=group.model,
        temperature=group.temperature,
        subset=subset,
        seeds=len(results),
        paid=math.fsum(result.paid for result in results),
        **columns,
    )


def _mean_and_error(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    known = [value for value in values if value is not None]
    if not known:
        return None, None
    mean, error = mean_and_standard_error(known)
    if math.isnan(error):  # of one seed; a table has an empty cell for it
        return mean, None
    return mean, error
