"""What a supervised process gives up before the project's code starts. Standard library only: see `supervisor`.

Run as `python -S -m pipeline.sandbox.confinement FOLDER` in new namespaces, it exits with 0 where all of it works.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import struct
import sys

_LIBC = ctypes.CDLL(None, use_errno=True)

# linux/mount.h, linux/prctl.h, linux/fcntl.h: the standard library has no names for them.
_MS_BIND = 0x1000
_MS_NOSUID_NODEV_NOEXEC = 0x2 | 0x4 | 0x8
_MOUNT_ATTR_RDONLY = 0x1
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_SYS_MOUNT_SETATTR = 442  # the same on all common architectures, as of all calls since Linux 5.1
_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_LAST_CAPABILITY = 63  # the kernel's sets have 64 bits; numbers it does not know are refused and passed over

_CPU_GRACE_SECONDS = 10
"""CPU time beyond the wall-clock limit on all cores, so that the supervisor's clock is the one that decides."""

_KILL_FIRST = 1000
"""The highest `oom_score_adj`."""


def make_files_read_only(workdir: str, shared_memory_bytes: int) -> None:
    """Makes every file system read-only but for `workdir` and a /dev/shm of its own.

    /proc and /sys too: with a root user's own files in them, a project could set up the kernel even without privileges.
    Needs a mount namespace and mount_setattr (Linux 5.12); raises OSError without.
    """
    # Bound to itself, the folder is a mount of its own, which can stay writable when all others are not.
    _mount(workdir, workdir, "", _MS_BIND, "")
    # A fresh /proc shows the sandbox's processes alone. Kernels refuse it inside some containers; in the old one, which
    # stays then, the processes of outer namespaces are closed to the project.
    with contextlib.suppress(OSError):
        _mount("proc", "/proc", "proc", _MS_NOSUID_NODEV_NOEXEC, "")
    # multiprocessing's locks and queues need it. What lies in it is memory, so it may be as large as that.
    _mount("tmpfs", "/dev/shm", "tmpfs", _MS_NOSUID_NODEV_NOEXEC, f"size={shared_memory_bytes}")
    # Over all mounts at once, new ones included: a remount would reach one at a time, and miss those below.
    _set_mount_attributes("/", add=_MOUNT_ATTR_RDONLY, recursive=True)
    for writable in (workdir, "/dev/shm"):
        _set_mount_attributes(writable, clear=_MOUNT_ATTR_RDONLY)


def adopt_orphans() -> None:
    """Makes orphans among the descendants children of this process, so that it finds and ends them."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def drop_privileges() -> None:
    """No capability and no set-uid program can be had from here on, whatever is executed."""
    for capability in range(_LAST_CAPABILITY + 1):
        with contextlib.suppress(OSError):
            _prctl(_PR_CAPBSET_DROP, capability)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def set_resource_limits(seconds: float, file_bytes: int, processes: int | None) -> None:
    """The kernel's limits per process: CPU time, file size, no core dumps; processes (with threads) per user.

    Address space is not among them: TensorFlow reserves far more of it than it uses.
    """
    # The clock that counts is the supervisor's; CPU time, on all cores, is for the case that nobody watches any more.
    _limit(resource.RLIMIT_CPU, int(seconds * (os.cpu_count() or 1)) + _CPU_GRACE_SECONDS)
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    _limit(resource.RLIMIT_CORE, 0)  # a dump would be as large as the process
    if processes is not None:
        _limit(resource.RLIMIT_NPROC, processes)


def prefer_for_oom_kill() -> None:
    """Where the machine itself runs out of memory, the kernel ends this process tree and not who started it."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write(str(_KILL_FIRST))


def _limit(which: int, value: int) -> None:
    """Sets a limit, or the one there is where that is lower: a limit cannot be raised without privileges."""
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def _mount(source: str, target: str, kind: str, flags: int, options: str) -> None:
    _check(_LIBC.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()))


def die_with_parent(parent: int) -> None:
    """Has the system kill this process when its parent, the process of that number, ends, however it ends. A child that
    outlived it would hold its connections open, and nobody would see that it is gone."""
    with contextlib.suppress(AttributeError, OSError):  # not Linux
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before
        os.kill(os.getpid(), signal.SIGKILL)


def _set_mount_attributes(path: str, add: int = 0, clear: int = 0, recursive: bool = False) -> None:
    attributes = struct.pack("QQQQ", add, clear, 0, 0)  # struct mount_attr; propagation and user namespace stay
    flags = _AT_RECURSIVE if recursive else 0
    size = ctypes.c_size_t(len(attributes))
    _check(_LIBC.syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, path.encode(), flags, attributes, size))


def _prctl(option: int, value: int) -> None:
    _check(_LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0))


def _check(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


if __name__ == "__main__":
    make_files_read_only(sys.argv[1], 2**20)  # the size plays no part: nothing is run here
    drop_privileges()
