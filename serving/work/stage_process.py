"""The process that a replica of `Stages` has compute: one row after another, in its main thread.

A row there has the limits it has in a batch job, which only the main thread can keep (`pipeline.time_limit`), and a
client that goes away can end it: by a signal between two steps of Python, or with the process. It gets a pickled tuple
of stages over the connection whose file descriptor is its first argument, answers None (or the error), and then
(place of the stage, record) -> (record, seconds), or `ABANDONED` for a row that a signal ended.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from pipeline.errors import DLCodeGenError
from pipeline.sandbox.linux.calls import die_with_parent
from pipeline.stage import Stage, Step, advance
from pipeline.time_limit import be_replaceable, fatal_limit

ABANDON = signal.SIGUSR1
"""Ends the row that is under way."""

ABANDONED = "abandoned"
"""The answer for such a row."""


class _Abandoned(BaseException):
    """Interrupts the work. No Exception, so that work which expects those lets it pass."""


class _Work:
    """The steps of the stages that compute, and whether a row is under way."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = stages
        self._steps: dict[int, Step] = {}
        for place, stage in enumerate(stages):
            if not stage.waits:
                self._steps[place] = stage.build()
        self._busy = False
        signal.signal(ABANDON, self._abandon)

    def answer(self, place: int, record: object) -> object:
        """The record after the stage at `place`, and the seconds it took."""
        stage = self._stages[place]
        start = time.perf_counter()
        try:
            self._busy = True
            with fatal_limit(stage.row_seconds):
                done = advance(stage, self._steps[place], record)  # type: ignore[arg-type]
            self._busy = False
        except _Abandoned:
            return ABANDONED
        return done, time.perf_counter() - start

    def _abandon(self, *_: object) -> None:
        if self._busy:
            self._busy = False
            raise _Abandoned


def main(descriptor: int, parent: int) -> None:
    """Answers until the other end closes the connection."""
    die_with_parent(parent)
    be_replaceable()
    signal.signal(ABANDON, signal.SIG_IGN)
    with Connection(descriptor) as connection:
        try:
            work = _Work(connection.recv())
        except DLCodeGenError as error:
            connection.send(str(error))
            return
        connection.send(None)
        while True:
            try:
                place, record = connection.recv()
            except EOFError:
                return
            connection.send(work.answer(place, record))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else os.getppid())
