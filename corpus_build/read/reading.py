"""From a file's bytes to a notebook, or the one reason why not. Nothing here raises anything but Drop.

Outputs, which are most of a notebook's bytes, are passed over by the decoder and never become Python objects.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from corpus_build.drops import Drop
from corpus_build.read.execution_time import executed_at
from corpus_build.read.guards import not_json_because, to_utf8
from corpus_build.read.notebook import Cell, ParsedNotebook
from corpus_build.read.scripts import script_cells

MAX_FILE_BYTES = 256 * 2**20
"""A file larger than this is dropped unread; a notebook with a 60 MB output line is well below."""

SCRIPT_LANGUAGES = {".py": "python", ".r": "r", ".rmd": "r"}
"""Extensions of files that are code themselves, with the language."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LANGUAGE_KEYS = (("language_info", "name"), ("kernelspec", "language"))
_OTHER_KERNELS = re.compile(
    r"(?:conda-env-\w+-)?(?P<language>ir|r|julia|scala|spark|apache_toree_scala|javascript|jslab|typescript|deno|bash|"
    r"octave|matlab|rust|evcxr|go|gophernotes|gonb|cpp|xcpp|xeus-cling|csharp|fsharp|powershell|sql|ruby|haskell|ihaskell|"
    r"perl|sas|stata|java|ijava|kotlin|swift|lua|sagemath|wolfram|prolog|ocaml|clojure)(?:[-_.]?\d[\d._-]*)?|"
    r"(?P<dotnet>\.net-\w+|sparkkernel|xcpp\d+)"
)
"""Names of kernels of other languages. A kernel may be called anything (`tf2`, `conda-env-tf-py`), and nearly all are
of Python, so that any other name says nothing."""


# msgspec skips what a Struct does not name, so outputs are never built. Fields are Any where files break nbformat.
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


def parse_notebook(data: bytes, extension: str = ".ipynb", *, prose: bool = True) -> ParsedNotebook:
    """The notebook in a file's bytes; a script is a notebook of the cells that `scripts` finds in it.

    Without `prose`, markdown is left out. Raises Drop, with the reason.
    """
    if len(data) > MAX_FILE_BYTES:
        raise Drop("too_large", f"{len(data):,} bytes, more than {MAX_FILE_BYTES:,}")
    language = SCRIPT_LANGUAGES.get(extension.lower())
    if language == "r":
        raise Drop("not_python", f"a {extension} file")
    if language is not None:
        return _parse_script(data)
    document, lenient = _read_document(to_utf8(data))
    metadata = document.metadata if isinstance(document.metadata, Mapping) else {}
    raw_cells = _raw_cells(document)
    cells = tuple(_cells(raw_cells, strict=not lenient, prose=prose))
    if not any(cell.kind == "code" for cell in cells):
        raise Drop("no_code")
    stamps = [cell.metadata for cell in raw_cells if cell.metadata]
    seconds, time_source = executed_at([*stamps, {"papermill": metadata.get("papermill")}])
    title = metadata.get("title")
    return ParsedNotebook(
        language=_language(metadata, raw_cells),
        cells=cells,
        executed_at=seconds,
        time_source=time_source,
        title=storable_text(title) if isinstance(title, str) else "",
    )


