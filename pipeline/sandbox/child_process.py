"""Work in a forked child: what kills or hangs its process costs that child only."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from pipeline.errors import StageFailure
from pipeline.sandbox.linux.calls import die_with_parent
from pipeline.time_limit import be_replaceable

# A forked child starts with everything that is built already: planners, parsed sample pools.
_FORK = multiprocessing.get_context("fork")


def in_child(work: Callable[..., Any], *arguments: object, seconds: float) -> Any:
    """What `work(*arguments)` gives in a forked child. Raises StageFailure of kind `timeout` where that takes longer
    than `seconds` by the clock, or than its processor time; `crash` where the child dies or `work` raises; and what
    StageFailure `work` raises."""
    result, childs_end = _FORK.Pipe(duplex=False)
    child = _FORK.Process(target=_work, args=(work, arguments, childs_end, os.getpid()), daemon=True)
    child.start()
    childs_end.close()  # or its end would stay open here, and a dead child would never be noticed
    try:
        if not result.poll(seconds):
            raise StageFailure("timeout", f"no result after {seconds:.0f} s while it worked on this row")
        answer = result.recv()
    except EOFError:
        child.join()
        raise died(child.exitcode) from None
    finally:
        result.close()
        child.kill()
        child.join()
    if isinstance(answer, _Failed):
        raise StageFailure(answer.kind, answer.message)
    return answer


@dataclass(frozen=True, slots=True)
class _Failed:
    """A StageFailure on its way from the child."""

    kind: str
    message: str


def _work(work: Callable[..., Any], arguments: tuple[object, ...], result: Connection, parent: int) -> None:
    die_with_parent(parent)
    be_replaceable()
    try:
        result.send(work(*arguments))
    except StageFailure as failure:
        result.send(_Failed(failure.kind, str(failure)))
    result.close()


def died(exit_code: int | None) -> StageFailure:
    """The failure of a row whose process ended with this code: `timeout` where that was at its processor time, else
    `crash`."""
    if exit_code == -signal.SIGXCPU:
        return StageFailure("timeout", "the worker process had had its processor time, and was ended")
    return StageFailure("crash", f"the worker process died ({cause_of(exit_code)}) while it worked on this row")


def cause_of(exit_code: int | None) -> str:
    """An exit code of a child in words."""
    if exit_code is not None and exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"
