"""A row that kills its worker must not end the job, nor be tried forever.

A shard that was begun and never finished is suspicious: its worker died, or the whole run was killed. Each of its rows
is then worked on in a forked child, so that a row that brings its process down (a segmentation fault, out of memory)
costs that child only and becomes a failure of its own.
"""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.connection import Connection

from pipeline.records import Failure, Requirement
from pipeline.stage import Chain, widen

LONGEST_SECONDS = 600.0
"""What a row may take in a child of its own."""

_FORK = multiprocessing.get_context("fork")  # the child starts with the stages built


def run_isolated(chain: Chain, record: Requirement) -> tuple[Requirement, dict[str, float]]:
    """What `chain(record)` gives; the row with a failure of kind `crash` or `timeout` where its process does not."""
    ours, theirs = _FORK.Pipe(duplex=False)
    child = _FORK.Process(target=_work, args=(chain, record, theirs), daemon=True)
    child.start()
    theirs.close()
    try:
        if not ours.poll(LONGEST_SECONDS):
            return _failed(chain, record, "timeout", f"no result after {LONGEST_SECONDS:.0f} s"), {}
        done: tuple[Requirement, dict[str, float]] = ours.recv()
        return done
    except EOFError:
        child.join()
        return _failed(chain, record, "crash", f"the worker process died ({_cause(child.exitcode)})"), {}
    finally:
        ours.close()
        child.kill()
        child.join()


def _work(chain: Chain, record: Requirement, result: Connection) -> None:
    result.send(chain(record))
    result.close()


def _failed(chain: Chain, record: Requirement, kind: str, message: str) -> Requirement:
    failure = Failure(stage=chain.name, kind=kind, message=f"{message} while it worked on this row")
    return widen(record, chain.returns, failure=failure)


def _cause(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"
