"""`dlcodegen describe`: what is printed, and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jobs.cli import app
from pipeline.errors import DLCodeGenError


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["describe", *arguments])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    lines = ["size,[red]tint,kind"] + [f"{row}.5,{'ab'[row % 2]},{'pqr'[row % 3]}" for row in range(40)]
    (tmp_path / "things.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "things.csv"


def test_the_screen_shows_attributes_columns_and_notes(table: Path) -> None:
    output = run(str(table), "--target", "kind").output
    assert "CSV file things.csv with 40 rows and 2 input columns" in output
    assert "target kind: 3 classes (p, q, r)" in output
    assert "target by: as asked for" in output
    assert "category" in output


def test_json_is_the_description_and_the_contract(table: Path) -> None:
    printed = json.loads(run(str(table), "--json", "--target", "size").stdout)
    assert list(printed) == ["attributes", "contract", "target_rule", "notes", "damaged"]
    assert printed["contract"]["inputs"][0]["path"] == "things.csv"
    assert printed["contract"]["targets"][0]["name"] == "size"


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data.zip").write_bytes(b"PK")
    result = run(str(tmp_path / "data.zip"))
    assert isinstance(result.exception, DLCodeGenError)
    assert "unpack it" in str(result.exception)
