"""The table of an experiment: a method with a model at a temperature a row, over its seeds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from jobs.experiments.spec import Arm
from jobs.runs.call_rows import CallRow
from jobs.runs.result_files import write_tables
from jobs.scoring.code_tables import CodeTables
from pipeline.comparison.code_rows import ALL, CodeRow, MethodRow, is_clean
from pipeline.comparison.statistics import mean_and_standard_error
from pipeline.config import PriceSettings
from pipeline.llm.protocol import Usage
from pipeline.llm.spending.cost import cost_of
from pipeline.measures.outputs import MethodName


@dataclass(frozen=True, kw_only=True, slots=True)
class ExperimentRow:
    """`asked`, `generated`, `parsed`, `scored` and the failures are counts over all `seeds`, of the items of a
    `subset`; a row without code counts with the lowest value of every measure, one that the machinery failed in is in
    none. The measures are means over the seeds, each with its standard error, None for one seed: CodeBLEU over the
    corpus in percent, as it is (`raw`), as the paper has it, and there with both texts cut to one length; words of the
    code over those of the references; conformance in [0, 1]; the share of rows whose code parses; tokens a row; the
    cost of a run at list price. `paid` is what all of it has really cost: what came from the response cache cost
    nothing."""

    method: str
    model: str
    temperature: float | None
    subset: str
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
    """An arm's figures over a subset of its items."""

    counts: MethodRow
    measures: dict[str, float | None]
    paid: float


def table_rows(
    names: Mapping[MethodName, Arm], found: CodeTables, calls: Mapping[MethodName, Sequence[CallRow]]
) -> tuple[ExperimentRow, ...]:
    """The table of the runs that were scored, in the order of `names`: over all items, and over those that are not
    contaminated where they are fewer. `calls`: what each run has asked its language model."""
    corpora = {(MethodName.of(row), row.protocol, row.subset): row for row in found.rows}
    results: dict[tuple[tuple[str, str, float | None], str], list[_ArmResult]] = {}
    for counts in found.methods:
        name = MethodName.of(counts)
        if (arm := names.get(name)) is None:
            continue
        mine = calls.get(name, ())
        if counts.subset != ALL:
            clean = {item.item for item in found.measured[name] if is_clean(item)}
            mine = [call for call in mine if call.id in clean]
        paper, raw = (corpora.get((name, protocol, counts.subset)) for protocol in ("paper", "raw"))
        measures = _measures(counts, paper, raw, mine, arm.config.llm.price)
        result = _ArmResult(counts, measures, math.fsum(call.cost for call in mine))
        results.setdefault((arm.group, counts.subset), []).append(result)
    order = list(dict.fromkeys(arm.group for arm in names.values()))
    keys = sorted(results, key=lambda key: (key[1] != ALL, order.index(key[0])))
    return tuple(_row(group, subset, results[group, subset]) for group, subset in keys)


def write_table(out: str, rows: Sequence[ExperimentRow]) -> None:
    """Writes table.csv and table.parquet."""
    write_tables(out, {"table": (rows, ExperimentRow)})


def experiment_tables(rows: Sequence[ExperimentRow]) -> Iterator[Table]:
    """The table for a terminal, in two parts: what was measured, and what came and what it took; each over all items
    and over the clean ones."""
    for subset in dict.fromkeys(row.subset for row in rows):
        chosen = [row for row in rows if row.subset == subset]
        measures = [name for name in _MEASURES if name not in _TOOK]
        about = f"{subset} items, means over seeds ± standard error"
        yield _table(f"Experiment: {about}", chosen, (), measures)
        yield _table(f"What came, and what it took: {about} (counts added up)", chosen, _COUNTS, _TOOK)


def _table(title: str, rows: Sequence[ExperimentRow], counts: Sequence[str], measures: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for head in ("method", "model"):
        table.add_column(head)
    for head in ("temp.", "seeds", *(_HEADS.get(name, name) for name in (*counts, *measures))):
        table.add_column(head, justify="right")
    if counts:
        table.add_column("paid", justify="right")
    for row in rows:
        table.add_row(
            row.method,
            row.model or "-",
            "-" if row.temperature is None else f"{row.temperature:g}",
            f"{row.seeds:,}",
            *(f"{getattr(row, name):,}" for name in counts),
            *(_shown(getattr(row, name), getattr(row, f"{name}_error"), name) for name in measures),
            *([f"{row.paid:.4f}"] if counts else []),
        )
    return table


_TOOK = ("prompt_tokens", "completion_tokens", "cost")
_HEADS = {
    "method_failures": "failed: method",
    "machinery_failures": "failed: machinery",
    "codebleu_paper": "CodeBLEU paper",
    "codebleu_raw": "raw",
    "codebleu_equal_length": "paper, equal length",
    "length_ratio": "length ratio",
    "parse_rate": "parse rate",
    "prompt_tokens": "tokens in",
    "completion_tokens": "tokens out",
}
_DIGITS = {"prompt_tokens": 0, "completion_tokens": 0, "conformance": 3, "parse_rate": 3, "cost": 4}


def _shown(value: float | None, error: float | None, name: str) -> str:
    digits = _DIGITS.get(name, 2)
    if value is None:
        return "-"
    return f"{value:,.{digits}f}" + ("" if error is None else f" ± {error:,.{digits}f}")


def _measures(
    counts: MethodRow, paper: CodeRow | None, raw: CodeRow | None, calls: Sequence[CallRow], price: PriceSettings
) -> dict[str, float | None]:
    asked, answered = counts.asked, counts.asked - counts.machinery_failures
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
        "parse_rate": counts.parsed / answered if answered else None,
        "prompt_tokens": sum(usage.prompt_tokens for usage in usages) / asked,
        "completion_tokens": sum(usage.completion_tokens for usage in usages) / asked,
        "cost": math.fsum(cost_of(usage, price) for usage in usages),
    }


def _row(group: tuple[str, str, float | None], subset: str, results: Sequence[_ArmResult]) -> ExperimentRow:
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
        subset=subset,
        seeds=len(results),
        **{name: sum(getattr(result.counts, name) for result in results) for name in _COUNTS},
        **values,
        paid=math.fsum(result.paid for result in results),
    )
