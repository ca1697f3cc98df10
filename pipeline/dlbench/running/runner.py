"""Runs one candidate: its repository laid out, its suites run, once more where the machinery failed."""

from __future__ import annotations

import ast
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.dlbench.placing.place import Placed
from pipeline.dlbench.running.overlay import overlay
from pipeline.dlbench.running.repository import Located
from pipeline.dlbench.running.sandboxes import OVERLAY, SuiteSandboxes
from pipeline.dlbench.running.verdict import JobRecord, SuiteRecord, read_records
from pipeline.errors import FaultError, StageFailure
from pipeline.execution.running.executing import COMPUTING
from pipeline.sandbox.sandbox import Execution, Limits

ATTEMPTS = 2
"""Runs of a job whose first one met a defect of the machinery."""

FIRST_CPU_SECONDS = 300.0
"""For a reference, whose time nobody knows yet."""

CPU_FACTOR, LEAST_CPU_SECONDS = 5.0, 10.0
"""A candidate has so many times the reference's own processor time, and at least so much."""

_WALL_FACTOR, _WALL_SECONDS = 10.0, 60.0
"""The wall-clock limit, from the processor time: generous, since a busy machine is not the candidate's doing."""

_IMPORT_SECONDS = 120.0
"""Processor time for importing the module and what it needs."""

_MEMORY_BYTES = 6 * 2**30

_COMPARING = (
    "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __array__ __array_ufunc__ __array_function__ __torch_function__ "
    "__instancecheck__ __subclasscheck__"
).split()


@dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """Tests that run together in a process of their own."""

    nodes: tuple[str, ...] = ()
    """Pytest nodes of the repository."""

    code: str = ""
    """Or a module."""

    names: tuple[str, ...] = ()
    """And its functions."""

    cpu_seconds: float = FIRST_CPU_SECONDS
    trace: bool = False
    """Whether the executed lines of the target's file are wanted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRun:
    """A job that was run."""

    record: JobRecord

    stopped: str = ""
    """The limit that ended it; "" where it ended by itself."""

    infra: str = ""
    """What the machinery failed at, each time; "" where it did not."""


def suite_of(located: Located, *, cpu_seconds: float = FIRST_CPU_SECONDS, trace: bool = False) -> Suite:
    """The tests that decide on a task."""
    task = located.task
    if task.hidden_tests:
        return Suite(code=task.hidden_tests, names=task.tests, cpu_seconds=cpu_seconds, trace=trace)
    return Suite(nodes=task.tests, cpu_seconds=cpu_seconds, trace=trace)


def cpu_limit(reference_seconds: float) -> float:
    """What a candidate may take where the reference took so long."""
    return max(LEAST_CPU_SECONDS, CPU_FACTOR * reference_seconds)


def run_placed(sandboxes: SuiteSandboxes, located: Located, placed: Placed, suites: Sequence[Suite]) -> JobRun:
    """Runs a file with a candidate in it. No candidate makes it raise; DLCodeGenError where the machine gives no
    sandbox at all."""
    infra = ""
    for attempt in range(ATTEMPTS):
        try:
            sandbox = sandboxes.of(located.environment)
            if attempt:
                sandbox.restart()
            key = secrets.token_hex(32)
            with overlay(located, placed.text) as folder:
                job = _job(located, placed, suites, key)
                shown = [located.root] if located.root and not located.tops else []
                execution, events = sandbox.run(job, folder, shown, _limits(suites))
        except (FaultError, StageFailure, OSError) as failure:
            infra = str(failure)
            continue
        record = read_records(events, key, len(suites))
        infra = _infra(execution, record, suites)
        if not infra:
            return JobRun(record=record, stopped=execution.stopped)
    return JobRun(record=JobRecord(imported=False, suites=(_NEVER_RAN,) * len(suites)), infra=infra)


_NEVER_RAN = SuiteRecord(outcomes={}, reasons={}, ended=False)


def _job(located: Located, placed: Placed, suites: Sequence[Suite], key: str) -> str:
    tree = ast.parse(located.source)
    tests = {node.partition("::")[0] for suite in suites for node in suite.nodes}
    allowed = [name for name in _COMPARING if name in located.target.text]
    job = {
        "key": key,
        "root": OVERLAY,
        "search": [f"{OVERLAY}/{located.search}".rstrip("/")],
        "module": located.module,
        "target": located.target.qualified_name,
        "file": f"{OVERLAY}/{located.path}",
        "spans": placed.spans,
        "allowed": allowed,
        "own_names": sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | _defined(tree)),
        "protected": [f"{OVERLAY}/{test}" for test in sorted(tests)],
        "suites": [
            {
                "nodes": suite.nodes,
                "code": suite.code,
                "names": suite.names,
                "cpu_seconds": suite.cpu_seconds,
                "test_seconds": max(1.0, suite.cpu_seconds / max(1, len(suite.names))),
                "wall_seconds": _wall(suite),
                "trace": suite.trace,
            }
            for suite in suites
        ],
    }
    return json.dumps(job)


def _defined(tree: ast.Module) -> set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def _wall(suite: Suite) -> float:
    return _WALL_FACTOR * suite.cpu_seconds + _WALL_SECONDS


def _limits(suites: Sequence[Suite]) -> Limits:
    """Of the whole job. Each suite has limits of its own in it."""
    cpu = _IMPORT_SECONDS + sum(suite.cpu_seconds + 1 for suite in suites)
    return Limits(
        seconds=_WALL_FACTOR * _IMPORT_SECONDS + sum(map(_wall, suites)),
        cpu_seconds=cpu,
        memory_bytes=_MEMORY_BYTES,
    )


def _infra(execution: Execution, record: JobRecord, suites: Sequence[Suite]) -> str:
    """What of a run was the machine's doing: a wall-clock limit that ended somebody who was computing all the time, but
    had not had his processor time."""
    if execution.stopped == "seconds" and execution.cpu_seconds > COMPUTING * execution.seconds:
        return f"the machine was too busy: {execution.cpu_seconds:.0f} s of processor time in {execution.seconds:.0f} s"
    for suite, ran in zip(suites, record.suites, strict=True):
        if ran.late and ran.cpu_seconds > COMPUTING * ran.seconds:
            return f"the machine was too busy: {ran.cpu_seconds:.0f} of {suite.cpu_seconds:.0f} s of processor time"
    return ""
