"""The review sheet of the sample pool: a page to look at, a CSV to decide in, and the decisions read back.

A person opens `review/sheet.html` beside `review/sheet.csv` and writes yes or no into the CSV's `approved` column; or
ticks the boxes on the page and saves the CSV from there.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from corpus_build.records import SamplePoolRow
from pipeline.errors import DLCodeGenError
from pipeline.foreign_text import spreadsheet_cell, visible
from pipeline.storage.files import read_bytes

COLUMNS = ("id", "approved", "task_category", "quality", "requirement", "layers", "optimizer", "loss", "place", "note")

_YES = frozenset({"1", "approve", "approved", "ok", "true", "x", "y", "yes"})
_NO = frozenset({"", "0", "false", "n", "no", "reject", "rejected"})


def sheet_csv(rows: Iterable[SamplePoolRow]) -> bytes:
    """The sheet with nothing decided yet, in UTF-8 with a mark that spreadsheets know it by."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        hyper = row.plan.hyperparameters
        texts = {
            "id": row.id,
            "approved": "",
            "task_category": row.plan.task_category,
            "quality": f"{row.quality:.4f}",
            "requirement": row.requirement,
            "layers": str(len(row.plan.layers)),
            "optimizer": hyper.optimizer,
            "loss": hyper.loss,
            "place": row.provenance.place,
            "note": "",
        }
        writer.writerow({name: spreadsheet_cell(text) for name, text in texts.items()})
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace")


def sheet_html(rows: Iterable[SamplePoolRow]) -> bytes:
    """The page: samples by task category, the best first, each with its plan and code to open."""
    ordered = sorted(rows, key=lambda row: (row.plan.task_category, -row.quality, row.id))
    groups = [(name, list(samples)) for name, samples in groupby(ordered, key=lambda row: row.plan.task_category)]
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    page = environment.get_template("review.html.jinja").render(groups=groups, total=len(ordered))
    return page.encode("utf-8", "replace")


def read_approvals(path: str) -> frozenset[str]:
    """The ids that a sheet approves. Raises DLCodeGenError where it has no such columns, or a word that is neither yes
    nor no."""
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DLCodeGenError(f"{path}: cannot be read as a review sheet ({error}); save it as CSV in UTF-8") from error
    return frozenset(_approved(path, csv.DictReader(io.StringIO(text), delimiter=_delimiter(text))))


def _approved(path: str, rows: csv.DictReader[str]) -> Iterator[str]:
    missing = {"id", "approved"} - set(rows.fieldnames or ())
    if missing:
        raise DLCodeGenError(f"{path}: no column {' and '.join(sorted(missing))}; keep the sheet's first line")
    for row in rows:
        word = (row["approved"] or "").strip().lower()
        if word not in _YES | _NO:
            raise DLCodeGenError(f"{path}, line {rows.line_num}: {word!r} is neither yes nor no; write one of them")
        if word in _YES:
            yield row["id"].strip()


def _delimiter(text: str) -> str:
    """Spreadsheets of some countries write semicolons."""
    first = text.split("\n", 1)[0]
    return max(",;\t", key=first.count)
