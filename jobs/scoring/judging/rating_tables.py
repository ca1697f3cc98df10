"""Human ratings as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from jobs.scoring.judging.rating import Rated
from jobs.scoring.tables import differences_table


def rating_tables(rated: Rated) -> Iterator[Table]:
    """Means by method, differences, agreement, correlations."""
    means = Table(title="Rated, 0 to 10", title_justify="left")
    for head in ("method", "aspect"):
        means.add_column(head)
    for head in ("outputs", "mean", "standard error", "spread of raters"):
        means.add_column(head, justify="right")
    for row in rated.rows:
        numbers = (row.mean, row.standard_error, row.sample_spread)
        means.add_row(row.method, row.aspect, str(row.judged), *map(_number, numbers))
    yield means
    if rated.comparisons:
        yield differences_table(rated.comparisons)
    agreed = Table(title="Agreement", title_justify="left")
    agreed.add_column("aspect")
    for head in ("raters", "outputs rated twice", "alpha (ordinal)", "alpha (interval)", "mean weighted kappa"):
        agreed.add_column(head, justify="right")
    for item in rated.agreements:
        values = (item.alpha_ordinal, item.alpha_interval, item.mean_weighted_kappa)
        agreed.add_row(item.aspect, str(item.raters), str(item.units), *map(_number, values))
    yield agreed
    if rated.correlations:
        related = Table(title="Correlation of mean ratings with automatic measures", title_justify="left")
        for head in ("aspect", "measure"):
            related.add_column(head)
        for head in ("outputs", "Spearman", "p", "Kendall", "p"):
            related.add_column(head, justify="right")
        for pair in rated.correlations:
            ranks = (pair.spearman, pair.spearman_p, pair.kendall, pair.kendall_p)
            related.add_row(pair.aspect, pair.measure, str(pair.outputs), *map(_number, ranks))
        yield related


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
