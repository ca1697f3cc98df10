"""The table of an experiment for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from jobs.experiments.table import COUNTS, EXPENSES, RESULTS, RUN_COUNTS, RUN_SHARES, ExperimentRow

_HEADS = {
    "executed": "run",
    "method_failures": "failed: method",
    "machinery_failures": "failed: machinery",
    "csr": "CSR",
    "ssr": "SSR",
    "codebleu_paper": "CodeBLEU paper",
    "codebleu_raw": "raw",
    "codebleu_equal_length": "paper, equal length",
    "length_ratio": "length ratio",
    "parse_rate": "parse rate",
    "prompt_tokens": "tokens in",
    "completion_tokens": "tokens out",
}
_DIGITS = {
    "prompt_tokens": 0,
    "completion_tokens": 0,
    "csr": 3,
    "ssr": 3,
    "conformance": 3,
    "parse_rate": 3,
    "cost": 4,
} | dict.fromkeys(RUN_SHARES, 3)


def experiment_tables(rows: Sequence[ExperimentRow]) -> Iterator[Table]:
    """Tables for each subset of the items: where projects were run how far they came, what was measured, and what came
    and what it took."""
    for subset in dict.fromkeys(row.subset for row in rows):
        of_subset = [row for row in rows if row.subset == subset]
        about = f"{subset} items, means over seeds ± standard error"
        if any(row.executed for row in of_subset):
            yield _runs_table(f"Does it work: {about}", of_subset)
        yield _results_table(f"Experiment: {about}", of_subset)
        yield _expenses_table(f"What came, and what it took: {about} (counts added up)", of_subset)


def _results_table(title: str, rows: Sequence[ExperimentRow]) -> Table:
    table = _table(title, RESULTS)
    for row in rows:
        table.add_row(*_name_cells(row), *_measure_cells(row, RESULTS))
    return table


def _runs_table(title: str, rows: Sequence[ExperimentRow]) -> Table:
    table = _table(title, ("asked", *RUN_COUNTS, *RUN_SHARES))
    for row in rows:
        counts = [f"{getattr(row, name):,}" for name in ("asked", *RUN_COUNTS)]
        table.add_row(*_name_cells(row), *counts, *_measure_cells(row, tuple(RUN_SHARES)))
    return table


def _expenses_table(title: str, rows: Sequence[ExperimentRow]) -> Table:
    table = _table(title, (*COUNTS, *EXPENSES, "paid"))
    for row in rows:
        counts = [f"{getattr(row, name):,}" for name in COUNTS]
        table.add_row(*_name_cells(row), *counts, *_measure_cells(row, EXPENSES), f"{row.paid:.4f}")
    return table


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("method")
    table.add_column("model")
    for head in ("temp.", "seeds"):
        table.add_column(head, justify="right")
    for name in columns:
        table.add_column(_HEADS.get(name, name), justify="right")
    return table


def _name_cells(row: ExperimentRow) -> list[str]:
    temperature = "-" if row.temperature is None else f"{row.temperature:g}"
    return [row.method, row.model or "-", temperature, f"{row.seeds:,}"]


def _measure_cells(row: ExperimentRow, names: Sequence[str]) -> list[str]:
    cells = []
    for name in names:
        value, error = getattr(row, name), getattr(row, f"{name}_error")
        digits = _DIGITS.get(name, 2)
        cell = "-" if value is None else f"{value:,.{digits}f}"
        if value is not None and error is not None:
            cell += f" ± {error:,.{digits}f}"
        cells.append(cell)
    return cells
