"""The table of an experiment: a method with a model at a temperature a row, over its seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich.table import Table

from jobs.call_rows import CallRow
from jobs.experiment_spec import Arm
from jobs.result_files import write_tables
from jobs.run_store import RunStore
from jobs.scoring.code_tables import Measuring
from jobs.scoring.run_outputs import RUNS, Run
from pipeline.config import PriceSettings
from pipeline.llm.cost import cost_of
from pipeline.llm.protocol import Usage
from pipeline.score.code_rows import ALL, CodeRow, MethodRow, code_rows, method_rows
from pipeline.score.outputs import Name
from pipeline.score.statistics import mean_and_standard_error


@dataclass(frozen=True, kw_only=True, slots=True)
class ExperimentRow:
    """`asked`, `generated`, `parsed`, `scored` and the failures are counts over all `seeds`; a row without code counts
    with the lowest value of every measure. The measures are means over the seeds, each with its standard error, None
    for one seed: CodeBLEU over the corpus in percent, as it is (`raw`), as the paper has it, and there with both texts
    cut to one length; words of the code over those of the references; the share of asked rows whose code parses;
    conformance in [0, 1]; tokens a row; the cost of a run at list price. `paid` is what all of it has really cost: what
    came from the response cache cost nothing."""

    method: str
    model: str
    temperature: float | None
    seeds: int
    asked: int
    generated: int
    parsed: int
    scored: int
    method_failures: int
    machinery_failures: int
    codebleu_paper: float | None
    codebleu_paper_error: float | None
    codebleu_raw: float | None
    codebleu_raw_error: float | None
    codebleu_equal_length: float | None
    codebleu_equal_length_error: float | None
    length_ratio: float | None
    length_ratio_error: float | None
    conformance: float | None
    conformance_error: float | None
    parse_rate: float | None
    parse_rate_error: float | None
    prompt_tokens: float | None
    prompt_tokens_error: float | None
    completion_tokens: float | None
    completion_tokens_error: float | None
    cost: float | None
    cost_error: float | None
    paid: float


_MEASURES = (
    "codebleu_paper", "codebleu_raw", "codebleu_equal_length", "length_ratio", "conformance", "parse_rate",
    "prompt_tokens", "completion_tokens", "cost",
)  # fmt: skip
_COUNTS = ("asked", "generated", "parsed", "scored", "method_failures", "machinery_failures")


@dataclass(frozen=True, slots=True)
class _ArmResult:
    counts: MethodRow
    measures: dict[str, float | None]
    paid: float


def table_rows(arms: Sequence[Arm], out: str, *, quiet: bool = False) -> tuple[ExperimentRow, ...]:
    """The table of the runs that have finished rows, in the order of the specification. Needs an initialised Ray."""
    found = ((arm, _arm_result(arm, out, quiet=quiet)) for arm in arms)
    results = [(arm, result) for arm, result in found if result is not None]
    results.sort(key=lambda item: _place(item[0], arms))
    groups = groupby(results, key=lambda item: item[0].group)
    return tuple(_row(group, [result for _, result in items]) for group, items in groups)


def write_table(out: str, rows: Sequence[ExperimentRow]) -> None:
    """Writes table.csv and table.parquet."""
    write_tables(out, {"table": (rows, ExperimentRow)})


def experiment_table(rows: Iterable[ExperimentRow]) -> Table:
    """The table for a terminal."""
    table = Table(title="Experiment: means over seeds ± standard error", title_justify="left")
    for head in ("method", "model"):
        table.add_column(head)
    for head in (
        "temp.", "seeds", "asked", "gen.", "parsed", "scored", "CodeBLEU paper", "raw", "equal length", "length ratio",
        "conformance", "parse rate", "tokens in", "tokens out", "cost", "paid",
    ):  # fmt: skip
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(
            row.method,
            row.model or "-",
            "-" if row.temperature is None else f"{row.temperature:g}",
            *(f"{value:,}" for value in (row.seeds, row.asked, row.generated, row.parsed, row.scored)),
            *(_shown(getattr(row, name), getattr(row, f"{name}_error"), name) for name in _MEASURES),
            f"{row.paid:.4f}",
        )
    return table


_DIGITS = {"prompt_tokens": 0, "completion_tokens": 0, "conformance": 4, "parse_rate": 4, "cost": 4}


def _shown(value: float | None, error: float | None, name: str) -> str:
    digits = _DIGITS.get(name, 2)
    if value is None:
        return "-"
    return f"{value:,.{digits}f}" + ("" if error is None else f" ± {error:,.{digits}f}")


def _place(arm: Arm, arms: Sequence[Arm]) -> int:
    """Where the first run of the arm's group is: seeds of one group need not follow one another."""
    return next(number for number, other in enumerate(arms) if other.group == arm.group)


def _arm_result(arm: Arm, out: str, *, quiet: bool) -> _ArmResult | None:
    config = arm.config.for_input(arm.config.input)
    store = RunStore(config.out)
    total = sum(1 for _ in store.results())
    if not total:
        return None
    name = Name(RUNS, arm.model, arm.method)
    run = Run(folder=config.out, name=name, settings=config.model_dump(mode="json"), rows=total)
    measuring = Measuring(folder=out, pool=config.pool, plans=config.plans, quiet=quiet)
    measured = {name: measuring.measured(f"score {arm.method}", run.outputs(), total)}
    (counts,) = method_rows(measured)
    corpora = {row.protocol: row for row in code_rows(measured) if row.subset == ALL}
    calls = list(store.calls())
    return _ArmResult(counts, _measures(counts, corpora, calls, config.price), math.fsum(call.cost for call in calls))


def _measures(
    counts: MethodRow, corpora: dict[str, CodeRow], calls: Sequence[CallRow], price: PriceSettings
) -> dict[str, float | None]:
    paper, raw = corpora.get("paper"), corpora.get("raw")
    asked = counts.asked
    usages = [
        Usage(
            prompt_tokens=call.prompt_tokens, completion_tokens=call.completion_tokens, cached_tokens=call.cached_tokens
        )
        for call in calls
    ]
    return {
        "codebleu_paper": paper.codebleu if paper else None,
        "codebleu_raw": raw.codebleu if raw else None,
        "codebleu_equal_length": paper.equal_length_codebleu if paper else None,
        "length_ratio": raw.length_ratio if raw else None,
        "conformance": counts.conformance,
        "parse_rate": counts.parsed / asked,
        "prompt_tokens": sum(usage.prompt_tokens for usage in usages) / asked,
        "completion_tokens": sum(usage.completion_tokens for usage in usages) / asked,
        "cost": math.fsum(cost_of(usage, price) for usage in usages),
    }


def _row(group: tuple[str, str, float | None], results: Sequence[_ArmResult]) -> ExperimentRow:
    method, model, temperature = group
    values: dict[str, Any] = {}
    for name in _MEASURES:
        found = [value for result in results if (value := result.measures[name]) is not None]
        mean, error = mean_and_standard_error(found) if found else (None, math.nan)
        values |= {name: mean, f"{name}_error": None if math.isnan(error) else error}
    return ExperimentRow(
        method=method,
        model=model,
        temperature=temperature,
        seeds=len(results),
        **{name: sum(getattr(result.counts, name) for result in results) for name in _COUNTS},
        **values,
        paid=math.fsum(result.paid for result in results),
    )
