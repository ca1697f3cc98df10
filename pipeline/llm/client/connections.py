"""Many connections to one endpoint, in small pools."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from pipeline.foreign_text import masked_url

_POOL_CONNECTIONS = 8
"""Connections of one pool; see `Connections` for why there are many small pools."""

_CONNECT_SECONDS = 10.0
"""Longest time to connect; how long an answer may take is the caller's to say."""

_KEEPALIVE_SECONDS = 30.0
"""How long an idle connection is kept."""


def _mask_address(record: logging.LogRecord) -> bool:
    """httpx logs the address of every request."""
    if isinstance(record.args, tuple):
        record.args = tuple(masked_url(str(part)) if isinstance(part, httpx.URL) else part for part in record.args)
    return True


class Connections:
    """Up to `number` connections of one event loop to `base_url`, whose query goes with every request.

    httpx (httpcore 1.0) goes through all connections of a pool several times a request, and for each idle one through
    all of them again: with 64 in one pool that takes longer than many a request. So they are spread over pools of 8.
    """

    def __init__(self, base_url: httpx.URL, number: int, headers: Mapping[str, str]) -> None:
        logging.getLogger("httpx").addFilter(_mask_address)
        limits = httpx.Limits(
            max_connections=_POOL_CONNECTIONS,
            max_keepalive_connections=_POOL_CONNECTIONS,
            keepalive_expiry=_KEEPALIVE_SECONDS,
        )
        timeout = httpx.Timeout(None, connect=_CONNECT_SECONDS)
        certificates = httpx.create_ssl_context()  # reading the certificates takes 20 ms, so it is done once
        self._clients = [
            httpx.AsyncClient(
                base_url=base_url.copy_with(query=None, fragment=None),
                params=base_url.params,  # joined to a path, the query would be lost
                headers=dict(headers),
                timeout=timeout,
                limits=limits,
                verify=certificates,
            )
            for _ in range(math.ceil(number / _POOL_CONNECTIONS))
        ]
        self._busy = [0] * len(self._clients)

    @contextmanager
    def client(self) -> Iterator[httpx.AsyncClient]:
        """A client for one request, of the pool with the fewest under way."""
        pool = self._busy.index(min(self._busy))
        self._busy[pool] += 1
        try:
            yield self._clients[pool]
        finally:
            self._busy[pool] -= 1

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()
