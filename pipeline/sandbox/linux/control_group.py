"""A project's control group: the kernel counts and bounds the memory and tasks of all in it, however they hide.

Counted are the pages of files in memory, of shared memory and of sockets too, which belong to no process. Both versions
of control groups serve; a group is made below the one this process is in, and where this process may not make one there
is none. Standard library only: see `supervisor`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from dataclasses import dataclass

_MOUNTS = "/proc/self/mounts"
_OWN_GROUPS = "/proc/self/cgroup"

_PREFIX = "dlcodegen-"
"""A group is called this and its maker's process number."""

_REMOVAL_SECONDS = 2.0
"""How long the kernel may take to forget processes that have ended."""


@dataclass(frozen=True, slots=True)
class _Names:
    """What a version of control groups calls its files."""

    memory_limit: str
    swap_limit: str
    own_memory: str
    shared_memory: str
    """Lines of memory.stat."""
    kills: str


_NAMES = {
    1: _Names(
        memory_limit="memory.limit_in_bytes",
        swap_limit="memory.memsw.limit_in_bytes",
        own_memory="rss",
        shared_memory="shmem",
        kills="memory.oom_control",
    ),
    2: _Names(
        memory_limit="memory.max",
        swap_limit="memory.swap.max",
        own_memory="anon",
        shared_memory="shmem",
        kills="memory.events",
    ),
}


class ControlGroup:
    """A group of its own for one project. `make` gives one, or None where the machine gives none."""

    def __init__(self, folders: dict[str, str], version: int) -> None:
        self._folders = folders
        """Where each controller's files are."""
        self._names = _NAMES[version]

    @classmethod
    def make(cls, memory_bytes: int, tasks: int) -> ControlGroup | None:
        """A group with so much memory and so many threads, of which this process is no member yet."""
        name = f"{_PREFIX}{os.getpid()}"
        for version, parents in _own_groups():
            group = cls({}, version)
            _remove_forsaken(parents)
            try:
                for controller, parent in parents.items():
                    folder = os.path.join(parent, name)
                    if folder not in group._folders.values():
                        os.mkdir(folder)
                    group._folders[controller] = folder
                group._set_limits(version, memory_bytes, tasks)
            except OSError:
                group.remove()
                continue
            return group
        return None

    def _set_limits(self, version: int, memory_bytes: int, tasks: int) -> None:
        memory = self._folders["memory"]
        _write(memory, self._names.memory_limit, memory_bytes)
        with contextlib.suppress(OSError):  # a kernel that does not count swap
            _write(memory, self._names.swap_limit, memory_bytes if version == 1 else 0)
        _write(self._folders["pids"], "pids.max", tasks)

    def join(self) -> None:
        """Makes this process, and what it starts from here on, members."""
        for folder in set(self._folders.values()):
            _write(folder, "cgroup.procs", 0)

    def memory_bytes(self) -> int:
        """What members use now, files in memory included, files of a disk not."""
        counted = (self._names.own_memory, self._names.shared_memory)
        total = 0
        for line in _read(self._folders["memory"], "memory.stat").splitlines():
            name, _, count = line.partition(" ")
            if name in counted:
                total += int(count)
        return total

    def processes(self) -> int:
        """How many there are; one whose first thread has ended is one as long as another runs."""
        return len(_read(self._folders["pids"], "cgroup.procs").split())

    def was_out_of_memory(self) -> bool:
        """Whether the kernel has ended a member for want of memory."""
        for line in _read(self._folders["memory"], self._names.kills).splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count) > 0
        return False

    def cpu_seconds(self) -> float | None:
        """Processor time of all members, those that have ended too; None where nobody counts it."""
        if "cpuacct" in self._folders:
            return int(_read(self._folders["cpuacct"], "cpuacct.usage") or 0) / 1e9
        for line in _read(self._folders["memory"], "cpu.stat").splitlines():
            name, _, microseconds = line.partition(" ")
            if name == "usage_usec":
                return int(microseconds) / 1e6
        return None

    def remove(self) -> None:
        """Takes the group away once its members have ended."""
        deadline = time.monotonic() + _REMOVAL_SECONDS
        for folder in set(self._folders.values()):
            while True:
                try:
                    os.rmdir(folder)
                except OSError as error:
                    if error.errno == errno.EBUSY and time.monotonic() < deadline:
                        time.sleep(0.005)
                        continue
                break


def _remove_forsaken(parents: dict[str, str]) -> None:
    """Takes away the groups of supervisors that were killed."""
    for parent in set(parents.values()):
        with contextlib.suppress(OSError):
            for name in os.listdir(parent):
                maker = name.removeprefix(_PREFIX)
                if maker != name and not os.path.exists(f"/proc/{maker}"):
                    with contextlib.suppress(OSError):
                        os.rmdir(os.path.join(parent, name))


def _own_groups() -> list[tuple[int, dict[str, str]]]:
    """By version, where groups of one's own can be made: the folder of each controller."""
    mounted: dict[str, str] = {}
    for line in _read("/", _MOUNTS).splitlines():
        _, folder, kind, options, *_ = line.split(" ")
        if kind == "cgroup2":
            mounted.setdefault("", folder)
        elif kind == "cgroup":
            for controller in options.split(","):
                mounted.setdefault(controller, folder)
    own: dict[str, str] = {}
    for line in _read("/", _OWN_GROUPS).splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            if controller in mounted:
                own[controller] = mounted[controller] + path.rstrip("/")
    first: dict[str, str] = {}
    for controller in ("memory", "pids", "cpuacct"):
        if controller in own:
            first[controller] = own[controller]
    groups: list[tuple[int, dict[str, str]]] = []
    if "memory" in first and "pids" in first:
        groups.append((1, first))
    if "" in own:
        groups.append((2, {"memory": own[""], "pids": own[""]}))
        # In version 2 a group with members bounds no groups below it, so a sibling may be what there is to be had.
        if own[""] != mounted[""]:
            parent = os.path.dirname(own[""])
            groups.append((2, {"memory": parent, "pids": parent}))
    return groups


def _read(folder: str, name: str) -> str:
    """A file's text, "" where it cannot be read."""
    with contextlib.suppress(OSError), open(os.path.join(folder, name), encoding="ascii") as file:
        return file.read().strip()
    return ""


def _write(folder: str, name: str, value: int) -> None:
    file = os.open(os.path.join(folder, name), os.O_WRONLY)  # never made here: the kernel has it, or not
    try:
        os.write(file, str(value).encode())
    finally:
        os.close(file)
