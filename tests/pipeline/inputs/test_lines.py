from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DLCodeGenError
from pipeline.inputs.lines import LINE_LIMIT, read_lines


class OneLongLine(io.RawIOBase):
    """A line of the given length that is made while it is read, and a short one after it."""

    def __init__(self, length: int) -> None:
        self._left = length
        self._last = io.BytesIO(b"\nshort")

    def read(self, size: int = -1) -> bytes:
        count = min(size, self._left)
        self._left -= count
        return b"x" * count if count else self._last.read(size)


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line and not line.endswith(b"\r"))))
def test_lines_are_what_newlines_divide(lines: list[bytes]) -> None:
    data = b"\n".join([b"first", *lines, b"last"])
    read = list(read_lines(io.BytesIO(data)))
    assert [line.data for line in read] == [b"first", *lines, b"last"]
    assert [line.number for line in read] == list(range(1, len(lines) + 3))


def test_a_gigabyte_line_is_cut_and_the_next_is_read() -> None:
    long, short = read_lines(OneLongLine(2**30))  # type: ignore[arg-type]
    assert (len(long.data), long.cut) == (LINE_LIMIT, True)
    assert (short.number, short.data, short.cut) == (2, b"short", False)


def test_a_line_of_just_the_limit_is_whole() -> None:
    (line,) = read_lines(io.BytesIO(b"x" * LINE_LIMIT))
    assert not line.cut


def test_byte_order_marks() -> None:
    assert [line.data for line in read_lines(io.BytesIO(b"\xef\xbb\xbfa\nb"))] == [b"a", b"b"]
    with pytest.raises(DLCodeGenError, match="UTF-16"):
        list(read_lines(io.BytesIO("a".encode("utf-16"))))
