"""A sandbox for generated code: a process tree in namespaces of its own, watched and ended as a whole.

What it does. A project runs in a new temporary folder, with an environment made for it and a closed standard input,
under limits of time, memory, processes and file sizes that hold for all its processes together. It has no network;
it sees and signals no process but its own; every file system is read-only to it except that folder and a private
/dev/shm; it has no privileges (also where this program runs as root) and can gain none. When it ends, or this program
does, even by SIGKILL, all it started ends with it.

What it does not do. It contains mistakes, not an attacker who knows the kernel:

- Files that this program's user may read can be read, and what a project prints leaves the sandbox with its output.
- Sockets in the file system (Docker's, for instance) can be connected to.
- Memory and processes are measured every 50 ms: a project may exceed them for that long. There is no CPU share; two
  projects on a core slow each other down, and time limits are wall-clock time.
- All system calls are allowed (no seccomp filter), so a hole in the kernel is a way out.
- With `allow_network=True`, on a machine that refuses namespaces, only the folder, the environment, the limits and
  the ending of everything remain: other files of the user can be written, and its processes be signalled.
- A killed program leaves the temporary folder behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path, PurePosixPath

from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.records import SourceFile
from pipeline.sandbox.sandbox import Execution, Limits
from pipeline.sandbox.supervisor import Report, SupervisedCommand

_GRACE_SECONDS = 10.0
"""How much longer than the time limit the supervisor may take to report, before it is killed itself: it has to end all
that the project started, on a machine that may be busy."""

_REPORT_BYTES = 4096
"""A report is a line of four values."""

_PROBE_SECONDS = 30
"""For trying out namespaces, which takes milliseconds on a machine with nothing else to do."""

# The supervisor's interpreter and environment, not the project's. Without site packages it starts in milliseconds.
_PYTHON = (sys.executable, "-S", "-m")
_ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}


class ProcessSandbox:
    """Runs projects with the given Python, which may belong to another virtual environment.

    `environment` is added to the small one every project gets. Raises DLCodeGenError where that Python cannot be run,
    or where the kernel gives no network namespace and `allow_network` is not set.
    """

    def __init__(
        self, python: str = sys.executable, *, environment: Mapping[str, str] | None = None, allow_network: bool = False
    ) -> None:
        # Links are kept: a virtual environment is known by the path its python is called by.
        self._python = os.path.abspath(python)
        self._environment = dict(environment or {})
        self._unshare = _unshare_command(with_network=allow_network)
        if not os.access(self._python, os.X_OK):
            raise DLCodeGenError(f"{python}: no Python to run projects with; give the path of one that has TensorFlow")
        if not self._unshare and not allow_network:
            raise DLCodeGenError(
                "this machine gives no namespaces to keep generated code off the network and other files (needed: "
                "Linux 5.12, util-linux `unshare`, user namespaces; in containers CAP_SYS_ADMIN or no seccomp filter); "
                "where the machine itself is closed off, set allow_network"
            )

    def run(self, files: Sequence[SourceFile], entry: str, limits: Limits) -> Execution:
        """Runs `entry`, one of the files, in a folder that holds them all and is removed afterwards.

        Raises StageFailure (`unsafe_path`) for a path that leaves the folder, (`sandbox_failed`) without a result.
        """
        # A project may leave folders that cannot be listed; what cannot be removed even by force is left behind.
        with tempfile.TemporaryDirectory(prefix="dlcodegen-", ignore_cleanup_errors=True) as workdir:
            for name in ("project", "home", "tmp"):
                Path(workdir, name).mkdir()
            for file in files:
                path = Path(workdir, "project", _inside(file.path))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(file.text, "utf-8", errors="replace")
            command = SupervisedCommand(
                command=[self._python, _inside(entry)],
                environment=self._project_environment(workdir),
                workdir=workdir,
                folder=f"{workdir}/project",
                seconds=limits.seconds,
                memory_bytes=limits.memory_bytes,
                processes=limits.processes,
                file_bytes=limits.file_bytes,
                in_namespaces=bool(self._unshare),
            )
            return self._supervise(command, limits.output_bytes)

    def _project_environment(self, workdir: str) -> dict[str, str]:
        """What a project sees of the environment: nothing of ours, which may hold secrets."""
        return {
            "PATH": f"{os.path.dirname(self._python)}:/usr/local/bin:/usr/bin:/bin",
            "HOME": f"{workdir}/home",
            "TMPDIR": f"{workdir}/tmp",
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONNOUSERSITE": "1",
            **self._environment,
        }

    def _supervise(self, command: SupervisedCommand, output_bytes: int) -> Execution:
        """Starts the supervisor, hands it the command over a socket, and reads outputs and report until it is gone."""
        our_end, supervisors_end = socket.socketpair()
        with our_end:
            # Closed here once the supervisor has it, so that reading ends when the supervisor does.
            with supervisors_end:
                process = subprocess.Popen(
                    [*self._unshare, *_PYTHON, "pipeline.sandbox.supervisor", str(supervisors_end.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    pass_fds=[supervisors_end.fileno()],
                    start_new_session=True,  # killed as a group below, and out of reach of the terminal's Ctrl-C
                    cwd="/",
                    env=_ENVIRONMENT,
                )
            with process:
                try:
                    our_end.sendall(json.dumps(asdict(command)).encode() + b"\n")
                    deadline = time.monotonic() + command.seconds + _GRACE_SECONDS
                    stdout, stderr, reported = _collect(process, our_end, deadline, output_bytes)
                finally:
                    # The supervisor has gone by now, or is not needed any more; with it goes the whole namespace.
                    _kill_session(process)
        if not reported:
            raise StageFailure("sandbox_failed", f"the sandbox gave no result; it said {stderr[-500:]!r}")
        report = Report(**json.loads(reported))
        return Execution(
            exit_code=report.exit_code,
            stopped=report.stopped,
            seconds=report.seconds,
            stdout_tail=stdout,
            stderr_tail=stderr,
            peak_memory_bytes=report.peak_memory_bytes,
        )


def _collect(
    process: subprocess.Popen[bytes], report: socket.socket, deadline: float, output_bytes: int
) -> tuple[str, str, str]:
    """The ends of both outputs and the report, read until all are closed or the deadline is past.

    All three at once: a process that nobody reads from stands still when a pipe is full.
    """
    assert process.stdout is not None
    assert process.stderr is not None
    stdout, stderr = process.stdout.fileno(), process.stderr.fileno()
    limits = {stdout: output_bytes, stderr: output_bytes, report.fileno(): _REPORT_BYTES}
    tails = {fd: bytearray() for fd in limits}
    with selectors.DefaultSelector() as selector:
        for fd in tails:
            selector.register(fd, selectors.EVENT_READ)
        while selector.get_map():
            seconds_left = deadline - time.monotonic()
            if seconds_left <= 0:
                break
            for key, _ in selector.select(seconds_left):
                data = os.read(key.fd, 2**16)
                if not data:
                    selector.unregister(key.fd)
                tails[key.fd] += data
                del tails[key.fd][: -limits[key.fd]]
    return _text(tails[stdout]), _text(tails[stderr]), _text(tails[report.fileno()])


def _text(output: bytearray) -> str:
    # A tail may begin within a character, and a project may write anything.
    return bytes(output).decode("utf-8", "replace")


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _inside(path: str) -> str:
    """The path, if it stays inside the folder it is relative to."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not parts.parts or "\0" in path:
        raise StageFailure("unsafe_path", f"the path {path!r} leaves the project's folder; use one inside it")
    return str(parts)


# Whether a kernel gives namespaces does not change while a program runs.
@cache
def _unshare_command(*, with_network: bool) -> tuple[str, ...]:
    """The `unshare` command that puts what follows into namespaces of its own, () where the kernel refuses them."""
    command = [
        "unshare",
        # As root of its own user namespace a process may have the others without privileges on the machine.
        "--user",
        "--map-root-user",
        "--mount",
        "--ipc",
        # The forked child is the first process of the namespace: when it ends, the kernel ends all others in it. It is
        # killed when `unshare` is, and so when this program kills the session.
        "--pid",
        "--fork",
        "--kill-child",
    ]
    if not with_network:
        command.append("--net")
    with tempfile.TemporaryDirectory(prefix="dlcodegen-") as folder:
        try:
            probe = [*command, *_PYTHON, "pipeline.sandbox.confinement", folder]
            done = subprocess.run(probe, capture_output=True, timeout=_PROBE_SECONDS, env=_ENVIRONMENT)
        except (OSError, subprocess.TimeoutExpired):
            return ()
    return tuple(command) if done.returncode == 0 else ()
