"""A sandbox for generated code: a process tree in namespaces of its own, watched and ended as a whole.

What holds, what does not and what a cluster needs is in docs/execution.md; what holds on this machine, `machine` says.
"""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path, PurePosixPath

from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.records import SourceFile
from pipeline.sandbox.command import SupervisedCommand
from pipeline.sandbox.confinement import Policy
from pipeline.sandbox.linux import root_folder
from pipeline.sandbox.linux.system_calls import refusing_program
from pipeline.sandbox.machine import protection
from pipeline.sandbox.sandbox import Execution, Limits, ResultFile
from pipeline.sandbox.supervised import ColdStarter, SupervisorStarter, supervised

_THREADS_PER_PROCESS = 64
"""The kernel counts threads as processes; this leaves room for TensorFlow's several per core."""

_NAME_BYTES = 255
"""The longest name of a file that Linux takes."""

_INTERPRETER_SECONDS = 60
"""For asking a Python where its packages are, which takes milliseconds on a machine with nothing else to do."""

# PYTHONPATH is one that the program itself sets: it is asked without an environment.
_PRINT_FOLDERS = """\
import json, os, sys
search_path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
print(json.dumps([sys.prefix, sys.base_prefix, sys.exec_prefix, *filter(None, search_path)]))
"""


class ProcessSandbox:
    """Runs projects with the given Python, which may belong to another virtual environment.

    `environment` is added to the small one every project gets; what its PYTHONPATH names can be read, as can
    `readable`. `starter` gives the supervisor: a program that is started for each project, or a warm one's fork. Raises
    DLCodeGenError where that Python cannot be run, or where the machine gives less than the floor
    (`machine.Protection`) and `accept_weaker` is not set. With `allow_network` a project sees the machine's network.
    """

    def __init__(
        self,
        python: str = sys.executable,
        *,
        environment: Mapping[str, str] | None = None,
        allow_network: bool = False,
        accept_weaker: bool = False,
        readable: Sequence[str] = (),
        starter: SupervisorStarter | None = None,
    ) -> None:
        # Links are kept: a virtual environment is known by the path its python is called by.
        self._python = os.path.abspath(python)
        self._environment = dict(environment or {})
        self._starter = starter or ColdStarter()
        self._allow_network = allow_network
        if not os.access(self._python, os.X_OK):
            raise DLCodeGenError(f"{python}: no Python to run projects with; give the path of one that has TensorFlow")
        self._protection = protection()
        missing = self._protection.missing()
        if missing and not accept_weaker:
            raise DLCodeGenError(
                f"this machine cannot keep generated code in ({missing}); where the machine itself is closed off, set "
                "accept_weaker (docs/execution.md says what is lost)"
            )
        search_path = self._environment.get("PYTHONPATH", "").split(os.pathsep)
        paths = [*_folders_of(self._python), *readable, *(path for path in search_path if path)]
        self._readable = _without_links(paths)

    def run(
        self,
        files: Sequence[SourceFile],
        entry: str,
        limits: Limits,
        *,
        given: Mapping[str, Path] | None = None,
        results: Sequence[str] = (),
    ) -> Execution:
        """Runs `entry`, one of the files, in a folder that holds them all and is gone afterwards.

        `given` and `results` are explained at Sandbox. Raises StageFailure (`unsafe_path`) for a path that leaves the
        folder, (`sandbox_failed`) without a result, and FileNotFoundError for something given that is not there.
        """
        readable = list(self._readable)
        shown_instead = tuple(f"{_inside(path)}/" for path in given or {} if not os.path.isabs(path))
        for path, source in (given or {}).items():
            shown = path if os.path.isabs(path) else f"{root_folder.PROJECT}/{_inside(path)}"
            real = source.resolve(strict=True)
            if self._protection.other_user and not real.stat().st_mode & stat.S_IROTH:
                raise StageFailure(
                    "sandbox_failed",
                    f"{source}: projects run as a user of their own, who may not read it; chmod -R o+rX",
                )
            readable.append([str(real), shown])
        command = SupervisedCommand(
            python=self._python,
            entry=_inside(entry),
            files=[
                [_inside(file.path), file.text.encode("utf-8", "replace").decode()]
                for file in files
                if not f"{_inside(file.path)}/".startswith(shown_instead)
            ],
            environment=self._project_environment(),
            policy=self._policy(limits, readable),
            seconds=limits.seconds,
            cpu_seconds=limits.cpu_seconds,
            memory_bytes=limits.memory_bytes,
            processes=limits.processes,
            file_bytes=limits.file_bytes,
            results=list(results),
            result_bytes=limits.result_bytes,
        )
        return _run(command, self._starter, limits.output_bytes)

    def _policy(self, limits: Limits, readable: list[list[str]]) -> Policy:
        root = root_folder.RootFolder(
            readable=readable,
            file_bytes=limits.file_bytes,
            files=limits.files,
            shared_memory_bytes=limits.memory_bytes,
        )
        refused = refusing_program(memory_is_counted=self._protection.control_group)
        return Policy(
            namespaces=self._protection.namespaces,
            network=self._allow_network,
            refused_calls=base64.b64encode(refused).decode("ascii"),
            root=root,
            seconds=limits.seconds,
            file_bytes=limits.file_bytes,
            tasks=_THREADS_PER_PROCESS * limits.processes,
        )

    def _project_environment(self) -> dict[str, str]:
        """What a project sees of the environment: nothing of ours, which may hold secrets."""
        return {
            "PATH": f"{os.path.dirname(self._python)}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONNOUSERSITE": "1",
            **self._environment,
        }


def _run(command: SupervisedCommand, starter: SupervisorStarter, output_bytes: int) -> Execution:
    report, stdout, stderr = supervised(command, starter, output_bytes)
    if report.error:
        raise StageFailure("sandbox_failed", f"the sandbox could not be made: {report.error}")
    results = []
    for file in report.results:
        content = None if file.too_large else base64.b64decode(file.content)
        results.append(ResultFile(path=file.path, size=file.size, content=content))
    return Execution(
        exit_code=report.exit_code,
        stopped=report.stopped,
        seconds=report.seconds,
        cpu_seconds=report.cpu_seconds,
        stdout_tail=stdout,
        stderr_tail=stderr,
        peak_memory_bytes=report.peak_memory_bytes,
        results=tuple(results),
    )


def _inside(path: str) -> str:
    """The path, if it stays inside the folder it is relative to."""
    parts = PurePosixPath(path)
    encoded = path.encode("utf-8", "replace")
    no_name = "\0" in path or encoded.decode() != path or max(map(len, encoded.split(b"/"))) > _NAME_BYTES
    if parts.is_absolute() or ".." in parts.parts or not parts.parts or no_name:
        raise StageFailure("unsafe_path", f"the path {path!r} leaves the project's folder; use one inside it")
    return str(parts)


@cache
def _folders_of(python: str) -> list[str]:
    """Where a Python and its packages lie; of a program that does not say so, which running it will show, itself."""
    command = [python, "-c", _PRINT_FOLDERS]
    try:
        done = subprocess.run(
            command, capture_output=True, check=True, timeout=_INTERPRETER_SECONDS, cwd="/", env={"PATH": os.defpath}
        )
        folders: list[str] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return [python]
    return [python, *folders]


def _without_links(paths: Sequence[str]) -> list[list[str]]:
    """Pairs of where each path really is and where a project finds it: under its own name, and there too."""
    pairs = []
    for path in paths:
        real = os.path.realpath(path)
        if os.path.exists(real) and real != "/":
            pairs += [[real, real], [real, os.path.abspath(path)]]
    return pairs
