"""Projects run on a task's data in the real sandbox: what they may leave behind, and one reference to its end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import DLCodeGenError
from pipeline.hidden_tests.certificate import answers_are_hidden
from pipeline.hidden_tests.grading import Bounds, grade
from pipeline.hidden_tests.references import reference_of
from pipeline.hidden_tests.running import RUN_LIMITS, run_on_data
from pipeline.hidden_tests.task import chosen_tasks
from pipeline.records import SCRIPT, SourceFile
from pipeline.sandbox.process import ProcessSandbox

(TASK,) = chosen_tasks(["iris-species"])
DATA = TASK.data()
BOUNDS = Bounds(trivial=0.5, reference=0.9)


@pytest.fixture(scope="module")
def sandbox() -> ProcessSandbox:
    try:
        return ProcessSandbox(environment={"DATA_DIR": "data"})
    except DLCodeGenError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # Not below pytest's own folders, which only their owner may enter.
    with tempfile.TemporaryDirectory() as name:
        DATA.write(Path(name))
        yield Path(name)


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("", "no_predictions"),
        ("import os; os.symlink('/etc/passwd', 'predictions.csv')", "no_predictions"),
        ("import os; os.mkfifo('predictions.csv')", "no_predictions"),
        ("import os; os.mkdir('predictions.csv')", "no_predictions"),
        ("open('predictions.csv', 'w').truncate(100 << 20)", "predictions_too_large"),
        ("open('predictions.csv', 'w').write('1' * (5 << 20))", "predictions_too_large"),
        ("open('predictions.csv', 'wb').write(bytes(range(256)))", "unreadable_predictions"),
        ("open('predictions.csv', 'w').write('plant,species\\n1,setosa\\n'); raise SystemExit(3)", "error"),
        ("import nothing_like_it", "error"),
    ],
)
def test_what_a_project_leaves_behind_has_a_name(
    sandbox: ProcessSandbox, folder: Path, code: str, failure: str
) -> None:
    project = [SourceFile(path=SCRIPT, text=code)]
    graded = grade(TASK, DATA, run_on_data(sandbox, project, SCRIPT, folder), BOUNDS)
    assert (graded.failure, graded.score, graded.learnt) == (failure, None, False)


def test_processor_time_is_limited(sandbox: ProcessSandbox, folder: Path) -> None:
    project = [SourceFile(path=SCRIPT, text="while True: pass")]
    execution = run_on_data(sandbox, project, SCRIPT, folder, limits=replace(RUN_LIMITS, cpu_seconds=1.0))
    assert grade(TASK, DATA, execution, BOUNDS).failure == "cpu_seconds"


def test_a_project_sees_the_data_and_neither_this_package_nor_an_answer(sandbox: ProcessSandbox, folder: Path) -> None:
    code = "import os; print(sorted(os.listdir()), sorted(os.listdir(os.environ['DATA_DIR'])))"
    execution = run_on_data(sandbox, [SourceFile(path=SCRIPT, text=code)], SCRIPT, folder)
    assert execution.stdout_tail.strip() == "['data', 'project.py'] ['test.csv', 'train.csv']"
    assert answers_are_hidden(sandbox)


def test_a_reference_learns_from_end_to_end(sandbox: ProcessSandbox, folder: Path) -> None:
    graded = grade(TASK, DATA, run_on_data(sandbox, [reference_of(TASK, DATA)], SCRIPT, folder), BOUNDS)
    assert (graded.failure, graded.learnt, graded.reaches) == ("", True, True)
