"""The digest by which two notebooks count as exact duplicates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def normalised_code(cells: Iterable[str]) -> str:
    """The code cells as lines, without blank lines and trailing blanks, whatever cells they are divided into."""
    return "\n".join(filter(None, map(str.rstrip, "\n".join(cells).split("\n"))))


def code_digest(cells: Iterable[str]) -> str:
    """SHA-256 of the normalised code, in hexadecimal."""
    return hashlib.sha256(normalised_code(cells).encode("utf-8", "replace")).hexdigest()
