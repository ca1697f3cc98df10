"""From a file's bytes to a notebook, or the one reason why not. Nothing here raises anything but Drop.

Outputs, which are most of a notebook's bytes, are passed over by the decoder and never become Python objects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

import msgspec

from corpus_build.drops import Drop
from corpus_build.read.execution_time import executed_at
from corpus_build.read.guards import not_json_because, to_utf8
from corpus_build.read.notebook import Cell, Notebook

MAX_FILE_BYTES = 256 * 2**20
"""A file larger than this is dropped unread; a notebook with a 60 MB output line is well below."""

SCRIPTS = {".py": "python", ".r": "r", ".rmd": "r"}
"""Extensions of files that are code themselves, with the language."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CELL_MARK = re.compile(r"^# ?%%.*$|^# In\[[ \d]*\]:?.*$", re.MULTILINE)
_COMMENT_SIGN = re.compile(r"^# ?", re.MULTILINE)
_DOCSTRING = re.compile(r"(?:\s|#[^\n]*\n)*(\"{3}|'{3})(.*?)\1", re.DOTALL)


class _Cell(msgspec.Struct):
    cell_type: Any = None
    source: Any = None
    input: Any = None  # nbformat 3
    language: Any = None  # nbformat 3
    level: Any = None  # nbformat 3, headings
    metadata: Any = None


class _Sheet(msgspec.Struct):
    cells: list[_Cell] = []


class _Document(msgspec.Struct):
    cells: list[_Cell] | None = None
    worksheets: list[_Sheet] | None = None  # nbformat 3
    metadata: Any = None


_decode = msgspec.json.Decoder(_Document).decode


def read_notebook(data: bytes, extension: str = ".ipynb", *, prose: bool = True) -> Notebook:
    """The notebook in a file's bytes; a script is a notebook of one code cell, or of those its `# %%` marks begin.

    Without `prose`, markdown is left out. Raises Drop, with the reason.
    """
    if len(data) > MAX_FILE_BYTES:
        raise Drop("too_large", f"{len(data):,} bytes, more than {MAX_FILE_BYTES:,}")
    language = SCRIPTS.get(extension.lower())
    if language == "r":
        raise Drop("not_python", f"a {extension} file")
    if language is not None:
        return _script(data)
    data = to_utf8(data)
    document, lenient = _document(data)
    metadata = document.metadata if isinstance(document.metadata, Mapping) else {}
    found = _raw_cells(document)
    cells = tuple(_cells(found, strict=not lenient, prose=prose))
    if not any(cell.kind == "code" for cell in cells):
        raise Drop("no_code")
    stamps = [cell.metadata for cell in found if cell.metadata]
    seconds, source = executed_at([*stamps, {"papermill": metadata.get("papermill")}])
    return Notebook(
        language=_language(metadata, found),
        cells=cells,
        executed_at=seconds,
        time_source=source,
        title=clean_text(metadata.get("title") or "") if isinstance(metadata.get("title"), str) else "",
    )


