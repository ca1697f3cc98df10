"""The process between ProcessSandbox and a project: confines, starts, watches and ends it.

Run as `python -S -m pipeline.sandbox.supervisor FD`, with the standard library alone, so that it starts in
milliseconds. As a process of its own it confines nothing but itself and its children (no code has to run between fork
and exec of a many-threaded worker), and as the first process of a process namespace it takes every descendant with it
when it goes. FD is a socket: a SupervisedCommand comes in as a line of JSON, the Report goes out as one, and when the
other side closes or dies, everything is ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from dataclasses import asdict, dataclass

from pipeline.sandbox import confinement

POLL_SECONDS = 0.05
"""How often memory and processes are measured: what a project can exceed its limits by is what it does in this time."""

_DISK_POLL_SECONDS = 1.0
"""How often files are measured: that walks the whole folder, so it is done less often."""

_THREADS_PER_PROCESS = 64
"""The kernel's limit counts threads as processes; this leaves room for TensorFlow's several per core."""

_LARGEST_FD = 4096
"""File descriptors below this one are closed before the project starts; this process opens a handful."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, kw_only=True, slots=True)
class SupervisedCommand:
    """A command and its limits (as in Limits)."""

    command: list[str]
    environment: dict[str, str]

    workdir: str
    """What the command may write to."""

    folder: str
    """Where it starts; inside `workdir`."""

    seconds: float
    memory_bytes: int
    processes: int
    file_bytes: int

    in_namespaces: bool
    """Whether the supervisor was started in namespaces of its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """How it ended, as in Execution."""

    exit_code: int
    stopped: str
    seconds: float
    peak_memory_bytes: int


def supervise(command: SupervisedCommand, peer: socket.socket) -> Report:
    """Runs the command until it ends, exceeds a limit, or nobody waits for it any more."""
    # First what needs a writable /proc, then what makes it read-only. The child inherits both.
    confinement.prefer_for_oom_kill()
    if command.in_namespaces:
        confinement.make_files_read_only(command.workdir, command.memory_bytes)
    # Before the child starts, so that no orphan goes to another process.
    confinement.adopt_orphans()
    start = time.monotonic()
    child = _start(command)
    usage = _Usage(command, start)
    child_ended = os.pidfd_open(child)
    poller = select.poll()
    poller.register(child_ended, select.POLLIN)
    poller.register(peer, select.POLLIN)
    stopped = ""
    while not stopped:
        # The end of the child and of the other side wake it at once; limits are looked at in between.
        ready = {fd for fd, _ in poller.poll(1000 * POLL_SECONDS)}
        if child_ended in ready:
            break
        stopped = "abandoned" if ready else usage.exceeded_limit()
    seconds = time.monotonic() - start
    exit_code = _end(child, command.in_namespaces)
    # What lives shorter than a poll is known by the kernel's figure, that of the largest single process.
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    peak = max(usage.peak_memory_bytes, largest)
    return Report(exit_code=exit_code, stopped=stopped, seconds=seconds, peak_memory_bytes=peak)


def _start(command: SupervisedCommand) -> int:
    """Starts the command in a child that has given up its rights, and gives the child's process id."""
    child = os.fork()
    if child:
        return child
    try:
        # A session of its own: signals that the project sends to its group do not reach the supervisor.
        os.setsid()
        os.chdir(command.folder)
        # Outside of a user namespace the kernel counts all processes of the user, those of other programs too.
        kernel_processes = _THREADS_PER_PROCESS * command.processes if command.in_namespaces else None
        confinement.set_resource_limits(command.seconds, command.file_bytes, kernel_processes)
        confinement.drop_privileges()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        # The socket above all: with it a project could write its own report.
        os.closerange(3, _LARGEST_FD)
        os.execve(command.command[0], command.command, command.environment)
    except BaseException as error:
        os.write(2, f"the sandbox could not start {command.command[0]}: {error}\n".encode())
    finally:
        # Not sys.exit: a forked child must not run what its parent has planned for its own end. 127 is the shells'
        # code for a command that could not be started.
        os._exit(127)


