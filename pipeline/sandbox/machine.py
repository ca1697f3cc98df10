"""What of the sandbox holds on this machine."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache

from pipeline.errors import StageFailure
from pipeline.sandbox.command import SupervisedCommand
from pipeline.sandbox.confinement import Policy
from pipeline.sandbox.linux.root_folder import RootFolder
from pipeline.sandbox.linux.system_calls import refusing_program
from pipeline.sandbox.supervised import ColdStarter, supervised


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """What holds for projects here. The floor: namespaces and refused calls."""

    namespaces: bool
    """A root folder, processes, users, network and shared memory of a project's own."""

    why_no_namespaces: str = ""
    """What the kernel said."""

    refused_calls: bool
    """System calls that reach out of it, or deep into the kernel, are refused (seccomp)."""

    control_group: bool
    """The kernel counts and bounds memory and threads. Without, they are measured every 50 ms."""

    other_user: bool
    """Projects run as users of their own, not as the one who runs this program."""

    def missing(self) -> str:
        """What is below the floor, with the way out; "" where nothing is."""
        missing = []
        if not self.namespaces:
            missing.append(
                f"it gives no namespaces: {self.why_no_namespaces}; needed are Linux 5.12 and user namespaces, in "
                "containers CAP_SYS_ADMIN or a seccomp profile that allows unshare and mount"
            )
        if not self.refused_calls:
            missing.append("it has no libseccomp 2.5; Debian and Ubuntu call it libseccomp2")
        return ", and ".join(missing)

    def described(self) -> str:
        """What holds, in a line."""
        parts = [
            "namespaces and a root folder of its own" if self.namespaces else "NO namespaces",
            "refused system calls" if self.refused_calls else "NO refused system calls",
            "memory and threads bounded by the kernel" if self.control_group else "memory measured every 50 ms",
            "a user of its own" if self.other_user else "this program's user",
        ]
        return ", ".join(parts)


# What a kernel gives does not change while a program runs.
@cache
def protection() -> Protection:
    """Tries it out, in about a tenth of a second."""
    refused = refusing_program(memory_is_counted=True)
    root = RootFolder(readable=[], file_bytes=2**20, files=100, shared_memory_bytes=2**20)
    policy = Policy(
        namespaces=True,
        network=False,
        refused_calls=base64.b64encode(refused).decode("ascii"),
        root=root,
        seconds=30,
        file_bytes=2**20,
        tasks=100,
    )
    command = SupervisedCommand(
        python="/bin/true",
        entry="",
        files=[],
        environment={},
        policy=policy,
        seconds=30,
        cpu_seconds=None,
        memory_bytes=2**30,
        processes=10,
        file_bytes=2**20,
        results=[],
        result_bytes=0,
    )
    try:
        report, _, stderr = supervised(command, ColdStarter(), output_bytes=1000)
        error = report.error or stderr.strip()
        group, user = report.control_group, report.other_user
    except StageFailure as failure:
        error, group, user = str(failure), False, False
    return Protection(
        namespaces=not error,
        why_no_namespaces=error,
        refused_calls=bool(refused),
        control_group=group,
        other_user=user and not error,
    )
