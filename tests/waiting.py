"""Waits whose limits grow on a small or busy machine: a test ends for what hangs, never for what is only slow.

Limits in the tests are seconds of an idle machine with four cores, the number that the tests' Ray is started with.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable

CORES = 4


def slowness() -> float:
    """How many times as long as on that machine work takes here and now, at least 1."""
    cores = os.cpu_count() or 1
    processes_per_core = os.getloadavg()[0] / cores
    return max(1.0, CORES / cores) * max(1.0, processes_per_core)


def scaled(seconds: float) -> float:
    """A limit for this machine as it is now, for what takes a plain number of seconds."""
    return seconds * slowness()


def wait_until(condition: Callable[[], object], seconds: float, *, pause: float = 0.02) -> bool:
    """Waits until the condition is true; False if it was not within the limit."""
    left = seconds
    before = time.monotonic()
    while not condition():
        if left <= 0:
            return False
        time.sleep(pause)
        now = time.monotonic()
        # The load changes while a test waits, so each pause is counted with the load of its own moment.
        left -= (now - before) / slowness()
        before = now
    return True


def exit_code(process: subprocess.Popen[bytes], seconds: float) -> int:
    """Waits for a process to end and gives its exit code; one that outlasts the limit is killed and fails the test."""
    if not wait_until(lambda: process.poll() is not None, seconds):
        process.kill()
        raise AssertionError(f"{process.args!r} has not ended after {seconds:g} s of an idle machine")
    return process.wait()
