"""Certifying tasks on Ray: a task a piece of work, resumed where a kill left it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial

from jobs.cluster.dataflow import run_step
from jobs.cluster.progress import RowProgress
from jobs.cluster.ray_start import start_ray
from jobs.dlbench.settings import CertifyConfig
from jobs.dlbench.store import BenchStore
from jobs.runs.terminal import say
from pipeline.dlbench.certifying import Certificate, CertifySettings, certify
from pipeline.dlbench.environments.recipes import environment_of
from pipeline.dlbench.reading.read import read_tasks
from pipeline.dlbench.running.repository import environment_name
from pipeline.dlbench.running.sandboxes import SuiteSandboxes
from pipeline.dlbench.task import FunctionTask
from pipeline.environments.building import build, find_built
from pipeline.errors import DLCodeGenError, FaultError, StageFailure
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
        if pending:
            build_environments([tasks[number] for number in pending], quiet=config.quiet)
        _work(config, store, len(tasks), sorted(pending))
        return store.all_certificates()


def _failed(store: BenchStore, number: int) -> bool:
    certificate = store.read_certificate(number)
    return certificate is not None and bool(certificate.infra)


def _work(config: CertifyConfig, store: BenchStore, tasks: int, pending: list[int]) -> None:
    with RowProgress("certify", tasks, tasks - len(pending), unit="tasks", quiet=config.quiet) as progress:
        step = partial(CertifyStep, store, config)
        if not config.address and (len(pending) == 1 or config.workers == 1):
            # One worker needs no cluster: starting it would take longer.
            local = step()
            for number in pending:
                progress.advance(local(number), 0)
            local.close()
        elif pending:
            start_ray(config.address, config.workers, config.out)
            for done in run_step(step, pending, config.workers):
                progress.advance(done.rows, done.failed)


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


def build_environments(tasks: Iterable[FunctionTask], *, quiet: bool) -> None:
    """Builds here what every worker then finds, or builds on its own machine. One of several that cannot be built
    costs its tasks alone: they say so. Raises FaultError where none can be built."""
    names: dict[str, None] = {}
    for task in tasks:
        try:
            names[environment_name(task)] = None
        except StageFailure:
            continue  # the task's own certificate says so
    failures: list[FaultError] = []
    for name in names:
        try:
            environment = environment_of(name)
        except DLCodeGenError as error:
            say(f"dlcodegen: {error}", sys.stderr)
            continue
        if not quiet and find_built(environment) is None:
            say(f"building the environment {name} ({environment.about}), once: some minutes", sys.stderr)
        try:
            build(environment)
        except FaultError as error:
            failures.append(error)
            say(f"dlcodegen: {error}", sys.stderr)
    if failures and len(failures) == len(names):
        raise failures[0]
