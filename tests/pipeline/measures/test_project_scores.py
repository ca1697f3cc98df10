import pytest

from pipeline.measures.project_scores import score_stage
from pipeline.plan.solution_plan import Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.records import Delivered, Failure, Scored, Scores, SourceFile
from pipeline.stage import run_local

PROJECT = """
from tensorflow import keras
from tensorflow.keras import layers

model = keras.Sequential([layers.Dense(4, activation="relu"), layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x_train, [0, 1], epochs=3)
"""
PLAN = SolutionPlan(
    architecture=ModelArchitecture(
        layers=("Dense(4)", "Dense(1)"),
        hyperparameters=Hyperparameters(optimizer="Adam", loss="mean squared error", epochs=5),
    )
)


def scores(*files: tuple[str, str], plan: SolutionPlan | None = PLAN, reference: str | None = None) -> Scores:
    sources = tuple(SourceFile(path=path, text=text) for path, text in files)
    (scored,) = run_local([score_stage()], [Delivered(id="a", row=0, plan=plan, files=sources, reference=reference)])
    assert isinstance(scored, Scored)
    assert scored.failure is None
    assert scored.scores is not None
    return scored.scores


def test_a_project_is_measured_against_its_plan() -> None:
    found = scores(("project.py", PROJECT))
    assert found.parses
    assert found.undefined_names == ("x_train",)
    assert found.invalid_calls == ()
    # Kept: optimizer, loss and units (1 each), the layers (4); not kept: epochs (1).
    assert found.conformance == pytest.approx(7 / 8)
    assert found.deviations == ("epochs 3, the plan says 5",)
    assert found.lines == 5
    assert (found.codebleu, found.length_ratio) == (None, None)


def test_a_known_solution_adds_codebleu_and_the_length_ratio() -> None:
    found = scores(("project.py", PROJECT), reference=PROJECT)
    assert (found.codebleu, found.dataflow_match, found.length_ratio) == (1.0, 1.0, 1.0)
    longer = scores(("project.py", PROJECT * 2), reference=PROJECT)
    assert longer.length_ratio == 2.0


def test_what_is_beyond_codebleu_still_has_its_length_ratio() -> None:
    found = scores(("project.py", "x = 1\n" * 40_000), reference=PROJECT)
    assert found.codebleu is None
    assert found.length_ratio is not None
    assert found.length_ratio > 1000


def test_calls_that_keras_does_not_take() -> None:
    assert len(scores(("project.py", "import keras\nkeras.layers.Dense(8, neurons=2)\n")).invalid_calls) == 1


@pytest.mark.parametrize("source", ["def f(:", "x = 1\0", "", "# nothing yet\n"])
def test_source_that_is_no_program(source: str) -> None:
    found = scores(("project.py", source), reference=PROJECT)
    assert not found.parses
    assert (found.conformance, found.undefined_names, found.invalid_calls) == (0.0, (), ())
    assert found.codebleu is not None
    assert found.codebleu < 0.3


def test_a_project_without_files_scores_zero() -> None:
    found = scores(reference=PROJECT)
    assert (found.parses, found.lines, found.codebleu, found.length_ratio) == (False, 0, 0.0, 0.0)


def test_without_a_plan_or_with_one_that_states_nothing_there_is_no_conformance() -> None:
    assert scores(("project.py", PROJECT), plan=None).conformance is None
    assert scores(("project.py", PROJECT), plan=SolutionPlan()).conformance is None


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ([("a.py", "a = 1"), ("project.py", "a = 1\n\nb = 2")], 2),
        ([("README.md", "# A"), ("b.py", "b = 1\nc = 2\nd = 3"), ("c.py", "c = 1")], 3),
        ([("README.md", "# A")], 0),
    ],
)
def test_the_main_file_is_the_one_measured(files: list[tuple[str, str]], lines: int) -> None:
    assert scores(*files).lines == lines


def test_a_failed_row_passes_by() -> None:
    failure = Failure(stage="plan", kind="no_plan", message="nothing was understood")
    (scored,) = run_local([score_stage()], [Delivered(id="a", row=0, failure=failure)])
    assert isinstance(scored, Scored)
    assert (scored.scores, scored.failure) == (None, failure)
