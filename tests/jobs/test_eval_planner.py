"""`dlcodegen fit-planner` and `eval-planner`, on bundled plans."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import app
from jobs.eval_planner import main
from jobs.scoring.plans.evaluation import PlanEvaluation
from jobs.scoring.plans.planner_runs import MAJORITY
from jobs.scoring.reproduction.plan_tables import NO_PLAN
from pipeline.comparison.plan_tables import ALL, NOT_NEAR
from pipeline.errors import DLCodeGenError
from pipeline.plan.fields import FIELD_NAMES
from pipeline.plan.reading import read_plan
from pipeline.planners.hybrid.folder import load_fitted
from pipeline.retrieval.sample_pool import load_known_plans


def _line(requirement: str, attributes: str, plan: object) -> str:
    return json.dumps({"User Requirement": requirement, "Dataset Attributes": attributes, "Code Plan": plan})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve test plans: two word for word in the known ones. One perfect and one broken file of predictions."""
    folder = tmp_path_factory.mktemp("plans")
    known = load_known_plans()
    lines = [
        _line(
            item.requirement if number < 2 else f"Case {number}: " + item.requirement[::2],
            item.attributes,
            item.plan.model_dump(by_alias=True, mode="json"),
        )
        for number, item in enumerate(known[:12])
    ]
    (folder / "test.txt").write_text("\n".join(lines) + "\n")
    (folder / "perfect.txt").write_text("\n".join(lines) + "\n")
    (folder / "broken.txt").write_text("\n".join([*lines[:9], *(line[:-3] for line in lines[9:])]))
    return folder


@pytest.fixture(scope="module")
def evaluation(folder: Path) -> PlanEvaluation:
    runner = CliRunner().invoke(app, ["fit-planner", "--data", "starter", "--out", str(folder / "fit")])
    assert runner.exit_code == 0, runner.output
    return main(
        test=str(folder / "test.txt"),
        train="starter",
        planners=["retrieval", f"hybrid:{folder / 'fit'}"],
        predictions=[str(folder / "perfect.txt"), str(folder / "broken.txt")],
        out=str(folder / "out"),
    )


def _values(evaluation: PlanEvaluation, planner: str, subset: str = ALL) -> dict[str, float | None]:
    return {row.column: row.reproduced for row in evaluation.results if (row.planner, row.subset) == (planner, subset)}


def test_files_and_planners_stand_in_one_table(evaluation: PlanEvaluation) -> None:
    names = dict.fromkeys(row.planner for row in evaluation.results)
    both = ["retrieval", "retrieval (firewall)", "hybrid:fit", "hybrid:fit (firewall)"]
    assert list(names) == ["perfect", "broken", NO_PLAN, MAJORITY, *both]
    perfect, broken = _values(evaluation, "perfect"), _values(evaluation, "broken")
    assert [perfect["task_category"], perfect["loss"], perfect["plan_bleu"]] == pytest.approx([100, 100, 100])
    assert perfect["layers_distance"] == 0
    assert (broken["validity_strict"], broken["validity_lenient"]) == (75, 100)


def test_planners_of_ours_are_always_valid(evaluation: PlanEvaluation) -> None:
    for name in ("retrieval", "hybrid:fit", "hybrid:fit (firewall)"):
        assert _values(evaluation, name)["validity_strict"] == 100
    written = sorted(path.name for path in Path(evaluation.out, "predictions").iterdir())
    assert written == [
        "hybrid-fit--firewall-.jsonl", "hybrid-fit.jsonl", "retrieval--firewall-.jsonl", "retrieval.jsonl",
    ]  # fmt: skip
    lines = Path(evaluation.out, "predictions", "hybrid-fit.jsonl").read_text().splitlines()
    assert len(lines) == 12
    assert all(read_plan(line).task_category for line in lines)


def test_nearly_known_rows_are_found_and_left_out(evaluation: PlanEvaluation) -> None:
    assert evaluation.near == (0, 1)
    assert next(row.rows for row in evaluation.results if row.subset == NOT_NEAR) == 10
    compared = {
        (row.planner, row.subset, row.column): row for row in evaluation.comparisons if row.against == "perfect"
    }
    assert compared["hybrid:fit", NOT_NEAR, "task_category"].rows == 10
    assert compared["hybrid:fit", ALL, "task_category"].difference <= 0
    assert ("broken", ALL, "task_category") not in compared


