"""Every kind of file that lies in the place of a notebook: read, or dropped for its own reason."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest

from corpus_build.drops import Drop
from corpus_build.read.reading import MAX_FILE_BYTES, parse_notebook, source_text
from tests.corpus_build.notebooks import code, markdown, notebook

KERAS = "import keras\n"


def reason(data: bytes, extension: str = ".ipynb") -> str:
    with pytest.raises(Drop) as drop:
        parse_notebook(data, extension)
    assert drop.value.detail
    return drop.value.reason


@pytest.mark.parametrize("minor", range(6))
def test_every_minor_version_of_nbformat_4_is_read(minor: int) -> None:
    cells: list[Any] = [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell(KERAS)]
    document = nbformat.v4.new_notebook(cells=cells)
    document["nbformat_minor"] = minor
    parsed = parse_notebook(json.dumps(document).encode())
    assert [(cell.kind, cell.source) for cell in parsed.cells] == [("markdown", "# Title"), ("code", KERAS)]


def test_nbformat_3_has_worksheets_input_and_headings() -> None:
    sheet = nbformat.v3.new_worksheet(
        cells=[nbformat.v3.new_heading_cell("Flowers", level=2), nbformat.v3.new_code_cell(input=KERAS)]
    )
    parsed = parse_notebook(json.dumps(nbformat.v3.new_notebook(worksheets=[sheet])).encode())
    assert [(cell.kind, cell.source) for cell in parsed.cells] == [("markdown", "## Flowers"), ("code", KERAS)]
    assert parsed.language == "python"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (KERAS, KERAS),
        (["a = 1\n", "b = 2"], "a = 1\nb = 2"),
        (["a = 1", "b = 2", "c = 3"], "a = 1\nb = 2\nc = 3"),
        (["a = 1\n", "", "b = 2"], "a = 1\nb = 2"),
        (["a = 1\r\n", "b = 2\r\n"], "a = 1\nb = 2\n"),
        ([None, "a = 1", 7], "a = 1"),
        (None, ""),
        (3.5, ""),
        ("a\0b\ud800", "ab\ufffd"),
    ],
)
def test_a_source_is_a_text_a_list_or_null(source: object, text: str) -> None:
    assert source_text(source) == text


def test_windows_files_read_as_unix_ones() -> None:
    plain = notebook(code("a = 1\nb = 2\n"))
    windows = json.dumps(json.loads(plain.replace(b"\\n", b"\\r\\n")), indent=1).replace("\n", "\r\n").encode()
    assert parse_notebook(b"\xef\xbb\xbf" + windows) == parse_notebook(plain)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_read(encoding: str) -> None:
    data = notebook(code(KERAS + "# größe"))
    assert parse_notebook(data.decode().encode(encoding)) == parse_notebook(data)


def test_broken_utf_16_is_dropped() -> None:
    assert reason(notebook(code(KERAS)).decode().encode("utf-16")[:-1]) == "wrong_encoding"


def test_nan_in_outputs_is_read() -> None:
    data = notebook(code(KERAS, outputs=[{"data": {"x": float("nan"), "y": float("-inf")}}]))
    assert b"NaN" in data
    assert b"-Infinity" in data
    assert parse_notebook(data).code_cells == (KERAS,)


def test_bytes_that_are_no_utf_8_cost_their_characters_only() -> None:
    data = notebook(code("s = 'QQ'\n" + KERAS)).replace(b"QQ", b"\xff\xfe")
    assert KERAS in parse_notebook(data).code


def test_raw_control_characters_and_half_surrogates_are_read() -> None:
    assert parse_notebook(notebook(code("a = 1QQ")).replace(b"QQ", b"\x01")).code_cells == ("a = 1\x01",)
    assert parse_notebook(notebook(code("a = 'QQ'")).replace(b"QQ", b"\\ud83d")).code_cells == ("a = '\ufffd'",)


@pytest.mark.parametrize("broken", [None, 5, "text", [], {"cell_type": 7, "source": {}}, {"cell_type": "code"}])
def test_a_broken_cell_costs_itself_only(broken: Any) -> None:
    assert parse_notebook(notebook(broken, code(KERAS))).code_cells == (KERAS,)


def test_a_60_mb_output_line_is_passed_over() -> None:
    data = notebook(code(KERAS, outputs=[{"data": {"image/png": "A" * 60_000_000}}]))
    assert parse_notebook(data).code_cells == (KERAS,)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "lfs_pointer"),
        (b"<!DOCTYPE html>\n<html><body>404 Not Found</body></html>", "html_page"),
        (b"\n\n<html lang='en'>", "html_page"),
        (b'{"cells": [{"cell_type": "code", "source": "import keras', "truncated"),
        (notebook(code(KERAS))[:-1], "truncated"),
        (notebook(code(KERAS))[:-30], "truncated"),
        (b'{"cells": [tru', "truncated"),
        (b"import keras\n", "broken_json"),
        (b'{"cells": [}', "broken_json"),
        (b"[1, 2]", "not_a_notebook"),
        (b'"text"', "not_a_notebook"),
        (b"null", "not_a_notebook"),
        (b'{"a": 1}', "not_a_notebook"),
        (b'{"cells": {}}', "not_a_notebook"),
        (b'{"cells": []}', "no_code"),
        (notebook(markdown("# import keras")), "no_code"),
        (notebook(code("  \n")), "no_code"),
        (b'{"cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested_too_deeply"),
        (b'{"cells": [], "metadata": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "nested_too_deeply"),
    ],
)
def test_what_is_no_notebook_is_dropped_for_its_reason(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_conflict_markers_are_told_from_code_about_them() -> None:
    whole = json.dumps(json.loads(notebook(code(KERAS))), indent=1)
    conflict = f'{{\n "cells": [],\n<<<<<<< HEAD\n "a": 1,\n=======\n "a": 2,\n>>>>>>> main\n{whole[1:]}'
    assert reason(conflict.encode()) == "merge_conflict"
    assert (
        parse_notebook(notebook(code("<<<<<<< HEAD\nx = 1\n=======\n>>>>>>> b\n"), code(KERAS))).code_cells[1] == KERAS
    )


def test_a_file_above_the_limit_is_dropped_unparsed() -> None:
    assert reason(bytes(MAX_FILE_BYTES + 1)) == "too_large"


def test_scripts_are_notebooks_of_their_marked_cells() -> None:
    assert parse_notebook(KERAS.encode(), ".py").code_cells == (KERAS,)
    marked = parse_notebook(b"# %%\nimport keras\n# %% model\nx = 1\n", ".py")
    assert marked.code_cells == ("import keras\n", "x = 1\n")
    prose = parse_notebook(
        b'"""Tell bees apart."""\nimport keras\n# %% [markdown]\n# # Model\n# A net.\n# %%\nx = 1\n', ".py"
    )
    assert [cell.source for cell in prose.cells if cell.kind == "markdown"] == ["Tell bees apart.", "# Model\nA net.\n"]
    assert prose.code_cells == ('"""Tell bees apart."""\nimport keras\n', "x = 1\n")
    assert reason(b"# %% [markdown]\n# only prose\n", ".py") == "no_code"
    assert reason(b"library(keras)", ".r") == reason(b"", ".rmd") == "not_python"
    assert reason(b"<html>", ".py") == "html_page"
    assert parse_notebook(notebook(code(KERAS)), ".py").code_cells == (KERAS,)


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({}, "python"),
        ({"kernelspec": {"name": "python2"}}, "python"),
        ({"kernelspec": {"name": "ir", "language": "R"}}, "r"),
        ({"language_info": {"name": "julia"}}, "julia"),
        ({"kernelspec": None, "language_info": []}, "python"),
        ([], "python"),
    ],
)
def test_the_language_is_the_kernels(metadata: Any, language: str) -> None:
    assert parse_notebook(notebook(code(KERAS), metadata=metadata)).language == language
