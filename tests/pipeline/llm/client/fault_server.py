"""A chat-completions server on loopback that does what real endpoints do on bad days.

Real HTTP over real sockets: resets are TCP resets, cut-off bodies end before their stated length. Each request takes
the next of `faults` (None for a good answer); when they are used up, all answers are good.
"""

from __future__ import annotations

import asyncio
import json
import queue
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal

from tests.waiting import scaled

Fault = Literal[
    "429", "429-date", "408", "500", "503", "reset", "stall", "cut-off", "bad-json", "no-choices", "context", "quota",
    "out-of-resources", "drop",
]  # fmt: skip

MODEL = "good-model"


def completion(text: str, *, finish: str = "stop", **fields: Any) -> dict[str, Any]:
    """A chat completion as the API documents it."""
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 7, "completion_tokens": len(text.split()), "prompt_tokens_details": {"cached_tokens": 3}}
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage} | fields


def echo(body: dict[str, Any]) -> dict[str, Any]:
    return completion(f"reply to {body['messages'][-1]['content']}")


@dataclass(slots=True)
class Seen:
    """A request as it came: path, headers in lower case, JSON body."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class FaultServer:
    """`answer` makes the good answers; `seconds` is how long one takes; `key` is the only accepted one, if any.
    `knows` decides which `response_format` types the server takes, `owned_by` what it says its models are."""

    faults: Iterable[Fault | None] = ()
    answer: Callable[[dict[str, Any]], dict[str, Any]] = echo
    seconds: Callable[[dict[str, Any]], float] = lambda body: 0.0
    key: str | None = None
    retry_after: float = 0.05
    knows: tuple[str, ...] = ("json_schema", "json_object")
    owned_by: str | None = None
    seen: list[Seen] = field(default_factory=list)
    served: Counter[str] = field(default_factory=Counter)
    url: str = ""
    in_flight: int = 0
    most_in_flight: int = 0

    @contextmanager
    def running(self) -> Iterator[FaultServer]:
        """The server in a thread of its own, on a free port; `url` is its base_url."""
        self._faults = iter(self.faults)
        started: queue.SimpleQueue[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = queue.SimpleQueue()

        async def serve() -> None:
            stop = asyncio.Event()
            server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            started.put((asyncio.get_running_loop(), stop))
            await stop.wait()
            server.close()

        thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        thread.start()
        loop, stop = started.get(timeout=scaled(10))
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(scaled(10))

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                method, path, _ = lines[0].split(" ", 2)
                fields = (line.partition(": ") for line in lines[1:] if line)
                headers = {name.lower(): value for name, _, value in fields}
                data = await reader.readexactly(int(headers.get("content-length", 0)))
                if not await self._respond(writer, method, path, headers, json.loads(data) if data else {}):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _respond(
        self, writer: asyncio.StreamWriter, method: str, path: str, headers: dict[str, str], body: dict[str, Any]
    ) -> bool:
        address = path.partition("?")[0]
        if method == "GET" and address == "/v1/models":
            owner = {"owned_by": self.owned_by} if self.owned_by else {}
            models = [{"id": MODEL} | owner, {"id": "other-model"} | owner]
            return await _send(writer, 200, {"object": "list", "data": models})
        self.seen.append(Seen(path, headers, body))
        if address != "/v1/chat/completions":
            return await _send(writer, 404, {"detail": "Not Found"})
        if self.key is not None and headers.get("authorization") != f"Bearer {self.key}":
            said = f"Incorrect API key provided: {headers.get('authorization')}"
            return await _send(writer, 401, {"error": {"message": said, "code": "invalid_api_key"}})
        if body["model"] != MODEL:
            message = f"The model `{body['model']}` does not exist."
            return await _send(writer, 404, {"error": {"message": message, "code": 404}})
        wanted = body.get("response_format", {}).get("type")
        if wanted and wanted not in self.knows:
            return await _send(writer, 400, {"error": {"message": f"This response_format type {wanted} is unknown"}})
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            return await self._fault_or_answer(writer, body)
        finally:
            self.in_flight -= 1

    async def _fault_or_answer(self, writer: asyncio.StreamWriter, body: dict[str, Any]) -> bool:
        fault = next(self._faults, None)
        self.served[fault or "good"] += 1
        if fault in ("429", "429-date"):
            moment = datetime.now(UTC) + timedelta(seconds=self.retry_after + 1)
            after = format_datetime(moment, usegmt=True) if fault == "429-date" else str(self.retry_after)
            return await _send(writer, 429, {"error": {"message": "Too many requests"}}, f"Retry-After: {after}")
        if fault == "quota":
            return await _send(writer, 429, {"error": {"message": "No credit left", "code": "insufficient_quota"}})
        if fault == "context":
            message = "This model's maximum context length is 64 tokens."
            return await _send(writer, 400, {"error": {"message": message, "code": "context_length_exceeded"}})
        if fault in ("408", "500", "503"):
            return await _send(writer, int(fault), {"error": {"message": "trouble"}})
        if fault == "reset":
            transport_socket = writer.get_extra_info("socket")
            transport_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if fault == "drop":
            return False
        if fault == "stall":
            await asyncio.sleep(30)
            return False
        await asyncio.sleep(self.seconds(body))
        answer = self.answer(body)
        if fault == "cut-off":
            text = json.dumps(answer).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text[: len(text) // 2])
            await writer.drain()
            return False
        if fault == "bad-json":
            return await _send(writer, 200, '{"choices": [{"message": ')
        if fault == "no-choices":
            return await _send(writer, 200, {"error": {"message": "overloaded"}})
        if fault == "out-of-resources":
            return await _send(writer, 200, completion("half a", finish="insufficient_system_resource"))
        return await _send(writer, 200, answer)


async def _send(writer: asyncio.StreamWriter, status: int, answer: dict[str, Any] | str, *headers: str) -> bool:
    data = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
    lines = [f"HTTP/1.1 {status} Status", "Content-Type: application/json", f"Content-Length: {len(data)}", *headers]
    writer.write("\r\n".join([*lines, "", ""]).encode() + data)
    await writer.drain()
    return True
