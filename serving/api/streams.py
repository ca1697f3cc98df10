"""Server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi.responses import StreamingResponse

from serving.together import together

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


def event_stream(events: AsyncGenerator[str, None], headers: dict[str, str] | None = None) -> StreamingResponse:
    """The events as a response, with comments while there are none."""
    quiet = {"X-Accel-Buffering": "no"} | (headers or {})
    return StreamingResponse(_kept_alive(events), media_type="text/event-stream", headers=quiet)


async def _kept_alive(events: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    async with aclosing(together(events, quiet_seconds=_QUIET_SECONDS)) as lists:
        async for several in lists:
            yield "".join(several) or ": still here\n\n"
