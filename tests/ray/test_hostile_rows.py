"""Rows of all hostile kinds at once, beside things that are no files: everything is accounted for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.hostile import files_outside
from jobs.generate import main
from jobs.generation.settings import GenerateConfig
from jobs.runs.store import RunStore
from pipeline.records import Scored
from tests import hostile_inputs
from tests.compiling import python_refusals

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("hostile")
    source = base / "rows"
    source.mkdir()
    (source / "rows.jsonl").write_bytes(b"\n".join(hostile_inputs.row_lines()))
    for name, make in hostile_inputs.IRREGULAR.items():
        make(source / f"{name}.jsonl")
    main(GenerateConfig(input=str(source), out=str(base / "out"), projects=True, quiet=True))
    return base


@pytest.fixture(scope="module")
def rows(base: Path) -> list[Scored]:
    return list(RunStore(str(base / "out")).results())


def test_each_row_is_a_project_or_a_failure_that_says_why(rows: list[Scored]) -> None:
    assert [row.row for row in rows] == list(range(len(hostile_inputs.row_lines()) + len(hostile_inputs.IRREGULAR)))
    assert all((row.failure is None) == bool(row.files) for row in rows)
    kinds = Counter(row.failure.kind for row in rows if row.failure)
    assert kinds.pop("no_file") == len(hostile_inputs.IRREGULAR)
    assert set(kinds) == {
        "broken_json", "missing_requirement", "wrong_type", "nul_bytes", "invalid_encoding", "too_long",
        "unread_language",
    }  # fmt: skip


def test_each_text_that_can_be_read_becomes_a_project(rows: list[Scored]) -> None:
    texts = rows[-len(hostile_inputs.REQUIREMENTS) :]
    failed = [name for name, row in zip(hostile_inputs.REQUIREMENTS, texts, strict=True) if not row.files]
    assert failed == ["too long", "right to left"]  # the second is in no language whose terms are read


def test_python_itself_compiles_every_project(base: Path) -> None:
    projects = list((base / "out" / "projects").glob("*/project.py"))
    assert projects
    assert python_refusals(projects) == {}


def test_nothing_is_written_outside_the_output(base: Path) -> None:
    assert files_outside(base, {"rows", "out"}) == []
