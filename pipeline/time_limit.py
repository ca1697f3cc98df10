"""A limit on the processor time of one row or file: one that is stuck costs itself alone, and the others go on.

    time_limit    raises in the work itself, which becomes a failure of kind `timeout`
    fatal_limit   ends the process, for C code that does not come back to Python; only where the process is replaceable

The kernel keeps both, so that they cost a row some microseconds. It counts processor time, not time by the clock: on a
busy machine nothing changes, and waiting (for a language model) counts nothing. Signals reach Python in the main
thread, where the workers of all jobs do their rows; in another thread (an online request, which has a limit of its own)
there is no `time_limit`.
"""

from __future__ import annotations

import math
import resource
import signal
import threading
import time
from collections.abc import Coroutine, Generator, Iterator
from contextlib import contextmanager
from types import coroutine
from typing import Any, TypeVar

from pipeline.errors import StageFailure

ROW_SECONDS = 60.0
"""Seconds of processor time that a row may take in one stage, or a file in one step, by default (`row_seconds`)."""

FATAL = 3
"""How many times as much its process may take for it."""

_AGAIN = 1.0
"""Seconds after which the work is interrupted again, if it went on all the same."""

_T = TypeVar("_T")

_replaceable = False

_ends_at: float | None = None
"""When the main thread's work is out of time, by the thread's own processor time; None where nothing is limited."""


class _OutOfTime(BaseException):
    """Interrupts the work. No Exception, so that work which expects those lets it pass."""


def out_of_time(seconds: float) -> StageFailure:
    """What becomes of work that took longer than it may."""
    return StageFailure("timeout", f"took more than {seconds:g} s of processor time; raise row_seconds if it may")


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raises StageFailure (`timeout`) where the block takes more processor time; None is no limit. Inside another such
    block, the outer one's limit holds."""
    global _ends_at
    if seconds is None or _ends_at is not None or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGPROF, _interrupt)
    try:
        try:
            _ends_at = time.thread_time() + seconds
            signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN)
            yield
        finally:
            _disarm()
    except _OutOfTime:
        _disarm()  # the interruption may have come while that was being done
        raise out_of_time(seconds) from None


def _disarm() -> None:
    global _ends_at
    _ends_at = None
    signal.setitimer(signal.ITIMER_PROF, 0)


def _interrupt(*_: object) -> None:
    if _ends_at is None:
        return
    # The timer counts all threads of the process (torch's, Ray's); what they do is no sign that this one is stuck.
    left = _ends_at - time.thread_time()
    if left > 0:
        signal.setitimer(signal.ITIMER_PROF, left, _AGAIN)
        return
    raise _OutOfTime


def be_replaceable() -> None:
    """Says that others go on where this process ends, as they do for a worker of Ray or a child; no command's own."""
    global _replaceable
    _replaceable = True


@contextmanager
def fatal_limit(seconds: float | None) -> Iterator[None]:
    """Ends this process (SIGXCPU), if it is replaceable, where the block takes FATAL times as much processor time; None
    is no limit."""
    if seconds is None or not _replaceable:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_CPU)
    limit = math.ceil(time.process_time() + FATAL * seconds)
    lower_limits = [known for known in before if known != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_CPU, (min([limit, *lower_limits]), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, before)


@coroutine
def limited(work: Coroutine[Any, Any, _T], seconds: float | None) -> Generator[Any, Any, _T]:
    """What `work` comes to. `time_limit` holds for each stretch between two of its waits."""
    sent: Any = None
    thrown: BaseException | None = None
    while True:
        with time_limit(seconds):
            try:
                awaited = work.throw(thrown) if thrown is not None else work.send(sent)
            except StopIteration as done:
                result: _T = done.value
                return result
        sent = thrown = None
        try:
            sent = yield awaited
        except BaseException as error:
            thrown = error