def test_the_firewall_takes_the_known_answer_away(evaluation: PlanEvaluation) -> None:
    outputs = {(item.planner, item.row): item.value for item in evaluation.items if item.column == "output_bleu"}
    assert outputs["hybrid:fit", 0] == pytest.approx(100)
    assert outputs["hybrid:fit (firewall)", 0] < 100  # type: ignore[operator]


def test_everything_is_written(evaluation: PlanEvaluation) -> None:
    with open(Path(evaluation.out, "plans.csv"), newline="") as stream:
        assert len(list(csv.DictReader(stream))) == len(evaluation.results)
    manifest = json.loads(Path(evaluation.out, "manifest.json").read_text())
    assert manifest["test_rows"] == 12
    assert len(manifest["read"]["test"]["sha256"]) == 64
    page = Path(evaluation.out, "report.html").read_text()
    assert "Table IV without nearly known rows" in page
    assert "cannot be recomputed" in page
    assert "hybrid:fit" in page


def test_plots_lie_beside_the_page(evaluation: PlanEvaluation) -> None:
    plots = {path.name: path.read_bytes() for path in Path(evaluation.out, "plots").iterdir()}
    assert sorted(plots) == [
        "differences-from-broken.png", "differences-from-perfect.png", "table-iv.png", "whole-plans.png",
    ]  # fmt: skip
    assert all(picture.startswith(b"\x89PNG") for picture in plots.values())


def test_the_fit_says_who_is_best_at_each_field(folder: Path, evaluation: PlanEvaluation) -> None:
    card = json.loads((folder / "fit" / "planner.json").read_text())
    contests = {contest["field"]: contest for contest in card["contest"]}
    assert set(contests) == {*FIELD_NAMES} - {"preprocess"}
    assert set(contests["loss"]["gains"]) == {"ridge", "retrieval", "majority"}
    gains = contests["task_category"]["gains"]
    assert gains["majority"] < min(gains["ridge"], gains["retrieval"])
    assert contests["task_category"]["best"] != "majority"


def test_an_evaluation_split_decides_and_a_gpt2_competes_on_it(folder: Path, tmp_path: Path) -> None:
    """A GPT-2 of random weights wins no field that a known plan can answer."""
    pytest.importorskip("torch")
    from tests.pipeline.planners.causal_lm.tiny_gpt2 import random_gpt2

    random_gpt2(tmp_path / "gpt2", seed=1)
    arguments = ["fit-planner", "--data", "starter", "--out", str(tmp_path / "fit"), "--gpt2", str(tmp_path / "gpt2")]
    refused = CliRunner().invoke(app, arguments)
    assert "needs --eval" in str(refused.exception)
    result = CliRunner().invoke(app, [*arguments, "--eval", str(folder / "test.txt")])
    assert result.exit_code == 0, result.output
    choices = load_fitted(str(tmp_path / "fit")).choices
    assert {len(choice.mean_scores) for choice in choices} == {4}
    name = f"gpt2:{tmp_path / 'gpt2'}"
    loss = next(choice for choice in choices if choice.field == "loss")
    assert loss.mean_scores[name] < loss.mean_scores["retrieval"]
    assert loss.planner != name


def test_files_that_do_not_belong_together(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("{}\n")
    (tmp_path / "none.txt").write_text("\n")
    test = str(folder / "test.txt")

    def run(**changed: object) -> PlanEvaluation:
        given = {"test": test, "train": "starter", "planners": [], "predictions": [], "out": str(tmp_path / "out")}
        return main(**(given | changed))  # type: ignore[arg-type]

    with pytest.raises(DLCodeGenError, match="1 predictions for 12 test rows"):
        run(predictions=[str(tmp_path / "short.txt")])
    with pytest.raises(DLCodeGenError, match="no test plan"):
        run(test=str(tmp_path / "none.txt"))
    with pytest.raises(DLCodeGenError, match="row 1: no JSON object with `User Requirement`"):
        run(test=str(tmp_path / "short.txt"))
    with pytest.raises(DLCodeGenError, match="no such planner here"):
        run(against=["GPT-5"])
    with pytest.raises(DLCodeGenError, match="no fitted planner"):
        run(planners=[f"hybrid:{tmp_path}"])


def test_the_command_prints_the_tables(folder: Path, tmp_path: Path) -> None:
    arguments = ["--test", str(folder / "test.txt"), "--train", "starter", "--planner", "retrieval"]
    result = CliRunner().invoke(
        app, ["eval-planner", *arguments, "--against", MAJORITY, "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 0, result.output
    assert "Differences from majority and median" in result.output
    assert "better" in result.output
