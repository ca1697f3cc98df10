"""How far a run is, read from its folder: from another terminal or another machine, while it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from jobs.runs.spent import spending_words, spent_in
from jobs.runs.store import RunStore, Staged
from pipeline.errors import DLCodeGenError
from pipeline.storage.one_writer import writer_of


def status_lines(folder: str) -> Iterator[str]:
    """The run's state in lines. Raises DLCodeGenError where no run was begun in the folder."""
    store = RunStore(folder)
    staged = store.staged()
    if staged is None:
        raise DLCodeGenError(f"{folder}: no run was begun here; give a run's folder")
    failures = Counter[str]()
    done = 0
    for kind in store.failure_kinds():
        done += 1
        if kind is not None:
            failures[kind] += 1
    yield _rows_line(folder, staged, done, failures)
    spent = spending_words(spent_in(folder))
    if spent:
        yield f"language model: {spent}"
    yield _writer_line(folder, done == staged.rows, store.stopped())


def _rows_line(folder: str, staged: Staged, done: int, failures: Counter[str]) -> str:
    line = f"{folder}: {done:,} of {staged.rows:,} rows done ({done / max(staged.rows, 1):.0%})"
    if not failures:
        return line
    kinds = ", ".join(f"{kind} {count}" for kind, count in failures.most_common())
    return f"{line}, of which {failures.total()} failed: {kinds}"


def _writer_line(folder: str, is_whole: bool, stopped: str | None) -> str:
    writer = writer_of(folder)
    if writer is not None:
        return f"being written: {writer}"
    if is_whole:
        return "finished"
    reason = f" ({stopped})" if stopped else ""
    return f"nobody works on it{reason}; the same command goes on where it stopped"
