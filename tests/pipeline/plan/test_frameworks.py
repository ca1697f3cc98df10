"""Plans carry their framework, and the paper's formats are written without it for Keras."""

import json

import pytest

from pipeline.plan.frameworks import canonical_framework
from pipeline.plan.reading import read_plan
from pipeline.plan.solution_plan import SolutionPlan, plan_schema
from pipeline.planners.repair.repair import RepairedPlanner, repair_plan
from pipeline.records import Requirement, Scored
from pipeline.request.reading.reader import read_constraints
from pipeline.storage.arrow import from_rows, to_table

KERAS_PLAN = SolutionPlan(task_category="Image Classification", preprocess="Scaled to 0..1.")
TORCH_PLAN = KERAS_PLAN.model_copy(update={"framework": "pytorch"})


def test_a_keras_plan_is_written_as_the_paper_has_it() -> None:
    written = json.loads(KERAS_PLAN.to_json())
    assert list(written) == ["Task Category", "Dataset", "Preprocess", "Model Architecture"]
    assert list(KERAS_PLAN.model_dump(by_alias=True)) == list(written)
    assert "Framework" not in json.dumps(plan_schema())
    assert TORCH_PLAN.text() == KERAS_PLAN.text()


def test_another_framework_survives_json_and_tables() -> None:
    assert json.loads(TORCH_PLAN.to_json())["Framework"] == "pytorch"
    assert read_plan(TORCH_PLAN.to_json()) == TORCH_PLAN
    assert read_plan(KERAS_PLAN.to_json()).framework == ""
    rows = [Scored(id="a", row=0, plan=KERAS_PLAN), Scored(id="b", row=1, plan=TORCH_PLAN)]
    assert from_rows(to_table(rows, Scored).to_pylist(), Scored) == rows


@pytest.mark.parametrize(
    ("words", "framework"),
    [
        ("Classify flowers in PyTorch", "pytorch"),
        ("Classify flowers with pytorch lightning", "pytorch"),
        ("Classify flowers in JAX/Flax", "jax"),
        ("Classify flowers with Keras", ""),
        ("Classify flowers", ""),
    ],
)
def test_the_asked_framework_is_the_plans(words: str, framework: str) -> None:
    planner = RepairedPlanner(lambda record: {"plan": KERAS_PLAN})
    fields = planner(Requirement(id="a", row=0, requirement=words))
    assert isinstance(fields, dict)
    assert fields["plan"].framework == framework


def test_repairing_a_plan_keeps_its_framework() -> None:
    plan, changes = repair_plan(TORCH_PLAN, read_constraints("batch size 7"))
    assert changes
    assert plan.framework == "pytorch"


@pytest.mark.parametrize(
    ("text", "framework"),
    [("PyTorch", "pytorch"), ("torch", "pytorch"), ("Flax", "jax"), ("tf.keras", ""), ("", "")],
)
def test_frameworks_have_one_spelling(text: str, framework: str) -> None:
    assert canonical_framework(text) == framework
