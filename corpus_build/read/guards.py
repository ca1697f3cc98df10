"""What lies in the place of a notebook: pointers, error pages, conflicts, other encodings, half a file."""

from __future__ import annotations

import codecs
import json
import re
from itertools import islice

from corpus_build.drops import Drop

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LFS = "version https://git-lfs.github.com/spec/"
_HTML = re.compile(r"\s*(<!--.{0,2000}?-->\s*)?<(!doctype\s+html|html|head|body|\?xml)\b", re.IGNORECASE | re.DOTALL)
_CONFLICT = re.compile(r"^(<{7} |={7}$|>{7} )", re.MULTILINE)
_LEAST_CONFLICT_MARKS = 2
_JSON_WORDS = ("true", "false", "null", "NaN", "Infinity", "-Infinity", "\\u0000")


def to_utf8(data: bytes) -> bytes:
    """The bytes in UTF-8, without a byte order mark. UTF-16 and UTF-32 are told by theirs, UTF-16 without one by the
    NUL beside the opening brace. Raises Drop (`empty`, `wrong_encoding`)."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            if encoding == "utf-8":
                data = data[len(mark) :]
                break
            return _transcoded(data, encoding)
    else:
        if data[:2] == b"{\0":
            return _transcoded(data, "utf-16-le")
        if data[:2] == b"\0{":
            return _transcoded(data, "utf-16-be")
    if not data or data.isspace():
        raise Drop("empty")
    return data


def _transcoded(data: bytes, encoding: str) -> bytes:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Drop("wrong_encoding", f"{encoding.upper()} broken at byte {error.start}") from None
    if not text.strip():
        raise Drop("empty")
    return text.encode("utf-8", "replace")


def not_json_because(text: str, error: ValueError | None) -> Drop:
    """Why a text that should be a notebook's JSON is none; `error` is the decoder's. A script, which is no JSON
    either, is asked about without one."""
    start = text[:4096].lstrip("\ufeff \t\r\n")
    if start.startswith(_LFS):
        return Drop("lfs_pointer")
    if _HTML.match(start):
        return Drop("html_page")
    if _has_conflict_marks(text):
        return Drop("merge_conflict")
    if isinstance(error, json.JSONDecodeError):
        if _ends_early(text, error):
            return Drop("truncated", f"the JSON ends after {len(text):,} characters, before it is complete")
        return Drop("broken_json", f"{error.msg} at character {error.pos + 1:,}")
    return Drop("broken_json", str(error or ""))


def _has_conflict_marks(text: str) -> bool:
    """Whether enough lines are marks of a merge conflict: a single `=======` may underline something."""
    marks = islice(_CONFLICT.finditer(text), _LEAST_CONFLICT_MARKS)
    return len(list(marks)) == _LEAST_CONFLICT_MARKS


def _ends_early(text: str, error: json.JSONDecodeError) -> bool:
    """Whether what is wrong is that nothing follows: the decoder was at the end, inside a string, a word or a list."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    if error.msg.startswith("Unterminated string"):
        return True
    rest = text[error.pos :].strip()
    if not rest:
        return True
    # A word (`tru`), a number (`-`) or an escape (`\\u00`) cut in the middle is met before the end.
    is_last = len(rest) < 8 and text.rstrip().endswith(rest)
    return is_last and any(word.startswith(rest) for word in _JSON_WORDS)
