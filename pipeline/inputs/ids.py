"""Ids that are unique in a job and safe as names of folders."""

from __future__ import annotations

import hashlib
import re
from array import array

_LONGEST = 100
"""Characters of an id: a folder named after it fits any file system (most allow 255 bytes), with room for a suffix."""

# At most _LONGEST characters: the first, 98 and the last.
_SAFE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?")
_UNSAFE_RUN = re.compile(r"[^A-Za-z0-9._-]+")


def safe_id(value: object, row: int) -> str:
    """The value if it is an integer or a text that can name a folder; a cleaned text otherwise; else `row-00000012`.

    Safe are up to 100 ASCII letters, digits, `.`, `_`, `-`, starting with a letter or digit and not ending in a dot.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str):
        if _SAFE.fullmatch(value):
            return value
        # A huge id costs nothing: what cleaning leaves of an id is nearly always in its beginning.
        cleaned = _UNSAFE_RUN.sub("-", value[: 10 * _LONGEST]).lstrip("._-")[:_LONGEST].rstrip("._-")
        if cleaned:
            return cleaned
    return f"row-{row:08d}"


class UniqueIds:
    """Gives each id once: the second `a` becomes `a-2`, or the next number that is free.

    Ids that differ in case alone count as equal, since some file systems fold it. What is kept is an 8-byte digest per
    id, in a table of 11 to 32 bytes per id (10 million ids: 256 MiB), and an entry per repeated id. Two different ids
    with equal digests would only cost the later one an unneeded number.
    """

    def __init__(self) -> None:
        self._seen = _DigestSet()
        self._last_number: dict[int, int] = {}

    def take(self, wanted: str) -> str:
        """The wanted id, or with a number where it is taken. The same calls in the same order give the same ids."""
        digest = _digest(wanted)
        if self._seen.add(digest):
            return wanted
        number = self._last_number.get(digest, 1)
        while True:
            number += 1
            candidate = f"{wanted[: _LONGEST - len(str(number)) - 1]}-{number}"
            if self._seen.add(_digest(candidate)):
                self._last_number[digest] = number
                return candidate


def _digest(text: str) -> int:
    # 0 marks a free slot in the table.
    return int.from_bytes(hashlib.blake2b(text.lower().encode(), digest_size=8).digest()) or 1


class _DigestSet:
    """64-bit numbers above 0 in an open-addressing table: a Python set would take about 90 bytes for each."""

    def __init__(self) -> None:
        self._table = array("Q", bytes(8 * 1024))  # 1024 slots of 8 bytes; always a power of two
        self._count = 0

    def add(self, digest: int) -> bool:
        """Whether the digest is new."""
        if not self._insert(self._table, digest):
            return False
        self._count += 1
        # Beyond three quarters full, searches for a free slot grow long.
        if self._count * 4 > len(self._table) * 3:
            self._grow()
        return True

    def _grow(self) -> None:
        larger = array("Q", bytes(8 * 2 * len(self._table)))
        for digest in self._table:
            if digest:
                self._insert(larger, digest)
        self._table = larger

    @staticmethod
    def _insert(table: array[int], digest: int) -> bool:
        """Puts the digest into the first free slot from its own on; False where it is in the table already."""
        mask = len(table) - 1
        slot = digest & mask
        while table[slot]:
            if table[slot] == digest:
                return False
            slot = (slot + 1) & mask
        table[slot] = digest
        return True
