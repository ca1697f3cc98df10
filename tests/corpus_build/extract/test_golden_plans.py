"""Plans written by hand for notebooks of different construction styles (golden/*.cells, cells divided by `# %%`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corpus_build.extract.static_plan import MENDED, MOST_CODE, read_plan_from_code

GOLDEN = Path(__file__).parent / "golden"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.cells"))

OTHER_MODELS = {
    "lesson_two_models": ("Dense, Dense",),
    "comparison_loop": ("Input, Flatten, Dense", "Input, Conv2D, GlobalAveragePooling2D, Dense"),
    "encoder_then_classifier": ("Input, Dense, Dense, Input, Dense, Dense",),
}
"""Notebooks with more than one model, and those that their plan leaves out."""


def test_there_are_enough_of_them() -> None:
    assert len(NAMES) >= 25


@pytest.mark.parametrize("name", NAMES)
def test_the_plan_is_read_from_the_code(name: str) -> None:
    static = read_plan_from_code((GOLDEN / f"{name}.cells").read_text().split("# %%\n"))
    plan, hyper = static.plan, static.plan.hyperparameters
    assert {
        "category": plan.task_category,
        "layers": list(plan.layers),
        "optimizer": hyper.optimizer,
        "loss": hyper.loss,
        "learning_rate": hyper.learning_rate,
        "batch_size": hyper.batch_size,
        "epochs": hyper.epochs,
        "metric": hyper.metric,
        "input": plan.dataset.input.removeprefix("Shape of the input data is ").rstrip("."),
        "output": plan.dataset.output.removeprefix("Shape of the output data is ").rstrip("."),
    } == json.loads((GOLDEN / f"{name}.json").read_text())
    mended = name in ("broken_cell", "python_2")
    assert static.confidence["layers"] == (0.8 if mended else 0.9 if name in OTHER_MODELS else 1.0)
    assert static.other_models == OTHER_MODELS.get(name, ())


def test_a_library_pasted_into_a_cell_is_passed_over() -> None:
    cells = (GOLDEN / "sequential_list.cells").read_text().split("# %%\n")
    whole = read_plan_from_code(cells)
    static = read_plan_from_code([f"blob = '{'x' * MOST_CODE}'", *cells])
    assert static.plan == whole.plan
    assert (static.parses, static.confidence["optimizer"]) == (False, MENDED)
