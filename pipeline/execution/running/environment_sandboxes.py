"""The sandboxes of the environments on this machine, each with a warm process that its projects are forked from."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.environments.building import BuiltEnvironment, build
from pipeline.environments.catalogue import Environment, environment_named
from pipeline.environments.variables import project_variables
from pipeline.errors import FaultError
from pipeline.execution.running.observed import PROBE, events_of, run_observed
from pipeline.execution.running.warm_parent import WarmParent
from pipeline.execution.running.warm_process import EVENTS
from pipeline.records import SourceFile
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.sandbox import Execution, Limits


class EnvironmentSandbox:
    """Runs projects in one environment, under the probe."""

    def __init__(
        self, built: BuiltEnvironment, variables: dict[str, str], parent: WarmParent | None, *, accept_weaker: bool
    ) -> None:
        """`parent` forks the projects' processes; without it each is an interpreter of its own."""
        self._parent = parent
        self._sandbox = ProcessSandbox(
            built.python,
            environment=variables,
            readable=[str(PROBE)],
            starter=parent,
            accept_weaker=accept_weaker,
        )

    def run(
        self,
        files: Sequence[SourceFile],
        entry: str,
        limits: Limits,
        *,
        shown: str = "",
        data: str = "",
        results: Sequence[str] = (),
    ) -> tuple[Execution, str]:
        """How the run of `entry` ended, and what the probe wrote, a line of JSON an event.

        `shown` is a file or folder of this machine that the project finds under that path, `data` one that it finds as
        `data` in its own folder; "" for none. What is not there is not there for the project either. Of what the
        project writes, `results` come back. Raises StageFailure as ProcessSandbox does.
        """
        given = {}
        for path, source in ((_where_found(shown), shown), ("data", data)):
            if source and os.path.exists(source):
                given[path] = Path(source)
        if self._parent is None:
            return run_observed(self._sandbox, files, entry, limits, given=given, results=results)
        execution = self._sandbox.run(files, entry, limits, given=given, results=[EVENTS, *results])
        return execution, events_of(execution)

    def restart(self) -> None:
        """Gives up the warm process: it may be what is broken."""
        if self._parent is not None:
            self._parent.stop()

    @property
    def warm_pid(self) -> int | None:
        """The number of the warm process; None while there is none."""
        return self._parent.pid if self._parent is not None else None


def _where_found(path: str) -> str:
    """What a project that reads a path relative to its own folder finds there, if that lies in the folder."""
    return os.path.abspath(path) if path.startswith(os.pardir) else path


class EnvironmentSandboxes:
    """The sandboxes by the name of the environment, which is built when its first project comes."""

    def __init__(
        self,
        *,
        threads: int = 1,
        warm: bool = True,
        accept_weaker: bool = False,
        folder: Path | None = None,
        named: Callable[[str], Environment] = environment_named,
    ) -> None:
        """`folder`: where environments lie, by default as `environments_folder` says; `named`: what a name means."""
        self.warm = warm
        self._variables = project_variables(threads)
        self._accept_weaker = accept_weaker
        self._folder = folder
        self._named = named
        self._sandboxes: dict[str, EnvironmentSandbox] = {}
        self._failures: dict[str, str] = {}

    def of(self, environment: str) -> EnvironmentSandbox:
        """Raises FaultError, the same one for every project, where the environment cannot be built."""
        if environment in self._failures:
            raise FaultError(self._failures[environment])
        if environment not in self._sandboxes:
            try:
                self._sandboxes[environment] = self._sandbox(self._named(environment))
            except FaultError as error:
                self._failures[environment] = str(error)
                raise
        return self._sandboxes[environment]

    def close(self) -> None:
        """Ends the warm processes. They also end with this process, however it ends."""
        for sandbox in self._sandboxes.values():
            sandbox.restart()

    def _sandbox(self, environment: Environment) -> EnvironmentSandbox:
        built = build(environment, self._folder)
        parent = WarmParent(built, environment.preload, self._variables, PROBE) if self.warm else None
        return EnvironmentSandbox(built, self._variables, parent, accept_weaker=self._accept_weaker)
