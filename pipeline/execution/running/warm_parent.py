"""This side of a warm process: starts it when it is needed, asks it for children, notices when it is dead."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from pipeline.environments.building import BuiltEnvironment
from pipeline.errors import StageFailure

_PROGRAM = Path(__file__).parent / "warm_process.py"
_REPOSITORY = str(Path(__file__).parents[3])

READY_SECONDS = 300.0
"""What importing a framework may take: ten seconds on a quiet machine, minutes from a slow disk."""

_FORK_SECONDS = 60.0
"""What a fork may take: some hundredths of a second on a quiet machine."""

_END_SECONDS = 10.0
"""How long a killed process may take to be gone."""

_SAID_BYTES = 2000
"""How much of the end of what a warm process said on standard error is looked at."""


class WarmParent:
    """Starts supervisors as children of a warm process, which have the framework imported (`SupervisorStarter`)."""

    def __init__(
        self, built: BuiltEnvironment, modules: Sequence[str], variables: Mapping[str, str], probe: Path
    ) -> None:
        """`modules` are imported beforehand; `variables` are set then, for libraries size their pools on import."""
        self.import_seconds = 0.0
        """What importing took, of the process that runs now."""
        self._built = built
        self._modules = list(modules)
        self._variables = dict(variables)
        self._probe = probe
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self, stdout: int, stderr: int, peer: socket.socket) -> WarmSupervisor:
        """Has the process fork a supervisor. Raises StageFailure (`sandbox_failed`) where the process is dead or does
        not come up; the next call begins with a new one."""
        if self._process is None:
            self._start_process()
        assert self._control is not None
        try:
            socket.send_fds(self._control, [b"r"], [stdout, stderr, peer.fileno()])
            answer, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        except OSError as error:
            self.stop()
            raise self._dead(str(error)) from error
        if not answer:
            self.stop()
            raise self._dead("it closed its connection")
        return WarmSupervisor(descriptors[0] if descriptors else None)

    def stop(self) -> None:
        """Ends the process, if there is one. Runs that are under way go on: they have supervisors of their own."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._control = None

    @property
    def pid(self) -> int | None:
        """The process' number; None while there is none."""
        return self._process.pid if self._process is not None else None

    def _dead(self, reason: str) -> StageFailure:
        return StageFailure("sandbox_failed", f"the warm process of {self._built.name} is dead ({reason})")

    def _start_process(self) -> None:
        ours, theirs = socket.socketpair()
        command = [self._built.python, str(_PROGRAM), str(theirs.fileno()), str(self._probe), *self._modules]
        with theirs, tempfile.TemporaryFile() as said:
            self._control = ours
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # the terminal's Ctrl-C is for the job, which ends it
                cwd="/",
                env=self._process_variables(),
            )
            theirs.close()  # or its end would stay open here, and a dead process would never be noticed
            ours.settimeout(READY_SECONDS)
            try:
                ready = _line(ours)
            except OSError:
                ready = b""
            if not ready:
                self.stop()
                reason = _last_line(said)
                message = f"the warm process of {self._built.name} does not come up: {reason}"
                raise StageFailure("sandbox_failed", message)
            ours.settimeout(_FORK_SECONDS)
        self.import_seconds = float(json.loads(ready)["seconds"])

    def _process_variables(self) -> dict[str, str]:
        """Nothing of this program's own environment, which may hold secrets: a project's process is a copy of it."""
        return {
            "PATH": f"{os.path.dirname(self._built.python)}:/usr/local/bin:/usr/bin:/bin",
            "HOME": self._built.home,
            "LANG": "C.UTF-8",
            "PYTHONPATH": _REPOSITORY,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONNOUSERSITE": "1",
            **self._variables,
        }


class WarmSupervisor:
    """A supervisor that a warm process forked."""

    def __init__(self, descriptor: int | None) -> None:
        """`descriptor` is a pidfd, this object's to close; None for one that had ended at once."""
        self._descriptor = descriptor

    def end(self) -> None:
        """Kills it, and its sandbox with it."""
        if self._descriptor is None:
            return
        try:
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
            select.select([self._descriptor], [], [], _END_SECONDS)
        except ProcessLookupError:
            pass  # it has ended by itself
        finally:
            os.close(self._descriptor)
            self._descriptor = None


def _line(control: socket.socket) -> bytes:
    """The line that comes in; b"" where the other side closes before it is whole."""
    line = b""
    while not line.endswith(b"\n"):
        part = control.recv(1)
        if not part:
            return b""
        line += part
    return line


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    text = said.read()[-_SAID_BYTES:].decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
