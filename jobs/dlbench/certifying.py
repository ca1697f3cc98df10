"""Certifying tasks on Ray: a task a piece of work, resumed where a kill left it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial

from jobs.dlbench.pieces import work_on
from jobs.dlbench.settings import CertifyConfig
from jobs.dlbench.store import BenchStore
from jobs.execution.environments import build_environments
from jobs.runs.terminal import say
from pipeline.dlbench.certifying import Certificate, CertifySettings, certify
from pipeline.dlbench.environments.recipes import environment_of
from pipeline.dlbench.reading.read import read_tasks
from pipeline.dlbench.running.repository import environment_name
from pipeline.dlbench.running.sandboxes import SuiteSandboxes
from pipeline.dlbench.task import FunctionTask
from pipeline.environments.catalogue import Environment
from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.storage.one_writer import one_writer


def main(config: CertifyConfig) -> list[Certificate]:
    """The certificates of all tasks, in their order. Raises DLCodeGenError for sources that hold none, FaultError
    where none of the environments can be built."""
    tasks = read_tasks(config.sources)
    with one_writer(config.out):
        store = BenchStore(config.out)
        store.stage(tasks, {"checkouts": config.checkouts, "mutants": config.mutants})
        # What the machinery failed at is tried again by the same command.
        pending = store.certificates.pending(len(tasks))
        pending += [number for number in range(len(tasks)) if number not in pending and _failed(store, number)]
        build_environments(_environments([tasks[number] for number in pending]), quiet=config.quiet)
        step = partial(CertifyStep, store, config)
        work_on(sorted(pending), step, config, command="certify", unit="tasks", total=len(tasks))
        return store.all_certificates()


def _failed(store: BenchStore, number: int) -> bool:
    certificate = store.read_certificate(number)
    return certificate is not None and bool(certificate.infra)


class CertifyStep:
    """Certifies a task. A worker makes one of it and keeps its warm processes from task to task."""

    def __init__(self, store: BenchStore, config: CertifyConfig) -> None:
        self._store = store
        self._tasks = store.tasks()
        self._settings = CertifySettings(checkouts=config.checkouts, mutants=config.mutants)
        self._sandboxes = SuiteSandboxes(warm=config.warm, accept_weaker=config.accept_weaker)

    def __call__(self, number: int) -> int:
        self._store.write_certificate(number, certify(self._tasks[number], self._sandboxes, self._settings))
        return 1

    def close(self) -> None:
        """Ends the warm processes."""
        self._sandboxes.close()


def _environments(tasks: Iterable[FunctionTask]) -> list[Environment]:
    """What the tasks run in, each once. A task that has none says so in its certificate."""
    environments: dict[str, Environment] = {}
    for task in tasks:
        try:
            name = environment_name(task)
        except StageFailure:
            continue
        try:
            environments[name] = environment_of(name)
        except DLCodeGenError as error:
            say(f"dlcodegen: {error}", sys.stderr)
    return list(environments.values())
