"""The process that a replica of `Stages` has compute: one row after another, in its main thread.

A row there has the limits it has in a batch job, which only the main thread can keep (`pipeline.time_limit`), and a
client that goes away can end it: by a signal between two steps of Python, or with the process. It gets a pickled tuple
of stages over the connection whose file descriptor is its first argument and answers None (or the error). Then each
(first place, place behind the last, record) is answered by an `Answer` after each of those stages, and by `ENDED` where
a signal ended the row before the last of them.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

from pipeline.errors import DLCodeGenError
from pipeline.records import Requirement
from pipeline.sandbox.linux.calls import die_with_parent
from pipeline.stage import Stage, Step, added_fields, advance
from pipeline.time_limit import be_replaceable, fatal_limit

ABANDON = signal.SIGUSR1
"""Ends the row that is under way."""

ENDED = None
"""The answer where a signal ended the row."""

Answer = tuple[dict[str, Any], float, bool]
"""The fields that a stage has added to its row, the seconds it took, and whether it was the row's last stage."""


class _Abandoned(BaseException):
    """Interrupts the work. No Exception, so that work which expects those lets it pass."""


class _Work:
    """The steps of the stages that compute, and whether one is computing."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = stages
        self._steps: dict[int, Step] = {}
        for place, stage in enumerate(stages):
            if not stage.waits:
                self._steps[place] = stage.build()
        self._computing = False
        signal.signal(ABANDON, self._abandon)

    def answers(self, begin: int, end: int, record: Requirement) -> Iterator[Answer | None]:
        """What each of the stages adds, or `ENDED`. The row stays here meanwhile: nothing travels twice."""
        for place in range(begin, end):
            start = time.perf_counter()
            try:
                done = self._computed(place, record)
            except _Abandoned:
                yield ENDED
                return
            yield added_fields(record, done), time.perf_counter() - start, place + 1 == end
            record = done

    def _computed(self, place: int, record: Requirement) -> Requirement:
        stage = self._stages[place]
        self._computing = True
        with fatal_limit(stage.row_seconds):
            done = advance(stage, self._steps[place], record)
        self._computing = False
        return done

    def _abandon(self, *_: object) -> None:
        # Never while an answer is being sent: half of one would end the connection.
        if self._computing:
            self._computing = False
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
                begin, end, record = connection.recv()
            except EOFError:
                return
            for answer in work.answers(begin, end, record):
                connection.send(answer)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else os.getppid())
