"""The process between ProcessSandbox and a project: confines, starts, watches and ends it.

Run as `python -S -m pipeline.sandbox.supervisor FD`, with the standard library alone, so that it starts in
milliseconds. As a process of its own it confines nothing but itself and its children (no code has to run between fork
and exec of a many-threaded worker), and as the first process of a process namespace it takes every descendant with it
when it goes. FD is a socket: a Task comes in as a line of JSON, the Report goes out as one, and when the other side
closes or dies, everything is ended.
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
_THREADS_PER_PROCESS = 64
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A command and its limits (as in Limits), run in `folder`. It may write to all of `workdir`, which holds `folder`.

    `apart` says that the supervisor was started in namespaces of its own.
    """

    command: list[str]
    environment: dict[str, str]
    workdir: str
    folder: str
    seconds: float
    memory_bytes: int
    processes: int
    file_bytes: int
    apart: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """How it ended, as in Execution."""

    exit_code: int
    stopped: str
    seconds: float
    peak_memory_bytes: int


def supervise(task: Task, peer: socket.socket) -> Report:
    """Runs the command until it ends, exceeds a limit, or nobody waits for it any more."""
    confinement.prefer_for_oom_kill()  # inherited; /proc is read-only afterwards
    if task.apart:
        confinement.make_files_read_only(task.workdir, task.memory_bytes)
    confinement.adopt_orphans()
    start = time.monotonic()
    child = _start(task)
    usage = _Usage(task, start)
    child_ended = os.pidfd_open(child)
    poller = select.poll()
    poller.register(child_ended, select.POLLIN)
    poller.register(peer, select.POLLIN)
    stopped = ""
    while not stopped:
        ready = {fd for fd, _ in poller.poll(1000 * POLL_SECONDS)}
        if child_ended in ready:
            break
        stopped = "abandoned" if ready else usage.exceeded_limit()
    seconds = time.monotonic() - start
    exit_code = _end(child, task.apart)
    # What lives shorter than a poll is known by the kernel's figure, that of the largest single process.
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    peak = max(usage.peak_memory_bytes, largest)
    return Report(exit_code=exit_code, stopped=stopped, seconds=seconds, peak_memory_bytes=peak)


def _start(task: Task) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        os.chdir(task.folder)
        # Outside of a user namespace the kernel counts all processes of the user, those of other programs too.
        # Threads count too, and TensorFlow starts several per core.
        kernel_processes = _THREADS_PER_PROCESS * task.processes if task.apart else None
        confinement.set_resource_limits(task.seconds, task.file_bytes, kernel_processes)
        confinement.drop_privileges()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.closerange(3, 4096)
        os.execve(task.command[0], task.command, task.environment)
    except BaseException as error:
        os.write(2, f"the sandbox could not start {task.command[0]}: {error}\n".encode())
    finally:
        os._exit(127)


def _end(child: int, apart: bool) -> int:
    """Kills the child and all orphans, waits until there is none, and gives the child's exit code."""
    exit_code = 128 + signal.SIGKILL
    while True:
        with contextlib.suppress(ProcessLookupError):
            if apart:
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
            exit_code = code if code >= 0 else 128 - code
        elif pid == 0:
            time.sleep(0.005)


class _Usage:
    """Measures what the command and its descendants use, and compares it with the task's limits."""

    def __init__(self, task: Task, start: float) -> None:
        self._task = task
        self._deadline = start + task.seconds
        self._next_disk_poll = start + _DISK_POLL_SECONDS
        self.peak_memory_bytes = 0

    def exceeded_limit(self) -> str:
        """The name of the limit that is exceeded, or ""."""
        now = time.monotonic()
        processes = _descendants()
        memory = sum(process.memory_bytes for process in processes)
        if memory > self._task.memory_bytes:
            # Forked workers share most of their pages; only the proportional sizes add up, but they are slow to get.
            memory = sum(_proportional_bytes(process) for process in processes)
        self.peak_memory_bytes = max(self.peak_memory_bytes, memory)
        if now > self._deadline:
            return "seconds"
        if memory > self._task.memory_bytes:
            return "memory_bytes"
        if len(processes) > self._task.processes:
            return "processes"
        if now > self._next_disk_poll:
            self._next_disk_poll = now + _DISK_POLL_SECONDS
            if _disk_bytes(self._task.workdir) > self._task.file_bytes:
                return "file_bytes"
        return ""


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    parent: int
    memory_bytes: int


def _descendants() -> list[_Process]:
    """All running processes below this one, numbered as /proc numbers them."""
    children: dict[int, list[_Process]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                # The second field, the program's name, may hold blanks and brackets.
                fields = file.read().rpartition(b")")[2].split()
                if fields[0] not in b"ZX":
                    process = _Process(int(name), int(fields[1]), int(fields[21]) * _PAGE)
                    children.setdefault(process.parent, []).append(process)
    # Where /proc is not the namespace's own, this process has another number there than os.getpid() says.
    found = children.get(int(os.readlink("/proc/self")), [])
    for process in found:
        found.extend(children.get(process.pid, []))
    return found


def _proportional_bytes(process: _Process) -> int:
    with contextlib.suppress(OSError), open(f"/proc/{process.pid}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return process.memory_bytes


def _disk_bytes(folder: str) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_blocks * 512
    return total


def main(fd: int) -> None:
    with socket.socket(fileno=fd) as peer:
        with peer.makefile("r", encoding="utf-8") as stream:
            task = Task(**json.loads(stream.readline()))
        report = supervise(task, peer)
        with contextlib.suppress(OSError):
            peer.sendall(json.dumps(asdict(report)).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]))
