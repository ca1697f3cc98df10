"""What a key may use, reserved before work begins and settled after it, each in one transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass

from serving.store.database import Database
from serving.store.keys import Key

_WINDOW = 60.0


class OverQuota(Exception):
    """A key has used up what it may. `code` is a stable word, `retry_after` the seconds after which it may go on; None
    where waiting does not help."""

    def __init__(self, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code, self.retry_after = code, retry_after


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestRoom:
    """How many requests a key has left in the window."""

    limit: int | None
    remaining: int
    reset: float
    """Seconds until all of them are free again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Used:
    """What was used."""

    projects: int = 0
    completions: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class Quotas:
    """The accounts of all keys in a database. `gateway` reserves."""

    def __init__(self, database: Database, gateway: str = "") -> None:
        self._database, self._gateway = database, gateway

    def count_request(self, key: Key) -> RequestRoom:
        """Counts one request. Raises OverQuota (`rate_limit_exceeded`) for one too many in 60 seconds."""
        limit, now = key.quotas.requests_per_minute, time.time()
        if limit is None:
            return RequestRoom(limit=None, remaining=0, reset=0)
        with self._database.transaction():
            self._database.change("DELETE FROM requests WHERE key = ? AND at <= ?", key.id, now - _WINDOW)
            row = self._database.row("SELECT count(*), min(at) FROM requests WHERE key = ?", key.id)
            assert row is not None
            count, oldest = int(row[0]), row[1]
            if count >= limit:
                wait = max(0.0, oldest + _WINDOW - now)
                raise OverQuota("rate_limit_exceeded", f"this key may make {limit} requests a minute", wait)
            self._database.change("INSERT INTO requests VALUES (?, ?)", key.id, now)
        return RequestRoom(limit=limit, remaining=limit - count - 1, reset=_WINDOW)

    def reserve(self, id: str, key: Key, *, projects: int = 0, tokens: int = 0) -> None:
        """Sets aside what some work can use at most. Raises OverQuota where the key has no room for it. Inside of a
        transaction of the caller's own it is part of that."""
        quotas = key.quotas
        row = self._database.row(
            "SELECT count(*), coalesce(sum(projects), 0), coalesce(sum(tokens), 0) FROM reservations WHERE key = ?",
            key.id,
        )
        assert row is not None
        under_way, reserved_projects, reserved_tokens = row
        if quotas.concurrent is not None and under_way >= quotas.concurrent:
            raise OverQuota("concurrency_exceeded", f"this key may have {quotas.concurrent} under way at once", 1.0)
        used = self.used(key.id)
        if quotas.projects is not None and used.projects + reserved_projects + projects > quotas.projects:
            raise OverQuota("insufficient_quota", f"this key's {quotas.projects} projects are used up")
        if quotas.tokens is not None and used.tokens + reserved_tokens + tokens > quotas.tokens:
            raise OverQuota("insufficient_quota", f"this key's {quotas.tokens} tokens do not suffice for this request")
        self._database.change(
            "INSERT INTO reservations (id, key, created, projects, tokens, gateway) VALUES (?, ?, ?, ?, ?, ?)",
            id, key.id, time.time(), projects, tokens, self._gateway,
        )  # fmt: skip

    def settle(self, id: str, used: Used) -> bool:
        """Gives back what was set aside, and writes down what was used. False where that was done before: it counts
        once. Inside of a transaction of the caller's own it is part of that."""
        key = self._database.value("SELECT key FROM reservations WHERE id = ?", id)
        if key is None:
            return False
        self._database.change("DELETE FROM reservations WHERE id = ?", id)
        day = time.strftime("%Y-%m-%d", time.gmtime())
        self._database.change("INSERT INTO usage (key, day) VALUES (?, ?) ON CONFLICT DO NOTHING", key, day)
        self._database.change(
            "UPDATE usage SET projects = projects + ?, completions = completions + ?, "
            "prompt_tokens = prompt_tokens + ?, completion_tokens = completion_tokens + ? WHERE key = ? AND day = ?",
            used.projects,
            used.completions,
            used.prompt_tokens,
            used.completion_tokens,
            key,
            day,
        )
        return True

    def used(self, key: str) -> Used:
        """What a key has used in all."""
        row = self._database.row(
            "SELECT coalesce(sum(projects), 0), coalesce(sum(completions), 0), coalesce(sum(prompt_tokens), 0), "
            "coalesce(sum(completion_tokens), 0) FROM usage WHERE key = ?",
            key,
        )
        assert row is not None
        return Used(projects=row[0], completions=row[1], prompt_tokens=row[2], completion_tokens=row[3])

    def by_day(self, key: str) -> list[dict[str, object]]:
        """What a key has used, a day an entry."""
        rows = self._database.rows(
            "SELECT day, projects, completions, prompt_tokens, completion_tokens FROM usage WHERE key = ? ORDER BY day",
            key,
        )
        return [dict(row) for row in rows]
