"""Lines of a byte stream in bounded memory, however long a line is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.errors import DLCodeGenError

LINE_LIMIT = 4 * 2**20
"""Bytes of a line or JSON value that are kept; a longer one is cut and its row fails as `too_long`. Requirements
with their reference code are far below it."""

_CHUNK = 256 * 2**10
"""Bytes read at once: what object stores serve well, and little beside LINE_LIMIT."""

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its line end."""

    number: int
    """Counted from 1."""

    data: bytes

    cut: bool = False
    """Whether only the first LINE_LIMIT bytes are here."""

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


def read_lines(stream: BinaryIO, *, blank_ones: bool = True) -> Iterator[Line]:
    r"""All lines, ended by \n or \r\n; at most LINE_LIMIT and a chunk are in memory at once. Where they are not asked
    for, blank lines are counted and left out, and millions of them cost little."""
    number, kept, cut = 1, b"", False
    for chunk in read_chunks(stream):
        *ended, begun = chunk.split(b"\n")
        for part in ended:
            if not blank_ones and not kept and not part.strip():
                number += 1
                continue
            yield _line(number, kept if cut else kept + part, cut)
            number, kept, cut = number + 1, b"", False
        # Of a line that is cut already, no more is kept, however long it goes on.
        if not cut:
            kept += begun
            kept, cut = kept[:LINE_LIMIT], len(kept) > LINE_LIMIT
    if kept:
        yield _line(number, kept, cut)


def check_line_ends(line: Line) -> None:
    r"""Raises DLCodeGenError where a file's first line shows lines that end with \r alone, as old Macs wrote them."""
    if b"\r" in line.data.strip():
        raise DLCodeGenError(r"the lines end with CR alone (\r); save the file with LF (\n) or CRLF as line ends")


def _line(number: int, data: bytes, cut: bool) -> Line:
    return Line(number, data[:LINE_LIMIT].removesuffix(b"\r"), cut or len(data) > LINE_LIMIT)
