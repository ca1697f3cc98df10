"""What a command and the processes under it use: peak memory of the driver and the workers, CPU seconds of all."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

import psutil


class Usage(threading.Thread):
    """Watches a process: peak resident memory in MB, its own and that of its largest descendant that runs our stages,
    and the CPU seconds of the process and all descendants."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._cpu: dict[int, float] = {}
        self.driver, self.worker = 0.0, 0.0

    @property
    def cpu_seconds(self) -> float:
        return sum(self._cpu.values())

    def run(self) -> None:
        while self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE:
            try:
                self.driver = max(self.driver, self._memory(self._process))
                for child in self._process.children(recursive=True):
                    memory = self._memory(child)
                    if "MapWorker" in " ".join(child.cmdline()):
                        self.worker = max(self.worker, memory)
            except psutil.Error:
                pass
            time.sleep(0.1)

    def _memory(self, process: psutil.Process) -> float:
        times = process.cpu_times()
        self._cpu[process.pid] = times.user + times.system
        return float(process.memory_info().rss) / 1e6


def run_watched(command: Sequence[str], *, seconds: float | None = None) -> tuple[float, Usage, bool]:
    """Runs a command; its wall seconds, what it used, and whether it ended. After `seconds` it is interrupted. Ends
    this program where the command fails."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    usage = Usage(process.pid)
    usage.start()
    try:
        _, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        process.communicate()
        usage.join()
        return time.perf_counter() - start, usage, False
    usage.join()
    if process.returncode:
        sys.exit(errors.decode())
    return time.perf_counter() - start, usage, True
