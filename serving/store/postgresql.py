"""The service's database on a PostgreSQL server, which several gateways share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg.types.numeric import IntLoader

from pipeline.foreign_text import masked_url
from serving.store.connection import DatabaseFault

_ONE_AT_A_TIME = 4_711_000_815
"""The advisory lock that every transaction of ours holds: what it read is true until it has written."""

_SECONDS = 10
"""What connecting, a lock and a statement may take each; the event loop waits for them."""

_OPTIONS = f"-c lock_timeout={_SECONDS}s -c statement_timeout={_SECONDS}s"


class PostgreSQL:
    """A connection to the server. One that was lost is made anew by the next statement outside of a transaction."""

    def __init__(self, url: str) -> None:
        """Passwords may stand in PGPASSWORD or ~/.pgpass instead. Raises DatabaseFault where the server is not
        reached."""
        self._url = url
        self._connection = self._connected()
        self._in_transaction = False

    def execute(self, statement: str, values: Sequence[object] = ()) -> psycopg.Cursor[_Row]:
        again = not self._in_transaction and statement.startswith(("SELECT", "BEGIN"))  # does no harm twice
        if self._connection.closed and not self._in_transaction:
            self._connection = self._connected()
        try:
            return self._run(statement, values)
        except psycopg.IntegrityError:
            raise
        except psycopg.Error as error:
            if not (again and self._connection.closed):
                raise self._fault(error) from error
        self._connection = self._connected()
        return self._run(statement, values)

    def _run(self, statement: str, values: Sequence[object]) -> psycopg.Cursor[_Row]:
        return self._connection.execute(statement.replace("?", "%s"), values)

    def begin(self) -> None:
        self.execute("BEGIN")
        self._in_transaction = True
        try:
            self.execute("SELECT pg_advisory_xact_lock(?)", (_ONE_AT_A_TIME,))
        except DatabaseFault:
            self.rollback()
            raise

    def commit(self) -> None:
        try:
            self.execute("COMMIT")
        finally:
            self._in_transaction = False

    def rollback(self) -> None:
        self._in_transaction = False
        if not self._connection.closed:  # else the server has
            self.execute("ROLLBACK")

    def version(self) -> int:
        self.execute("CREATE TABLE IF NOT EXISTS layout (version BIGINT NOT NULL)")
        found = self.execute("SELECT version FROM layout").fetchone()
        return 0 if found is None else int(found[0])

    def set_version(self, version: int) -> None:
        self.execute("DELETE FROM layout")
        self.execute("INSERT INTO layout VALUES (?)", (version,))

    def close(self) -> None:
        self._connection.close()

    def _connected(self) -> psycopg.Connection[_Row]:
        try:
            connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=_SECONDS, options=_OPTIONS, row_factory=_rows
            )
        except psycopg.Error as error:
            raise self._fault(error) from error
        connection.adapters.register_loader("numeric", IntLoader)  # sums of whole numbers
        return connection

    def _fault(self, error: Exception) -> DatabaseFault:
        words = " ".join(str(error).split())
        return DatabaseFault(f"serve.database={masked_url(self._url)}: {words}")


class _Row:
    """A row as SQLite's: by place, by name, in order."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: Sequence[str], values: Sequence[Any]) -> None:
        self._names, self._values = names, values

    def __getitem__(self, key: int | str) -> Any:
        return self._values[key if isinstance(key, int) else self._names.index(key)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def keys(self) -> Sequence[str]:
        return self._names


def _rows(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], _Row]:
    names = [column.name for column in cursor.description or ()]
    return lambda values: _Row(names, values)
