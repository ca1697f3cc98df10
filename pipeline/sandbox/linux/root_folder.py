"""The file system that a project sees: Python, the system's programs and libraries, what it is given, and one folder.

Everything is read-only and without devices and set-uid rights but for `/sandbox` and `/dev/shm`. Both are memory of a
fixed size and number of files, which the kernel bounds however a project writes to them, and which is gone with the
sandbox: nobody has to clean up what a project made. Standard library only: see `supervisor`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from pipeline.sandbox.linux import calls

HOME = "/sandbox"
"""What a project can write to. The same for all, so that no output differs by a path."""

PROJECT = f"{HOME}/project"
"""Where its files are, and where it starts."""

OTHER_FOLDERS = (f"{HOME}/home", f"{HOME}/tmp")
"""$HOME and $TMPDIR."""

USER_NAME = "project"
HOST_NAME = "sandbox"

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
"""Programs and libraries: links of these names stay links."""

_SETTINGS = (
    "alternatives ca-certificates fonts ld.so.cache ld.so.conf ld.so.conf.d localtime mime.types pki ssl".split()
)
"""Of /etc: what libraries look for. The rest names users, hosts and services of this machine."""

_CLOSED = ("/proc/keys", "/proc/key-users", "/proc/kcore", "/proc/timer_list", "/proc/sched_debug", "/proc/kallsyms")
"""What /proc tells of more than its processes, to users without rights too."""

_DEVICES = ("null", "zero", "full", "random", "urandom")

_HARDWARE = ("/sys/devices/system/cpu", "/sys/devices/system/node")
"""How many cores there are, which numerical libraries look for."""

_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}

_SHARED_MEMORY_FILES = 16_384

_BASE = "/tmp"
"""Where the new root is put up. Any folder serves: only this sandbox sees it there."""

_FORMER = "/.former"
_SAFE = calls.NO_SET_UID | calls.NO_DEVICES
_FOR_DATA = _SAFE | calls.NO_EXECUTION


@dataclass(frozen=True, kw_only=True, slots=True)
class RootFolder:
    """What is in it beside the system."""

    readable: list[list[str]]
    """Pairs: a file or folder of this machine, without links, and where the project finds it. Python and its packages,
    under their own names; data, below HOME."""

    file_bytes: int
    files: int
    """How large HOME is, and how many files, folders and links fit."""

    shared_memory_bytes: int


def change_to(root: RootFolder, user: int, group: int) -> None:
    """Makes it the root of this process, which must have a mount namespace of its own and the rights to mount.

    HOME and /dev/shm belong to the user and group. Raises OSError where the kernel refuses.
    """
    calls.keep_mounts_apart()
    calls.mount("tmpfs", _BASE, "tmpfs", _SAFE, "mode=755,size=4m,nr_inodes=4096")
    os.mkdir(_BASE + _FORMER)
    calls.change_root(_BASE, _BASE + _FORMER)
    for path in _SYSTEM:
        if os.path.islink(_FORMER + path):
            os.symlink(os.readlink(_FORMER + path), path)
        else:
            _show(path, path)
    for name in _SETTINGS:
        _show(f"/etc/{name}", f"/etc/{name}")
    for path in _HARDWARE:
        _show(path, path, _FOR_DATA)
    _write_users(user, group)
    _make_devices(root.shared_memory_bytes, user, group)
    _show_processes()
    os.mkdir(HOME)
    size = f"size={root.file_bytes},nr_inodes={root.files},mode=700,uid={user},gid={group}"
    calls.mount("tmpfs", HOME, "tmpfs", _SAFE, size)
    for folder in (PROJECT, *OTHER_FOLDERS):
        os.mkdir(folder)
        os.chown(folder, user, group)
    # What lies above comes first: nothing can be put below it later, and nothing has to be.
    for source, target in sorted(root.readable, key=lambda pair: pair[1]):
        _show(source, target)
    os.makedirs("/tmp", exist_ok=True)
    calls.unmount(_FORMER)
    os.rmdir(_FORMER)
    calls.make_read_only("/")


def _show(source: str, target: str, flags: int = _SAFE) -> None:
    """Shows what lies there in the former root, if anything does; read-only."""
    source = _FORMER + source
    # A link counts, wherever it leads: an environment's Python may lead to a folder that is shown only later.
    if not os.path.exists(source) or os.path.lexists(target):
        return
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _write(target, "")
    calls.bind(source, target, flags)


def _make_devices(shared_memory_bytes: int, user: int, group: int) -> None:
    os.mkdir("/dev")
    for name in _DEVICES:
        _write(f"/dev/{name}", "")
        calls.bind(f"{_FORMER}/dev/{name}", f"/dev/{name}", calls.NO_SET_UID | calls.NO_EXECUTION)
    for name, target in _LINKS.items():
        os.symlink(target, f"/dev/{name}")
    # multiprocessing's locks and queues need it.
    os.mkdir("/dev/shm")
    size = f"size={shared_memory_bytes},nr_inodes={_SHARED_MEMORY_FILES},mode=700,uid={user},gid={group}"
    calls.mount("tmpfs", "/dev/shm", "tmpfs", _FOR_DATA, size)


def _show_processes() -> None:
    """A /proc of this sandbox's processes alone. Kernels refuse it inside some containers; what is shown then is the
    old one, read-only, in which the processes of others are closed to the project."""
    os.mkdir("/proc")
    try:
        calls.mount("proc", "/proc", "proc", _FOR_DATA)
        calls.make_read_only("/proc")
    except OSError:
        calls.bind(f"{_FORMER}/proc", "/proc", _FOR_DATA)
    for path in _CLOSED:
        if os.path.exists(path):
            calls.bind(f"{_FORMER}/dev/null", path, _SAFE)


def _write_users(user: int, group: int) -> None:
    """Names for the only user and group that there are."""
    os.makedirs("/etc", exist_ok=True)
    _write("/etc/passwd", f"{USER_NAME}:x:{user}:{group}::{HOME}/home:/bin/sh\n")
    _write("/etc/group", f"{USER_NAME}:x:{group}:\n")
    _write("/etc/hosts", f"127.0.0.1 localhost {HOST_NAME}\n")


def _write(path: str, text: str) -> None:
    with open(path, "x", encoding="ascii") as file:
        file.write(text)
