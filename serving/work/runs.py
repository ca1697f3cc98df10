"""Projects under way: each is a task of the gateway that follows its row through `Stages` and keeps what it becomes."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from ray.exceptions import RayActorError, RayError
from ray.serve.exceptions import BackPressureError, RayServeException

from pipeline.errors import DLCodeGenError
from pipeline.records import Failure, Requirement, Scored
from pipeline.stage import widen
from serving.settings import OnlineSettings
from serving.store.connection import DatabaseFault
from serving.store.database import Database
from serving.store.projects import Event, Project, Projects, Status
from serving.store.quotas import Quotas
from serving.work.events import CANCELLED, FAILED, LAST, EventData, StageOutline, events_of, last_event, used_by
from serving.work.metrics import Metrics
from serving.work.stages import Advanced

_log = logging.getLogger("dlcodegen.serving")

_TRIES = 3
"""How many replicas a row is given: one that dies under it costs the row only what its stage had done."""

_POLL_SECONDS = 1.0
"""How often listeners look for events that another process may have written."""


class Working(Protocol):
    """What `StagesServer.work` is, by handle or here."""

    def __call__(self, record: Requirement, begin: int, end: int | None) -> AsyncIterator[list[Advanced]]: ...


class Runs:
    """The projects that this gateway works on."""

    def __init__(
        self,
        database: Database,
        settings: OnlineSettings,
        stages: Sequence[StageOutline],
        work: Working,
        metrics: Metrics | None = None,
    ) -> None:
        self.stages = tuple(stages)
        self.draining = False
        self.metrics = metrics or Metrics()
        self._database, self._settings, self._work = database, settings, work
        self._projects, self._quotas = Projects(database), Quotas(database)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._latest: dict[str, Requirement] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._unwanted: set[str] = set()

    @property
    def under_way(self) -> int:
        return len(self._tasks)

    @property
    def full(self) -> bool:
        """Whether a further project would have to wait longer than is of use."""
        return self.under_way >= self._settings.most_under_way

    def begin(self, project: Project) -> None:
        """Works on a project from now on. One that was worked on before, by a gateway that ended, gets the events that
        it has not had."""
        task = self._detached(self._run(project))
        self._tasks[project.id] = task
        task.add_done_callback(lambda _: self._end_unbegun(project.id))
        self.metrics.under_way(self.under_way)

    def work_on(self, projects: Sequence[Project]) -> None:
        """Works on these and no others: begins those it has not, and leaves those that another gateway has by now."""
        own = {project.id for project in projects}
        for id in self._tasks.keys() - own:
            if self._is_under_way(id):
                self._tasks[id].cancel()
        for project in projects:
            if project.id not in self._tasks:
                self.begin(project)

    def cancel(self, id: str) -> None:
        """Ends a project; one that has ended, or that another gateway has, is no error."""
        task = self._tasks.get(id)
        if task is not None:
            self._unwanted.add(id)
            task.cancel()

    def latest(self, id: str) -> Requirement | None:
        """The row of a project under way, as far as it is."""
        return self._latest.get(id)

    async def finished(self, id: str) -> None:
        """Returns when the project has ended."""
        task = self._tasks.get(id)
        if task is not None:
            await asyncio.wait({task})
        while self._is_under_way(id):  # another gateway has it
            await asyncio.sleep(_POLL_SECONDS)

    async def events(self, id: str, after: int = 0) -> AsyncIterator[Event]:
        """The project's events behind a number, as they come, up to the last one."""
        while True:
            news = self._news.setdefault(id, asyncio.Event())
            events = self._projects.events(id, after)
            for event in events:
                yield event
                after = event.number
                if event.name in LAST:
                    self._news.pop(id, None)
                    return
            if not events:
                if id not in self._tasks and not self._is_under_way(id):
                    return
                try:
                    await asyncio.wait_for(news.wait(), _POLL_SECONDS)
                except TimeoutError:
                    continue

    async def partly(self, record: Requirement, end: int) -> Requirement:
        """The record after the stages before the place `end`, as no project."""
        async with asyncio.timeout(self._settings.deadline_seconds):
            async for _, done in self._advanced(record, 0, end):
                record = done
        return record

    async def drain(self) -> None:
        """Takes no further projects, and returns when those under way have ended, or had their time."""
        self.draining = True
        tasks = set(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=self._settings.drain_seconds)

    async def _run(self, project: Project) -> None:
        try:
            await self._work_on(project)
        except DatabaseFault as fault:
            self._leave(project.id)  # `work_on` begins it again when the database is back
            _log.warning("project %s: %s", project.id, fault)

    async def _work_on(self, project: Project) -> None:
        seconds: dict[str, float] = {}
        status: Status = "failed"
        record: Scored | None = None
        last: EventData = (FAILED, {})
        had = len(self._projects.events(project.id))
        told = 1  # project.created
        start = self._projects.start_of(project.id)
        self._latest[project.id] = start
        begun = time.monotonic()
        try:
            try:
                async with asyncio.timeout(self._settings.deadline_seconds):
                    async for advanced, done in self._advanced(start, project.begin, None):
                        stage = self.stages[advanced.place]
                        self._latest[project.id] = done
                        if not seconds:
                            self.metrics.began(time.monotonic() - begun)
                        seconds[stage.name] = advanced.seconds
                        for name, data in events_of(stage, done):
                            told += 1
                            if told > had:
                                self._tell(project.id, name, data)
            except TimeoutError:
                message = f"it was not done after {self._settings.deadline_seconds:g} s"
                record = self._failed(project.id, "deadline", message)
            except DatabaseFault:
                raise
            except (RayError, RayServeException, DLCodeGenError, OSError) as error:
                _log.warning("project %s: %s", project.id, _one_line(error))
                record = self._failed(project.id, "service", _plain(error))
            if record is None:
                finished = self._latest[project.id]
                assert isinstance(finished, Scored)
                record = finished
            status = "completed" if record.failure is None else "failed"
            last = last_event(record)
        except DatabaseFault:
            raise
        except asyncio.CancelledError:
            if project.id not in self._unwanted:
                self._leave(project.id)
                raise  # this process ends, or another one has the project
            status, record, last = "cancelled", None, (CANCELLED, {})
        except Exception:  # a bug of ours costs its project, and is told to nobody but the log
            _log.exception("project %s", project.id)
            record = self._failed(project.id, "service", _plain(None))
            last = last_event(record)
        self._end(project.id, status, record, last, seconds)

    def _leave(self, id: str) -> None:
        """Works no longer on a project, ended or not."""
        self._tasks.pop(id, None)
        self._latest.pop(id, None)
        self.metrics.under_way(self.under_way)

    def _end(
        self, id: str, status: Status, record: Scored | None, last: EventData, seconds: Mapping[str, float]
    ) -> None:
        """Status, last event and account in one transaction: after a crash they agree."""
        used = used_by(self._latest[id], projects=int(status != "cancelled"))
        with self._database.transaction():
            if self._projects.finish(id, status, record):
                self._projects.append(id, *last)
            self._quotas.settle(id, used)
        self._leave(id)
        self._unwanted.discard(id)
        self._wake(id)
        self.metrics.finished(status, seconds, used)

    def _end_unbegun(self, id: str) -> None:
        """A task that is cancelled before its first step never comes to its end by itself."""
        if id in self._tasks and id in self._unwanted:
            self._latest[id] = self._projects.start_of(id)
            self._end(id, "cancelled", None, (CANCELLED, {}), {})

    async def _advanced(
        self, record: Requirement, begin: int, end: int | None
    ) -> AsyncIterator[tuple[Advanced, Requirement]]:
        """What each stage has made of the row, and the row. Where a replica dies, another one goes on behind the last
        stage that was done."""
        last = len(self.stages) if end is None else end
        for attempt in range(1, _TRIES + 1):
            try:
                async with aclosing(self._work(record, begin, last)) as lists:  # type: ignore[type-var]
                    async for rows in lists:
                        for advanced in rows:
                            record = widen(record, self.stages[advanced.place].returns, **advanced.added)
                            begin = advanced.place + 1
                            yield advanced, record
                return
            except (RayActorError, BackPressureError, RayServeException):
                if attempt == _TRIES:
                    raise
                await asyncio.sleep(0.2 * attempt)

    def _failed(self, id: str, kind: str, message: str) -> Scored:
        record = widen(self._latest[id], Scored, failure=Failure(stage="service", kind=kind, message=message))
        assert isinstance(record, Scored)
        return record

    def _tell(self, id: str, name: str, data: Mapping[str, Any]) -> None:
        self._projects.append(id, name, data)
        self._wake(id)

    def _wake(self, id: str) -> None:
        news = self._news.pop(id, None)
        if news is not None:
            news.set()

    def _is_under_way(self, id: str) -> bool:
        return bool(self._database.value("SELECT 1 FROM projects WHERE id = ? AND status = 'under_way'", id))

    def _detached(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that outlives the request which makes it: Serve cancels what a request has begun."""
        return asyncio.get_running_loop().create_task(work, context=contextvars.Context())


def _plain(error: Exception | None) -> str:
    """Why the service could not do it, without names of its insides."""
    if isinstance(error, DLCodeGenError):
        return str(error)
    if isinstance(error, BackPressureError):
        return "too much is under way; try again in a moment"
    return "the service could not finish this project; try again, and tell its operator if it stays so"


def _one_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1].strip() if lines else ''}"
