"""Work in a forked child: what kills or hangs its process costs that child only.

A shard of a run that was begun and never finished is suspicious: its worker died, or the whole run was killed. Each of
its rows is then worked on in a child of its own, so that a row that brings its process down (a segmentation fault, out
of memory) becomes a failure of its own. Scoring does the same with a shard that took its worker down or too long.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from pipeline.errors import StageFailure
from pipeline.records import Failure, Requirement
from pipeline.stage import Chain, widen

LONGEST_SECONDS = 600.0
"""What a row may take in a child of its own."""

_FORK = multiprocessing.get_context("fork")  # the child starts with the stages built


def run_isolated(chain: Chain, record: Requirement) -> tuple[Requirement, dict[str, float]]:
    """What `chain(record)` gives; the row with a failure of kind `crash` or `timeout` where its process does not."""
    try:
        done: tuple[Requirement, dict[str, float]] = in_child(chain, record, seconds=LONGEST_SECONDS)
        return done
    except StageFailure as error:
        failure = Failure(stage=chain.name, kind=error.kind, message=str(error))
        return widen(record, chain.returns, failure=failure), {}


def in_child(work: Callable[..., Any], *arguments: object, seconds: float) -> Any:
    """What `work(*arguments)` gives in a forked child. Raises StageFailure of kind `timeout` where that takes longer
    than `seconds`, `crash` where the child dies or `work` raises."""
    ours, theirs = _FORK.Pipe(duplex=False)
    child = _FORK.Process(target=_work, args=(work, arguments, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        if not ours.poll(seconds):
            raise StageFailure("timeout", f"no result after {seconds:.0f} s while it worked on this row")
        return ours.recv()
    except EOFError:
        child.join()
        message = f"the worker process died ({_cause(child.exitcode)}) while it worked on this row"
        raise StageFailure("crash", message) from None
    finally:
        ours.close()
        child.kill()
        child.join()


def _work(work: Callable[..., Any], arguments: tuple[object, ...], result: Connection) -> None:
    result.send(work(*arguments))
    result.close()


def _cause(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"
