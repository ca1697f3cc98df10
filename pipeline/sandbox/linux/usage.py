"""What a project's processes use, read from /proc by the supervisor. Standard library only: see `supervisor`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """A running process."""

    pid: int
    parent: int

    thread: int
    """One of its threads that runs, by which /proc tells of its memory: of a process whose first thread has ended, the
    others run on, and under the process's own number /proc tells of no memory then."""

    resident_bytes: int
    """All that is resident, pages that it shares with others included."""

    cpu_seconds: float
    """Its own, and that of children that have ended and that it has waited for."""


def descendants(ancestor: int) -> list[Process]:
    """All running processes below that one, numbered as this process's /proc numbers them."""
    children: dict[int, list[Process]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            process = _process(int(name))
            if process is not None:
                children.setdefault(process.parent, []).append(process)
    found = children.get(ancestor, [])
    # The list grows while it is walked: children of children are found in turn.
    for process in found:
        found.extend(children.get(process.pid, []))
    return found


def own_number() -> int:
    """This process's number in /proc, which may not be the one that os.getpid() gives: /proc may be of another
    namespace."""
    return int(os.readlink("/proc/self"))


def _process(pid: int) -> Process | None:
    """None for one that has ended."""
    fields = _stat(f"/proc/{pid}/stat")
    if not fields:
        return None
    thread = pid
    if fields[0] in b"ZX":
        thread = _running_thread(pid)
        if not thread:
            return None
    resident_bytes = 0
    with contextlib.suppress(OSError), open(f"/proc/{thread}/statm", "rb") as file:
        resident_bytes = int(file.read().split()[1]) * _PAGE
    # Parent, and the four processor times, are fields 4 and 14 to 17 of proc(5); without the first two, 1 and 11 to 14.
    ticks = sum(int(field) for field in fields[11:15])
    return Process(pid, int(fields[1]), thread, resident_bytes, ticks / _TICK)


def _running_thread(pid: int) -> int:
    """A thread that still runs of a process whose first thread has ended; 0 where none does."""
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/task"):
            fields = _stat(f"/proc/{pid}/task/{name}/stat")
            if fields and fields[0] not in b"ZX":
                return int(name)
    return 0


def _stat(path: str) -> list[bytes]:
    """The fields from the third on; [] once the process has gone."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        # The second field, the program's name, may hold blanks and brackets.
        return file.read().rpartition(b")")[2].split()
    return []


def memory_bytes(processes: Iterable[Process], shared_bytes: int) -> int:
    """What they use together, without files of a disk: pages that n processes share are counted as an n-th for each.
    `shared_bytes` is what lies in file systems in memory, whether or not a process has it mapped."""
    own = 0
    mapped = 0
    for process in processes:
        of_process = _proportional_bytes(process.thread)
        own += of_process.get("Pss_Anon", process.resident_bytes)
        mapped += of_process.get("Pss_Shmem", 0)
    return own + max(mapped, shared_bytes)


def _proportional_bytes(thread: int) -> dict[str, int]:
    """The proportional sizes by kind; {} for a process that has ended, and where they are not for us to read."""
    sizes = {}
    with contextlib.suppress(OSError), open(f"/proc/{thread}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Pss_"):
                name, kilobytes, _ = line.split()
                sizes[name.rstrip(":")] = int(kilobytes) * 1024
    return sizes


def open_sockets() -> int:
    """How many there are in this process's namespace of networks."""
    with contextlib.suppress(OSError), open("/proc/net/sockstat", encoding="ascii") as file:
        for line in file:
            if line.startswith("sockets: used"):
                return int(line.split()[2])
    return 0


def disk_bytes(folder: str) -> int:
    """What the files below a folder take on the disk; blocks, so that a file with holes counts what is written."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_blocks * 512  # whatever the file system's own block
    return total
