"""Errors that users can act on, and failures that stay with their row."""

from __future__ import annotations

from collections.abc import Mapping


class DLCodeGenError(Exception):
    """A mistake in how the program was called or set up; the message names the cause and the way out."""


class FaultError(DLCodeGenError):
    """What a machine, a network or a store did to a job that was called rightly; the message names the way out."""


class StorageError(FaultError, OSError):
    """A file that cannot be written: a full or read-only disk, a quota, a missing right, a store that refuses."""


class BudgetSpent(DLCodeGenError):
    """The next call could exceed what the run may spend. Rows that are not finished stay to be done later."""


class StageFailure(Exception):
    """An expected failure of one row in one stage. It becomes the row's `failure`; the job goes on.

    `kind` is a stable snake_case word that can be counted and filtered, `str(error)` the reason in plain words. `added`
    are fields of the stage that the row keeps all the same: what was found, or paid for, before it failed.
    """

    def __init__(self, kind: str, message: str, *, added: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.added: Mapping[str, object] = added or {}
