"""What the service's database has to be able to do, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from pipeline.errors import FaultError


class DatabaseFault(FaultError):
    """The database cannot be reached, read or written just now."""


class Row(Protocol):
    """A row of a result: values by place and by name, and in order."""

    def __getitem__(self, key: Any, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...

    def keys(self) -> Any: ...


class Cursor(Protocol):
    """What a statement gave or did."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Row | None: ...

    def fetchall(self) -> Sequence[Row]: ...


class Connection(Protocol):
    """One connection. Everything raises DatabaseFault where the database does not do it."""

    def execute(self, statement: str, values: Sequence[object] = ()) -> Cursor:
        """Runs one statement."""

    def begin(self) -> None:
        """Begins a transaction that no other one runs beside."""

    def commit(self) -> None:
        """Keeps what was changed since."""

    def rollback(self) -> None:
        """Forgets what was changed since."""

    def version(self) -> int:
        """The layout of the tables; 0 where there are none. Inside of a transaction."""

    def set_version(self, version: int) -> None:
        """Writes the layout down."""

    def close(self) -> None:
        """Ends the connection."""
