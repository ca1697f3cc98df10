"""What a project uses, and whether it is too much. Standard library only: see `supervisor`."""

from __future__ import annotations

import time

from pipeline.sandbox.command import SupervisedCommand
from pipeline.sandbox.first_process import Message
from pipeline.sandbox.linux import usage
from pipeline.sandbox.linux.control_group import ControlGroup

_DISK_POLL_SECONDS = 1.0
"""How often files are measured where they lie on a disk: that walks the whole folder, so it is done less often."""

_SOCKET_BYTES = 2 * 212_992
"""What a socket's buffers take at most under the kernel's defaults (net.core.wmem_max, which counts double)."""

_FREE_SOCKETS = 100
"""So many are taken to be empty, where nobody counts what is in them."""


class Meter:
    """Measures what a project uses, and compares it with the command's limits."""

    def __init__(self, command: SupervisedCommand, group: ControlGroup | None, folder: str) -> None:
        """`folder` is where the project's files lie on a disk; "" where they lie in memory."""
        self._command = command
        self._group = group
        self._folder = folder
        self._start = time.monotonic()
        self._next_disk_poll = self._start + _DISK_POLL_SECONDS
        self.peak_memory_bytes = 0
        self.cpu_seconds = 0.0

    def exceeded_limit(self, said: Message) -> str:
        """The name of the limit that is exceeded, or ""."""
        now = time.monotonic()
        group = self._group
        processes: list[usage.Process] = []
        if group is not None:
            count = group.processes()
            memory = max(0, group.memory_bytes() - said.home_bytes)
        else:
            processes = self._processes()
            count = len(processes)
            memory = self._memory_bytes(processes, said)
        self.measure_cpu(processes)
        self.peak_memory_bytes = max(self.peak_memory_bytes, memory)
        if now > self._start + self._command.seconds:
            return "seconds"
        if self._command.cpu_seconds is not None and self.cpu_seconds > self._command.cpu_seconds:
            return "cpu_seconds"
        if memory > self._command.memory_bytes:
            return "memory_bytes"
        if self.was_out_of_memory():
            return "memory_bytes"
        # The first process is among them.
        if count > self._command.processes + 1:
            return "processes"
        if said.full:
            return "file_bytes"
        if self._folder and now > self._next_disk_poll:
            self._next_disk_poll = now + _DISK_POLL_SECONDS
            if usage.disk_bytes(self._folder) > self._command.file_bytes:
                return "file_bytes"
        return ""

    @property
    def counted_by_kernel(self) -> bool:
        return self._group is not None

    def was_out_of_memory(self) -> bool:
        """Whether the kernel has ended a process for want of memory."""
        return self._group is not None and self._group.was_out_of_memory()

    def seconds(self) -> float:
        """Since it began to measure."""
        return time.monotonic() - self._start

    def measure_cpu(self, processes: list[usage.Process] | None = None) -> None:
        counted = self._group.cpu_seconds() if self._group is not None else None
        if counted is None:
            if processes is None:
                processes = self._processes()
            counted = sum(process.cpu_seconds for process in processes)
        self.cpu_seconds = max(self.cpu_seconds, counted)

    def _processes(self) -> list[usage.Process]:
        return usage.descendants(usage.own_number())

    def _memory_bytes(self, processes: list[usage.Process], said: Message) -> int:
        buffers = 0
        if not self._command.policy.network:  # else they are the machine's
            buffers = max(0, said.sockets - _FREE_SOCKETS) * _SOCKET_BYTES
        memory = said.shared_bytes + sum(process.resident_bytes for process in processes)
        if memory + buffers > self._command.memory_bytes:
            # Forked workers share most of their pages; only the proportional sizes add up, but they are slow to get.
            memory = usage.memory_bytes(processes, said.shared_bytes)
            if memory + buffers > self._command.memory_bytes:
                # Workers that began or ended while it was summed up leave shares in it that no longer hold.
                memory = min(memory, usage.memory_bytes(self._processes(), said.shared_bytes))
        return memory + buffers
