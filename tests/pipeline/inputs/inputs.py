"""Inputs written for a test, and what came out of them."""

from __future__ import annotations

from pathlib import Path

from pipeline.inputs import read_requirements
from pipeline.records import Requirement


def write(path: Path, content: bytes | str) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def rows_of(path: Path, content: bytes | str) -> list[Requirement]:
    return list(read_requirements(write(path, content)))


def kinds(rows: list[Requirement]) -> list[str]:
    """The failure's kind of each row, "" for a good one."""
    return [row.failure.kind if row.failure else "" for row in rows]
