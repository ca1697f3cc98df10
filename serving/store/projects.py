"""Projects: what was asked, how far they are, their events, and the finished row. Each belongs to a key."""

from __future__ import annotations

import json
import secrets
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

from pipeline.records import Planned, Requirement, Scored, Understood
from serving.store.connection import Row
from serving.store.database import Database

Status = Literal["under_way", "completed", "failed", "cancelled"]

FINISHED = ("completed", "failed", "cancelled")

_STARTS: dict[str, TypeAdapter[Any]] = {kind.__name__: TypeAdapter(kind) for kind in (Requirement, Understood, Planned)}
"""The records that a project can begin with: a request, or one whose understanding or plan somebody edited."""

_SCORED = TypeAdapter(Scored)

_REPEAT_SECONDS = 24 * 3600.0
"""How long an Idempotency-Key is remembered."""

_FASTEST = 1  # of zlib's levels: a record shrinks to a sixth in 2 ms


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A project, without its row."""

    id: str
    key: str
    parent: str | None
    """The project that it goes on from."""
    created: float
    finished: float | None
    status: Status
    title: str
    """The requirement's beginning."""
    begin: int
    """The place of the stage that it begins with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One step of a project, as clients see it."""

    number: int
    """From 1, without gaps."""
    at: float
    name: str
    data: dict[str, Any]


class RepeatedDifferently(Exception):
    """An Idempotency-Key that was used for another request."""


