"""What comes in quick succession, told together: each message of Serve costs some milliseconds of two processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import TypeVar

_T = TypeVar("_T")


async def together(
    items: AsyncGenerator[_T, None], seconds: float = 0, *, quiet_seconds: float | None = None
) -> AsyncGenerator[list[_T], None]:
    """The items, in order: the first one at once, and then those of so many seconds in one list; with 0, those that
    came while the last list was taken. After `quiet_seconds` without any, an empty list.

    What ends the items ends the lists, an exception too, behind the items before it. To stop asking closes the items.
    """
    arrived: list[_T] = []
    news = asyncio.Event()

    async def collect() -> None:
        try:
            async for item in items:
                arrived.append(item)
                news.set()
        finally:
            await items.aclose()

    collecting = asyncio.ensure_future(collect())
    collecting.add_done_callback(lambda _: news.set())
    try:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(quiet_seconds):
                    await news.wait()
            ended = collecting.done()
            news.clear()
            told, arrived = arrived, []
            if told or not ended:
                yield told
            if ended:
                collecting.result()
                return
            if seconds:
                await asyncio.wait({collecting}, timeout=seconds)
    finally:
        collecting.cancel()
        await asyncio.wait({collecting})
