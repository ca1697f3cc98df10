"""Versions of what this program writes to be read again: folders of work, Parquet files, cached replies.

Each kind of folder has one number, beside the code that writes it. It is raised when a reader of the old files would
misread the new ones, or the other way round; the code that raises it also says how the older files are read.
"""

from __future__ import annotations

from pipeline.errors import DLCodeGenError

UNNAMED_VERSION = 1
"""The version of what names none: it was written before there were versions."""


def check_version(version: int, known: int, holder: str, way_out: str) -> None:
    """Raises DLCodeGenError where `holder` was written by a newer version of this program than this one."""
    if version > known:
        raise DLCodeGenError(
            f"{holder} was written by a newer version of this program (layout {version}, known here: {known}); "
            f"update this program, or {way_out}"
        )
