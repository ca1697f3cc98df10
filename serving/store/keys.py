"""API keys: kept as digests, each with scopes, an end and limits. And the sessions of the page, which belong to one."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from serving.settings import QuotaSettings
from serving.store.connection import Row
from serving.store.database import Database

SCOPES = ("projects", "completions", "admin")
"""What a key may be for: projects and plans; the code model itself; keys and everybody's usage."""

_PREFIX = "dlc_"
"""Tells scanners of source code, and people, what such a string is."""

SESSION_SECONDS = 7 * 24 * 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """A key, without the secret, which nobody keeps."""

    id: str
    """What lists and logs call it."""

    name: str
    """Whose it is, in words."""

    scopes: tuple[str, ...]
    """Of SCOPES."""

    created: float
    """Seconds since 1970, as all times here."""

    expires: float | None
    """When it ends by itself."""

    revoked: float | None
    """When it was ended."""

    quotas: QuotaSettings
    """What it may use."""

    @property
    def valid(self) -> bool:
        return self.revoked is None and (self.expires is None or self.expires > time.time())


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """Somebody who gave a key to the page."""

    key: Key
    csrf: str
    """What the page's own forms carry, and no other site knows."""


class Keys:
    """The keys in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        name: str,
        quotas: QuotaSettings,
        scopes: Sequence[str] = ("projects", "completions"),
        days: float | None = None,
    ) -> tuple[Key, str]:
        """A new key, and its secret, which is shown this once."""
        secret = _PREFIX + secrets.token_urlsafe(32)
        now = time.time()
        expires = None if days is None else now + days * 86_400
        row = (f"key_{secrets.token_hex(6)}", name, _digest(secret), " ".join(scopes), now, expires)
        limits = (quotas.requests_per_minute, quotas.concurrent, quotas.projects, quotas.tokens)
        self._database.change(
            "INSERT INTO keys (id, name, digest, scopes, created, expires, requests_per_minute, concurrent, projects, "
            "tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *row,
            *limits,
        )
        key = self._database.row("SELECT * FROM keys WHERE id = ?", row[0])
        assert key is not None
        return _key(key), secret

    def find(self, secret: str) -> Key | None:
        """The valid key with this secret. Secrets are random, so a plain digest tells nothing about them."""
        row = self._database.row("SELECT * FROM keys WHERE digest = ?", _digest(secret))
        key = None if row is None else _key(row)
        return key if key is not None and key.valid else None

    def all(self) -> list[Key]:
        """All keys, ended ones included, the oldest first."""
        return [_key(row) for row in self._database.rows("SELECT * FROM keys ORDER BY created, id")]

    def revoke(self, id: str) -> bool:
        """Ends a key and its sessions; False where there is no such key."""
        with self._database.transaction():
            self._database.change("DELETE FROM sessions WHERE key = ?", id)
            return bool(
                self._database.change("UPDATE keys SET revoked = coalesce(revoked, ?) WHERE id = ?", time.time(), id)
            )

    def open_session(self, key: Key) -> tuple[str, Session]:
        """A new session of the page for a key, and the token that its cookie holds."""
        token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self._database.change("DELETE FROM sessions WHERE expires < ?", time.time())
        expires = time.time() + SESSION_SECONDS
        self._database.change("INSERT INTO sessions VALUES (?, ?, ?, ?)", _digest(token), key.id, csrf, expires)
        return token, Session(key=key, csrf=csrf)

    def session(self, token: str) -> Session | None:
        """The session of a cookie, while it and its key are valid."""
        row = self._database.row(
            "SELECT keys.*, sessions.csrf AS csrf FROM sessions JOIN keys ON keys.id = sessions.key "
            "WHERE sessions.digest = ? AND sessions.expires > ?",
            _digest(token),
            time.time(),
        )
        if row is None or not _key(row).valid:
            return None
        return Session(key=_key(row), csrf=row["csrf"])

    def close_session(self, token: str) -> None:
        """Ends a session; one that is not there is no error."""
        self._database.change("DELETE FROM sessions WHERE digest = ?", _digest(token))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _key(row: Row) -> Key:
    quotas = QuotaSettings(
        requests_per_minute=row["requests_per_minute"],
        concurrent=row["concurrent"],
        projects=row["projects"],
        tokens=row["tokens"],
    )
    return Key(
        id=row["id"],
        name=row["name"],
        scopes=tuple(row["scopes"].split()),
        created=row["created"],
        expires=row["expires"],
        revoked=row["revoked"],
        quotas=quotas,
    )
