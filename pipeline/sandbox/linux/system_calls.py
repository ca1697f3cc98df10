"""The system calls that a project is refused, as a program for the kernel (seccomp), made with libseccomp.

The list is what Docker's default profile refuses (https://docs.docker.com/engine/security/seccomp/), and beside it what
reaches other processes, keys or memory that nobody counts. What is refused gives EPERM, as an unprivileged user knows
it of most of these calls. Two calls that take their arguments from memory, where a filter cannot look, are said not to
exist: `clone3`, for which glibc then takes `clone`, and `openat2`."""

from __future__ import annotations

import ctypes
import errno
import os
import tempfile
from dataclasses import dataclass
from functools import cache

REFUSED = """
    mount umount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr
    open_tree_attr unshare setns
    ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_getfd
    keyctl add_key request_key
    bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register fanotify_init memfd_secret
    name_to_handle_at open_by_handle_at move_pages migrate_pages
    init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff acct quotactl quotactl_fd
    nfsservctl iopl ioperm modify_ldt vm86 vm86old lookup_dcookie syslog vhangup sethostname setdomainname
    settimeofday stime clock_settime clock_adjtime clock_adjtime64 clock_settime64 adjtimex
    uselib ustat sysfs _sysctl
""".split()
"""Refused whatever their arguments."""

UNCOUNTED = "memfd_create shmget shmat msgget msgsnd semget".split()
"""Memory that belongs to no process: refused where no control group counts it."""

_NAMESPACE_FLAGS = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000, 0x80)
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWTIME (linux/sched.h)."""

_NEWER_CALLS = {
    "mount_setattr": 442,
    "quotactl_fd": 443,
    "memfd_secret": 447,
    "process_mrelease": 448,
    "fchmodat2": 452,
    "open_tree_attr": 467,
}
"""Calls that a libseccomp older than the kernel does not know. Since Linux 5.1 all processors have the same numbers."""

_SET_UID_BITS = (0o4000, 0o2000)

_MODE_ARGUMENTS = {
    "chmod": 1,
    "fchmod": 1,
    "fchmodat": 2,
    "fchmodat2": 2,
    "creat": 1,
    "mknod": 1,
    "mknodat": 2,
    "mkdir": 1,
    "mkdirat": 2,
}
"""At which place a call takes the permissions of a file."""

_OPENING = {"open": (1, 2), "openat": (2, 3)}
"""Where flags and permissions stand; the permissions count where the flags say O_CREAT."""

_SOCKET_FAMILIES = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6, AF_NETLINK (getaddrinfo). A namespace of networks does not hold AF_VSOCK, which reaches
the host of a virtual machine, and many others are rarely used code of the kernel."""

_TERMINAL_INPUT = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: typing into the terminal that somebody works at."""

_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000
_EQUAL, _AT_LEAST, _NOT_EQUAL, _MASKED = 4, 5, 1, 7
_OPTIMIZE, _BINARY_TREE = 8, 2


class _Comparison(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operation", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    call: str
    comparisons: tuple[tuple[int, int, int, int], ...] = ()
    error: int = errno.EPERM


@cache
def refusing_program(*, memory_is_counted: bool) -> bytes:
    """The program, for `calls.install_filter`; b"" where the machine has no libseccomp 2.5."""
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return b""
    library.seccomp_init.restype = ctypes.c_void_p
    state = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ALLOW)))
    try:
        library.seccomp_attr_set(state, _OPTIMIZE, ctypes.c_uint32(_BINARY_TREE))
        for rule in _rules(memory_is_counted):
            _add(library, state, rule)
        with tempfile.TemporaryFile() as file:
            if library.seccomp_export_bpf(state, file.fileno()) != 0:
                return b""
            file.seek(0)
            return file.read()
    finally:
        library.seccomp_release(state)


def _rules(memory_is_counted: bool) -> list[_Rule]:
    rules = [_Rule(call) for call in REFUSED]
    if not memory_is_counted:
        rules += [_Rule(call) for call in UNCOUNTED]
    rules.append(_Rule("clone3", error=errno.ENOSYS))
    rules.append(_Rule("openat2", error=errno.ENOSYS))  # its permissions lie in memory, where a filter cannot look
    rules += [_Rule("clone", ((0, _MASKED, flag, flag),)) for flag in _NAMESPACE_FLAGS[:-1]]
    for bit in _SET_UID_BITS:
        rules += [_Rule(call, ((place, _MASKED, bit, bit),)) for call, place in _MODE_ARGUMENTS.items()]
        for call, (flags, mode) in _OPENING.items():
            rules.append(_Rule(call, ((flags, _MASKED, os.O_CREAT, os.O_CREAT), (mode, _MASKED, bit, bit))))
    # Its own limits a process may lower, by the number 0 alone.
    rules.append(_Rule("prlimit64", ((0, _NOT_EQUAL, 0, 0),)))
    rules += [_Rule("ioctl", ((1, _MASKED, 0xFFFFFFFF, request),)) for request in _TERMINAL_INPUT]
    last = max(_SOCKET_FAMILIES)
    for call in ("socket", "socketpair"):
        others = [family for family in range(last) if family not in _SOCKET_FAMILIES]
        rules += [_Rule(call, ((0, _EQUAL, family, 0),)) for family in others]
        rules.append(_Rule(call, ((0, _AT_LEAST, last + 1, 0),)))
    return rules


def _add(library: ctypes.CDLL, state: ctypes.c_void_p, rule: _Rule) -> None:
    number = library.seccomp_syscall_resolve_name(rule.call.encode())
    if number == -1:
        number = _NEWER_CALLS.get(rule.call, -1)
    if number == -1:  # of another processor
        return
    comparisons = [_Comparison(*comparison) for comparison in rule.comparisons]
    array = (_Comparison * len(comparisons))(*comparisons)
    action = ctypes.c_uint32(_REFUSE | rule.error)
    result = library.seccomp_rule_add_array(state, action, number, len(comparisons), array)
    if result not in (0, -errno.EDOM, -errno.EEXIST):  # EDOM: this processor has no such call
        raise OSError(-result, f"libseccomp takes no rule for {rule.call}")
