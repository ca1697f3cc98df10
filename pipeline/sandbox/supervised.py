"""The near side of a supervisor: starting one, handing it a command, reading what it and the project write."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Protocol

from pipeline.errors import StageFailure
from pipeline.sandbox.command import Report, SupervisedCommand

_GRACE_SECONDS = 10.0
"""How much longer than the time limit the supervisor may take to report, before it is killed itself: it has to end all
that the project started, on a machine that may be busy."""

_REPORT_BYTES = 2**20
"""A report is a line; the results in it come on top."""

# The supervisor's interpreter and environment, not the project's. Without site packages it starts in milliseconds.
_SUPERVISOR = (sys.executable, "-S", "-m", "pipeline.sandbox.supervisor")
_SUPERVISOR_ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}


class RunningSupervisor(Protocol):
    """A supervisor that reads its command from the socket it was started with."""

    def end(self) -> None:
        """Ends it, however it stands; what has reported has nearly ended by itself."""


class SupervisorStarter(Protocol):
    """Starts the supervisor of one project."""

    def start(self, stdout: int, stderr: int, peer: socket.socket) -> RunningSupervisor:
        """Starts one that writes to these descriptors and serves `peer`; all three are the caller's to close."""


class ColdStarter:
    """Starts a supervisor as a program, and it the project's Python."""

    def start(self, stdout: int, stderr: int, peer: socket.socket) -> RunningSupervisor:
        process = subprocess.Popen(
            [*_SUPERVISOR, str(peer.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            pass_fds=[peer.fileno()],
            start_new_session=True,  # killed as a group below, and out of reach of the terminal's Ctrl-C
            cwd="/",
            env={**_SUPERVISOR_ENVIRONMENT, "TMPDIR": tempfile.gettempdir()},
        )
        return _SupervisorProcess(process)


class _SupervisorProcess:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def end(self) -> None:
        # With the supervisor goes its first process, and the whole sandbox with that.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def supervised(command: SupervisedCommand, starter: SupervisorStarter, output_bytes: int) -> tuple[Report, str, str]:
    """Runs the command, and gives its supervisor's report and the ends of both outputs.

    Raises StageFailure (`sandbox_failed`) where the supervisor does not report.
    """
    our_end, supervisors_end = socket.socketpair()
    read_stdout, write_stdout = os.pipe()
    read_stderr, write_stderr = os.pipe()
    supervisor = None
    with our_end, open(read_stdout, "rb", buffering=0) as stdout, open(read_stderr, "rb", buffering=0) as stderr:
        try:
            try:
                supervisor = starter.start(write_stdout, write_stderr, supervisors_end)
            finally:
                supervisors_end.close()
                os.close(write_stdout)
                os.close(write_stderr)
            deadline = time.monotonic() + command.seconds + _GRACE_SECONDS
            sizes = {
                stdout.fileno(): output_bytes,
                stderr.fileno(): output_bytes,
                our_end.fileno(): _REPORT_BYTES + 2 * command.result_bytes,
            }
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has died: told below
                our_end.sendall(command.to_line())
            tails = _collect(sizes, deadline)
        finally:
            if supervisor is not None:
                supervisor.end()
    out, err, line = (tails[fd] for fd in sizes)
    if not line:
        raise StageFailure("sandbox_failed", f"the sandbox gave no result; it said {err[-500:]!r}")
    return Report.from_line(line), out, err


def _collect(sizes: dict[int, int], deadline: float) -> dict[int, str]:
    """The ends of what comes from each descriptor, so many bytes of it, read until all are closed or the deadline is
    past.

    All at once: a process that nobody reads from stands still when a pipe is full.
    """
    tails = {fd: bytearray() for fd in sizes}
    with selectors.DefaultSelector() as selector:
        for fd in tails:
            selector.register(fd, selectors.EVENT_READ)
        while selector.get_map():
            seconds_left = deadline - time.monotonic()
            if seconds_left <= 0:
                break
            for key, _ in selector.select(seconds_left):
                data = b""
                with contextlib.suppress(ConnectionResetError):
                    data = os.read(key.fd, 2**16)
                if not data:
                    selector.unregister(key.fd)
                tails[key.fd] += data
                del tails[key.fd][: -sizes[key.fd]]
    # A tail may begin within a character, and a project may write anything.
    return {fd: bytes(tail).decode("utf-8", "replace") for fd, tail in tails.items()}
