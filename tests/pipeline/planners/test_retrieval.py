"""Plans from the plans of similar requirements."""

from __future__ import annotations

import json

import pytest

from pipeline.plan.reading import read_plan, read_text
from pipeline.plan.vocabulary import canonical_category
from pipeline.planners.repair.repair import RepairedPlanner
from pipeline.planners.retrieval import RetrievalPlanner
from pipeline.records import Requirement
from pipeline.retrieval.sample_pool import KnownPlan, load_known_plans


@pytest.fixture(scope="module")
def planner() -> RetrievalPlanner:
    return RetrievalPlanner(load_known_plans())


def _plan(planner: RetrievalPlanner, requirement: str, attributes: str = ""):  # type: ignore[no-untyped-def]
    record = Requirement(id="q", row=0, requirement=requirement, attributes=attributes)
    return RepairedPlanner(planner)(record)["plan"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("requirement", "attributes", "category"),
    [
        ("Sort photos of garden birds by species.", "64x64 RGB images, 12 species", "Image Classification"),
        ("Outline the lakes in satellite images, pixel by pixel.", "", "Image Segmentation"),
        ("Make small product photos four times larger without blur.", "", "Image Super-Resolution"),
        ("Write a caption for each holiday photo.", "", "Image Captioning"),
        ("How much will a used car sell for?", "A table with 9 columns and the price", "Tabular Regression"),
        (
            "Will a customer cancel the contract next month?",
            "CSV with 20 columns, churn yes/no",
            "Tabular Classification",
        ),
        ("Tell friendly e-mails from angry ones.", "10,000 e-mails with two labels", "Text Classification"),
        ("Translate English sentences to Danish.", "", "Text-to-Text"),
        ("Forecast tomorrow's hourly power demand.", "Three years of hourly readings", "Time Series Forecasting"),
        ("Recognise spoken digits.", "One-second WAV recordings at 8 kHz", "Audio Classification"),
        ("Recognise dance moves in short videos.", "Clips of 20 frames", "Video Classification"),
        ("Recommend board games to players.", "Ratings of 500 games by 4,000 users", "Recommendation System"),
        ("Put a bounding box around the cat in a photo.", "", "Object Detection"),
        ("Remove noise from night photos.", "", "Image-to-Image"),
        ("Generate new pictures of houses with a GAN.", "", "Image Generation"),
    ],
)
def test_categories_of_requirements_unlike_any_known_one(
    planner: RetrievalPlanner, requirement: str, attributes: str, category: str
) -> None:
    assert _plan(planner, requirement, attributes).task_category == category


def test_a_few_neighbours_do_not_speak_alone_for_an_unusual_number() -> None:
    def known(number: int, requirement: str, batch_size: int) -> KnownPlan:
        hyper = {"Model Architecture": {"Hyperparameters": {"batch size": batch_size}}}
        return KnownPlan(id=f"k{number}", requirement=requirement, attributes="", plan=read_plan(hyper))

    unusual = [known(number, "Sort photos of birds by species", size) for number, size in enumerate((64, 4096, 4096))]
    usual = [known(number, "Estimate the rent of a flat", 32) for number in range(3, 9)]
    planned = _plan(RetrievalPlanner([*unusual, *usual], neighbours=3), "Sort photos of birds by their family")
    assert planned.hyperparameters.batch_size == 64


def test_what_the_user_states_wins_over_the_neighbours(planner: RetrievalPlanner) -> None:
    plan = _plan(
        planner,
        "Classify photos of eleven kinds of bread with SGD, a batch size of 24, 17 epochs and a learning rate of 0.02.",
        "Colour images of 80x80 pixels.",
    )
    hyper = plan.hyperparameters
    assert (hyper.optimizer, hyper.batch_size, hyper.epochs, hyper.learning_rate) == ("SGD", 24, 17, 0.02)
    assert "(batch_size, 80, 80, 3)" in plan.dataset.input
    assert "(batch_size, 11)" in plan.dataset.output
    assert plan.layers[-1] == "Dense(11, activation='softmax')"


def test_two_classes_and_one_sigmoid_go_together(planner: RetrievalPlanner) -> None:
    plan = _plan(planner, "Predict whether a patient has diabetes.", "A table of 8 numeric columns, yes or no")
    if plan.hyperparameters.loss == "binary_crossentropy":
        assert plan.layers[-1] == "Dense(1, activation='sigmoid')"
    else:
        assert plan.layers[-1] == "Dense(2, activation='softmax')"


def test_a_requirement_that_is_known_word_for_word_is_not_looked_up(planner: RetrievalPlanner) -> None:
    known = load_known_plans()[0]
    fields = planner(Requirement(id="q", row=0, requirement=known.requirement, attributes=known.attributes))
    assert known.id not in fields["plan_sources"]  # type: ignore[operator]


@pytest.mark.parametrize("requirement", ["?", "zzz qqq", "模型", "a" * 20_000])
def test_a_requirement_that_says_nothing_still_gets_a_whole_plan(planner: RetrievalPlanner, requirement: str) -> None:
    plan = _plan(planner, requirement)
    assert plan.layers
    assert plan.hyperparameters.optimizer
    assert read_plan(plan.to_json()) == plan


@pytest.mark.shared
def test_category_accuracy_on_the_published_evaluation_split(artifact: str) -> None:
    planner = RetrievalPlanner(load_known_plans(artifact))
    with open(f"{artifact}/Datasets/DLPlanData/Evaluation.txt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    hits = sum(
        _plan(planner, read_text(row["User Requirement"]), read_text(row["Dataset Attributes"])).task_category
        == canonical_category(read_plan(row["Code Plan"]).task_category)
        for row in rows
    )
    assert hits >= 84


def test_large_photos_are_resized_in_proportion(planner: RetrievalPlanner) -> None:
    plan = _plan(planner, "Sort photos of shells by species.", "RGB photos of 4000x3000 pixels, 12 species")
    assert "(batch_size, 192, 256, 3)" in plan.dataset.input


@pytest.mark.parametrize(
    ("requirement", "layer"),
    [
        ("Use ResNet50 to sort photos of roof tiles into eight kinds.", "ResNet50("),
        ("Classify photos of coins with EfficientNetB0.", "EfficientNetB0("),
        ("Forecast the next value of a sensor series with a GRU.", "GRU("),
    ],
)
def test_a_network_or_cell_that_the_user_names_is_in_the_layers(
    planner: RetrievalPlanner, requirement: str, layer: str
) -> None:
    assert any(layer in entry for entry in _plan(planner, requirement).layers)


def test_a_stated_loss_wins(planner: RetrievalPlanner) -> None:
    plan = _plan(planner, "Estimate the age of trees from photos of cross sections with Huber loss.")
    assert plan.hyperparameters.loss == "huber"
    plan = _plan(planner, "Tell nine kinds of nuts apart in photos, with mean squared error.")
    assert plan.hyperparameters.loss == "mean_squared_error"
    assert plan.layers[-1] == "Dense(9, activation='softmax')"


def test_the_first_layer_and_the_input_say_the_same() -> None:
    # Of plans whose first layer states the input: networks with several inputs have no such layer.
    planner = RetrievalPlanner([known for known in load_known_plans() if "input_shape=" in known.plan.layers[0]])
    plan = _plan(planner, "Predict rents of flats.", "A table with 17 numeric columns and the rent")
    assert "(batch_size, 17)" in plan.dataset.input
    assert "(17,)" in plan.layers[0]
