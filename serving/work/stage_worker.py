"""The replica's end of a stage process: asks it for one row at a time, ends a row, and starts a new one for one that
died."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from multiprocessing import Pipe

from pipeline.errors import DLCodeGenError
from pipeline.records import Failure, Requirement
from pipeline.sandbox.child_process import cause_of, died
from pipeline.stage import Stage, widen
from serving.work.stage_process import ABANDON, ENDED, Answer

_PATIENCE = 1.5
"""Seconds that a row which is to end gets to come back to Python, before its process ends."""


class StageWorker:
    """A process that computes the stages which do not wait. One row at a time; further ones wait for their turn."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        """Raises DLCodeGenError where a stage cannot be made ready."""
        self._stages = tuple(stages)
        self._turn = asyncio.Lock()
        self._busy = False
        """Whether the process has a row."""
        self._start()

    async def advance(self, begin: int, end: int, record: Requirement) -> AsyncGenerator[Answer, None]:
        """What each of the stages from `begin` to before `end` adds to the record, and its seconds. A row that its
        process dies of fails (`crash`, `timeout`) and the next one gets a new process. To stop asking ends the row."""
        async with self._turn:
            answering: asyncio.Future[Answer | None] | None = None
            try:
                for place in range(begin, end):
                    if not self._busy:  # at first, and behind a process that died
                        self._busy = True
                        await asyncio.to_thread(self._ask, place, end, record)
                    answering = asyncio.ensure_future(asyncio.to_thread(self._answer, place))
                    answer = await asyncio.shield(answering)
                    assert answer is not ENDED, "a row ends early where nobody asks any more"
                    record = widen(record, self._stages[place].returns, **answer[0])
                    yield answer
            finally:
                if self._busy:
                    await asyncio.shield(self._abandon(answering))

    def close(self) -> None:
        """Ends the process."""
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def _start(self) -> None:
        self._busy = False
        self._connection, theirs = Pipe()
        command = [sys.executable, "-m", "serving.work.stage_process", str(theirs.fileno()), str(os.getpid())]
        # The replica may have found this package by a path that only it has (Ray's working_dir).
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            command, pass_fds=(theirs.fileno(),), env=os.environ | {"PYTHONPATH": paths}, stdin=subprocess.DEVNULL
        )
        theirs.close()  # or the end of the process would never be noticed
        try:
            self._connection.send(self._stages)
            problem = self._connection.recv()
        except (EOFError, OSError) as error:
            raise DLCodeGenError(
                f"the process of the stages does not start ({cause_of(self._process.wait())})"
            ) from error
        if problem is not None:
            raise DLCodeGenError(problem)

    def _ask(self, begin: int, end: int, record: Requirement) -> None:
        with suppress(OSError):  # of a process that is dead, as the answer tells
            self._connection.send((begin, end, record))

    def _answer(self, place: int) -> Answer | None:
        """The next answer: that of the stage at `place`, or the row's end."""
        start = time.perf_counter()
        try:
            answer: Answer | None = self._connection.recv()
        except (EOFError, OSError):
            stage = self._stages[place]
            error = died(self._process.wait())
            failure = Failure(stage=stage.name, kind=error.kind, message=str(error))
            self._connection.close()
            self._start()
            return {"failure": failure}, time.perf_counter() - start, True
        self._busy = answer is not ENDED and not answer[2]
        return answer

    async def _abandon(self, answering: asyncio.Future[Answer | None] | None) -> None:
        """Ends the row that is under way, and returns when its process can take the next one."""
        self._process.send_signal(ABANDON)
        ending = asyncio.ensure_future(self._rest(answering))
        done, _ = await asyncio.wait({ending}, timeout=_PATIENCE)
        if not done:
            self._process.kill()
        await ending

    async def _rest(self, answering: asyncio.Future[Answer | None] | None) -> None:
        """Reads what the process still has to say of a row, and forgets it."""
        if answering is not None:
            await asyncio.wait({answering})
        while self._busy:
            await asyncio.to_thread(self._answer, 0)
