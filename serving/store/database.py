"""The SQLite file behind the service: its tables, and transactions.

One machine only: SQLite's locks do not hold on network file systems. All statements are short, so they run where they
are asked for, in the event loop.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.errors import DLCodeGenError, FaultError

VERSION = 1
"""The layout of the tables. A file of a higher one was written by a newer program, and is refused."""

_BUSY_SECONDS = 10

_TABLES = """
CREATE TABLE keys (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL,
    created REAL NOT NULL, expires REAL, revoked REAL,
    requests_per_minute INTEGER, concurrent INTEGER, projects INTEGER, tokens INTEGER
);
CREATE TABLE requests (key TEXT NOT NULL REFERENCES keys, at REAL NOT NULL);
CREATE INDEX requests_by_key ON requests (key, at);
CREATE TABLE reservations (
    id TEXT PRIMARY KEY, key TEXT NOT NULL REFERENCES keys, created REAL NOT NULL,
    projects INTEGER NOT NULL, tokens INTEGER NOT NULL
);
CREATE INDEX reservations_by_key ON reservations (key);
CREATE TABLE usage (
    key TEXT NOT NULL REFERENCES keys, day TEXT NOT NULL,
    projects INTEGER NOT NULL DEFAULT 0, completions INTEGER NOT NULL DEFAULT 0,
    prompt_tokens INTEGER NOT NULL DEFAULT 0, completion_tokens INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (key, day)
);
CREATE TABLE projects (
    id TEXT PRIMARY KEY, key TEXT NOT NULL REFERENCES keys, parent TEXT, created REAL NOT NULL, finished REAL,
    status TEXT NOT NULL, title TEXT NOT NULL, start BLOB NOT NULL, begin INTEGER NOT NULL, record BLOB
);
CREATE INDEX projects_by_key ON projects (key, created);
CREATE TABLE events (
    project TEXT NOT NULL REFERENCES projects ON DELETE CASCADE, number INTEGER NOT NULL, at REAL NOT NULL,
    name TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (project, number)
);
CREATE TABLE feedback (
    project TEXT PRIMARY KEY REFERENCES projects ON DELETE CASCADE, at REAL NOT NULL, data TEXT NOT NULL
);
CREATE TABLE idempotency (
    key TEXT NOT NULL REFERENCES keys, name TEXT NOT NULL, digest TEXT NOT NULL, project TEXT NOT NULL,
    at REAL NOT NULL, PRIMARY KEY (key, name)
);
CREATE TABLE sessions (
    digest TEXT PRIMARY KEY, key TEXT NOT NULL REFERENCES keys, csrf TEXT NOT NULL, expires REAL NOT NULL
);
"""


class Database:
    """A connection to the file, which is made where it is not there."""

    def __init__(self, path: str) -> None:
        """Raises DLCodeGenError for what is no database of ours, FaultError where it cannot be opened or written."""
        if "://" in path:
            raise DLCodeGenError(f"serve.database={path}: this version keeps its projects in a local SQLite file")
        try:
            new = not os.path.exists(path)
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            if new:
                os.chmod(path, 0o600)  # it holds what users asked for
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._make_tables(path)
        except sqlite3.DatabaseError as error:
            if "not a database" in str(error):
                raise DLCodeGenError(f"serve.database={path}: this file is no SQLite database") from error
            raise FaultError(
                f"serve.database={path}: {error}; see that its folder is there and can be written"
            ) from error

    def _make_tables(self, path: str) -> None:
        with self.transaction():
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise DLCodeGenError(f"serve.database={path}: written by a newer version of this program")
            if version == 0:
                for statement in _TABLES.split(";"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """What a query gives."""
        return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: object) -> sqlite3.Row | None:
        """The first row that a query gives."""
        found: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
        return found

    def value(self, statement: str, *values: object) -> Any:
        """The first value of the first row; None without one."""
        found = self.row(statement, *values)
        return None if found is None else found[0]

    def change(self, statement: str, *values: object) -> int:
        """How many rows a statement changed."""
        return self._connection.execute(statement, values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block's changes or none; nobody else writes meanwhile."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()
