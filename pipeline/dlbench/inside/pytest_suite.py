"""A suite of pytest nodes, run in this process, each test's outcome written down when it is known."""

from __future__ import annotations

import os
from typing import Any, Callable, Sequence

Outcome = Callable[[str, str, str], None]
"""Told of a test: its id, `passed`, `failed`, `error` or `skipped`, and why."""


def run_pytest(nodes: Sequence[str], root: str, outcome: Outcome) -> "tuple[int, list[Any]]":
    """pytest's exit code and the modules that the tests are in."""
    import pytest

    modules: "list[Any]" = []

    class Recorder:
        def __init__(self) -> None:
            self._worst: "dict[str, tuple[str, str]]" = {}

        @pytest.hookimpl(trylast=True)
        def pytest_collection_finish(self, session: Any) -> None:
            for item in session.items:
                module = getattr(item, "module", None)
                if module is not None and module not in modules:
                    modules.append(module)

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed:
                outcome(report.nodeid or "collection", "error", _first_line(report.longreprtext))

        def pytest_runtest_logreport(self, report: Any) -> None:
            state, why = "passed", ""
            if report.failed:
                state = "failed" if report.when == "call" else "error"
                why = _first_line(report.longreprtext)
            elif report.skipped or hasattr(report, "wasxfail"):
                state = "skipped"
            worst = self._worst.get(report.nodeid, ("passed", ""))
            if worst[0] == "passed":
                worst = (state, why)
            self._worst[report.nodeid] = worst
            if report.when == "teardown":
                outcome(report.nodeid, *worst)

    arguments = [
        *(os.path.join(root, node) for node in nodes),
        f"--rootdir={root}",
        "--override-ini=addopts=",
        "--override-ini=xfail_strict=false",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:randomly",
        # They collect garbage at the end, and with it what a candidate has made.
        "-p",
        "no:unraisableexception",
        "-p",
        "no:threadexception",
        "-q",
        # Rewriting the assertions of a long file takes longer than most tests do, and its cache is not writable.
        "--assert=plain",
        "--tb=short",
        "--color=no",
    ]
    return int(pytest.main(arguments, plugins=[Recorder()])), modules


def _first_line(text: str) -> str:
    lines = [line[2:].strip() for line in text.splitlines() if line.startswith("E ")]
    if not lines:
        lines = [line.strip() for line in text.splitlines() if line.strip()][-1:]
    return lines[0][:300] if lines else ""
