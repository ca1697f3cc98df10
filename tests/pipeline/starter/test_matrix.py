"""The samples of the matrix: each says which cell it is, no two are alike, and docs/starter.md lists them all."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from importlib import resources
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import pytest

from pipeline.own_data.serving import serves_of
from pipeline.request.data_contract import DataKind, Layout, TargetKind
from pipeline.retrieval.cell import Cell, cell_of
from pipeline.starter import matrix_rows
from pipeline.starter.table import matrix_table, with_table

ROWS = list(matrix_rows())
EACH = [pytest.param(row, code, id=row["id"]) for row, code in ROWS]

MOST_ALIKE = 0.7
"""Statements in common over all statements of two samples, names and literals left aside."""

DOCUMENT = Path(__file__).parents[3] / "docs" / "starter.md"

VALUES_ELSEWHERE = {
    "problem": {"tagging", "speech_recognition", "reinforcement_learning"},
    "variants": {"multi_step", "one_class", "distillation", "quantile"},
    "families": {"resnet", "mlp"},
}
"""Values of the guide that no table of spellings holds: rules read them."""


def terms(name: str, section: str) -> set[str]:
    table = tomllib.loads((resources.files("pipeline.request.terms") / f"{name}.toml").read_text("utf-8"))
    return set(table[section])


KNOWN = {
    "framework": terms("framework", "framework"),
    "problem": terms("task", "problem") | VALUES_ELSEWHERE["problem"],
    "variants": terms("task", "variant") | VALUES_ELSEWHERE["variants"],
    "data": set(get_args(DataKind)),
    "families": terms("architecture", "family") | VALUES_ELSEWHERE["families"],
    "backbones": terms("architecture", "backbone"),
    "datasets": terms("data", "dataset"),
    "representations": terms("data", "representation"),
}
"""The parts of a cell, and what each may say: the values of a request's constraints."""


def test_ids_tell_samples_apart() -> None:
    ids = Counter(row["id"] for row, _ in ROWS)
    assert [name for name, count in ids.items() if count > 1] == []


@pytest.mark.parametrize(("row", "code"), EACH)
def test_a_cell_speaks_the_words_of_constraints(row: dict[str, Any], code: str) -> None:
    cell = cell_of(row)
    assert cell is not None
    assert cell.framework
    assert cell.problems
    assert cell.data
    assert set(row["Cell"]) <= {*KNOWN, "usual"}
    for name, values in KNOWN.items():
        said = row["Cell"].get(name, [])
        assert set([said] if isinstance(said, str) else said) <= values, name
    imported = "import torch" if cell.framework == "pytorch" else "from tensorflow import keras"
    assert imported in code


@pytest.mark.parametrize(("row", "code"), EACH)
def test_what_a_sidecar_declares_is_there(row: dict[str, Any], code: str) -> None:
    names: set[str] = set()
    for node in ast.parse(code).body:
        if isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets if isinstance(target, ast.Name))
    assert row.get("Constants", {}).keys() <= names
    serves = serves_of(row)
    if serves is not None:
        assert set(serves.layouts) <= {*get_args(Layout), "text_file"}
        assert {*serves.inputs, *serves.beside} <= set(get_args(DataKind))
        assert set(serves.targets) <= {*get_args(TargetKind), "none"}


def statements_of(code: str) -> Counter[int]:
    """The statements by their form: types of nodes alone, without names, literals and docstrings."""
    found: Counter[int] = Counter()

    def form(node: ast.AST) -> int:
        parts = [form(child) for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr_context)]
        value = hash((type(node).__name__, *parts))
        if isinstance(node, ast.stmt):
            found[value] += 1
        return value

    form(ast.parse(code))
    return found


def test_no_two_samples_are_alike() -> None:
    forms = {row["id"]: statements_of(code) for row, code in ROWS}
    alike: list[tuple[str, str, float]] = []
    for first, second in combinations(forms, 2):
        common = (forms[first] & forms[second]).total()
        share = common / (forms[first].total() + forms[second].total() - common)
        if share >= MOST_ALIKE:
            alike.append((first, second, round(share, 2)))
    assert alike == []


def test_the_documentation_lists_every_sample() -> None:
    document = DOCUMENT.read_text("utf-8")
    # `python -m pipeline.starter.table docs/starter.md` writes it.
    assert with_table(document, matrix_table(row for row, _ in ROWS)) == document


def test_a_sidecar_may_say_one_word_or_several() -> None:
    cell = cell_of({"Cell": {"framework": "pytorch", "problem": "tagging", "families": ["bilstm", "attention"]}})
    assert cell == Cell(framework="pytorch", problems=("tagging",), families=("bilstm", "attention"))
    assert cell_of({"Cell": "tagging"}) is None
