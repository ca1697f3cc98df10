"""Calls to the Linux kernel that the standard library has no names for. Standard library only: see `supervisor`.

Numbers are from linux/mount.h, linux/prctl.h, linux/sched.h, linux/fcntl.h, linux/keyctl.h and linux/seccomp.h. Every
function raises OSError where the kernel refuses.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import signal
import struct

_LIBC = ctypes.CDLL(None, use_errno=True)

NEW_MOUNTS = 0x00020000
NEW_HOST_NAME = 0x04000000
NEW_IPC = 0x08000000
NEW_USER = 0x10000000
NEW_PROCESSES = 0x20000000
NEW_NETWORK = 0x40000000

NO_SET_UID = 0x2
NO_DEVICES = 0x4
NO_EXECUTION = 0x8

_MS_BIND = 0x1000
_MS_REC = 0x4000
_MS_PRIVATE = 0x40000
_MNT_DETACH = 2

_ATTR_READ_ONLY = 0x1  # MOUNT_ATTR_*: of the first four, all but this one are numbered like the MS_* above
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000

# The same on all architectures since Linux 5.1; older calls are not.
_SYS_MOUNT_SETATTR = 442
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SYS_KEYCTL = {"x86_64": 250, "aarch64": 219}
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}

_KEYCTL_JOIN_SESSION_KEYRING = 1
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = 63  # the kernel's sets have 64 bits; numbers it does not know are refused and passed over

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_SECCOMP_MODE_FILTER = 2


def unshare(namespaces: int) -> None:
    """Puts this process, or for NEW_PROCESSES its children, into new namespaces. Needs a process of one thread."""
    _check(_LIBC.unshare(namespaces))


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    _check(_LIBC.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()))


def bind(source: str, target: str, flags: int, *, read_only: bool = True) -> None:
    """Shows what lies at `source`, with all mounted below it, at `target` too, under `flags` all over.

    A link at either end is followed. Needs mount_setattr (Linux 5.12), for a remount would reach one mount at a time.
    """
    mount(source, target, "", _MS_BIND | _MS_REC)
    _set_mount_attributes(target, flags | (_ATTR_READ_ONLY if read_only else 0))


def make_read_only(target: str) -> None:
    """That mount alone, not those below it."""
    _set_mount_attributes(target, _ATTR_READ_ONLY, 0)


def keep_mounts_apart() -> None:
    """No later mount in this namespace shows in the one that it was copied from, nor the other way."""
    mount("none", "/", "", _MS_REC | _MS_PRIVATE)


def change_root(folder: str, former: str) -> None:
    """Makes `folder`, which is a mount, this process's root, and shows the former root at `former`, a folder in it."""
    _check(_LIBC.syscall(_number(_SYS_PIVOT_ROOT), folder.encode(), former.encode()))
    os.chdir("/")


def unmount(folder: str) -> None:
    """Takes a mount out of sight, with all mounted below it, whoever still has a file in it open."""
    _check(_LIBC.umount2(folder.encode(), _MNT_DETACH))


def leave_session_keyring() -> None:
    """Has an empty keyring in place of the one that holds the session's keys, and that children would inherit."""
    _check(min(0, _LIBC.syscall(_number(_SYS_KEYCTL), _KEYCTL_JOIN_SESSION_KEYRING, None, 0, 0, 0)))


def renounce_capabilities() -> None:
    """No capability can be had from here on by whatever is executed; those that are held stay."""
    for capability in range(_LAST_CAPABILITY + 1):
        with contextlib.suppress(OSError):
            _prctl(_PR_CAPBSET_DROP, capability)
    with contextlib.suppress(OSError):  # Linux 4.3
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> None:
    """No capability is left."""
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _check(_LIBC.syscall(_number(_SYS_CAPSET), header, bytes(24)))  # effective, permitted, inheritable: two words each


def install_filter(program: bytes) -> None:
    """Has the kernel refuse the system calls that the seccomp program, in its binary form, refuses. Not to be undone.

    Needs no privileges after `renounce_capabilities`.
    """
    instructions = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: the number of instructions, of eight bytes each, and where they are.
    described = ctypes.create_string_buffer(struct.pack("HP", len(program) // 8, ctypes.addressof(instructions)))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(described))


def adopt_orphans() -> None:
    """Makes orphans among the descendants children of this process, so that it finds and ends them."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def set_inspectable(allowed: bool) -> None:
    """Whether other processes of the same user may look into this one's memory and files."""
    _prctl(_PR_SET_DUMPABLE, int(allowed))


def die_with_parent(parent: int) -> None:
    """Has the system kill this process when its parent, the process of that number, ends, however it ends. A child that
    outlived it would hold its connections open, and nobody would see that it is gone."""
    with contextlib.suppress(AttributeError, OSError):  # not Linux
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before
        os.kill(os.getpid(), signal.SIGKILL)


def _set_mount_attributes(path: str, added: int, flags: int = _AT_RECURSIVE) -> None:
    attributes = struct.pack("QQQQ", added, 0, 0, 0)  # struct mount_attr; propagation and user namespace stay
    size = ctypes.c_size_t(len(attributes))
    _check(_LIBC.syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, path.encode(), flags, attributes, size))


def _prctl(option: int, value: int, second: int = 0) -> None:
    _check(_LIBC.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(second), 0, 0))


def _number(of_machines: dict[str, int]) -> int:
    """A system call's number on this machine. Raises OSError for a processor that nobody has tried."""
    number = of_machines.get(platform.machine())
    if number is None:
        raise OSError(f"the sandbox does not know the system calls of {platform.machine()}")
    return number


def _check(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
