"""Errors that users can act on, and failures that stay with their row."""

from __future__ import annotations


class DLCodeGenError(Exception):
    """A mistake in how the program was called or set up; the message names the cause and the way out."""


class StageFailure(Exception):
    """An expected failure of one row in one stage. It becomes the row's `failure`; the job goes on.

    `kind` is a stable snake_case word that can be counted and filtered, `str(error)` the reason in plain words.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
