"""Jobs on a cluster that is reached by its dashboard's address: sent there, followed, listed, ended."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray.dashboard.modules import dashboard_sdk
from ray.dashboard.modules.job import sdk
from ray.exceptions import AuthenticationError
from ray.job_submission import JobDetails, JobSubmissionClient

from jobs.cluster.access import WAY_OUT
from pipeline.errors import DLCodeGenError, FaultError

_AGENT_SECONDS = 120.0
"""A head answers before the agent on it that starts jobs does; so long it may take."""

_RECONNECTS = 20
"""How often in a row the log's connection may break before the job is given up on; it goes on by itself."""


class SubmittedJobs:
    """The jobs of a cluster. Its methods raise FaultError where it does not answer or lets nobody in."""

    def __init__(self, address: str) -> None:
        """`address` is a dashboard's, `http://host:port`."""
        self.address = address
        logging.getLogger("ray").setLevel(logging.WARNING)  # it tells of each package that goes up
        for module in (dashboard_sdk, sdk):  # which have levels of their own
            logging.getLogger(module.__name__).setLevel(logging.WARNING)
        with self._reached():
            self._client = JobSubmissionClient(address)

    def submit(self, entrypoint: str, package: str) -> str:
        """Starts a command line in a copy of the folder `package`; the job's id."""
        # What goes wrong reaches the job's own line; Ray's native code says much else.
        environment = {"working_dir": package, "env_vars": {"RAY_BACKEND_LOG_LEVEL": "fatal"}}
        deadline = time.monotonic() + _AGENT_SECONDS
        while True:
            try:
                with self._reached():
                    return str(self._client.submit_job(entrypoint=entrypoint, runtime_env=environment))
            except FaultError as error:
                if "No available agent" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def details(self, job: str) -> JobDetails:
        """What is known of a job. Raises DLCodeGenError for an id that the cluster does not have."""
        with self._reached(job):
            return self._client.get_job_info(job)

    def all(self) -> list[JobDetails]:
        """The submitted jobs, the oldest first."""
        with self._reached():
            jobs = [job for job in self._client.list_jobs() if job.submission_id]
        return sorted(jobs, key=lambda job: job.start_time or 0)

    def stop(self, job: str) -> bool:
        """Ends a job; False for one that has ended."""
        with self._reached(job):
            return bool(self._client.stop_job(job))

    def log(self, job: str) -> str:
        """All that a job has printed so far."""
        with self._reached(job):
            return str(self._client.get_job_logs(job))

    def followed(self, job: str) -> Iterator[str]:
        """What a job prints, from its start to its end, as it comes."""
        shown = 0
        failures = 0
        while not self.details(job).status.is_terminal():
            before = shown
            try:
                for text in self._tailed(job, shown):
                    shown += len(text)
                    yield text
            except (OSError, RuntimeError) as error:
                failures = 0 if shown > before else failures + 1
                if failures > _RECONNECTS:
                    raise FaultError(
                        f"the connection to {self.address} breaks ({error}); the job goes on, and "
                        f"`dlcodegen jobs logs {job}` shows what it prints"
                    ) from error
                time.sleep(1)
        yield self.log(job)[shown:]

    def _tailed(self, job: str, skipped: int) -> Iterator[str]:
        """What the cluster sends of a job's log, without the characters that were shown before."""
        loop = asyncio.new_event_loop()
        try:
            lines: Any = self._client.tail_job_logs(job)
            while True:
                try:
                    text = loop.run_until_complete(anext(lines))
                except StopAsyncIteration:
                    return
                yield text[skipped:]
                skipped = max(skipped - len(text), 0)
        finally:
            loop.close()

    @contextmanager
    def _reached(self, job: str = "") -> Iterator[None]:
        try:
            yield
        except AuthenticationError as error:
            raise FaultError(f"the cluster at {self.address} refuses this token, or wants one; {WAY_OUT}") from error
        except (OSError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:300]
            if job and "404" in reason:
                raise DLCodeGenError(f"{job}: {self.address} has no such job; `dlcodegen jobs list` has all") from error
            way_out = "see that it runs, and that the address is its dashboard's (docs/clusters.md)"
            raise FaultError(f"the cluster at {self.address} does not do that ({reason}); {way_out}") from error