def _end(child: int, in_namespaces: bool) -> int:
    """Kills the child and all orphans, waits until there is none, and gives the child's exit code."""
    exit_code = 128 + signal.SIGKILL
    # Until there is none: what is forked between looking and killing is killed the next time.
    while True:
        with contextlib.suppress(ProcessLookupError):
            if in_namespaces:
                os.kill(-1, signal.SIGKILL)  # all of the namespace but this first process, at once
            else:
                for process in _descendants():
                    os.kill(process.pid, signal.SIGKILL)
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return exit_code
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            exit_code = code if code >= 0 else 128 - code  # as shells do: 128 + the signal's number
        elif pid == 0:
            time.sleep(0.005)  # killed processes need a moment to end


class _Usage:
    """Measures what the command and its descendants use, and compares it with the command's limits."""

    def __init__(self, command: SupervisedCommand, start: float) -> None:
        self._command = command
        self._deadline = start + command.seconds
        self._next_disk_poll = start + _DISK_POLL_SECONDS
        self.peak_memory_bytes = 0

    def exceeded_limit(self) -> str:
        """The name of the limit that is exceeded, or ""."""
        now = time.monotonic()
        processes = _descendants()
        memory = sum(process.memory_bytes for process in processes)
        if memory > self._command.memory_bytes:
            # Forked workers share most of their pages; only the proportional sizes add up, but they are slow to get.
            memory = _proportional_sum(processes)
            if memory > self._command.memory_bytes:
                # Workers that began or ended while it was summed up leave shares in it that no longer hold.
                memory = min(memory, _proportional_sum(_descendants()))
        self.peak_memory_bytes = max(self.peak_memory_bytes, memory)
        if now > self._deadline:
            return "seconds"
        if memory > self._command.memory_bytes:
            return "memory_bytes"
        if len(processes) > self._command.processes:
            return "processes"
        if now > self._next_disk_poll:
            self._next_disk_poll = now + _DISK_POLL_SECONDS
            if _disk_bytes(self._command.workdir) > self._command.file_bytes:
                return "file_bytes"
        return ""


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    parent: int

    memory_bytes: int
    """Resident, shared pages included."""


def _descendants() -> list[_Process]:
    """All running processes below this one, numbered as /proc numbers them."""
    children: dict[int, list[_Process]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                # The second field, the program's name, may hold blanks and brackets.
                fields = file.read().rpartition(b")")[2].split()
                # State, parent and resident pages are fields 3, 4 and 24 of proc(5). Z and X have ended already.
                if fields[0] not in b"ZX":
                    process = _Process(int(name), int(fields[1]), int(fields[21]) * _PAGE)
                    children.setdefault(process.parent, []).append(process)
    # Where /proc is not the namespace's own, this process has another number there than os.getpid() says.
    descendants = children.get(int(os.readlink("/proc/self")), [])
    # The list grows while it is walked: children of children are found in turn.
    for process in descendants:
        descendants.extend(children.get(process.pid, []))
    return descendants


def _proportional_sum(processes: list[_Process]) -> int:
    return sum(_proportional_bytes(process) for process in processes)


def _proportional_bytes(process: _Process) -> int:
    """The process' memory, with a page that n processes share counted as an n-th (PSS); 0 once it has ended."""
    with contextlib.suppress(OSError), open(f"/proc/{process.pid}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    # Not for us to read, or unknown to this kernel: all that is resident now.
    with contextlib.suppress(OSError), open(f"/proc/{process.pid}/statm", "rb") as file:
        return int(file.read().split()[1]) * _PAGE
    return 0


def _disk_bytes(folder: str) -> int:
    """What the files below a folder take on the disk; blocks, so that a file with holes counts what is written."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_blocks * 512  # whatever the file system's own block
    return total


def main(fd: int) -> None:
    with socket.socket(fileno=fd) as peer:
        with peer.makefile("r", encoding="utf-8") as stream:
            command = SupervisedCommand(**json.loads(stream.readline()))
        report = supervise(command, peer)
        with contextlib.suppress(OSError):
            peer.sendall(json.dumps(asdict(report)).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]))
