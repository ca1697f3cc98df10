"""What ended a project, in the field's terms, with the line of the project it happened at."""

from __future__ import annotations

import ast
import re
import signal
from collections.abc import Iterable, Sequence

from pipeline.execution.exceptions.kinds import exception_kind
from pipeline.execution.exceptions.tracebacks import Frame, Raised, chain
from pipeline.execution.ladder import ExceptionKind, FirstException
from pipeline.execution.observation import Observation
from pipeline.sandbox.sandbox import Execution

_STOPPED: dict[str, ExceptionKind] = {"memory_bytes": "memory", "seconds": "time", "cpu_seconds": "time"}

_SUBJECT = re.compile(
    r"No module named '(?P<module>[^']{1,200})'|cannot import name '(?P<imported>[^']{1,200})'|"
    r"name '(?P<name>[^']{1,200})' is not defined|has no attribute '(?P<attribute>[^']{1,200})'|"
    r"unexpected keyword argument '(?P<keyword>[^']{1,200})'|No such file or directory: '(?P<file>[^']{1,300})'|"
    r"variable '(?P<variable>[^']{1,200})'"
)


def first_exception(execution: Execution, observation: Observation, script: str) -> FirstException | None:
    """None for a project that ended by itself with exit code 0. The traceback of the events is preferred, for the tail
    of the output may have cut it; a limit or a signal that ended the run leaves none."""
    if execution.ok:
        return None
    if execution.stopped:
        message = f"stopped at its limit of {execution.stopped} after {execution.seconds:.0f} s"
        return FirstException(kind=_STOPPED.get(execution.stopped, "other"), type="", message=message)
    raised = chain(observation.traceback) or chain(execution.stderr_tail)
    if raised:
        return _of_chain(raised, script)
    if execution.exit_code > 128:
        return FirstException(kind="killed", type="", message=f"ended by {_signal_name(execution.exit_code - 128)}")
    message = observation.exit_message or _last_line(execution.stderr_tail) or f"exit code {execution.exit_code}"
    return FirstException(kind="exit", type="SystemExit", message=message[:500], line=observation.exit_line, code="")


def _of_chain(raised: Sequence[Raised], script: str) -> FirstException:
    first = raised[0]
    frame = _project_frame(raised)
    kind = exception_kind(
        first.type,
        first.message,
        own_names=own_names(script),
        in_pandas=any("/pandas/" in one.path for one in first.frames),
    )
    return FirstException(
        kind=kind,
        type=first.type,
        message=first.message,
        file=frame.file if frame is not None else "",
        line=frame.line if frame is not None else None,
        code=frame.code[:200] if frame is not None else "",
        subject=_subject(first, kind),
    )


def _project_frame(raised: Iterable[Raised]) -> Frame | None:
    """The innermost frame of the project, in the first cause that has one: what a library raises and passes on has none
    of its own."""
    for one in raised:
        own = [frame for frame in one.frames if not frame.is_library]
        if own:
            return own[-1]
    return None


def _subject(raised: Raised, kind: ExceptionKind) -> str:
    match = _SUBJECT.search(raised.message)
    if match is not None:
        return next(text for text in match.groups() if text is not None)
    if kind in ("missing_column", "key"):
        return raised.message.strip("'\"")[:200]
    return ""


def own_names(script: str) -> frozenset[str]:
    """The functions and classes that the script defines."""
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
