"""Protocol P by hand: what each field comes to, and what is made of damaged answers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from pipeline.measures.plan_metrics import (
    corpus_bleu,
    layer_type_sequence,
    layers_distance,
    mean_scores,
    plan_part,
    read_predicted,
    score_plan,
)
from pipeline.plan.reading import read_plan
from pipeline.plan.solution_plan import SolutionPlan

PLAN: dict[str, Any] = {
    "Task Category": "Image Classification",
    "Dataset": {"Input": "images of 32 by 32 pixels", "Output": "one of ten classes"},
    "Preprocess": "scaled",
    "Model Architecture": {
        "Layers": ["Conv2D(32, 3)", "Flatten()", "Dense(10)"],
        "Hyperparameters": {
            "optimizer": "Adam",
            "loss function": "categorical_crossentropy",
            "learning rate": 0.001,
            "batch size": 32,
            "epochs": 10,
            "evaluation metric": "accuracy",
        },
    },
}


def plan(layers: list[str] | None = None, **hyperparameters: object) -> SolutionPlan:
    found = json.loads(json.dumps(PLAN))
    found["Model Architecture"]["Hyperparameters"] |= hyperparameters
    if layers is not None:
        found["Model Architecture"]["Layers"] = layers
    return read_plan(found)


KNOWN = plan()


def test_the_known_plan_itself() -> None:
    score = score_plan(KNOWN, KNOWN)
    assert score.task_category
    assert score.loss
    assert score.optimizer
    assert score.metric
    assert (score.input_bleu, score.output_bleu) == pytest.approx((100, 100))
    assert (score.layers_distance, score.layer_type_f1, score.layer_count_error) == (0, 1, 0)
    assert (score.learning_rate_error, score.batch_size_error, score.epochs_error) == (0, 0, 0)
    assert score.learning_rate_decades == 0
    assert score.compared == ("learning_rate", "batch_size", "epochs")


def test_no_plan_is_wrong_or_zero_or_empty() -> None:
    score = score_plan(None, KNOWN)
    assert (score.task_category, score.loss, score.optimizer, score.metric) == (False,) * 4
    assert (score.input_bleu, score.output_bleu) == (0, 0)
    assert score.layers_distance == pytest.approx((13 + 9 + 9) / 3)  # every character of the known layers
    assert (score.learning_rate_error, score.batch_size_error, score.epochs_error) == (0.001, 32, 10)
    assert score.learning_rate_decades is None
    assert score.compared == ()
    assert (score.layer_type_f1, score.layer_count_error) == (0, 3)


def test_matches_are_by_letters_and_digits() -> None:
    assert score_plan(plan(**{"loss function": "Categorical Cross-Entropy"}), KNOWN).loss
    assert not score_plan(plan(**{"loss function": "Sparse Categorical Cross-Entropy"}), KNOWN).loss
    assert score_plan(plan(optimizer="adam"), KNOWN).optimizer
    assert not score_plan(plan(optimizer="Adam optimizer"), KNOWN).optimizer


def test_a_field_that_neither_has_is_no_match() -> None:
    assert not score_plan(plan(optimizer=""), plan(optimizer="")).optimizer


def test_numbers() -> None:
    score = score_plan(plan(**{"learning rate": 0.1, "batch size": None}), KNOWN)
    assert score.learning_rate_error == pytest.approx(0.099)
    assert score.learning_rate_decades == pytest.approx(2)
    assert score.batch_size_error == 32  # missing counts as 0
    assert score.compared == ("learning_rate", "epochs")
    assert score_plan(KNOWN, plan(epochs="until it converges")).epochs_error is None


@pytest.mark.parametrize(
    ("layers", "known", "distance"),
    [
        (["Dense(10)"], ["Dense(12)"], 1),
        (["Dense(10)"], ["Dense(10)", "ReLU()"], 6 / 2),
        (["kitten", "a", "b"], ["sitting"], (3 + 1 + 1) / 3),
        ([], [], 0),
    ],
)
def test_layers_are_aligned_by_place(layers: list[str], known: list[str], distance: float) -> None:
    assert layers_distance(layers, known) == pytest.approx(distance)


def test_layer_types_agree_across_spellings() -> None:
    words = plan(["Convolutional layer with 32 filters, 3x3 kernel", "Flatten layer", "Dense layer with 10 units"])
    assert layer_type_sequence(words.layers) == layer_type_sequence(KNOWN.layers) == ["Conv2D", "Flatten", "Dense"]
    # Two of the types in order: 2 * 2 / (2 + 3).
    assert score_plan(plan(["Conv2D(8, 3)", "Dense(1)"]), KNOWN).layer_type_f1 == pytest.approx(0.8)
    assert score_plan(plan(["Dense(1)", "Conv2D(8, 3)"]), KNOWN).layer_type_f1 == pytest.approx(0.4)


def test_the_mean_over_rows() -> None:
    wrong = plan(**{"learning rate": 0.1, "batch size": None, "epochs": 20})
    unknown_rate = plan(**{"learning rate": None})
    found = mean_scores(
        [score_plan(KNOWN, KNOWN), score_plan(wrong, KNOWN), score_plan(None, KNOWN), score_plan(KNOWN, unknown_rate)]
    )
    assert found.rows == 4
    assert found.optimizer == pytest.approx(75)
    assert found.learning_rate_error == pytest.approx((0 + 0.099 + 0.001) / 3)  # over the known rates
    assert found.batch_size_error == pytest.approx((0 + 32 + 32 + 0) / 4)
    assert found.epochs_error == pytest.approx((0 + 10 + 10 + 0) / 4)
    assert found.learning_rate_decades == pytest.approx(1)  # the median of 0 and 2
    assert (found.learning_rate_coverage, found.batch_size_coverage, found.epochs_coverage) == (0.5, 0.5, 0.75)


def test_means_of_nothing() -> None:
    assert math.isnan(mean_scores([score_plan(None, KNOWN)]).learning_rate_decades)
    with pytest.raises(ValueError, match="no rows"):
        mean_scores([])


def test_answers_are_read_as_they_come() -> None:
    whole = json.dumps({"User Requirement": "x", "Code Plan": PLAN})
    assert read_predicted(whole).is_json
    assert read_predicted(whole).plan == KNOWN
    cut = read_predicted(whole[: whole.index("Flatten")] + "}}}")
    assert not cut.is_json
    assert cut.plan is not None
    assert cut.plan.task_category == "Image Classification"
    assert read_predicted("Sorry, no.").plan is None


def test_bleu_over_lines_by_hand() -> None:
    assert corpus_bleu(["a b c d e"], ["a b c d e"]) == pytest.approx(100)
    # Precisions 4/5, 3/4, 2/3, 1/2 of equally long texts.
    assert corpus_bleu(["a b c d x"], ["a b c d e"]) == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)


def test_the_part_of_a_line_that_is_the_plan() -> None:
    assert plan_part('{"User Requirement": "x", "Code Plan":   {"a": 1}}') == '{"a": 1}}'
    assert plan_part("no plan") == "no plan"


@pytest.mark.shared
@pytest.mark.parametrize(("planner", "not_json"), [("GPT-2-Large_Beam", 39), ("GPT-4o-mini_5-Shot", 0)])
def test_the_released_predictions(artifact: str, planner: str, not_json: int) -> None:
    lines = Path(artifact, "Results/RQ3/results", f"{planner}.txt").read_text("utf-8").splitlines()
    answers = [read_predicted(line) for line in lines]
    assert len(answers) == 189
    assert sum(not answer.is_json for answer in answers) == not_json
    assert all(answer.plan is not None for answer in answers)


@pytest.mark.shared
def test_figure_four_is_near_the_published_value(artifact: str) -> None:
    """50.20 on 400 rows; 189 of them are here."""
    predicted, known = (
        Path(artifact, name).read_text("utf-8").splitlines()
        for name in ("Results/RQ3/results/GPT-2-Large_Beam.txt", "Datasets/DLPlanData/Test.txt")
    )
    assert corpus_bleu(predicted, known) == pytest.approx(50.20, abs=2)
