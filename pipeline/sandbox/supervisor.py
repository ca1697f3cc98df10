"""The process between ProcessSandbox and a project: makes its sandbox, watches what it uses, and ends it.

It keeps this program's rights and stays outside of the sandbox, out of the project's reach. Cold, it is run as `python
-S -m pipeline.sandbox.supervisor FD`, with the standard library alone, so that it starts in milliseconds. Warm, a
process that has imported a framework forks one for each project, and that child calls `serve`.

FD is a socket: a SupervisedCommand comes in as a line of JSON, the Report goes out as one, and when the other side
closes or dies, everything is ended."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from typing import NoReturn

from pipeline.sandbox import confinement, first_process
from pipeline.sandbox.command import Report, SupervisedCommand
from pipeline.sandbox.first_process import Begin, Message
from pipeline.sandbox.linux.control_group import ControlGroup
from pipeline.sandbox.meter import Meter
from pipeline.sandbox.results import ResultFile

POLL_SECONDS = 0.05
"""How often memory and processes are measured: what a project can exceed its limits by, where the kernel does not bound
them, is what it does in this time."""

_END_SECONDS = 5.0
"""How long the first process may take to end the project and read out its results, which grow with `result_bytes`."""

_RECEIVED_BYTES = 2**20


def serve(peer: socket.socket, stdout: int, stderr: int, begin: Begin) -> NoReturn:
    """Becomes a project's supervisor, and its process ends with it. For a child that a warm process has just forked.

    `begin(command)` is called in a process that is confined as one that was started cold, in the project's folder and
    with its environment, and that has no descriptors but 0, 1 and 2, which are the null device, `stdout` and `stderr`.
    What `begin` leaves open or has changed is that process's own and goes with it. Its end is the project's: SystemExit
    and other exceptions give the exit code that they give at the end of a Python program, and what was registered with
    `atexit` in the warm process is not run.

    The warm process itself must have run no project, must share no writable memory (`shared_mappings`), must have
    flushed its output, and has to wait for the children that it forks."""
    try:
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        # A thread of the parent's that this process has not inherited may hold the lock of an old stream.
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), "utf-8", "surrogateescape")
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w"), "utf-8", "backslashreplace", line_buffering=True)
        shared = shared_mappings()
        if shared:
            _send(peer, _not_started(f"the warm process shares memory with its children: {', '.join(shared)}"))
        else:
            _serve(peer, begin)
    finally:
        os._exit(0)


def shared_mappings() -> list[str]:
    """What of this process's memory its children could write to."""
    found = []
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        for line in file:
            fields = line.split(maxsplit=5)
            if fields[1][1] == "w" and fields[1][3] == "s":
                found.append(fields[5].strip() if len(fields) > 5 else fields[0])
    return found


def _serve(peer: socket.socket, begin: Begin | None) -> None:
    with peer.makefile("r", encoding="utf-8") as stream:
        line = stream.readline()
    if line:  # otherwise the other side has gone already
        _send(peer, supervise(SupervisedCommand.from_line(line), peer, begin))


def _send(peer: socket.socket, report: Report) -> None:
    with contextlib.suppress(OSError):
        peer.sendall(report.to_line())


def supervise(command: SupervisedCommand, peer: socket.socket, begin: Begin | None) -> Report:
    """Runs the command until it ends, exceeds a limit, or nobody waits for it any more."""
    # In memory lie the files too; what a project's own memory may be is compared below.
    group = ControlGroup.make(command.memory_bytes + command.file_bytes, command.policy.tasks)
    folder = "" if command.policy.namespaces else _temporary_folder()
    try:
        # What is left when the first process has reported, or died, goes with it.
        confinement.separate(command.policy)
        control, first = _start_first_process(command, group, folder, begin)
        with control:
            return _watch(command, peer, control, first, Meter(command, group, folder))
    except OSError as error:
        return _not_started(f"{type(error).__name__}: {error}")
    finally:
        if group is not None:
            group.remove()
        if folder:
            _remove(folder)


