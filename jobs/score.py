"""Scores of a finished run by task category, or of one Python file."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean

import fsspec
from rich.table import Table

from jobs.run_store import RunStore
from pipeline.errors import DLCodeGenError
from pipeline.generate.project import SCRIPT
from pipeline.records import Generated, Scored, Scores, SourceFile
from pipeline.score.score import MEASURES, score


def score_run(run: str) -> Table:
    """A table of means by task category, with the number of rows each mean is over. Projects are scored anew."""
    rows: dict[str, list[Scores]] = defaultdict(list)
    for record in RunStore(run).results():
        if record.files:
            generated = {name: getattr(record, name) for name in Generated.__dataclass_fields__}
            scores = score(Generated(**generated))["scores"]
            assert isinstance(scores, Scores)
            rows[record.plan.task_category if record.plan else ""].append(scores)
    if not rows:
        raise DLCodeGenError(f"{run}: no generated project there; give the folder of a `dlcodegen generate` run")
    table = Table(title=f"Scores of {run}", title_justify="left")
    everything = [scores for found in rows.values() for scores in found]
    # Without references there is no CodeBLEU, and no use for its columns.
    measures = [name for name in MEASURES if any(getattr(item, name) is not None for item in everything)]
    table.add_column("task category")
    for name in ("rows", "parse", "undefined names", *(name.replace("_", " ") for name in measures)):
        table.add_column(name, justify="right")
    for category, found in sorted(rows.items()):
        table.add_row(category, *_cells(found, measures))
    if len(rows) > 1:
        table.add_section()
        table.add_row("all", *_cells(everything, measures))
    return table


def _cells(found: list[Scores], measures: list[str]) -> list[str]:
    cells = [str(len(found)), f"{fmean(item.parses for item in found):.1%}"]
    cells.append(str(sum(bool(item.undefined_names) for item in found)))
    for name in measures:
        values = [value for item in found if (value := getattr(item, name)) is not None]
        cells.append(f"{fmean(values):.4f}" if values else "-")
    return cells


def score_file(path: str, reference: str | None) -> Table:
    """All measures of one Python file; CodeBLEU only against a reference."""
    record = Scored(
        id=path,
        row=0,
        reference=_read(reference) if reference else None,
        files=(SourceFile(path=SCRIPT, text=_read(path)),),
    )
    scores = score(record)["scores"]
    table = Table("measure", "value", title=path, title_justify="left")
    for name in Scores.__dataclass_fields__:
        value = getattr(scores, name)
        if value is not None and value != ():
            table.add_row(name.replace("_", " "), f"{value:.4f}" if isinstance(value, float) else str(value))
    return table


def _read(path: str) -> str:
    try:
        with fsspec.open(path, "rb") as stream:
            return stream.read().decode("utf-8", "replace")  # type: ignore[no-any-return]
    except OSError as error:
        raise DLCodeGenError(f"{path}: cannot be read ({error})") from error
