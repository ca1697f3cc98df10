"""Lines of a byte stream in bounded memory, however long a line is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.errors import DLCodeGenError

LINE_LIMIT = 4 * 2**20
"""Bytes of a line or JSON value that are kept; a longer one is cut and its row fails as `too_long`."""

_CHUNK = 256 * 2**10
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its line end. `number` counts from 1; `cut` says that only the first LINE_LIMIT bytes are here."""

    number: int
    data: bytes
    cut: bool = False

    def is_blank(self) -> bool:
        return not self.data.strip()


def read_chunks(stream: BinaryIO) -> Iterator[bytes]:
    """The stream in pieces, without a UTF-8 byte order mark. Raises DLCodeGenError for UTF-16."""
    chunk = stream.read(_CHUNK)
    if chunk.startswith(_UTF16_BOMS):
        raise DLCodeGenError("the file is in UTF-16; save it as UTF-8")
    chunk = chunk.removeprefix(_UTF8_BOM)
    while chunk:
        yield chunk
        chunk = stream.read(_CHUNK)


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    r"""All lines, blank ones too, ended by \n or \r\n; at most LINE_LIMIT and a chunk are in memory at once."""
    number, kept, cut = 1, b"", False
    for chunk in read_chunks(stream):
        first, *others = chunk.split(b"\n")
        for part in (first, *others[:-1]) if others else ():
            yield _line(number, kept if cut else kept + part, cut)
            number, kept, cut = number + 1, b"", False
        if not cut:
            kept += others[-1] if others else first
            kept, cut = kept[:LINE_LIMIT], len(kept) > LINE_LIMIT
    if kept:
        yield _line(number, kept, cut)


def _line(number: int, data: bytes, cut: bool) -> Line:
    return Line(number, data[:LINE_LIMIT].removesuffix(b"\r"), cut or len(data) > LINE_LIMIT)
