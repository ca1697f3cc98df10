"""What a user meets who gives planners too little or the wrong folder: a plan, or an error with the way out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from pipeline.errors import DLCodeGenError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files without a row, with one, and with seven of one category and nothing else; a folder of something else; a
    fit on each of the two that can be fitted."""
    folder = tmp_path_factory.mktemp("few")
    rows = [
        json.dumps(
            {"User Requirement": f"Sort shells of kind {n}", "Code Plan": {"Task Category": "Image Classification"}}
        )
        for n in range(7)
    ]
    for name, lines in (("empty", rows[:0]), ("one", rows[:1]), ("same", rows)):
        (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))
    (folder / "wishes.txt").write_text("Classify photos of shells.\n")
    (folder / "other").mkdir()
    (folder / "other" / "readme.txt").write_text("no model\n")
    for name in ("one", "same"):
        _run(folder, "fit-planner --data DIR/NAME.jsonl --out DIR/NAME".replace("NAME", name))
    return folder


def _run(folder: Path, command: str) -> str:
    result = CliRunner().invoke(app, command.replace("DIR", str(folder)).split())
    if result.exception is not None:
        raise result.exception
    return result.output


@pytest.mark.parametrize(
    "planner", ["planner=hybrid:DIR/one", "planner=hybrid:DIR/same", "plans=DIR/one.jsonl", "plans=DIR/same.jsonl"]
)
def test_one_row_or_one_category_with_missing_fields_still_gives_a_plan(folder: Path, planner: str) -> None:
    line = _run(folder, f"plan DIR/wishes.txt {planner}")
    assert json.loads(line)["Code Plan"]["Task Category"] == "Image Classification"


def test_one_test_row_without_fields_can_be_evaluated(folder: Path) -> None:
    out = _run(
        folder, "eval-planner --train DIR/same.jsonl --test DIR/one.jsonl --planner hybrid:DIR/same --out DIR/evaluated"
    )
    assert "100.00" in out
    assert (folder / "evaluated" / "plots" / "table-iv.png").exists()


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("fit-planner --data DIR/empty.jsonl --out DIR/x", r"empty\.jsonl: no readable plan; set `plans`"),
        ("fit-planner --data DIR/none.jsonl --out DIR/x", r"none\.jsonl: cannot be read"),
        ("train-planner --data DIR/empty.jsonl --out DIR/x model=scratch:1x32", r"empty\.jsonl: no readable plan"),
        ("train-planner --data DIR/one.jsonl --out DIR/x model=scratch:1x32", "1 row .* give more rows"),
        ("train-planner --data DIR/same.jsonl --out DIR/x model=DIR/other", r"other: .* no config\.json"),
        ("eval-planner --train DIR/empty.jsonl --test DIR/one.jsonl --out DIR/x", r"empty\.jsonl: no readable plan"),
        ("eval-planner --train DIR/one.jsonl --test DIR/empty.jsonl --out DIR/x", r"empty\.jsonl: no test plan"),
        ("plan DIR/wishes.txt planner=hybrid:DIR/other", r"other: no fitted planner \(no planner\.json\); make one"),
        ("plan DIR/wishes.txt planner=gpt2:DIR/other", r"other: not a trained planner, since it has no config\.json"),
        ("plan DIR/wishes.txt planner=gpt2:DIR/none", "none: no such folder"),
        ("plan DIR/wishes.txt plans=DIR/empty.jsonl", r"empty\.jsonl: no readable plan"),
    ],
)
def test_what_cannot_work_is_refused_with_the_cause_and_the_way_out(folder: Path, command: str, reason: str) -> None:
    if "train-planner" in command or "gpt2" in command:
        pytest.importorskip("transformers")
    with pytest.raises(DLCodeGenError, match=reason):
        _run(folder, command)
