"""Input and Output as they are written: in the asker's style, about the asker's data, from plans that may be used."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from pipeline.measures.plan_metrics import score_plan
from pipeline.plan.reading import read_plan
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.planners.hybrid.fit import Fitted, fit
from pipeline.planners.hybrid.folder import load_fitted, save_fitted
from pipeline.planners.hybrid.planner import HybridPlanner
from pipeline.planners.hybrid.similarity import RequestText
from pipeline.planners.hybrid.text.candidates import FEATURES
from pipeline.planners.hybrid.text.known_texts import FORMULA, PHRASE, SENTENCE, KnownTexts
from pipeline.planners.hybrid.text.phrasing import Phrasing
from pipeline.records import Requirement
from pipeline.retrieval.sample_pool import KnownPlan

THINGS = tuple(
    f"{first}{second}ers" for first in "ba co de fi gu la me po ri su ta vo".split() for second in "bcdfgklmnprt"
)
"""Names of things that nobody has heard of, 144 of them: each is rare."""


def known_plan(number: int, random: Random) -> KnownPlan:
    """Two hands: one asks at length and answers by shapes, the other is brief and answers by what is on the images."""
    thing, size = random.choice(THINGS), random.choice((32, 64, 128, 224))
    if number % 2:
        requirement = f"I want to build and evaluate a model to classify images of {thing} and compare its results."
        attributes = f"The dataset consists of images of {thing}. The total number of images is not specified."
        given = f"Shape of the input data is (batch_size, {size}, {size}, 3)."
        wanted = "Shape of the output data is (batch_size, 2)."
    else:
        requirement = f"I need classification of {thing} with Keras."
        attributes = f"Images of {thing} by kind."
        given, wanted = f"Images of {thing}", f"Kinds of {thing}"
    plan = {"Task Category": "Image Classification", "Dataset": {"Input": given, "Output": wanted}}
    return KnownPlan(id=f"k{number}", requirement=requirement, attributes=attributes, plan=read_plan(plan))


@pytest.fixture(scope="module")
def known() -> list[KnownPlan]:
    random = Random(5)
    return [known_plan(number, random) for number in range(260)]


@pytest.fixture(scope="module")
def fitted(known: list[KnownPlan]) -> Fitted:
    return fit(known, penalties=[1.0])


def _plan(fitted: Fitted, requirement: str, attributes: str = "") -> SolutionPlan:
    record = Requirement(id="q", row=0, requirement=requirement, attributes=attributes)
    plan = HybridPlanner(fitted)(record)["plan"]
    assert isinstance(plan, SolutionPlan)
    return plan


def test_a_text_names_what_the_requirement_names_though_no_known_plan_does(fitted: Fitted) -> None:
    plan = _plan(fitted, "I need classification of walnuts with Keras.", "Images of walnuts by kind.")
    assert (plan.dataset.input, plan.dataset.output) == ("Images of walnuts", "Kinds of walnuts")


def test_the_style_follows_how_the_requirement_is_phrased(fitted: Fitted) -> None:
    plan = _plan(
        fitted,
        "I want to build and evaluate a model to classify images of walnuts and compare its results.",
        "The dataset consists of images of walnuts. The total number of images is not specified.",
    )
    assert plan.dataset.input.startswith("Shape of the input data is")
    assert plan.dataset.output == "Shape of the output data is (batch_size, 2)."


def test_written_texts_score_better_than_known_ones_on_plans_not_seen(fitted: Fitted) -> None:
    random = Random(6)
    unseen = [known_plan(number, random) for number in range(0, 40, 2)]
    written = [_plan(fitted, item.requirement, item.attributes) for item in unseen]
    mean = np.mean([score_plan(plan, item.plan).input_bleu for plan, item in zip(written, unseen, strict=True)])
    assert mean > 90
    assert fitted.writer is not None
    assert all(field.gain >= 0 and field.ranked_plans == 260 for field in fitted.writer.fields)


def test_near_copies_have_no_say_in_the_texts(known: list[KnownPlan]) -> None:
    odd = read_plan({"Task Category": "Image Classification", "Dataset": {"Input": "Zebras only", "Output": "Zebras"}})
    copied = KnownPlan(id="odd", requirement="I need classification of zebras with Keras.", attributes="", plan=odd)
    fitted = fit([*known, copied], penalties=[1.0])
    assert "only" not in _plan(fitted, copied.requirement).dataset.input
    assert _plan(fitted, copied.requirement).dataset.input == "Images of zebras"


def test_a_folder_gives_the_same_texts(fitted: Fitted, known: list[KnownPlan], tmp_path: Path) -> None:
    save_fitted(fitted, str(tmp_path), {})
    again = load_fitted(str(tmp_path))
    for item in known[:6]:
        assert _plan(again, item.requirement, item.attributes) == _plan(fitted, item.requirement, item.attributes)


def test_few_known_plans_are_chosen_from_and_not_learnt_from(known: list[KnownPlan]) -> None:
    assert fit(known[:150], penalties=[1.0]).writer is None


def test_styles_of_texts() -> None:
    texts = ["Shape of the data is (1,)", "Shape of the data is (2,).", "Images", "Images of cats.", ""]
    found = KnownTexts.of(texts, [RequestText("", "")] * 5)
    assert found.styles.tolist() == [FORMULA, FORMULA, PHRASE, SENTENCE]
    assert found.text_of.tolist() == [0, 1, 2, 3, -1]
    assert found.expected_scores(["Images of cats."], np.array([0, 0, 0, 1], np.float32)).tolist() == pytest.approx(
        [1.0]
    )


def test_phrasing_sees_how_things_are_said_and_not_what_about(known: list[KnownPlan]) -> None:
    texts = [RequestText(item.requirement, item.attributes) for item in known]
    found = Phrasing.of(texts)
    assert not set(THINGS) & set(found.common_words)
    alike = found.similarities(
        [RequestText("I need classification of walnuts with Keras.", "Images of walnuts by kind.")]
    )[0]
    assert alike[::2].min() > 0.99 > alike[1::2].max()


def test_every_feature_has_a_weight(fitted: Fitted) -> None:
    assert fitted.writer is not None
    assert all(len(field.ranking) == len(FEATURES) for field in fitted.writer.fields)
