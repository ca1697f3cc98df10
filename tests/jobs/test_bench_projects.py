"""`dlcodegen bench projects`: a method's projects written, run and graded, resumable."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.hidden_tests.benchmarking import BenchConfig, main
from pipeline.config import PipelineSettings, load_settings
from pipeline.environments.building import FOLDER_VARIABLE
from pipeline.errors import DLCodeGenError
from pipeline.hidden_tests.grading import Grade
from pipeline.hidden_tests.results import TaskResult, failures_of, shares_of
from pipeline.hidden_tests.task import chosen_tasks
from tests.plain_environment import plain_environments


def test_a_project_is_written_for_the_task_s_folder_and_graded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python alone has no TensorFlow, so the project ends with an error at once: training would take half a minute.
    monkeypatch.setenv(FOLDER_VARIABLE, str(plain_environments(tmp_path / "environments")))
    config = BenchConfig(
        out=str(tmp_path),
        tasks=chosen_tasks(["iris-species"]),
        settings=PipelineSettings(),
        quiet=True,
    )
    (result,) = main(config)
    assert (result.generated, result.grade.runs, result.grade.failure) == (True, False, "error")
    assert (result.reached, result.exception) == ("parses", "import")
    assert failures_of([result]) == [("error: import", 1)]
    assert sorted(path.name for path in (tmp_path / "data/iris-species").iterdir()) == ["test.csv", "train.csv"]
    script = (tmp_path / "projects/iris-species/project.py").read_text()
    assert 'TARGET = "species"' in script
    written = (tmp_path / "projects/iris-species/project.py").stat().st_mtime_ns
    assert main(config) == [result]
    assert (tmp_path / "projects/iris-species/project.py").stat().st_mtime_ns == written
    other = load_settings(PipelineSettings, None, ["method=copy"])
    with pytest.raises(DLCodeGenError, match="holds results of other settings"):
        main(BenchConfig(out=str(tmp_path), tasks=config.tasks, settings=other, quiet=True))


def test_all_tasks_are_in_every_denominator() -> None:
    grades = [
        Grade(failure="unserved_data"),
        Grade(failure="error"),
        Grade(runs=True, failure="extra_columns"),
        Grade(runs=True, score=0.5, learnt=True),
        Grade(runs=True, score=0.9, learnt=True, reaches=True),
    ]
    results = [
        TaskResult(task=f"t{number}", category="text" if number < 2 else "table", grade=one, generated=number > 0)
        for number, one in enumerate(grades)
    ]
    text, table, both = shares_of(results)
    assert (text.tasks, text.generated, text.runs, text.scored, text.learnt, text.reaches) == (2, 1, 0, 0, 0, 0)
    assert (table.tasks, table.runs, table.scored, table.learnt, table.reaches) == (3, 3, 2, 2, 1)
    assert (both.name, both.tasks, both.pass_at_1.estimate) == ("all", 5, 0.2)
    # Wilson, 1 of 5: (0.0362, 0.6245).
    assert both.pass_at_1.low == pytest.approx(0.0362, abs=1e-4)
    assert both.pass_at_1.high == pytest.approx(0.6245, abs=1e-4)
    assert failures_of(results) == [("unserved_data", 1), ("error", 1), ("extra_columns", 1)]
    assert shares_of([]) == []
