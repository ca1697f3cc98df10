"""A process that forks a child for each project, as a warm parent does, without a framework in it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Self

from pipeline.sandbox.command import SupervisedCommand
from pipeline.sandbox.supervised import RunningSupervisor
from pipeline.sandbox.supervisor import serve


class _Fork:
    def end(self) -> None:
        """Its socket is closed, at which it ends."""


class WarmProcess:
    """A SupervisorStarter whose projects run by `begin`, after `prepare` has been called once."""

    def __init__(
        self, begin: Callable[[SupervisedCommand], object], prepare: Callable[[], object] = lambda: None
    ) -> None:
        self._ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._ours.close()
                _give_up_shared_memory()
                signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children, so the kernel does
                kept = prepare()
                theirs.sendall(b"ready")
                _serve_all(theirs, begin)
                del kept
            finally:
                os._exit(0)
        theirs.close()
        self._ours.recv(10)

    def start(self, stdout: int, stderr: int, peer: socket.socket) -> RunningSupervisor:
        socket.send_fds(self._ours, [b"x"], [stdout, stderr, peer.fileno()])
        return _Fork()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ours.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _give_up_shared_memory() -> None:
    """Unmaps what earlier tests of this process share (semaphores of multiprocessing): a warm process that has such
    memory is refused, and this one is to be as one that was started afresh."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/maps") as maps:
        shared = [line.split()[0].split("-") for line in maps if "/dev/shm/" in line]
    for start, end in shared:
        libc.munmap(ctypes.c_void_p(int(start, 16)), ctypes.c_size_t(int(end, 16) - int(start, 16)))


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
