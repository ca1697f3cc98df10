"""Starting Ray, or joining a cluster: in one line where it cannot be."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import ray

from jobs.cluster.access import require_admission, use_own_token
from jobs.cluster.lasting_output import require_lasting, warn_of_own_disks
from jobs.cluster.waiting import wait_for_resources
from pipeline.errors import FaultError

_ANSWER_SECONDS = 10
"""What a cluster's address may take to answer."""


_TIMED_OUT = "timed out during startup"
"""In what Ray says where its own processes did not come up in time."""


def start_ray(address: str | None, workers: int | None, out: str = "") -> bool:
    """Connects to a cluster and waits for a free CPU there, or starts a local one without a dashboard, unless Ray runs
    already; True for a cluster. Raises FaultError where that cannot be, and DLCodeGenError where what is written to
    `out` would not outlast a job on a cluster."""
    require_lasting(out)
    if ray.is_initialized():
        return bool(address) or _inside_cluster()
    if address or _inside_cluster():
        address = address or os.environ.get("RAY_ADDRESS") or "auto"
        with _ray_starts(f"no Ray cluster answers at address={address}", "see that it runs, or leave it out"):
            _require_answer(address)
            require_admission(address)
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        warn_of_own_disks(out)
        wait_for_resources([{"CPU": 1}], elastic=True)
        return True
    # Each actor of Ray Data logs that it could not be restarted without its arguments; they stay with this driver.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    way_out = "free memory, ports, /dev/shm or /tmp, or wait until the machine is less busy; `dlcodegen doctor` looks"
    with _ray_starts("Ray cannot be started on this machine", way_out), _native_stderr_silenced():
        use_own_token()
        _start_here(workers)
    return False


def _start_here(workers: int | None) -> None:
    """Ray itself waits 30 s for its processes; a busy machine that reads them from disk for the first time takes
    longer, and they start at once when they are asked for again."""
    before = psutil.Process().children(recursive=True)
    for last in (False, True):
        try:
            ray.init(
                address="local", num_cpus=workers, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
            )
            return
        except Exception as error:
            if last or _TIMED_OUT not in str(error):
                raise
        ray.shutdown()
        for process in psutil.Process().children(recursive=True):
            if process not in before:
                with suppress(psutil.NoSuchProcess):
                    process.kill()


def _require_answer(address: str) -> None:
    """Raises OSError where nobody listens at `host:port`: Ray itself would try for two minutes and say so in pages."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_SECONDS).close()


@contextmanager
def _ray_starts(failed: str, way_out: str) -> Iterator[None]:
    """Says in one line that Ray does not start in the block. What SIGTERM does to this process stays as it is: Ray
    would have it end without a word."""
    on_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except FaultError:
        raise
    except Exception as error:  # Ray raises whatever it meets
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise FaultError(f"{failed} ({reason.rstrip('.')}); {way_out}") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, on_sigterm)


@contextmanager
def _native_stderr_silenced() -> Iterator[None]:
    """Ray's native code says on standard error which log level it was given. What fails here is raised, not printed."""
    saved = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _inside_cluster() -> bool:
    return "RAY_ADDRESS" in os.environ or "RAY_JOB_ID" in os.environ
