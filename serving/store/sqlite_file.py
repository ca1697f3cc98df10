"""The service's database in an SQLite file."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence

from pipeline.errors import DLCodeGenError
from serving.store.connection import DatabaseFault

_BUSY_SECONDS = 10


class SQLiteFile:
    """A connection to the file, which is made where it is not there."""

    def __init__(self, path: str) -> None:
        """Raises DLCodeGenError for a file of another kind, DatabaseFault where it cannot be opened."""
        self._path = path
        new = not os.path.exists(path)
        try:
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            if new:
                os.chmod(path, 0o600)  # it holds what users asked for
        except (sqlite3.Error, OSError) as error:
            raise self._fault(error) from error
        self._connection.row_factory = sqlite3.Row
        self.execute("PRAGMA journal_mode = WAL")
        self.execute("PRAGMA synchronous = NORMAL")
        self.execute("PRAGMA foreign_keys = ON")

    def execute(self, statement: str, values: Sequence[object] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.IntegrityError:
            raise
        except sqlite3.DatabaseError as error:
            if "not a database" in str(error):
                raise DLCodeGenError(f"serve.database={self._path}: this file is no SQLite database") from error
            raise self._fault(error) from error

    def begin(self) -> None:
        self.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:  # a fault may have ended it
            self.execute("ROLLBACK")

    def version(self) -> int:
        return int(self.execute("PRAGMA user_version").fetchone()[0])

    def set_version(self, version: int) -> None:
        self.execute(f"PRAGMA user_version = {version:d}")

    def close(self) -> None:
        self._connection.close()

    def _fault(self, error: Exception) -> DatabaseFault:
        return DatabaseFault(f"serve.database={self._path}: {error}; see that its folder is there and can be written")
