"""When a notebook was executed, by the time stamps that its cells carry.

    metadata.execution           Jupyter's protocol: iopub.*, shell.*, execution_failed; ISO 8601, with zone
    metadata.papermill           start_time, end_time; ISO 8601, naive, taken as UTC
    metadata.executionInfo       Colab: timestamp, milliseconds since 1970
    metadata.ExecuteTime         the ExecuteTime extension: start_time, end_time; ISO 8601

The latest stamp counts, and its source is recorded. Hosted copies often have the stamps stripped; then the creation
date of Meta Kaggle stands in (`corpus_build.read.metadata`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

SOURCES = ("execution", "papermill", "colab", "ExecuteTime", "kaggle_creation_date")
"""The names under which sources are recorded; the last is not found in the notebook."""

_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()


def executed_at(metadata: Iterable[object]) -> tuple[float | None, str]:
    """The latest stamp of all cells' metadata as seconds since 1970 (UTC), and its source; (None, "") without one."""
    execution: list[Any] = []
    others: list[tuple[Any, str]] = []
    for cell in metadata:
        if isinstance(cell, dict) and cell:
            found = cell.get("execution")
            if isinstance(found, dict):
                execution += found.values()
            if len(cell) > 1 or found is None:
                others += _others(cell)
    latest = _latest_of(execution)
    source = "" if latest is None else "execution"
    for stamp, name in others:
        seconds = _plausible(stamp / 1000) if isinstance(stamp, int | float) else read_time(stamp)
        if seconds is not None and (latest is None or seconds > latest):
            latest, source = seconds, name
    return latest, source


def _latest_of(stamps: list[Any]) -> float | None:
    """The latest of Jupyter's stamps. Nearly always all of them can be read and compared; else each is read alone."""
    try:
        seconds = _seconds(max(map(datetime.fromisoformat, stamps)))
    except (TypeError, ValueError):  # none, no text, no time, or times with and without a zone
        seconds = None
    return seconds or max(filter(None, map(read_time, stamps)), default=None)


def _others(cell: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    """The stamps of papermill, ExecuteTime and Colab, unparsed, with their sources."""
    for source in ("papermill", "ExecuteTime"):
        if isinstance(times := cell.get(source), dict):
            yield times.get("start_time"), source
            yield times.get("end_time"), source
    if isinstance(colab := cell.get("executionInfo"), dict):
        yield colab.get("timestamp"), "colab"


def read_time(value: object) -> float | None:
    """Seconds since 1970 of an ISO 8601 text, naive ones taken as UTC. None for anything else, and outside 2010-2100,
    where clocks were wrong."""
    if not isinstance(value, str):
        return None
    try:
        return _seconds(datetime.fromisoformat(value))
    except ValueError:
        return None


def _seconds(moment: datetime) -> float | None:
    return _plausible((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _plausible(seconds: float) -> float | None:
    return seconds if _EARLIEST <= seconds <= _LATEST else None
