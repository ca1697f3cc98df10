from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import DLCodeGenError
from pipeline.inputs import read_requirements
from pipeline.inputs.artifact import is_artifact, read_blocks, read_plans, read_samples

DASHES = "-" * 37


def write(root: Path, name: str, text: str) -> str:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return str(path)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of three requirements (two with references), their plans in one of the two schemas, and samples."""
    tasks = [{"User Requirement": f"Task {i}", "Dataset Attributes": {"classes": i}} for i in range(3)]
    plan = {"Task Category": "Image Classification", "Model architecture": {"Layers": ["Dense(1)"], "Hypermeters": {}}}
    codes = ["import a\nprint(1)", "import b\n\n\nprint(" + " + ".join(["2"] * 40) + ")"]
    write(tmp_path, "Datasets/DLCodeEval/Test.txt", "\n".join(map(json.dumps, tasks)))
    write(tmp_path, "Datasets/DLCodeEval/Test_Code.txt", f"\n{DASHES}\n".join(codes))
    lines = [
        {**tasks[0], "Code Plan": {}},
        {**tasks[1], "Dataset Attributes": "other", "Code Plan": {"Preprocess": "x"}},
    ]
    lines.append({**tasks[1], "Code Plan": plan})
    write(tmp_path, "Datasets/DLPlanData/Train.txt", "\n".join(map(json.dumps, lines)))
    nearly = codes[1].replace("import b", "import c")
    write(tmp_path, "Datasets/DLSamplePool/Samples.txt", f"\n{DASHES}\n".join([nearly, "something_else()", codes[0]]))
    return tmp_path


def test_a_checkout_is_an_input(checkout: Path) -> None:
    assert is_artifact(str(checkout))
    assert is_artifact(f"file://{checkout}/")
    rows = list(read_requirements(str(checkout)))
    assert [(row.id, row.row, row.requirement, row.attributes) for row in rows] == [
        (f"dlcodeeval-00{i}", i, f"Task {i}", f"classes: {i}") for i in range(3)
    ]
    assert [row.reference is None for row in rows] == [False, False, True]


def test_other_folders_are_no_artifact(tmp_path: Path) -> None:
    assert not is_artifact(str(tmp_path))
    assert not is_artifact(str(tmp_path / "absent"))
    assert not is_artifact("nosuchprotocol://x")


def test_plans_without_content_are_counted(checkout: Path) -> None:
    data = read_plans(str(checkout / "Datasets/DLPlanData/Train.txt"))
    assert data.unreadable == (1,)
    assert [(row.line, row.attributes) for row in data.plans] == [(2, "other"), (3, "classes: 1")]
    assert data.plans[1].plan.layers == ("Dense(1)",)


def test_samples_find_their_requirement_by_code_and_their_plan_by_requirement(checkout: Path) -> None:
    samples = list(read_samples(str(checkout)))
    assert [(sample.requirement, sample.attributes) for sample in samples] == [
        ("Task 1", "classes: 1"),
        ("", ""),
        ("Task 0", "classes: 0"),
    ]
    plan = samples[0].plan
    assert plan is not None
    assert plan.task_category == "Image Classification"
    assert [sample.plan for sample in samples[1:]] == [None, None]


def test_blocks(tmp_path: Path) -> None:
    assert read_blocks(write(tmp_path, "a", f"one\n{DASHES}\n\n  two\n{DASHES}\n")) == ["one", "  two", ""]
    assert read_blocks(write(tmp_path, "b", f"one\n{DASHES} 0\n{DASHES} 1\nlast\n{DASHES} 2\n\n")) == [
        "one",
        "",
        "last",
    ]
    inside = f"x = '{DASHES}'\n {DASHES}\n{DASHES}-"
    assert read_blocks(write(tmp_path, "c", inside)) == [inside]


def test_damage_names_the_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path, "Train.txt", "{}\n{cut")
    with pytest.raises(DLCodeGenError, match=r"Train\.txt, line 2: not JSON"):
        read_plans(path)
    with pytest.raises(DLCodeGenError, match=r"absent\.txt: cannot be read"):
        read_blocks(str(tmp_path / "absent.txt"))


@pytest.mark.shared
class TestPublished:
    """Counts of the released files (paper-protocol.md)."""

    def test_requirements_and_references(self, artifact: str) -> None:
        rows = list(read_requirements(artifact))
        assert len(rows) == 46
        assert all(row.reference and row.requirement and row.attributes and row.failure is None for row in rows)

    @pytest.mark.parametrize(
        ("part", "plans", "unreadable"), [("Train", 3298, (188,)), ("Evaluation", 100, ()), ("Test", 189, ())]
    )
    def test_plans(self, artifact: str, part: str, plans: int, unreadable: tuple[int, ...]) -> None:
        data = read_plans(f"{artifact}/Datasets/DLPlanData/{part}.txt")
        assert (len(data.plans), data.unreadable) == (plans, unreadable)

    def test_samples_are_the_references_in_another_order(self, artifact: str) -> None:
        samples, rows = list(read_samples(artifact)), list(read_requirements(artifact))
        assert len(samples) == 46
        assert {sample.requirement for sample in samples} == {row.requirement for row in rows}
        assert sum(sample.plan is not None for sample in samples) == 44

    def test_results_have_a_block_for_each_reference(self, artifact: str) -> None:
        paths = sorted(Path(artifact).glob("Results/RQ[14]/**/*.txt"))
        assert len(paths) == 10
        assert {len(read_blocks(str(path))) for path in paths} == {46}
