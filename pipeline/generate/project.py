"""A finished project's files: the script in percent format, the same as a notebook, and what to install.

Whatever stands in a project comes through here: comments and strings of it may be a user's or a model's words.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterator

from pipeline.analysis.parsing import parsed
from pipeline.foreign_text import markdown_text, storable
from pipeline.records import NOTEBOOK, REQUIREMENTS, SCRIPT, SourceFile

_DISTRIBUTIONS = {
    # Keras 3 with the TensorFlow backend; the starter check runs with 2.20.
    "tensorflow": "tensorflow>=2.16,<2.21",
    "keras": "tensorflow>=2.16,<2.21",
    "torch": "torch>=2.2",
    "numpy": "numpy>=1.26",
    "pandas": "pandas>=2.1",
    "matplotlib": "matplotlib>=3.8",
    "sklearn": "scikit-learn>=1.4",
    "PIL": "pillow>=10",
    "cv2": "opencv-python-headless",
    "skimage": "scikit-image",
    "bs4": "beautifulsoup4",
    "yaml": "pyyaml",
}
"""What installs a module, where that is called differently or an old version would not do."""


def project_files(code: str, *, plain: str = "") -> tuple[SourceFile, ...]:
    """The files of a project whose script is `code`, in percent format. `plain` is the same without comments that were
    added above its first statement: it has been parsed already."""
    (script,) = script_files(code)
    code = script.text
    return (
        script,
        SourceFile(path=NOTEBOOK, text=to_ipynb(code, plain=plain)),
        SourceFile(path=REQUIREMENTS, text=requirements_of(code)),
    )


def script_files(code: str) -> tuple[SourceFile, ...]:
    """What a writer gives: the script alone. The stage `deliver` completes the project."""
    return (SourceFile(path=SCRIPT, text=python_text(code)),)


_UTF8_LINE = "# -*- coding: utf-8 -*-"
_ENCODING = re.compile(r"coding[:=][ \t]*(?P<name>[-\w.]+)", re.ASCII)
"""What Python takes for the name of a file's encoding, in either of its first two lines (PEP 263). Ours may hold a
sentence of the requirement: "label encoding: integers from 0 to 4"."""

_CARRIAGE_RETURN = re.compile(r"\r(?!\n)")
"""It ends a line, and so a comment, which many editors do not show."""


def python_text(code: str) -> str:
    """The text of a Python file that Python reads as UTF-8: where its first two lines could name another encoding, a
    line before them names this one. Lines end where Python ends them."""
    code = _CARRIAGE_RETURN.sub("\n", storable(code.removeprefix("\ufeff")))
    for line in code.split("\n", 2)[:2]:
        match = _ENCODING.search(line)
        if match:
            is_utf8 = match["name"].lower().replace("_", "-") in ("utf-8", "utf8")
            return code if is_utf8 else f"{_UTF8_LINE}\n{code}"
    return code


_IMPORT = re.compile(r"^[ \t]*(?:import (?P<names>[\w., ]+)|from (?P<module>\w[\w.]*) import\b.*)$", re.MULTILINE)
"""A whole line that imports. Found in the text: a walk through the tree takes ten times as long."""

_DISTRIBUTION = re.compile(r"[A-Za-z0-9](\w*[A-Za-z0-9])?", re.ASCII)
"""A module's name that can be a distribution's too (PEP 508); pip refuses a file with a line of another form."""


_READ_BY_PANDAS = {
    "openpyxl": re.compile(r"\w\.xls[xm]?[\"']"),
    "pyarrow": re.compile(r"\w\.(?:parquet|pq)[\"']"),
}
"""What pandas needs to read a file of that name and does not bring along. An ending by itself is no file."""


def requirements_of(code: str) -> str:
    """The distributions a script imports, and those that pandas reads its files with, a line each; the standard library
    needs none."""
    modules: set[str] = set()
    for match in _IMPORT.finditer(code):
        names = match["names"].split(",") if match["names"] else [match["module"]]
        for name in names:
            module = name.strip().split(" ")[0].split(".")[0]  # "os.path as p" -> os
            if _DISTRIBUTION.fullmatch(module):
                modules.add(module)
    needed = {_DISTRIBUTIONS.get(name, name) for name in modules - sys.stdlib_module_names}
    if "pandas" in modules:
        needed |= {name for name, file in _READ_BY_PANDAS.items() if file.search(code)}
    return "".join(f"{line}\n" for line in sorted(needed))


def to_ipynb(code: str, *, plain: str = "") -> str:
    """A percent-format script as a Jupyter notebook (nbformat 4.5); cell ids are digests, so equal code is equal.
    `plain` as in `project_files`."""
    cells: list[dict[str, object]] = []
    for number, (kind, lines) in enumerate(_cells(code, plain or code)):
        text = "\n".join(lines).strip("\n")
        if kind == "markdown":
            text = markdown_text(text)
        if not text:
            continue
        # The number tells cells of equal text apart; 16 digits of the up to 64 characters that
        # nbformat allows.
        identity = hashlib.sha256(f"{number}\n{text}".encode()).hexdigest()[:16]
        cell: dict[str, object] = {"cell_type": kind, "id": identity, "metadata": {}}
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell | {"source": text.splitlines(keepends=True)})
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    book = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, ensure_ascii=False, indent=1) + "\n"


_CELL = re.compile(r"^# %%\s*(?P<markdown>\[markdown\])?\s*(?P<heading>.*)$")


def _cells(code: str, plain: str) -> Iterator[tuple[str, list[str]]]:
    """Cell kinds and lines; a code cell's heading becomes a markdown heading before it."""
    kind, lines = "code", list[str]()
    added = code.count("\n") - plain.count("\n")
    inside = {line + added for line in _lines_inside_statements(plain)}
    for number, line in enumerate(code.split("\n"), start=1):
        match = None if number in inside else _CELL.match(line)
        if match is None:
            if kind == "markdown" and line.strip() and not line.startswith("#"):
                yield kind, lines  # prose ends where code begins, whether a new cell is announced or not
                kind, lines = "code", []
            lines.append(line.removeprefix("#").removeprefix(" ") if kind == "markdown" else line)
            continue
        yield kind, lines
        kind, lines = ("markdown" if match["markdown"] else "code"), []
        if match["heading"] and not match["markdown"]:
            yield "markdown", [f"## {match['heading']}"]
    yield kind, lines


def _lines_inside_statements(code: str) -> set[int]:
    """The lines, from 1, that go on with a statement. What looks like the head of a cell there is a string's text or a
    comment: cut at it, the rest of a string would become code, and its line `!rm` a command."""
    tree = parsed(code)
    if tree is None:
        return set()
    inside: set[int] = set()
    for node in tree.body:
        inside.update(range(_first_line(node) + 1, (node.end_lineno or node.lineno) + 1))
    return inside


def _first_line(node: ast.stmt) -> int:
    """A definition's own line is its `def`; it begins with its decorators."""
    lines = [node.lineno]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        lines += [decorator.lineno for decorator in node.decorator_list]
    return min(lines)
