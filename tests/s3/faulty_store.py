"""A real S3 server (moto's, in memory) behind a proxy that can say 503 for a while, as stores do."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.waiting import scaled

SERVER_VARIABLE = "DLCODEGEN_MOTO_SERVER"

_OVERLOADED = (
    b"<?xml version='1.0'?><Error><Code>ServiceUnavailable</Code><Message>Service Unavailable</Message></Error>"
)


def server_command() -> str | None:
    """moto's server, where there is one."""
    return os.environ.get(SERVER_VARIABLE) or shutil.which("moto_server")


class FaultyStore:
    """The proxy. `away` decides what it answers; `answered` and `refused` count requests by method."""

    def __init__(self, target: int) -> None:
        self.away = False
        self.answered: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._target = target
        self._listening = threading.Event()
        self.port = 0
        threading.Thread(target=asyncio.run, args=(self._serve(),), daemon=True).start()
        self._listening.wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, to_behind = await asyncio.open_connection("127.0.0.1", self._target)
        ways = [
            asyncio.create_task(self._requests(reader, writer, to_behind)),
            asyncio.create_task(_copied(behind, writer)),
        ]
        _, open_ways = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in open_ways:
            way.cancel()
        to_behind.close()
        writer.close()

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to_behind: asyncio.StreamWriter
    ) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            method = head.split(b" ", 1)[0].decode()
            fields = [line.lower() for line in head.split(b"\r\n")]
            if b"expect: 100-continue" in fields:
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"expect:")]
                head = b"\r\n".join(kept)
            length = next((int(field[15:]) for field in fields if field.startswith(b"content-length:")), 0)
            body = await reader.readexactly(length)
            if not self.away:
                self.answered[method] += 1
                to_behind.write(head + body)
                await to_behind.drain()
                continue
            self.refused[method] += 1
            said = b"" if method == "HEAD" else _OVERLOADED
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: %d\r\n\r\n" % len(_OVERLOADED) + said)
            await writer.drain()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


@contextmanager
def faulty_store() -> Iterator[FaultyStore]:
    """A store that runs."""
    command = server_command()
    assert command is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [command, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield FaultyStore(port)
    finally:
        server.kill()
        server.wait()


def _wait_for(port: int) -> None:
    ends = time.monotonic() + scaled(60)
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            return
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.2)
