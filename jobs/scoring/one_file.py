"""Scores of one Python file."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from jobs.runs.asked import delivery_table
from pipeline.errors import DLCodeGenError
from pipeline.measures.delivery.check import check_delivery
from pipeline.measures.project_scores import score_project
from pipeline.records import SCRIPT, Scored, Scores, SourceFile
from pipeline.storage.opening import open_input
from pipeline.understanding import asked_in


def score_file(path: str, reference: str | None, requirement: str | None = None) -> Iterator[Table]:
    """All measures of one Python file; CodeBLEU only against a reference, and with a requirement what of it is met."""
    record = Scored(
        id=path,
        row=0,
        reference=_read(reference) if reference else None,
        files=(SourceFile(path=SCRIPT, text=_read(path)),),
    )
    scores = score_project(record)["scores"]
    table = Table("measure", "value", title=path, title_justify="left")
    for name in Scores.__dataclass_fields__:
        value = getattr(scores, name)
        if value is not None and value != ():
            table.add_row(name.replace("_", " "), f"{value:.4f}" if isinstance(value, float) else str(value))
    yield table
    if requirement is not None:
        yield delivery_table(check_delivery(asked_in(requirement), _read(path), requirement=requirement))


def _read(path: str) -> str:
    try:
        with open_input(path) as stream:
            return stream.read().decode("utf-8", "replace")
    except OSError as error:
        raise DLCodeGenError(f"{path}: cannot be read ({error})") from error
