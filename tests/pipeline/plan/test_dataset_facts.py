"""Numbers read from a user's words, and shapes from a plan's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.plan.dataset_facts import DatasetFacts, read_facts, shapes_in
from pipeline.plan.shapes import plan_facts, shape_texts
from pipeline.plan.solution_plan import DatasetShape, SolutionPlan


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("photos of five flower species, 224x224 RGB", {"height": 224, "width": 224, "channels": 3, "classes": 5}),
        ("video frames of 640x480 pixels", {"height": 480, "width": 640}),
        ("420x540 grayscale", {"height": 420, "width": 540, "channels": 1}),
        ("28x28 grayscale images of 26 letters", {"height": 28, "width": 28, "channels": 1, "classes": 26}),
        ("2,000 images per class", {}),
        ("tweets as positive, negative or neutral", {"classes": 3}),
        ("two classes: Fresh and Stale", {"classes": 2}),
        ("whether a loan will default", {"classes": 2}),
        ("a table of 12 numeric columns", {"features": 12}),
        ("the next 24 hours from the last 168 hours of data", {"horizon": 24, "sequence_length": 168}),
        ("reviews padded to 200 tokens, a vocabulary of 10,000", {"sequence_length": 200, "vocabulary": 10_000}),
        ("2 second clips at 16 kHz", {"clip_seconds": 2, "sample_rate": 16_000}),
        ("clips of 16 frames", {"frames": 16}),
        ("1,200 users and 3,400 movies", {"users": 1200, "items": 3400}),
        (
            "batch size of 64, 30 epochs, a learning rate of 0.0005",
            {"batch_size": 64, "epochs": 30, "learning_rate": 5e-4},
        ),
        ("twenty-five species", {"classes": 25}),
        ("two hundred classes", {"classes": 200}),
        ("a dozen breeds", {"classes": 12}),
        ("learning rate: 0.05, epochs=7, batch_size=16", {"learning_rate": 0.05, "epochs": 7, "batch_size": 16}),
        ("lr=1e-3", {"learning_rate": 1e-3}),
        ("64² pixels", {}),
        ("enlarge photos four times", {"scale": 4}),
    ],
)
def test_what_a_text_states(text: str, facts: dict[str, float]) -> None:
    assert read_facts(text) == DatasetFacts(**facts)  # type: ignore[arg-type]


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    read_facts(text)
    shapes_in(text)


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("(batch_size, 128, 128, 3)", [(128, 128, 3)]),
        ("shape is (None, 24, 8), target (None, 12)", [(24, 8), (12,)]),
        ("(224, 224, 3)", [(224, 224, 3)]),
        ("(IMG_SIZE, IMG_SIZE, 2)", [(None, 2)]),
        ("no shape (at all, really)", []),
    ],
)
def test_shapes(text: str, shapes: list[tuple[int | None, ...]]) -> None:
    assert shapes_in(text) == shapes


def test_a_plans_shapes_say_what_the_axes_of_its_category_mean() -> None:
    plan = SolutionPlan(
        task_category="Time Series Forecasting",
        dataset=DatasetShape(input="(batch_size, 72, 6)", output="(batch_size, 12)"),
    )
    facts = plan_facts(plan, "Time Series Forecasting")
    assert (facts.sequence_length, facts.features, facts.horizon) == (72, 6, 12)


def test_one_output_of_a_classifier_means_two_classes() -> None:
    plan = SolutionPlan(dataset=DatasetShape(input="(batch_size, 14)", output="(batch_size, 1)"))
    assert plan_facts(plan, "Tabular Classification").classes == 2


def test_super_resolution_reads_its_factor_and_writes_it_back() -> None:
    plan = SolutionPlan(dataset=DatasetShape(input="(n, 48, 64, 3)", output="(n, 192, 256, 3)"))
    facts = plan_facts(plan, "Image Super-Resolution")
    assert facts.scale == 4
    assert shape_texts("Image Super-Resolution", facts, single_output=False)[1].endswith("(batch_size, 192, 256, 3).")


def test_shapes_with_an_unknown_axis_are_not_written() -> None:
    assert shape_texts("Image Classification", DatasetFacts(height=64, width=64), single_output=False) == ("", "")