def _start_first_process(
    command: SupervisedCommand, group: ControlGroup | None, folder: str, begin: Begin | None
) -> tuple[socket.socket, int]:
    ours, theirs = socket.socketpair()
    first = os.fork()
    if first == 0:
        try:
            ours.close()
            first_process.run(command, theirs, group, folder, begin)
        finally:
            os._exit(1)
    theirs.close()
    return ours, first


def _watch(command: SupervisedCommand, peer: socket.socket, control: socket.socket, first: int, meter: Meter) -> Report:
    messages = _Messages(control)
    poller = select.poll()
    poller.register(control, select.POLLIN)
    poller.register(peer, select.POLLIN)
    stopped = ""
    while not stopped and messages.going_on:
        # What the first process says, and the end of the other side, wake it at once; limits are looked at in between.
        ready = {fd for fd, _ in poller.poll(1000 * POLL_SECONDS)}
        if control.fileno() in ready:
            messages.read()
        if peer.fileno() in ready:
            stopped = "abandoned"
        elif messages.going_on:
            stopped = meter.exceeded_limit(messages.last)
    seconds = meter.seconds()
    if messages.going_on and stopped != "abandoned":
        messages.read_to_the_end(_END_SECONDS)
    meter.measure_cpu()
    _end(first, command.policy.namespaces)
    last = messages.last
    # What the kernel ended, or what did not fit, may have ended the project before this process looked.
    if not stopped and meter.was_out_of_memory():
        stopped = "memory_bytes"
    if not stopped and last.full and last.exit_code != 0:
        stopped = "file_bytes"
    # What lives shorter than a poll is known by the kernel's figure, that of the largest single process.
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    exit_code = 128 + signal.SIGKILL if last.exit_code is None else last.exit_code
    return Report(
        exit_code=exit_code,
        stopped=stopped,
        seconds=seconds,
        cpu_seconds=meter.cpu_seconds,
        peak_memory_bytes=max(meter.peak_memory_bytes, largest),
        results=last.results,
        control_group=meter.counted_by_kernel,
        other_user=command.policy.namespaces and last.user != os.getuid(),
        error=last.error,
    )


class _Messages:
    """What the first process says."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._rest = b""
        self.last = Message()
        self.going_on = True

    def read(self) -> None:
        data = self._control.recv(_RECEIVED_BYTES)
        if not data:
            self.going_on = False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            values = json.loads(line)
            files = [ResultFile(**file) for file in values.pop("results")]
            self.last = Message(results=files, **values)
            if self.last.exit_code is not None or self.last.error:
                self.going_on = False

    def read_to_the_end(self, seconds: float) -> None:
        """Has the first process end the project, and waits for its last word."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(OSError):  # it has gone
            self._control.sendall(b"end")
            while self.going_on and time.monotonic() < deadline:
                self._control.settimeout(max(0.01, deadline - time.monotonic()))
                self.read()


def _end(first: int, namespaces: bool) -> None:
    """Kills the first process, and with it all others, and waits until there is none."""
    if not namespaces:
        first_process.end_all(first, namespaces=False)
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)  # the kernel gives it when all in its namespace have gone


def _not_started(error: str) -> Report:
    return Report(exit_code=127, stopped="", seconds=0.0, cpu_seconds=0.0, peak_memory_bytes=0, error=error)


def _temporary_folder() -> str:
    import tempfile  # rarely needed, and dear at the start of each project

    folder = tempfile.mkdtemp(prefix="dlcodegen-")
    for name in ("project", "home", "tmp"):
        os.mkdir(os.path.join(folder, name))
    return folder


def _remove(folder: str) -> None:
    """Removes what a project left on a disk. These programs follow no links and know no depth that is too deep for
    them, as Python's own do; what they cannot remove is left behind."""
    import shutil
    import subprocess

    for command in (["chmod", "-R", "u+rwx", "--", folder], ["rm", "-rf", "--", folder]):
        if shutil.which(command[0]):
            subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        _serve(connection, None)
