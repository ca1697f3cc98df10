"""A process that forks a child for each project, as a warm parent does, without a framework in it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import cloudpickle

from pipeline.sandbox.command import SupervisedCommand
from pipeline.sandbox.supervised import RunningSupervisor
from pipeline.sandbox.supervisor import serve

_REPOSITORY = Path(__file__).parents[3]


class _Fork:
    def end(self) -> None:
        """Its socket is closed, at which it ends."""


class WarmProcess:
    """A SupervisorStarter whose projects run by `begin`, after `prepare` has been called once.

    It is an interpreter of its own, as a warm parent's is: what earlier tests left in pytest's (semaphores, libraries
    that watch forks) would be in every project's.
    """

    def __init__(
        self, begin: Callable[[SupervisedCommand], object], prepare: Callable[[], object] = lambda: None
    ) -> None:
        self._ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "tests.pipeline.sandbox.warm_process", str(theirs.fileno())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[theirs.fileno()], cwd=_REPOSITORY)
        self.pid = self._process.pid
        theirs.close()
        assert self._process.stdin is not None
        with self._process.stdin as functions:
            functions.write(cloudpickle.dumps((begin, prepare)))
        assert self._ours.recv(10) == b"ready"

    def start(self, stdout: int, stderr: int, peer: socket.socket) -> RunningSupervisor:
        socket.send_fds(self._ours, [b"x"], [stdout, stderr, peer.fileno()])
        return _Fork()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ours.close()
        self._process.wait()


def _main(descriptor: int) -> None:
    begin, prepare = cloudpickle.load(sys.stdin.buffer)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children, so the kernel does
    kept = prepare()
    control = socket.socket(fileno=descriptor)
    control.sendall(b"ready")
    _serve_all(control, begin)
    del kept


def _serve_all(connection: socket.socket, begin: Callable[[SupervisedCommand], object]) -> None:
    while True:
        data, descriptors, *_ = socket.recv_fds(connection, 10, 3)
        if not data:
            return
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(socket.socket(fileno=descriptors[2]), descriptors[0], descriptors[1], begin)
        for descriptor in descriptors:
            os.close(descriptor)


if __name__ == "__main__":
    _main(int(sys.argv[1]))
    os._exit(0)  # what is registered for its end is for no test to see
