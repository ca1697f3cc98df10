"""When a notebook was executed, by the time stamps that its cells carry.

    metadata.execution           Jupyter's protocol: iopub.*, shell.*, execution_failed; ISO 8601, with zone
    metadata.papermill           start_time, end_time; ISO 8601, naive, taken as UTC
    metadata.executionInfo       Colab: timestamp, milliseconds since 1970
    metadata.ExecuteTime         the ExecuteTime extension: start_time, end_time; ISO 8601

The latest stamp counts, and its source is recorded. Hosted copies often have the stamps stripped; then the creation
date of Meta Kaggle stands in (`corpus_build.metadata`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

SOURCES = ("execution", "papermill", "colab", "ExecuteTime", "kaggle_creation_date")
"""The names under which sources are recorded; the last is not found in the notebook."""

_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()


def executed_at(metadata: Iterable[object]) -> tuple[float | None, str]:
    """The latest stamp of all cells' metadata as seconds since 1970 (UTC), and its source; (None, "") without one."""
    latest, source = None, ""
    for item in metadata:
        if isinstance(item, Mapping) and item:
            for seconds, name in _stamps(item):
                if latest is None or seconds > latest:
                    latest, source = seconds, name
    return latest, source


def read_time(value: object) -> float | None:
    """Seconds since 1970 of an ISO 8601 text, naive ones taken as UTC. None for anything else, and outside 2010-2100,
    where clocks were wrong."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return _plausible(moment.timestamp())


def _stamps(metadata: Mapping[str, object]) -> Iterator[tuple[float, str]]:
    execution = metadata.get("execution")
    if isinstance(execution, Mapping):
        for value in execution.values():
            if (seconds := read_time(value)) is not None:
                yield seconds, "execution"
    for key, source in (("papermill", "papermill"), ("ExecuteTime", "ExecuteTime")):
        times = metadata.get(key)
        if isinstance(times, Mapping):
            for name in ("start_time", "end_time"):
                if (seconds := read_time(times.get(name))) is not None:
                    yield seconds, source
    colab = metadata.get("executionInfo")
    if isinstance(colab, Mapping):
        stamp = colab.get("timestamp")
        if isinstance(stamp, int | float) and (seconds := _plausible(stamp / 1000)) is not None:
            yield seconds, "colab"


def _plausible(seconds: float) -> float | None:
    return seconds if _EARLIEST <= seconds <= _LATEST else None
