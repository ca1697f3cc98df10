"""Notebooks that are stored as scripts, cut into their cells again.

percent      `# %%` begins a cell, `# %% [markdown]` prose, `# %% [raw]` neither (jupytext, Spyder, VS Code)
light        paragraphs of comments are prose; `# +` and `# -` stand around cells (jupytext)
nbconvert    `# In[3]:` begins a cell; paragraphs of comments before one are prose
Databricks   `# COMMAND ----------` divides cells; `# MAGIC %md` is prose, other magics but `%python` are no Python

A YAML header, a shebang and the line of the encoding are no code. Any other script is one cell; its docstring is prose
too, and stays in the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from corpus_build.read.notebook import Cell

_HEADER = re.compile(
    r"\A(?:#!.*\n|#.*coding[:=].*\n|[ \t]*\n)*# ---[ \t]*\n(?P<header>(?:#.*\n)*?)# ---[ \t]*(?:\n|\Z)"
)
_FIRST_LINES = re.compile(r"\A(?:#!.*\n|#.*coding[:=].*\n)+")
_PERCENT = re.compile(r"^# ?%%.*$", re.MULTILINE)
_EXECUTED = re.compile(r"^# In ?\[[ \d*]*\]:?.*$", re.MULTILINE)
_LIGHT_MARK = re.compile(r"^# [+-](?:[ \t].*)?$", re.MULTILINE)
_DATABRICKS = re.compile(r"\A\s*# Databricks notebook source\b.*\n?")
_COMMAND = re.compile(r"^# COMMAND -+[ \t]*$", re.MULTILINE)
_MAGIC = re.compile(r"^# ?MAGIC ?", re.MULTILINE)
_COMMENT_SIGN = re.compile(r"^# ?", re.MULTILINE)
_PARAGRAPHS = re.compile(r"\n(?:[ \t]*\n)+")
_DOCSTRING = re.compile(r"(?:\s|#[^\n]*\n)*[rRuU]?(\"{3}|'{3})(.*?)\1", re.DOTALL)
_QUOTED = re.compile(r"\A\s*[rRuUfF]{0,2}(\"{3}|'{3})(.*?)\1\s*\Z", re.DOTALL)


def script_cells(text: str) -> Iterator[Cell]:
    """The cells of a script in the order in which they stand."""
    if match := _DATABRICKS.match(text):
        yield from _databricks_cells(text[match.end() :])
        return
    is_light = False
    if match := _HEADER.match(text):
        is_light = "light" in match["header"]
        text = text[match.end() :]
    else:
        text = _FIRST_LINES.sub("", text)
    if first := _PERCENT.search(text):
        yield from _docstring_cell(text[: first.start()])
        yield from _marked_cells(text)
    elif _EXECUTED.search(text):
        yield from _nbconvert_cells(text)
    elif is_light:
        yield from _light_cells(text)
    else:
        yield from _docstring_cell(text)
        yield from _code(text)


def _docstring_cell(text: str) -> Iterator[Cell]:
    docstring = _DOCSTRING.match(text)
    if docstring and docstring[2].strip():
        yield Cell("markdown", docstring[2].strip())


def _marked_cells(text: str) -> Iterator[Cell]:
    start, mark = 0, ""
    for match in _PERCENT.finditer(text):
        yield from _marked_cell(text[start : match.start()], mark)
        start, mark = match.end(), match[0]
    yield from _marked_cell(text[start:], mark)


def _marked_cell(part: str, mark: str) -> Iterator[Cell]:
    if "[raw]" in mark:
        return
    if "[markdown]" in mark or "[md]" in mark:
        yield from _prose(_without_signs(part))
    else:
        yield from _code(part)


def _nbconvert_cells(text: str) -> Iterator[Cell]:
    """Between two marks there is the code of the first, and then the prose before the second."""
    parts = _EXECUTED.split(text)
    for number, part in enumerate(parts):
        paragraphs = [paragraph for paragraph in _PARAGRAPHS.split(part) if paragraph.strip()]
        prose: list[str] = []
        # The first part has no mark above it: all of its comments are prose.
        while paragraphs and _is_comment(paragraphs[-1]) and (number == 0 or number < len(parts) - 1):
            prose.insert(0, paragraphs.pop())
        yield from _code("\n\n".join(paragraphs))
        yield from _prose(_without_signs("\n\n".join(prose)))


def _light_cells(text: str) -> Iterator[Cell]:
    for paragraph in _PARAGRAPHS.split(text):
        without_marks = _LIGHT_MARK.sub("", paragraph)
        if _is_comment(without_marks) and without_marks == paragraph:
            yield from _prose(_without_signs(paragraph))
        else:
            yield from _code(without_marks)


def _databricks_cells(text: str) -> Iterator[Cell]:
    for part in _COMMAND.split(text):
        if "# MAGIC" not in part and "#MAGIC" not in part:
            yield from _code(part)
            continue
        lines = _MAGIC.sub("", part.strip("\n"))
        magic, _, rest = lines.lstrip().partition("\n")
        kind, _, same_line = magic.partition(" ")
        if kind == "%md" or kind.startswith("%md-"):
            yield from _prose(f"{same_line}\n{rest}")
        elif kind == "%python":
            yield from _code(f"{same_line}\n{rest}")


def _code(text: str) -> Iterator[Cell]:
    if text.strip():
        yield Cell("code", text.strip("\n") + "\n")


def _prose(text: str) -> Iterator[Cell]:
    if text.strip():
        yield Cell("markdown", text.strip("\n") + "\n")


def _without_signs(text: str) -> str:
    """Prose without its comment signs, or without the quotes around it."""
    if quoted := _QUOTED.match(text):
        return quoted[2]
    return _COMMENT_SIGN.sub("", text)


def _is_comment(paragraph: str) -> bool:
    return all(line.startswith("#") for line in paragraph.split("\n") if line.strip())
