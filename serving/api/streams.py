"""Server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi.responses import StreamingResponse

_QUIET_SECONDS = 15.0
"""After which a comment is sent, so that nothing on the way takes the connection for dead."""


def event_lines(data: Any, *, name: str | None = None, number: int | None = None) -> str:
    """One event. JSON has no line breaks of its own."""
    lines = []
    if number is not None:
        lines.append(f"id: {number}")
    if name is not None:
        lines.append(f"event: {name}")
    lines.append(f"data: {data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)}")
    return "\n".join(lines) + "\n\n"


def event_stream(events: AsyncIterator[str], headers: dict[str, str] | None = None) -> StreamingResponse:
    """The events as a response, with comments while there are none."""
    quiet = {"X-Accel-Buffering": "no"} | (headers or {})
    return StreamingResponse(_kept_alive(events), media_type="text/event-stream", headers=quiet)


async def _kept_alive(events: AsyncIterator[str]) -> AsyncIterator[str]:
    waiting: asyncio.Task[str] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait({waiting}, timeout=_QUIET_SECONDS)
            if not done:
                yield ": still here\n\n"
                continue
            try:
                event = waiting.result()
            except StopAsyncIteration:
                return
            waiting = None
            yield event
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait({waiting})
        await events.aclose()  # type: ignore[attr-defined]
