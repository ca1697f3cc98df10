"""What a process gives up before a project's first line, whether it then executes a program or goes on as it is.

In three steps, each in a process of its own (see `supervisor`): `separate` has the children of the supervisor in new
namespaces; `enter` gives the first of them its root folder and user; `confine` is for the project. Standard library
only."""

from __future__ import annotations

import base64
import contextlib
import os
import resource
import socket
from dataclasses import dataclass

from pipeline.sandbox.linux import calls
from pipeline.sandbox.linux.root_folder import HOST_NAME, RootFolder, change_to
from pipeline.sandbox.linux.usage import own_number

_FIRST_USER = 0x7000_0000
"""Users from this number to 2**31 are given to nobody by systemd's and the distributions' conventions
(https://systemd.io/UIDS-GIDS)."""

_NOBODY = 65534

_CPU_GRACE_SECONDS = 10
"""CPU time beyond the wall-clock limit on all cores, so that the supervisor's clock is the one that decides."""

_OPEN_FILES = 4096
"""Of each process."""

_KILL_FIRST = 1000
"""The highest `oom_score_adj`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What holds for a project."""

    namespaces: bool
    """Whether it has namespaces, a root folder and a user of its own. Without, its files lie in a temporary folder, and
    only limits, the filter and missing privileges hold."""

    network: bool
    """Whether it sees the machine's network."""

    refused_calls: str
    """A seccomp program, in base64; "" for none."""

    root: RootFolder

    seconds: float
    file_bytes: int
    tasks: int
    """Processes with their threads."""


def separate(policy: Policy) -> None:
    """Has the children of this process in namespaces of their own.

    Where this process may not ask for that itself, it becomes the master of a new user namespace, in which it may.
    """
    if not policy.namespaces:
        calls.adopt_orphans()
        return
    namespaces = calls.NEW_PROCESSES | calls.NEW_IPC | calls.NEW_HOST_NAME
    if not policy.network:
        namespaces |= calls.NEW_NETWORK
    if os.geteuid() == 0:
        with contextlib.suppress(PermissionError):  # a container's root, which has not all of root's rights
            calls.unshare(namespaces)
            socket.sethostname(HOST_NAME)
            return
        _become(_unprivileged_user())
    user, group = os.geteuid(), os.getegid()
    calls.unshare(namespaces | calls.NEW_USER)
    calls.set_inspectable(True)  # else the next three files are not for this process to write
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")
    socket.sethostname(HOST_NAME)
    # No user namespace in this one: it would give a project all rights over much of the kernel.
    _write("/proc/sys/user/max_user_namespaces", "0")


def enter(policy: Policy) -> None:
    """Gives the first process in the namespaces its root folder, an unprivileged user and no rights at all.

    Where this program's user is root, it is another one than that of anybody else and any other project. Raises OSError
    where the kernel refuses.
    """
    os.setsid()  # out of reach of signals that go to the group, and of the terminal
    with contextlib.suppress(OSError):
        calls.leave_session_keyring()
    # Where the machine itself runs out of memory, the kernel ends the project before anything else.
    with contextlib.suppress(OSError):
        _write("/proc/self/oom_score_adj", str(_KILL_FIRST))
    if policy.namespaces:
        user = _unprivileged_user() if os.geteuid() == 0 else os.geteuid()
        group = user if os.geteuid() == 0 else os.getegid()
        calls.unshare(calls.NEW_MOUNTS)
        os.umask(0o022)
        change_to(policy.root, user, group)
        calls.renounce_capabilities()  # with another user goes the right to renounce them
        if user != os.geteuid():
            _become(user)
    else:
        calls.renounce_capabilities()
    calls.drop_capabilities()
    calls.set_inspectable(False)


def confine(policy: Policy) -> None:
    """Bounds what this process and its children can use and call. Nothing of it can be undone."""
    calls.set_inspectable(True)  # its own /proc/self would be closed to it
    _set_resource_limits(policy)
    if policy.refused_calls:
        calls.install_filter(base64.b64decode(policy.refused_calls))


def _unprivileged_user() -> int:
    """The number of a user that nobody else is, made of this process's number; of nobody where this machine has no
    users of such numbers."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        for line in file:
            first, _, count = (int(field) for field in line.split())
            if first <= _FIRST_USER and first + count > 2**31 - 1:
                return _FIRST_USER + own_number()
    return _NOBODY


def _become(user: int) -> None:
    """Has that user and the group of the same number, and no other."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _set_resource_limits(policy: Policy) -> None:
    """The kernel's limits per process: CPU time, file size, open files, no core dumps; processes with threads per user.

    Address space is not among them: TensorFlow reserves far more of it than it uses.
    """
    # The clock that counts is the supervisor's; CPU time, on all cores, is for the case that nobody watches any more.
    _limit(resource.RLIMIT_CPU, int(policy.seconds * (os.cpu_count() or 1)) + _CPU_GRACE_SECONDS)
    _limit(resource.RLIMIT_FSIZE, policy.file_bytes)
    _limit(resource.RLIMIT_CORE, 0)  # a dump would be as large as the process
    _limit(resource.RLIMIT_NOFILE, _OPEN_FILES)
    # Without namespaces the kernel counts all processes of the user, those of other programs too.
    if policy.namespaces:
        _limit(resource.RLIMIT_NPROC, policy.tasks)


def _limit(which: int, value: int) -> None:
    """Sets a limit, or the one there is where that is lower: a limit cannot be raised without privileges."""
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
