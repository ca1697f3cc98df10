"""The replica's end of a stage process: asks it for one row at a time, ends a row, and starts a new one for one that
died."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing import Pipe

from pipeline.errors import DLCodeGenError
from pipeline.records import Failure, Requirement
from pipeline.sandbox.child_process import cause_of, died
from pipeline.stage import Stage, widen
from serving.work.stage_process import ABANDON, ABANDONED

_PATIENCE = 1.5
"""Seconds that a row which is to end gets to come back to Python, before its process ends."""


class StageWorker:
    """A process that computes the stages which do not wait. One row at a time; further ones wait for their turn."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        """Raises DLCodeGenError where a stage cannot be made ready."""
        self._stages = tuple(stages)
        self._turn = asyncio.Lock()
        self._start()

    async def advance(self, place: int, record: Requirement) -> tuple[Requirement, float]:
        """The record after the stage at `place`, and the seconds it took. A row that its process dies of fails
        (`crash`, `timeout`) and the next one gets a new process. Cancelling it ends the row."""
        async with self._turn:
            asking = asyncio.ensure_future(asyncio.to_thread(self._ask, place, record))
            try:
                return await asyncio.shield(asking)
            except asyncio.CancelledError:
                await self._abandon(asking)
                raise

    def close(self) -> None:
        """Ends the process."""
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def _start(self) -> None:
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

    def _ask(self, place: int, record: Requirement) -> tuple[Requirement, float]:
        start = time.perf_counter()
        try:
            self._connection.send((place, record))
            answer = self._connection.recv()
        except (EOFError, OSError):
            stage = self._stages[place]
            error = died(self._process.wait())
            failure = Failure(stage=stage.name, kind=error.kind, message=str(error))
            failed = widen(record, stage.returns, failure=failure)
            self._connection.close()
            self._start()
            return failed, time.perf_counter() - start
        if answer == ABANDONED:
            return record, 0.0
        done: tuple[Requirement, float] = answer
        return done

    async def _abandon(self, asking: asyncio.Future[tuple[Requirement, float]]) -> None:
        """Ends the row that is under way, and returns when its process can take the next one."""
        self._process.send_signal(ABANDON)
        done, _ = await asyncio.wait({asking}, timeout=_PATIENCE)
        if not done:
            self._process.kill()
            await asyncio.wait({asking})
        asking.exception()  # was seen: nobody waits for it any more
