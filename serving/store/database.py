"""The database behind the service: its tables, statements and transactions, on SQLite or PostgreSQL.

SQLite's file is for one machine: its locks do not hold on network file systems. A PostgreSQL server is for several
gateways, on whatever machines. All statements are short, so they run where they are asked for, in the event loop. They
are written once, in what both speak; values stand as `?`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.errors import DLCodeGenError
from pipeline.foreign_text import masked_url
from serving.settings import on_server
from serving.store.connection import Connection, Row
from serving.store.sqlite_file import SQLiteFile

VERSION = 2
"""The layout of the tables. A database of a higher one was written by a newer program, and is refused."""

_TABLES = """
CREATE TABLE keys (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL,
    created DOUBLE PRECISION NOT NULL, expires DOUBLE PRECISION, revoked DOUBLE PRECISION,
    requests_per_minute BIGINT, concurrent BIGINT, projects BIGINT, tokens BIGINT
);
CREATE TABLE requests (key TEXT NOT NULL REFERENCES keys, at DOUBLE PRECISION NOT NULL);
CREATE INDEX requests_by_key ON requests (key, at);
CREATE TABLE reservations (
    id TEXT PRIMARY KEY, key TEXT NOT NULL REFERENCES keys, created DOUBLE PRECISION NOT NULL,
    projects BIGINT NOT NULL, tokens BIGINT NOT NULL
);
CREATE INDEX reservations_by_key ON reservations (key);
CREATE TABLE usage (
    key TEXT NOT NULL REFERENCES keys, day TEXT NOT NULL,
    projects BIGINT NOT NULL DEFAULT 0, completions BIGINT NOT NULL DEFAULT 0,
    prompt_tokens BIGINT NOT NULL DEFAULT 0, completion_tokens BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (key, day)
);
CREATE TABLE projects (
    id TEXT PRIMARY KEY, key TEXT NOT NULL REFERENCES keys, parent TEXT, created DOUBLE PRECISION NOT NULL,
    finished DOUBLE PRECISION, status TEXT NOT NULL, title TEXT NOT NULL, start BYTEA NOT NULL, begin BIGINT NOT NULL,
    record BYTEA
);
CREATE INDEX projects_by_key ON projects (key, created);
CREATE TABLE events (
    project TEXT NOT NULL REFERENCES projects ON DELETE CASCADE, number BIGINT NOT NULL, at DOUBLE PRECISION NOT NULL,
    name TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (project, number)
);
CREATE TABLE feedback (
    project TEXT PRIMARY KEY REFERENCES projects ON DELETE CASCADE, at DOUBLE PRECISION NOT NULL, data TEXT NOT NULL
);
CREATE TABLE idempotency (
    key TEXT NOT NULL REFERENCES keys, name TEXT NOT NULL, digest TEXT NOT NULL, project TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL, PRIMARY KEY (key, name)
);
CREATE TABLE sessions (
    digest TEXT PRIMARY KEY, key TEXT NOT NULL REFERENCES keys, csrf TEXT NOT NULL, expires DOUBLE PRECISION NOT NULL
);
"""
"""Layout 1, which has no gateways."""

_GATEWAYS = """
CREATE TABLE gateways (id TEXT PRIMARY KEY, seen DOUBLE PRECISION NOT NULL);
ALTER TABLE projects ADD COLUMN gateway TEXT;
ALTER TABLE projects ADD COLUMN unwanted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE reservations ADD COLUMN gateway TEXT;
"""
"""Layout 2: who works on a project, and whether it is to be ended."""

_LAYOUTS = (_TABLES, _GATEWAYS)


class Database:
    """A connection to the file or the server. Tables that are not there yet are made."""

    def __init__(self, address: str) -> None:
        """`address` is a file's path or `postgresql://...`. Raises DLCodeGenError for what is no database of
        ours, DatabaseFault where it cannot be opened or written, now or by any statement later."""
        self.is_shared = on_server(address)
        """Whether several gateways can use it."""
        self._connection = _connected(address)
        with self.transaction():
            version = self._connection.version()
            if version > VERSION:
                raise DLCodeGenError(
                    f"serve.database={masked_url(address)}: written by a newer version of this program"
                )
            for layout in _LAYOUTS[version:]:
                for statement in filter(str.strip, layout.split(";")):
                    self._connection.execute(statement)
            if version < VERSION:
                self._connection.set_version(VERSION)

    def rows(self, statement: str, *values: object) -> list[Row]:
        """What a query gives."""
        return list(self._connection.execute(statement, values).fetchall())

    def row(self, statement: str, *values: object) -> Row | None:
        """The first row that a query gives."""
        return self._connection.execute(statement, values).fetchone()

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
        self._connection.begin()
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


def _connected(address: str) -> Connection:
    if not on_server(address):
        if "://" in address:
            raise DLCodeGenError(
                f"serve.database={masked_url(address)}: give a file's path, or postgresql://USER@HOST/NAME"
            )
        return SQLiteFile(address)
    try:
        from serving.store.postgresql import PostgreSQL
    except ImportError as error:
        raise DLCodeGenError(
            f"serve.database={masked_url(address)} needs psycopg: pip install 'dlcodegen-ray[postgresql]'"
        ) from error
    return PostgreSQL(address)
