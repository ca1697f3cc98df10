"""Where candidates run: a sandbox for each environment, with a warm process that has imported what they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pipeline.dlbench.environments.recipes import environment_of
from pipeline.environments.building import BuiltEnvironment, build
from pipeline.environments.catalogue import Environment
from pipeline.environments.variables import project_variables
from pipeline.execution.running.observed import events_of
from pipeline.execution.running.warm_parent import WarmParent
from pipeline.execution.running.warm_process import EVENTS
from pipeline.records import SourceFile
from pipeline.sandbox.process import ProcessSandbox
from pipeline.sandbox.sandbox import Execution, Limits

INSIDE = Path(__file__).parents[1] / "inside"
"""What goes into the process of the tests."""

JOB = ".dlbench-job.json"
"""The file that says what to do there; it is gone before a candidate's first line."""

OVERLAY = "overlay"
"""Where a candidate's repository lies, in the sandbox's folder."""

_INSIDE_SANDBOX = "/opt/dlcodegen-dlbench"
_STARTER = ".dlbench-start.py"

_START = """\
import importlib.util, os, sys
os.remove({starter!r})
spec = importlib.util.spec_from_file_location(
    "_dlcodegen_probe", {folder!r} + "/__init__.py", submodule_search_locations=[{folder!r}]
)
probe = importlib.util.module_from_spec(spec)
sys.modules["_dlcodegen_probe"] = probe
spec.loader.exec_module(probe)
sys.exit(probe.run({events!r}, {entry!r}))
"""


class SuiteSandbox:
    """Runs jobs in one environment."""

    def __init__(self, built: BuiltEnvironment, environment: Environment, *, warm: bool, accept_weaker: bool) -> None:
        self.built = built
        variables = project_variables(1) | {"TZ": "UTC"}
        self._parent = WarmParent(built, environment.preload, variables, INSIDE) if warm else None
        self._sandbox = ProcessSandbox(
            built.python,
            environment=variables,
            readable=[str(INSIDE)],
            starter=self._parent,
            accept_weaker=accept_weaker,
        )

    def run(self, job: str, folder: Path, shown: Sequence[str], limits: Limits) -> tuple[Execution, str]:
        """How a job ended, and the records it left. `folder` is the candidate's repository, `shown` what its links lead
        to. Raises StageFailure where the machinery fails."""
        files = [SourceFile(path=JOB, text=job)]
        given: dict[str, Path] = {OVERLAY: folder}
        given |= {path: Path(path) for path in shown}
        entry = JOB
        if self._parent is None:
            start = _START.format(starter=_STARTER, folder=_INSIDE_SANDBOX, events=EVENTS, entry=JOB)
            files.append(SourceFile(path=_STARTER, text=start))
            given[_INSIDE_SANDBOX] = INSIDE
            entry = _STARTER
        execution = self._sandbox.run(files, entry, limits, given=given, results=[EVENTS])
        return execution, events_of(execution)

    def restart(self) -> None:
        """Gives up the warm process: it may be what is broken."""
        if self._parent is not None:
            self._parent.stop()


class SuiteSandboxes:
    """The sandboxes by the name of the environment, which is built when its first candidate comes."""

    def __init__(
        self,
        *,
        warm: bool = True,
        accept_weaker: bool = False,
        named: Callable[[str], Environment] = environment_of,
        folder: Path | None = None,
    ) -> None:
        self._warm = warm
        self._accept_weaker = accept_weaker
        self._named = named
        self._folder = folder
        self._made: dict[str, SuiteSandbox] = {}

    def of(self, name: str) -> SuiteSandbox:
        """Raises FaultError where the environment cannot be built, DLCodeGenError where there is none of that name."""
        if name not in self._made:
            environment = self._named(name)
            built = build(environment, self._folder)
            self._made[name] = SuiteSandbox(built, environment, warm=self._warm, accept_weaker=self._accept_weaker)
        return self._made[name]

    def close(self) -> None:
        """Ends the warm processes."""
        for sandbox in self._made.values():
            sandbox.restart()

    def versions(self) -> Mapping[str, str]:
        """The environments in use, with their packages in a line."""
        return {
            name: sandbox.built.versions(("scikit-learn", "torch", "keras", "numpy"))
            for name, sandbox in self._made.items()
        }
