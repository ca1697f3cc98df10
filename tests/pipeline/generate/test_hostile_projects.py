"""Whatever a requirement or a model's reply says, its project is a program that Python takes."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.generate.llm.steps import files_of
from pipeline.generate.project import project_files
from pipeline.generate.symbolic.adapt import adapt
from pipeline.generate.symbolic.notebook import read_notebook
from pipeline.generate.symbolic.target import target_of
from pipeline.inputs.ids import UniqueIds
from pipeline.inputs.rows import RawRow, requirement_of
from pipeline.llm.asking.replies import ReplyError, read_program
from pipeline.measures.project_scores import read_code
from pipeline.plan.reading import read_plan
from pipeline.records import SourceFile
from tests.compiling import python_refusals
from tests.hostile_texts import hostile_texts
from tests.pipeline.generate.symbolic.projects import FLOWERS
from tests.pipeline.plan.test_reading import PLAN


def taken_by_python(texts: Sequence[str]) -> list[bool]:
    """Whether a Python of its own compiles each text's file."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.py") for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_bytes(text.encode())
        refusals = python_refusals(paths)
    return [str(path) not in refusals for path in paths]


def statements(source: str | bytes) -> str:
    return ast.dump(ast.parse(source))


def script_of(files: Sequence[SourceFile]) -> str:
    return files[0].text


def notebook_statements(files: Sequence[SourceFile]) -> str:
    """The statements of the notebook's code cells, each of which has to be Python by itself."""
    body: list[ast.stmt] = []
    for cell in json.loads(files[1].text)["cells"]:
        if cell["cell_type"] == "code":
            body += ast.parse("".join(cell["source"])).body
    return ast.dump(ast.Module(body, []))


@settings(max_examples=10, deadline=None)
@given(st.lists(hostile_texts(), min_size=10, max_size=10))
def test_no_requirement_becomes_a_statement_of_its_project(texts: list[str]) -> None:
    projects = []
    for text in texts:
        row = requirement_of(RawRow("x.jsonl, line 1", {"requirement": text, "attributes": text}), 0, UniqueIds())
        target = target_of(read_plan(PLAN), row.requirement, row.attributes)
        plain = adapt(read_notebook(FLOWERS), replace(target, title="Flowers.")).text()
        draft = adapt(read_notebook(FLOWERS), target).text()
        files = project_files(read_notebook(draft).text())
        assert statements(script_of(files).encode()) == statements(plain)
        assert notebook_statements(files) == statements(plain)
        assert files[2:] == project_files(plain)[2:]
        projects.append(script_of(files))
    assert all(taken_by_python(projects))


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(hostile_texts(), hostile_texts()), min_size=10, max_size=10))
def test_a_reply_is_judged_as_python_judges_its_file(texts: list[tuple[str, str]]) -> None:
    projects = []
    for comment, string in texts:
        reply = f"```python\n# {comment}\nimport os\n\ns = '''\n{string}\n'''\nx = 1\n```"
        try:
            script = script_of(files_of(read_program(reply)))
        except ReplyError:
            continue
        files = project_files(script)
        projects.append(script)
        if read_code(script, None).parses:
            assert notebook_statements(files) == statements(script)  # the text, and no encoding line's idea of it
            assert statements(script.encode()) == statements(script)
    assert taken_by_python(projects) == [read_code(script, None).parses for script in projects]


@pytest.mark.parametrize(
    "line",
    [
        "label encoding: integers from 0 to 4",
        "coding: raw_unicode_escape \\u000aopen('pwned', 'w')",
        "coding=utf-7 +AAo-open('pwned', 'w')",
        "-*- coding: latin-1 -*-",
        "a form feed \f and encoding: x",
    ],
)
@pytest.mark.parametrize("before", ["", "# %% [markdown]\n", "\n", "\ufeff", "\f"])
def test_a_comment_names_no_encoding(line: str, before: str, tmp_path: Path) -> None:
    (script, *_) = project_files(f"{before}# {line}\nprint('é')\n")
    (tmp_path / "project.py").write_bytes(script.text.encode())
    done = subprocess.run([sys.executable, "-X", "utf8", "project.py"], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode()) == (0, "é\n")
    assert [path.name for path in tmp_path.iterdir()] == ["project.py"]


@pytest.mark.parametrize(
    "code",
    [
        "import os\n# %% x\n",
        "# -*- coding: utf-8 -*-\nx = 1\n",
        "x = 1\n# coding: of labels\n",
        "#\n#\n# coding: latin-1\n",
    ],
)
def test_what_python_reads_as_utf_8_stays_as_it_is(code: str) -> None:
    expected = code if "of labels" not in code else f"# -*- coding: utf-8 -*-\n{code}"
    assert project_files(code)[0].text == expected


@pytest.mark.parametrize(
    ("source", "parses"),
    [
        ("x = 1\n", True),
        ("\ufeffx = 1\n", True),
        ("\fx = 1\n", True),
        ("x = '\\d'\n", True),
        ("x = 1 is 1\n", True),
        ("# coding: utf-8\nx = 1\n", True),
        ("# encoding: integers\nx = 1\n", False),
        ("#\n# coding: none-such\nx = 1\n", False),
        ("#\n#\n# coding: none-such\nx = 1\n", True),
        ("x = 1\0\n", False),
        ("x = '\ud800'\n", False),
        ("return 1\n", False),
        ("def f(a, a): pass\n", False),
        ("x = (\n", False),
    ],
)
def test_parses_is_what_python_says_of_the_bytes(source: str, parses: bool) -> None:
    assert read_code(source, None).parses is parses
    if "\ud800" not in source:
        assert taken_by_python([source]) == [parses]


def test_a_string_that_looks_like_cells_stays_in_one_cell() -> None:
    code = "s = '''\n# %% Model\n!touch pwned\n'''\n\n# %% Train\nx = 1\n"
    assert notebook_statements(project_files(code)) == statements(code)


def test_markdown_cells_hold_no_html_and_no_links_but_to_pages() -> None:
    prose = "# %% [markdown]\n# a <b onclick=x()>, ![t](http://t/t.png), [j](javascript:x()), [p](https://p), 3 < 4\n"
    cell = json.loads(project_files(prose + "\n# %% Model\nx = 1\n")[1].text)["cells"][0]
    assert "".join(cell["source"]) == (
        "a \\<b onclick=x()>, !\\[t](http://t/t.png), [j\\](javascript:x()), [p](https://p), 3 < 4"
    )


def test_requirements_txt_has_only_names_that_pip_reads() -> None:
    files = project_files("import numpy, _own, été\nfrom a_b.c import d\n")
    assert files[2].text == "a_b\nnumpy>=1.26\n"
