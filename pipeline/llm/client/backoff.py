"""How long to wait before asking again."""

from __future__ import annotations

import random
import time
from email.utils import parsedate_to_datetime

_BASE, _LONGEST = 0.25, 30.0
"""Seconds: the pause after the first failure is at most twice the one, any later one at most the other."""

_LONGEST_BY_SERVER = 300.0
"""Seconds that a server's wish is followed to at most."""


def pause(attempt: int, server_seconds: float | None = None) -> float:
    """Seconds before the next attempt; `attempt` counts those made from 1.

    Exponential with full jitter (Brooker, "Exponential Backoff And Jitter", AWS, 2015). The `server_seconds` of a
    `Retry-After` header are kept, with a little jitter on top, so that not all who were sent away come back at once.
    """
    jitter = random.uniform(0, min(_LONGEST, _BASE * 2**attempt))
    if server_seconds is None:
        return jitter
    return min(server_seconds, _LONGEST_BY_SERVER) + min(jitter, 1 + server_seconds / 4)


def retry_after(header: str | None) -> float | None:
    """Seconds of a `Retry-After` header, which holds a number or a date (RFC 9110, 10.2.3); None without one."""
    if not header:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
