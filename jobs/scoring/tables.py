"""Scored methods as tables for a terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean

from rich.table import Table

from jobs.scoring.code_tables import CodeTables
from pipeline.comparison.code_rows import ALL, BASELINES, CLEAN, CodeRow, item_codebleu, pair_of
from pipeline.comparison.comparisons import Comparison
from pipeline.comparison.execution_rows import ExecutionRow
from pipeline.comparison.method_rows import MethodRow
from pipeline.measures.delivery.check import Satisfaction
from pipeline.measures.outputs import Measured, MethodName

_CLEAN = "over the items that are not contaminated"


def scoring_tables(tables: CodeTables) -> Iterator[Table]:
    """Denominators, corpora, differences; and all of it over the clean items, where others are contaminated.

    Baselines are compared by CodeBLEU alone; every comparison is in comparisons.csv.
    """
    yield method_table(tables.methods)
    if tables.executions:
        yield execution_table(tables.executions)
    if tables.rows:
        corpora = [row for row in tables.rows if row.subset == ALL]
        yield corpora_table(corpora)
    shown = [row for row in tables.comparisons if row.table != BASELINES or row.measure == "CodeBLEU"]
    yield differences_table(shown)
    if CLEAN in {row.subset for row in tables.methods}:
        clean_corpora = [row for row in tables.rows if row.subset == CLEAN]
        yield method_table(tables.methods, CLEAN)
        yield corpora_table(clean_corpora, title=f"CodeBLEU {_CLEAN}")
        yield differences_table(shown, CLEAN)


def method_table(rows: Iterable[MethodRow], subset: str = ALL) -> Table:
    """The methods; baselines come whole, so that counting them says nothing."""
    title = "What was asked, what came, and what the code says"
    if subset != ALL:
        title += f", {_CLEAN}"
    table = Table(title=title, title_justify="left")
    table.add_column("method")
    for head in ("asked", "generated", "parsed", "scored", "failed: method", "failed: machinery", "undefined names"):
        table.add_column(head, justify="right")
    for head in ("invalid calls", "unknown imports", "constraints met (CSR)", "rows with all met (SSR)"):
        table.add_column(head, justify="right")
    for head in ("conformance", "duplicates", "lines in common"):
        table.add_column(head, justify="right")
    for row in rows:
        if row.table == BASELINES or row.subset != subset:
            continue
        counts = (row.asked, row.generated, row.parsed, row.scored, row.method_failures, row.machinery_failures)
        conformance = lines_in_common = "-"
        if row.conformance is not None:
            conformance = f"{row.conformance:.4f}"
        if row.lines_in_common is not None:
            lines_in_common = f"{row.lines_in_common:.1%}"
        table.add_row(
            MethodName.of(row).label,
            *map(str, counts),
            f"{row.undefined_names}/{row.parsed}",
            f"{row.invalid_calls}/{row.parsed}",
            f"{row.unknown_imports}/{row.parsed}",
            _share(row.constraints_met, row.constraints, row.csr),
            _share(row.rows_satisfied, row.rows_asked, row.ssr),
            conformance,
            f"{row.duplicates}/{row.copy_checked}",
            lines_in_common,
        )
    return table


def execution_table(rows: Sequence[ExecutionRow]) -> Table:
    """The ladder, a method a row: at each rung how many reach it, of how many of which that can be told."""
    table = Table(title="How far the projects came when they were run", title_justify="left")
    table.add_column("method")
    for head in ("asked", "run", "infra", *dict.fromkeys(row.rung.replace("_", " ") for row in rows)):
        table.add_column(head, justify="right")
    for name in dict.fromkeys(MethodName.of(row) for row in rows):
        of_method = [row for row in rows if MethodName.of(row) == name]
        counts = (of_method[0].asked, of_method[0].executed, of_method[0].infra)
        shares = [_share(row.reached, row.of, row.share) for row in of_method]
        table.add_row(name.label, *map(str, counts), *shares)
    return table


def _share(part: int, whole: int, share: float | None) -> str:
    return "-" if share is None else f"{part}/{whole} {share:.1%}"


def corpora_table(rows: Sequence[CodeRow], title: str = "") -> Table:
    """CodeBLEU of methods, then of baselines, by protocol."""
    if not title:
        title = "CodeBLEU as it is, and at equal length; baselines copy a sample of the pool"
    table = Table(title=title, title_justify="left")
    for head in ("protocol", "table", "method"):
        table.add_column(head)
    for head in ("measured", "CodeBLEU", "equal length", "length ratio"):
        table.add_column(head, justify="right")
    section = None
    for row in sorted(rows, key=lambda row: (row.protocol, row.table == BASELINES)):
        if section is not None and section != (row.protocol, row.table):
            table.add_section()
        section = row.protocol, row.table
        codebleu = f"{row.codebleu:.2f}"
        if row.standard_error is not None:
            codebleu += f" ± {row.standard_error:.2f}"
        table.add_row(
            row.protocol,
            row.table,
            MethodName.of(row).label,
            f"{row.measured}/{row.asked}",
            codebleu,
            f"{row.equal_length_codebleu:.2f}",
            f"{row.length_ratio:.2f}",
        )
    return table


def differences_table(rows: Iterable[Comparison], subset: str = ALL) -> Table:
    """The differences over one subset of the items, with their intervals, p-values and verdicts."""
    title = "Mean differences on the same items, in points"
    if subset != ALL:
        title += f", {_CLEAN}"
    table = Table(title=title, title_justify="left")
    for head in ("measure", "method", "against"):
        table.add_column(head)
    for head in ("items", "difference", "95 % interval", "p", "p (Holm)", ""):
        table.add_column(head, justify="right")
    for row in rows:
        if row.subset == subset:
            table.add_row(
                " ".join(filter(None, (row.measure, row.protocol))),
                MethodName.of(row).label,
                row.against,
                str(row.items),
                f"{row.difference:+.2f}",
                f"{row.low:+.2f} to {row.high:+.2f}",
                f"{row.p:.4f}",
                f"{row.p_holm:.4f}",
                row.verdict,
            )
    return table


def category_table(name: MethodName, items: Sequence[Measured]) -> Table:
    """One method's means by task category, with the number of rows each is over."""
    table = Table(title=f"{name.method} by task category", title_justify="left")
    table.add_column("task category")
    for head in ("rows", "generated", "parse", "CSR", "SSR", "conformance", "CodeBLEU raw", "CodeBLEU paper"):
        table.add_column(head, justify="right")
    groups: dict[str, list[Measured]] = defaultdict(list)
    for item in items:
        groups[item.category].append(item)
    for category, group in sorted(groups.items()):
        table.add_row(category, *_category_cells(group))
    table.add_section()
    table.add_row("all", *_category_cells(items))
    return table


def _category_cells(items: Sequence[Measured]) -> list[str]:
    parses: list[float] = []
    conformance: list[float] = []
    asked = Satisfaction()
    for item in items:
        if not item.machinery_failed:
            asked += item.asked
        if item.scores is None or not item.generated:
            continue
        parses.append(float(item.scores.parses))
        if item.scores.conformance is not None:
            conformance.append(item.scores.conformance)
    return [
        str(len(items)),
        str(sum(item.generated for item in items)),
        f"{fmean(parses):.1%}" if parses else "-",
        _percent(asked.strict_constraint_rate),
        _percent(asked.strict_row_rate),
        f"{fmean(conformance):.4f}" if conformance else "-",
        _mean_codebleu(items, "raw"),
        _mean_codebleu(items, "paper"),
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _mean_codebleu(items: Sequence[Measured], protocol: str) -> str:
    values = []
    for item in items:
        pair = pair_of(protocol, item)
        if pair is None:
            continue
        value = item_codebleu(pair)
        if value is not None:
            values.append(value)
    if not values:
        return "-"
    return f"{fmean(values):.2f}"