def clean_text(text: str) -> str:
    """The text with Unix line ends, without NUL bytes and halves of surrogate pairs: what UTF-8 can store."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() or not _SURROGATE.search(text) else _SURROGATE.sub("\ufffd", text)


def source_text(value: object, *, strict: bool = False) -> str:
    """A cell's source, stored as a text, a list of lines or null. Lines that lack their line ends, as some writers
    leave them out of all lines, get them; where one line has its end, the list is taken as it is. `strict` says that a
    strict decoder made it: there are no halves of surrogate pairs in it."""
    if isinstance(value, list):
        try:
            ended = not value or value[0].endswith("\n")
            value = "".join(value) if ended else _joined(value)
        except (AttributeError, TypeError):  # a line that is no text
            value = _joined([line for line in value if isinstance(line, str)])
    elif not isinstance(value, str):
        return ""
    return value if strict and "\r" not in value and "\0" not in value else clean_text(value)


def _joined(lines: list[str]) -> str:
    bare = len(lines) > 1 and not any(line.endswith("\n") for line in lines[:-1])
    return ("\n" if bare else "").join(lines)


def _document(data: bytes) -> tuple[_Document, bool]:
    """The document, and whether it had to be read leniently."""
    try:
        return _decode(data), False
    except msgspec.ValidationError:
        pass  # JSON, but a part has another type than it should: read it leniently
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # NaN, raw control characters, bytes that are not UTF-8, or no JSON at all
    text = data.decode("utf-8", "replace")
    try:
        found = json.loads(text, strict=False)
    except RecursionError:
        raise Drop("nested_too_deeply") from None
    except ValueError as error:
        raise not_json_because(text, error) from None
    if not isinstance(found, dict):
        raise Drop("not_a_notebook", f"the JSON is a {type(found).__name__}, no object")
    return _lenient(found), True


def _lenient(found: dict[str, Any]) -> _Document:
    """The document of JSON whose parts are not all of the type they should have: what is no cell is left out."""
    document = _Document(metadata=found.get("metadata"))
    if isinstance(found.get("cells"), list):
        document.cells = _lenient_cells(found["cells"])
    if isinstance(found.get("worksheets"), list):
        sheets = (sheet.get("cells") for sheet in found["worksheets"] if isinstance(sheet, dict))
        document.worksheets = [_Sheet(cells=_lenient_cells(cells)) for cells in sheets if isinstance(cells, list)]
    return document


def _lenient_cells(items: Iterable[Any]) -> list[_Cell]:
    names = _Cell.__struct_fields__
    return [_Cell(**{name: item.get(name) for name in names}) for item in items if isinstance(item, dict)]


def _raw_cells(document: _Document) -> list[_Cell]:
    if document.cells is not None:
        return document.cells
    if document.worksheets is not None:
        return [cell for sheet in document.worksheets for cell in sheet.cells]
    raise Drop("not_a_notebook")


def _cells(found: Iterable[_Cell], *, strict: bool, prose: bool) -> Iterator[Cell]:
    for cell in found:
        if cell.cell_type != "code" and not prose:
            continue
        source = source_text(cell.input if cell.source is None else cell.source, strict=strict)
        if not source or source.isspace():
            continue
        if cell.cell_type == "code":
            yield Cell("code", source)
        elif cell.cell_type == "markdown":
            yield Cell("markdown", source)
        elif cell.cell_type == "heading":
            level = cell.level if isinstance(cell.level, int) else 1
            yield Cell("markdown", f"{'#' * max(1, min(level, 6))} {source}")


def _language(metadata: Mapping[str, Any], cells: Iterable[_Cell]) -> str:
    """The kernel's language, in lower case; python where nothing is said."""
    for key, name in (("language_info", "name"), ("kernelspec", "language"), ("kernelspec", "name")):
        part = metadata.get(key)
        if isinstance(part, dict) and isinstance(said := part.get(name), str) and said:
            return _canonical_language(said)
    said = next((cell.language for cell in cells if isinstance(cell.language, str) and cell.language), "python")
    return _canonical_language(said)


@lru_cache(maxsize=256)
def _canonical_language(said: str) -> str:
    text = said.lower()
    if "python" in text or text in ("conda-root-py", "pysparkkernel", "colab"):
        return "python"
    return "r" if text in ("r", "ir") else text


def _script(data: bytes) -> Notebook:
    if not data.strip():
        raise Drop("empty")
    text = clean_text(to_utf8(data).decode("utf-8", "replace"))
    if text.lstrip().startswith("{") and '"cells"' in text[:20_000]:  # a notebook under a script's name
        return read_notebook(data, prose=True)
    drop = not_json_because(text, None)
    if drop.reason in ("lfs_pointer", "html_page", "merge_conflict"):
        raise drop
    cells = tuple(_script_cells(text))
    if not any(cell.kind == "code" for cell in cells):
        raise Drop("no_code")
    return Notebook(language="python", cells=cells)


def _script_cells(text: str) -> Iterator[Cell]:
    """The cells of a script, those marked as markdown without their comment signs; first its docstring, which is
    prose (and stays in the code as well)."""
    if docstring := _DOCSTRING.match(text):
        yield Cell("markdown", docstring[2].strip())
    marks = [(0, 0, ""), *((match.start(), match.end(), match[0]) for match in _CELL_MARK.finditer(text))]
    for (_, start, mark), (end, _, _) in pairwise([*marks, (len(text), 0, "")]):
        part = text[start:end]
        if not part.strip():
            continue
        if "[markdown]" in mark or "[md]" in mark:
            yield Cell("markdown", _COMMENT_SIGN.sub("", part).strip("\n") + "\n")
        else:
            yield Cell("code", part.strip("\n") + "\n")
