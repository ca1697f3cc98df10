"""A finished project's files: the script in percent format, the same as a notebook, and what to install."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator

from pipeline.records import NOTEBOOK, REQUIREMENTS, SCRIPT, SourceFile

_DISTRIBUTIONS = {
    # Keras 3 with the TensorFlow backend; the starter check runs with 2.20.
    "tensorflow": "tensorflow>=2.16,<2.21",
    "keras": "tensorflow>=2.16,<2.21",
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


def project_files(code: str) -> tuple[SourceFile, ...]:
    """The files of a project whose script is `code`, in percent format."""
    return (
        SourceFile(path=SCRIPT, text=code),
        SourceFile(path=NOTEBOOK, text=to_ipynb(code)),
        SourceFile(path=REQUIREMENTS, text=requirements_of(code)),
    )


_IMPORT = re.compile(r"^[ \t]*(?:import (?P<names>[\w., ]+)|from (?P<module>\w[\w.]*) import\b.*)$", re.MULTILINE)
"""A whole line that imports. Found in the text: a walk through the tree takes ten times as long."""


def requirements_of(code: str) -> str:
    """The distributions a script imports, a line each; the standard library needs none."""
    modules: set[str] = set()
    for match in _IMPORT.finditer(code):
        names = match["names"].split(",") if match["names"] else [match["module"]]
        for name in names:
            if name.strip():
                modules.add(name.split()[0].split(".")[0])  # "os.path as p" -> os
    needed = {_DISTRIBUTIONS.get(name, name) for name in modules - sys.stdlib_module_names}
    return "".join(f"{line}\n" for line in sorted(needed))


def to_ipynb(code: str) -> str:
    """A percent-format script as a Jupyter notebook (nbformat 4.5); cell ids are digests, so equal code is equal."""
    cells: list[dict[str, object]] = []
    for number, (kind, lines) in enumerate(_cells(code)):
        text = "\n".join(lines).strip("\n")
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


def _cells(code: str) -> Iterator[tuple[str, list[str]]]:
    """Cell kinds and lines; a code cell's heading becomes a markdown heading before it."""
    kind, lines = "code", list[str]()
    for line in code.split("\n"):
        match = _CELL.match(line)
        if match is None:
            lines.append(line.removeprefix("#").removeprefix(" ") if kind == "markdown" else line)
            continue
        yield kind, lines
        kind, lines = ("markdown" if match["markdown"] else "code"), []
        if match["heading"] and not match["markdown"]:
            yield "markdown", [f"## {match['heading']}"]
    yield kind, lines
