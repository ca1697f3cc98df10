"""When a notebook was executed, by the time stamps that its cells carry.

    metadata.execution           Jupyter's protocol: iopub.*, shell.*, execution_failed; ISO 8601, with zone
    metadata.papermill           start_time, end_time; ISO 8601, naive, taken as UTC
    metadata.executionInfo       Colab: timestamp, milliseconds since 1970
    metadata.ExecuteTime         the ExecuteTime extension: start_time, end_time; ISO 8601

The latest stamp counts, and its source is recorded (`execution`, `papermill`, `colab`, `ExecuteTime`). Hosted copies
often have the stamps stripped; then the creation date of Meta Kaggle stands in (`kaggle_creation_date`, given in
`corpus_build.deduplicate.candidates`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()


def executed_at(metadata: Iterable[object]) -> tuple[float | None, str]:
    """The latest stamp of all cells' metadata as seconds since 1970 (UTC), and its source; (None, "") without one."""
    jupyter_stamps: list[Any] = []
    other_stamps: list[tuple[Any, str]] = []
    for cell in metadata:
        if isinstance(cell, dict) and cell:
            execution = cell.get("execution")
            if isinstance(execution, dict):
                jupyter_stamps += execution.values()
            if len(cell) > 1 or execution is None:
                other_stamps += _other_stamps(cell)
    latest = _latest_of(jupyter_stamps)
    source = "" if latest is None else "execution"
    for stamp, name in other_stamps:
        seconds = _plausible_milliseconds(stamp) if isinstance(stamp, int | float) else read_time(stamp)
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


def _other_stamps(cell: dict[str, Any]) -> Iterator[tuple[Any, str]]:
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
    in_zone = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _plausible(in_zone.timestamp())


def _plausible_milliseconds(stamp: float) -> float | None:
    # Compared before it is divided: JSON has integers that no float can hold.
    return stamp / 1000 if 1000 * _EARLIEST <= stamp <= 1000 * _LATEST else None


def _plausible(seconds: float) -> float | None:
    return seconds if _EARLIEST <= seconds <= _LATEST else None
