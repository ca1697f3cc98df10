"""Judgements as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from jobs.scoring.judging.results import Judging
from jobs.scoring.tables import differences_table
from pipeline.comparison.judge_rows import JudgedRow, PreferenceRow
from pipeline.measures.judge import ASPECTS


def judge_tables(found: Judging) -> Iterator[Table]:
    """Scores by method, differences on the same items, and preferences."""
    for subset in dict.fromkeys(row.subset for row in found.rows):
        yield _scores(found, subset)
        if found.comparisons:
            yield differences_table(found.comparisons, subset)
        if found.preferences:
            yield _preferences(found, subset)


def _scores(found: Judging, subset: str) -> Table:
    about = f"Judged by {found.judge}, 0 to 10 (± standard error over the items), {subset} items"
    table = Table(title=about, title_justify="left")
    table.add_column("method")
    for aspect in ASPECTS:
        table.add_column(aspect, justify="right")
    heads = ("asked", "judged", "without code", "machinery failed", "judge's own spread", "failed answers")
    for head in heads:
        table.add_column(head, justify="right")
    for name in dict.fromkeys((row.model, row.method) for row in found.rows):
        rows = {row.aspect: row for row in found.rows if (row.model, row.method, row.subset) == (*name, subset)}
        if not rows:
            continue
        first = rows[ASPECTS[0]]
        spreads = [row.sample_spread for row in rows.values() if row.sample_spread is not None]
        table.add_row(
            _name(first) + (" [yellow](own family)[/yellow]" if first.own_family else ""),
            *(_score(rows[aspect]) for aspect in ASPECTS),
            *map(str, (first.asked, first.judged, first.without_code, first.machinery_failures)),
            f"{sum(spreads) / len(spreads):.2f}" if spreads else "-",
            str(first.failures),
        )
    return table


def _preferences(found: Judging, subset: str) -> Table:
    about = f"Preferred, pairs asked in both orders (ties half, in percent), {subset} items"
    table = Table(title=about, title_justify="left")
    for head in ("method", "against", "aspect"):
        table.add_column(head)
    for head in ("items", "preferred", "95 % interval", "p (Holm)", "steady", "first place wins", ""):
        table.add_column(head, justify="right")
    for row in found.preferences:
        if row.subset != subset:
            continue
        table.add_row(
            _name(row),
            row.against,
            row.aspect,
            str(row.items),
            f"{row.preferred:.1f}",
            f"{row.low:.1f} to {row.high:.1f}",
            f"{row.p_holm:.4f}",
            "-" if row.steady is None else f"{row.steady:.0%}",
            "-" if row.first_place is None else f"{row.first_place:.0f} %",
            row.verdict + (f" [yellow](judge's family: {row.own_family})[/yellow]" if row.own_family else ""),
        )
    return table


def _name(row: JudgedRow | PreferenceRow) -> str:
    return f"{row.method} ({row.model})" if row.model else row.method


def _score(row: JudgedRow) -> str:
    if row.mean is None:
        return "-"
    return f"{row.mean:.2f}" + (f" ± {row.standard_error:.2f}" if row.standard_error is not None else "")
