"""A language model behind the response cache: what was answered once is not asked again."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from pipeline.llm.protocol import LLM, ChatReply, ChatRequest
from pipeline.llm.spending.cache import ResponseCache, request_key

_THREADS = 32
"""Entries that a process reads and writes at once."""


class _Abandoned(Exception):
    """The call that others waited for was cancelled: one of them has to make it."""


class CachedLLM:
    """`inner`, asked only for what the cache does not hold. Equal requests under way at once, from whichever event loop
    of the process, are one call. Whole replies are kept; what was cut by its length or a filter is asked for again.

    A reply that cost no call of its own has `cached` set, and as `seconds` the time that this request waited.
    """

    def __init__(self, inner: LLM, cache: ResponseCache) -> None:
        self.model = inner.model
        self._inner, self._cache = inner, cache
        self._under_way: dict[str, Future[ChatReply]] = {}
        self._lock = threading.Lock()
        # Storage may be far away: waiting for it takes place beside the event loop, in more threads than asyncio has.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="llm-cache")

    async def chat(self, request: ChatRequest) -> ChatReply:
        """The cache's reply, or else the model's. Raises what the model raises."""
        start, key = time.monotonic(), request_key(self.model, request)
        while True:
            with self._lock:
                waiting = self._under_way.get(key)
                mine: Future[ChatReply] = Future()
                if waiting is None:
                    mine.set_running_or_notify_cancel()  # so that no waiter's cancellation cancels it for all
                    self._under_way[key] = mine
            if waiting is None:
                return await self._lead(key, request, mine, start)
            try:
                reply = await asyncio.wrap_future(waiting)
            except _Abandoned:
                continue
            return replace(reply, cached=True, seconds=time.monotonic() - start)

    async def _lead(self, key: str, request: ChatRequest, shared: Future[ChatReply], start: float) -> ChatReply:
        loop = asyncio.get_running_loop()
        try:
            reply = await loop.run_in_executor(self._threads, self._cache.get, key)
            if reply is None or reply.finish_reason != "stop":
                reply = await self._inner.chat(request)
                if reply.finish_reason == "stop":
                    await loop.run_in_executor(self._threads, self._cache.put, key, self.model, reply, request)
            else:
                reply = replace(reply, seconds=time.monotonic() - start)
        except Exception as error:  # what the model raises, all who wait for it shall raise
            self._settle(key)
            shared.set_exception(error)
            raise
        except BaseException:  # this call alone was cancelled
            self._settle(key)
            shared.set_exception(_Abandoned())
            raise
        self._settle(key)
        shared.set_result(reply)
        return reply

    def _settle(self, key: str) -> None:
        with self._lock:
            del self._under_way[key]
