"""A Ray cluster of one machine for a test, on loopback; ended by pid, since `ray stop` would end every Ray here."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.waiting import wait_until

RAY = Path(sys.executable).with_name("ray")


@dataclass(frozen=True, slots=True)
class Head:
    """A head that runs."""

    address: str
    """What workers and drivers connect to, as `host:port`."""

    dashboard: str
    """What `ray job submit` connects to, as a URL."""

    agent: str
    """The URL of the agent that starts jobs."""


@contextmanager
def started_head(environment: Mapping[str, str], *, cpus: int = 2) -> Iterator[Head]:
    """A head with these variables besides this process' own, until the block ends."""
    port, client, dashboard, agent = (_free_port() for _ in range(4))
    options = [f"--port={port}", f"--ray-client-server-port={client}", f"--dashboard-port={dashboard}"]
    # The agent that starts jobs has a fixed port, which another Ray on this machine may hold.
    options += [f"--dashboard-agent-listen-port={agent}", f"--num-cpus={cpus}", "--node-ip-address=127.0.0.1"]
    process = subprocess.Popen(
        [RAY, "start", "--head", "--block", "--dashboard-host=127.0.0.1", *options],
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0", **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    head = Head(f"127.0.0.1:{port}", f"http://127.0.0.1:{dashboard}", f"http://127.0.0.1:{agent}")
    try:
        assert wait_until(lambda: answers(f"{head.dashboard}/api/gcs_healthz"), 60)
        yield head
    finally:
        started = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for child in started:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        process.wait()


def answers(url: str) -> bool:
    """Whether a URL gives its page to somebody without a token."""
    try:
        urllib.request.urlopen(url, timeout=1)
    except (OSError, urllib.error.HTTPError):
        return False
    return True


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])