class Projects:
    """The projects in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def new_id(self) -> str:
        return f"prj_{secrets.token_hex(12)}"

    def add(
        self, id: str, key: str, start: Requirement, begin: int, parent: str | None = None, gateway: str = ""
    ) -> Project:
        """A project that is under way from now on, at that gateway. Inside of a transaction of the caller's own it is
        part of that."""
        title = " ".join(start.requirement.split())[:120]
        kept = _packed([type(start).__name__, _STARTS[type(start).__name__].dump_python(start, mode="json")])
        self._database.change(
            "INSERT INTO projects (id, key, parent, created, status, title, start, begin, gateway) "
            "VALUES (?, ?, ?, ?, 'under_way', ?, ?, ?, ?)",
            id, key, parent, time.time(), title, kept, begin, gateway,
        )  # fmt: skip
        found = self.find(id, key)
        assert found is not None
        return found

    def find(self, id: str, key: str) -> Project | None:
        """The project of that id, if it is the key's."""
        row = self._database.row("SELECT * FROM projects WHERE id = ? AND key = ?", id, key)
        return None if row is None else _project(row)

    def under_way(self, gateway: str) -> list[Project]:
        """The projects that a gateway works on."""
        rows = self._database.rows("SELECT * FROM projects WHERE status = 'under_way' AND gateway = ?", gateway)
        return [_project(row) for row in rows]

    def abandon(self, id: str) -> None:
        """Notes that nobody wants a project any more, for the gateway that works on it."""
        self._database.change("UPDATE projects SET unwanted = 1 WHERE id = ? AND status = 'under_way'", id)

    def abandoned(self, gateway: str) -> list[str]:
        """Which of a gateway's projects nobody wants any more."""
        rows = self._database.rows(
            "SELECT id FROM projects WHERE status = 'under_way' AND gateway = ? AND unwanted = 1", gateway
        )
        return [row["id"] for row in rows]

    def of_key(self, key: str, most: int = 50, before: float | None = None) -> list[Project]:
        """The key's projects, the newest first."""
        rows = self._database.rows(
            "SELECT * FROM projects WHERE key = ? AND created < ? ORDER BY created DESC LIMIT ?",
            key,
            time.time() + 1 if before is None else before,
            most,
        )
        return [_project(row) for row in rows]

    def start_of(self, id: str) -> Requirement:
        """The record that the project begins with."""
        name, values = _unpacked(self._database.value("SELECT start FROM projects WHERE id = ?", id))
        start: Requirement = _STARTS[name].validate_python(values)
        return start

    def record_of(self, id: str) -> Scored | None:
        """The finished row; None while it is under way, and for a project that was cancelled."""
        kept = self._database.value("SELECT record FROM projects WHERE id = ?", id)
        return None if kept is None else _SCORED.validate_python(_unpacked(kept))

    def finish(self, id: str, status: Status, record: Scored | None) -> bool:
        """Ends a project; False where it has ended before, or is gone."""
        kept = None if record is None else _packed(_SCORED.dump_python(record, mode="json"))
        return bool(
            self._database.change(
                "UPDATE projects SET status = ?, finished = ?, record = ? WHERE id = ? AND status = 'under_way'",
                status,
                time.time(),
                kept,
                id,
            )
        )

    def delete(self, id: str) -> None:
        """Deletes a project with its events, rating and row."""
        self._database.change("DELETE FROM projects WHERE id = ?", id)

    def delete_expired(self, days: float) -> int:
        """Deletes what was finished longer ago, and forgets old Idempotency-Keys."""
        self._database.change("DELETE FROM idempotency WHERE at < ?", time.time() - _REPEAT_SECONDS)
        return self._database.change("DELETE FROM projects WHERE finished < ?", time.time() - days * 86_400)

    def append(self, id: str, name: str, data: Mapping[str, Any]) -> Event | None:
        """The project's next event; None where the project is gone."""
        number = 1 + (self._database.value("SELECT max(number) FROM events WHERE project = ?", id) or 0)
        now = time.time()
        added = self._database.change(
            "INSERT INTO events SELECT id, ?, ?, ?, ? FROM projects WHERE id = ?",
            number,
            now,
            name,
            json.dumps(data, ensure_ascii=False),
            id,
        )
        return Event(number=number, at=now, name=name, data=dict(data)) if added else None

    def events(self, id: str, after: int = 0) -> list[Event]:
        """The project's events behind a number."""
        rows = self._database.rows("SELECT * FROM events WHERE project = ? AND number > ? ORDER BY number", id, after)
        return [
            Event(number=row["number"], at=row["at"], name=row["name"], data=json.loads(row["data"])) for row in rows
        ]

    def rate(self, id: str, rating: Mapping[str, Any]) -> None:
        """Keeps somebody's rating of a project, instead of an earlier one."""
        self._database.change(
            "INSERT INTO feedback (project, at, data) VALUES (?, ?, ?) "
            "ON CONFLICT (project) DO UPDATE SET at = excluded.at, data = excluded.data",
            id,
            time.time(),
            json.dumps(rating),
        )

    def rating_of(self, id: str) -> dict[str, Any] | None:
        kept = self._database.value("SELECT data FROM feedback WHERE project = ?", id)
        return None if kept is None else dict(json.loads(kept))

    def repeated(self, key: str, name: str, digest: str) -> str | None:
        """The project that an Idempotency-Key has made in the last 24 hours. Raises RepeatedDifferently where it was
        for another request (by `digest`)."""
        row = self._database.row("SELECT * FROM idempotency WHERE key = ? AND name = ?", key, name)
        if row is None or row["at"] < time.time() - _REPEAT_SECONDS:
            return None
        if row["digest"] != digest:
            raise RepeatedDifferently
        return str(row["project"])

    def remember(self, key: str, name: str, digest: str, project: str) -> None:
        """Keeps which project an Idempotency-Key has made."""
        self._database.change(
            "INSERT INTO idempotency (key, name, digest, project, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key, name) "
            "DO UPDATE SET digest = excluded.digest, project = excluded.project, at = excluded.at",
            key,
            name,
            digest,
            project,
            time.time(),
        )


def _packed(value: object) -> bytes:
    return zlib.compress(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), _FASTEST)


def _unpacked(kept: bytes) -> Any:
    return json.loads(zlib.decompress(kept))


def _project(row: Row) -> Project:
    return Project(
        id=row["id"],
        key=row["key"],
        parent=row["parent"],
        created=row["created"],
        finished=row["finished"],
        status=row["status"],
        title=row["title"],
        begin=row["begin"],
    )
