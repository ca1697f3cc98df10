"""`dlcodegen new`: a sentence in, a folder out; and a sentence where `generate` and `plan` take a file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jobs.cli import app
from jobs.generation.new_project import new_folder
from pipeline.errors import DLCodeGenError
from pipeline.inputs import as_sentence, is_sentence, read_requirements
from pipeline.request.reading.reader import read_constraints
from pipeline.request.subject import subject_of
from tests.compiling import python_refusals


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_sentence_becomes_a_folder_named_by_its_subject() -> None:
    result = run("new", "classify moss and lichen photos, 96x96, Adam 1e-4, no dropout")
    assert result.exit_code == 0, result.output
    folder = Path("classify-moss-lichen-photos")
    assert {"project.py", "project.ipynb", "requirements.txt"} <= set(os.listdir(folder))
    assert python_refusals([folder / "project.py"]) == {}
    for shown in ("learning rate", "0.0001", "96x96", "dropout", f"cd {folder}"):
        assert shown in result.output
    second = run("new", "classify moss and lichen photos, 96x96, Adam 1e-4, no dropout")
    assert second.exit_code == 0
    assert Path(f"{folder}-2").is_dir()


def test_what_is_refused_says_what_was_understood_and_why() -> None:
    result = run("new", "In JAX: classify moss photos of 64x64")
    assert result.exit_code == 1
    assert "height 64" in result.output
    assert "JAX is asked for" in result.output
    assert os.listdir(".") == []


def test_a_folder_with_something_in_it_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("mine")
    result = run("new", "classify moss photos", "--out", "mine")
    assert isinstance(result.exception, DLCodeGenError)
    assert os.listdir("mine") == ["notes"]


def test_another_language_is_said_to_be_read_in_parts() -> None:
    result = run("new", "Quiero clasificar las imágenes de mis plantas con una CNN en 5 clases")
    assert "the request is in Spanish" in result.output


def test_plan_prints_what_it_understood() -> None:
    row = json.loads(run("plan", "LSTM for the next 7 days of river levels, look back 30 days").stdout)
    assert {"aspect": "architecture", "name": "family", "value": "lstm", "words": "LSTM"} in row["Asked"]
    assert row["Code Plan"]["Task Category"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("classify cats and dogs", True),
        ("Predict the price from /data/house.csv", True),
        ("What is s3://bucket/x?", True),
        ("cats dogs", False),
        ("s3://bucket/my own rows.csv", False),
        ("/data/my own rows.csv", False),
        ("./my own rows.csv", False),
        ("starter", False),
    ],
)
def test_a_sentence_is_no_place(words: str, sentence: bool) -> None:
    assert is_sentence(words) == sentence
    assert is_sentence(as_sentence(words))


def test_a_place_with_blanks_is_one_where_it_or_its_folder_is_there(tmp_path: Path) -> None:
    (tmp_path / "my own rows").mkdir()
    assert not is_sentence("my own rows")
    assert not is_sentence("my own rows/mistyped.csv")


def test_whatever_a_sentence_holds_it_is_one_row() -> None:
    for words in ("a :: b and c", "find x* in [a-z] ?", "word " * 500, "zwei\nZeilen und mehr"):
        (row,) = read_requirements(words)
        assert row.requirement == words.strip()
        assert row.failure is None


@pytest.mark.parametrize(
    ("requirement", "subject"),
    [
        ("I want to build a model that can classify cats and dogs", "classify-cats-dogs"),
        ("Prévisions météo: température à Zürich", "previsions-meteo-temperature-zurich"),
        ("分类猫和狗", "project"),
        ("../../etc", "etc"),
        ("I have a csv with columns a, b and price. I want to predict price, MAE please.", "predict-price"),
        ("Mixed inputs: photo and table. Classify products", "classify-products"),
    ],
)
def test_a_subject_can_name_a_folder(requirement: str, subject: str) -> None:
    assert subject_of(requirement, read_constraints(requirement)) == subject
    Path(subject).touch()
    assert new_folder(requirement) == f"{subject}-2"


def test_own_data_are_planned_for_and_their_columns_are_found(tmp_path: Path) -> None:
    lines = ["sqft,garage,price"] + [f"{80 + row},{row % 2},{1000 + 7 * row}" for row in range(60)]
    (tmp_path / "house.csv").write_text("\n".join(lines) + "\n")
    result = run("new", "predict the price of a house", "--data", "house.csv", "--target", "price", "--out", "mine")
    assert result.exit_code == 0, result.output
    script = Path("mine/project.py").read_text()
    for name in ("house.csv", "sqft", "garage", "price"):
        assert name in script
    assert "target" in result.output
