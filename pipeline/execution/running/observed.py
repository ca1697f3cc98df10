"""Runs a project in a sandbox with the probe in its process: the plain way, an interpreter for each project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.execution.running.warm_process import EVENTS
from pipeline.records import SourceFile
from pipeline.sandbox.sandbox import Execution, Limits, Sandbox

PROBE = Path(__file__).parents[1] / "probe"
"""The probe's folder, as it is handed into a sandbox or loaded in a warm process."""

_PROBE_IN_SANDBOX = "/opt/dlcodegen-probe"
_STARTER = ".dlcodegen-start.py"

_MOST_EVENT_BYTES = 4 * 2**20

# Runs under the probe, and leaves nothing in the project's folder but the events.
_START = """\
import os, sys
sys.path.insert(0, {probe!r})
import launch
del sys.path[0]
sys.modules.pop("launch")
os.remove({starter!r})
sys.exit(launch.load_probe().run({events!r}, {entry!r}))
"""


def run_observed(
    sandbox: Sandbox,
    files: Sequence[SourceFile],
    entry: str,
    limits: Limits,
    *,
    given: Mapping[str, Path] | None = None,
    results: Sequence[str] = (),
) -> tuple[Execution, str]:
    """How the run ended, and the events that the probe wrote in it ("" where there are none), both for `climb`.

    The arguments are those of Sandbox.run, and so are the errors. The results are the project's, without the events.
    """
    start = _START.format(probe=_PROBE_IN_SANDBOX, starter=_STARTER, events=EVENTS, entry=entry)
    execution = sandbox.run(
        [*files, SourceFile(path=_STARTER, text=start)],
        _STARTER,
        limits,
        given={**(given or {}), _PROBE_IN_SANDBOX: PROBE},
        results=[EVENTS, *results],
    )
    return execution, events_of(execution)


def events_of(execution: Execution) -> str:
    """What the probe wrote in a run whose results have EVENTS, a line of JSON an event; "" where there is nothing."""
    for file in execution.results:
        if file.path == EVENTS and file.content is not None:
            return file.content[:_MOST_EVENT_BYTES].decode("utf-8", "replace")
    return ""
