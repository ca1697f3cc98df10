"""Projects as sections of statements, with comments and layout kept."""

from __future__ import annotations

import ast

import pytest

from pipeline.generate.symbolic.notebook import read_notebook
from pipeline.generate.symbolic.statement import SECTIONS, edit_statement, replace_nodes
from pipeline.starter import sample_rows
from tests.pipeline.generate.symbolic.projects import FLOWERS, PLAIN


def test_cells_named_after_sections_are_taken_at_their_word() -> None:
    notebook = read_notebook(FLOWERS)
    assert notebook.title == "# Flowers\nTells flowers apart."
    assert [len(notebook.section(name)) for name in SECTIONS] == [3, 9, 1, 2, 1, 1, 1, 0]
    assert notebook.text() == FLOWERS


def test_code_without_cells_is_sorted_by_what_it_does() -> None:
    notebook = read_notebook(PLAIN)
    by_section = {name: [item.source.split("\n")[0] for item in notebook.section(name)] for name in SECTIONS}
    assert [line.split()[0] for line in by_section["imports"]] == ["import", "import", "import", "from", "from"]
    assert "plt.imshow(x[0])" in by_section["data"]  # a plot before there is a model looks at the data
    assert by_section["preprocessing"] == ["x = x / 255.0"]
    assert by_section["compile"] == [line for line in PLAIN.split("\n") if "compile" in line]
    assert by_section["show"] == ['plt.plot(history.history["loss"])', "plt.show()"]


def test_set_up_lines_move_to_the_imports_unless_they_read_what_comes_later() -> None:
    code = "import numpy as np\nseed = 42\nx = np.load('x')\nnp.random.seed(7)\nnp.random.seed(seed)\n"
    notebook = read_notebook(code)
    assert [item.source for item in notebook.section("imports")] == ["import numpy as np", "np.random.seed(7)"]


def test_what_is_not_python_is_left_out_and_the_rest_kept() -> None:
    assert "pip" not in read_notebook(PLAIN).text()
    broken = (
        "a = 1\nprint 'two'\ndef f(x):\n    return x\nif a:\n    b = 2\nelse:\n    b = 3\nfor in range:\nc = f(b)\n"
    )
    text = read_notebook(broken).text()
    ast.parse(text)
    assert "print 'two'" not in text
    assert all(part in text for part in ("a = 1", "return x", "b = 3", "c = f(b)"))


@pytest.mark.parametrize("code", ["", "\n\n", "# only a comment", "%matplotlib inline", "def broken(:\n    pass"])
def test_code_without_statements_is_an_empty_notebook(code: str) -> None:
    assert read_notebook(code).statements == ()


@pytest.mark.parametrize("code", [pytest.param(code, id=row["id"]) for row, code in sample_rows()])
def test_every_sample_survives_being_read_and_written(code: str) -> None:
    text = read_notebook(code).text()
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(code))
    assert read_notebook(text).text() == text


def test_statements_that_share_a_line_stay_together() -> None:
    assert [item.source for item in read_notebook("a = 1; b = 2\nc = 3").statements] == ["a = 1; b = 2", "c = 3"]


def test_edits_keep_comments_and_count_in_characters_not_bytes() -> None:
    (statement,) = read_notebook('name = f("größe", 12)  # wie groß').statements
    node = statement.node
    assert isinstance(node, ast.Assign)
    assert isinstance(node.value, ast.Call)
    edited = edit_statement(statement, [(node.value.args[1], "99"), (node.value.args[0], '"ß"')])
    assert edited.source == 'name = f("ß", 99)  # wie groß'


def test_an_edit_can_span_lines() -> None:
    source = "f(\n    1,\n    2,\n)"
    call = ast.parse(source).body[0].value  # type: ignore[attr-defined]
    assert replace_nodes(source, [(call, "g()")]) == "g()"


@pytest.mark.shared
def test_every_published_sample_can_be_read(artifact: str) -> None:
    from pipeline.retrieval.sample_pool import load_samples

    for sample in load_samples(artifact):
        text = read_notebook(sample.code).text()
        ast.parse(text)
        assert read_notebook(text).text() == text
        assert len(text) > 0.5 * len(sample.code), sample.id