def storable_text(text: str) -> str:
    """The text with Unix line ends, without NUL bytes and halves of surrogate pairs: what UTF-8 can store."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return _SURROGATE.sub("\ufffd", text)


def source_text(value: object, *, strict: bool = False) -> str:
    """A cell's source, stored as a text, a list of lines or null. Lines that lack their line ends, as some writers
    leave them out of all lines, get them; where one line has its end, the list is taken as it is. `strict` says that a
    strict decoder made it: there are no halves of surrogate pairs in it."""
    if isinstance(value, list):
        text = _joined_lines(value)
    elif isinstance(value, str):
        text = value
    else:
        return ""
    if strict and "\r" not in text and "\0" not in text:
        return text
    return storable_text(text)


def _joined_lines(lines: list[Any]) -> str:
    try:
        # Nearly always the first line has its end; then the others need no look.
        if not lines or lines[0].endswith("\n"):
            return "".join(lines)
        return _joined_with_ends(lines)
    except (AttributeError, TypeError):  # a line that is no text
        return _joined_with_ends([line for line in lines if isinstance(line, str)])


def _joined_with_ends(lines: list[str]) -> str:
    bare = len(lines) > 1 and not any(line.endswith("\n") for line in lines[:-1])
    return ("\n" if bare else "").join(lines)


def _read_document(data: bytes) -> tuple[_Document, bool]:
    """The document, and whether it had to be read leniently."""
    try:
        return _decode(data), False
    except msgspec.ValidationError:
        pass  # JSON, but a part has another type than it should: read it leniently
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # NaN, raw control characters, bytes that are not UTF-8, or no JSON at all
    text = data.decode("utf-8", "replace")
    try:
        content = json.loads(text, strict=False)
    except RecursionError:
        raise Drop("nested_too_deeply") from None
    except ValueError as error:
        raise not_json_because(text, error) from None
    if not isinstance(content, dict):
        raise Drop("not_a_notebook", f"the JSON is a {type(content).__name__}, no object")
    return _lenient_document(content), True


def _lenient_document(content: dict[str, Any]) -> _Document:
    """The document of JSON whose parts are not all of the type they should have: what is no cell is left out."""
    document = _Document(metadata=content.get("metadata"))
    if isinstance(content.get("cells"), list):
        document.cells = _lenient_cells(content["cells"])
    if isinstance(content.get("worksheets"), list):
        document.worksheets = []
        for sheet in content["worksheets"]:
            if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list):
                document.worksheets.append(_Sheet(cells=_lenient_cells(sheet["cells"])))
    return document


def _lenient_cells(items: Iterable[Any]) -> list[_Cell]:
    cells = []
    for item in items:
        if isinstance(item, dict):
            cells.append(_Cell(**{name: item.get(name) for name in _Cell.__struct_fields__}))
    return cells


def _raw_cells(document: _Document) -> list[_Cell]:
    if document.cells is not None:
        return document.cells
    if document.worksheets is None:
        raise Drop("not_a_notebook")
    cells: list[_Cell] = []
    for sheet in document.worksheets:
        cells += sheet.cells
    return cells


def _cells(raw_cells: Iterable[_Cell], *, strict: bool, prose: bool) -> Iterator[Cell]:
    """The cells with text in them; headings of nbformat 3 become markdown. Other kinds (`raw`) are left out."""
    for cell in raw_cells:
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
    for section, key in _LANGUAGE_KEYS:
        part = metadata.get(section)
        name = part.get(key) if isinstance(part, dict) else None
        if isinstance(name, str) and name:
            return _canonical_language(name)
    spec = metadata.get("kernelspec")
    kernel = spec.get("name") if isinstance(spec, dict) else None
    if isinstance(kernel, str) and _OTHER_KERNELS.fullmatch(kernel.lower()):
        return _canonical_language(kernel)
    for cell in cells:  # nbformat 3 says it cell by cell
        if isinstance(cell.language, str) and cell.language:
            return _canonical_language(cell.language)
    return "python"


@lru_cache(maxsize=256)
def _canonical_language(name: str) -> str:
    name = name.lower()
    if "python" in name:
        return "python"
    return "r" if name in ("r", "ir") else name


def _parse_script(data: bytes) -> ParsedNotebook:
    if not data.strip():
        raise Drop("empty")
    text = storable_text(to_utf8(data).decode("utf-8", "replace"))
    if text.lstrip().startswith("{") and '"cells"' in text[:20_000]:  # a notebook under a script's name
        return parse_notebook(data, prose=True)
    drop = not_json_because(text, None)
    if drop.reason in ("lfs_pointer", "html_page", "merge_conflict"):
        raise drop
    cells = tuple(script_cells(text))
    if not any(cell.kind == "code" for cell in cells):
        raise Drop("no_code")
    return ParsedNotebook(language="python", cells=cells)
