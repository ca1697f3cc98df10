"""Judgements as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.table import Table
from rich.text import Text

from jobs.scoring.judging.results import Judging
from jobs.scoring.tables import differences_table
from pipeline.comparison.judge_rows import JudgedRow
from pipeline.measures.judge import ASPECTS
from pipeline.measures.outputs import MethodName


def judge_tables(judging: Judging) -> Iterator[Table]:
    """Scores by method, differences on the same items, and preferences."""
    for subset in dict.fromkeys(row.subset for row in judging.rows):
        yield _scores(judging, subset)
        if judging.comparisons:
            yield differences_table(judging.comparisons, subset)
        if judging.preferences:
            yield _preferences(judging, subset)


def _scores(judging: Judging, subset: str) -> Table:
    about = f"Judged by {judging.judge}, 0 to 10 (± standard error over the items), {subset} items"
    table = Table(title=about, title_justify="left")
    table.add_column("method")
    for aspect in ASPECTS:
        table.add_column(aspect, justify="right")
    heads = ("asked", "judged", "without code", "machinery failed", "judge's own spread", "failed answers")
    for head in heads:
        table.add_column(head, justify="right")
    by_method: dict[tuple[str, str], dict[str, JudgedRow]] = {}
    for row in judging.rows:
        rows = by_method.setdefault((row.model, row.method), {})
        if row.subset == subset:
            rows[row.aspect] = row
    for rows in by_method.values():
        if rows:
            table.add_row(*_score_cells(rows))
    return table


def _score_cells(rows: Mapping[str, JudgedRow]) -> list[str | Text]:
    """The cells of a method, from its rows by aspect; the counts are those of the first aspect."""
    first = rows[ASPECTS[0]]
    label = Text(MethodName.of(first).label)
    if first.own_family:
        label.append(" (own family)", "yellow")
    spreads = [row.sample_spread for row in rows.values() if row.sample_spread is not None]
    mean_spread = "-"
    if spreads:
        mean_spread = f"{sum(spreads) / len(spreads):.2f}"
    return [
        label,
        *[_score(rows[aspect]) for aspect in ASPECTS],
        str(first.asked),
        str(first.judged),
        str(first.without_code),
        str(first.machinery_failures),
        mean_spread,
        str(first.failures),
    ]


def _preferences(judging: Judging, subset: str) -> Table:
    about = f"Preferred, pairs asked in both orders (ties half, in percent), {subset} items"
    table = Table(title=about, title_justify="left")
    for head in ("method", "against", "aspect"):
        table.add_column(head)
    for head in ("items", "preferred", "95 % interval", "p (Holm)", "steady", "first place wins", ""):
        table.add_column(head, justify="right")
    for row in judging.preferences:
        if row.subset != subset:
            continue
        verdict = Text(row.verdict)
        if row.own_family:
            verdict.append(f" (judge's family: {row.own_family})", "yellow")
        table.add_row(
            MethodName.of(row).label,
            row.against,
            row.aspect,
            str(row.items),
            f"{row.preferred:.1f}",
            f"{row.low:.1f} to {row.high:.1f}",
            f"{row.p_holm:.4f}",
            "-" if row.steady is None else f"{row.steady:.0%}",
            "-" if row.first_place is None else f"{row.first_place:.0f} %",
            verdict,
        )
    return table


def _score(row: JudgedRow) -> str:
    if row.mean is None:
        return "-"
    if row.standard_error is None:
        return f"{row.mean:.2f}"
    return f"{row.mean:.2f} ± {row.standard_error:.2f}"
