"""The hybrid planner: fitted to plans, kept in a folder, and what it plans."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import DLCodeGenError, StageFailure
from pipeline.plan.reading import read_plan
from pipeline.planners.hybrid.fit import Fitted, fit
from pipeline.planners.hybrid.folder import load_fitted, save_fitted
from pipeline.planners.hybrid.planner import HybridPlanner
from pipeline.planners.repair.repair import RepairedPlanner
from pipeline.records import Requirement
from pipeline.retrieval.firewall import Firewall
from pipeline.retrieval.sample_pool import KnownPlan, load_known_plans


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return fit(load_known_plans())


def _ask(requirement: str, attributes: str = "") -> Requirement:
    return Requirement(id="q", row=0, requirement=requirement, attributes=attributes)


def _known(number: int, requirement: str, plan: dict[str, object]) -> KnownPlan:
    return KnownPlan(id=f"k{number}", requirement=requirement, attributes="", plan=read_plan(plan))


def test_a_plan_has_every_field_and_names_its_sources(fitted: Fitted) -> None:
    found = HybridPlanner(fitted)(_ask("Tell rock types apart in photos.", "128x128 colour photos, six types"))
    plan, sources = found["plan"], found["plan_sources"]
    assert plan.task_category == "Image Classification"  # type: ignore[attr-defined]
    assert all([plan.dataset.input, plan.dataset.output, plan.preprocess, plan.layers])  # type: ignore[attr-defined]
    assert all(plan.hyperparameters.model_dump().values())  # type: ignore[attr-defined]
    assert set(sources) < {item.id for item in load_known_plans()}  # type: ignore[call-overload]


def test_what_the_user_states_wins(fitted: Fitted) -> None:
    asked = _ask("Classify photos with a batch size of 24, 17 epochs and learning rate 0.02.")
    hyper = RepairedPlanner(HybridPlanner(fitted))(asked)["plan"].hyperparameters  # type: ignore[index]
    assert (hyper.batch_size, hyper.epochs, hyper.learning_rate) == (24, 17, 0.02)


def test_a_folder_gives_the_same_plans(fitted: Fitted, tmp_path: Path) -> None:
    save_fitted(fitted, str(tmp_path / "planner"), {})
    again = load_fitted(str(tmp_path / "planner"))
    assert again.digest == fitted.digest
    for item in load_known_plans()[:5]:
        query = _ask(item.requirement, item.attributes)
        assert HybridPlanner(again)(query) == HybridPlanner(fitted)(query)


def test_a_near_copy_of_the_requirement_has_no_say_as_if_it_were_not_known(fitted: Fitted) -> None:
    known = load_known_plans()
    copied = known[7]
    query = _ask(copied.requirement, copied.attributes)
    others = fit([item for item in known if item is not copied], penalties=[1.0])
    with_all = fit(known, penalties=[1.0])
    planned = HybridPlanner(with_all)(query)
    assert copied.id not in planned["plan_sources"]  # type: ignore[operator]
    assert planned["plan_sources"] == HybridPlanner(others)(query)["plan_sources"]
    opened = HybridPlanner(with_all, firewall=Firewall(requirement_similarity=1.1))(query)
    assert opened["plan_sources"][0] == copied.id  # type: ignore[index]


def test_where_every_known_plan_is_a_near_copy_the_row_fails() -> None:
    only = fit([_known(0, "Sort photos of birds", {"Task Category": "Image Classification"})])
    with pytest.raises(StageFailure, match="every known plan"):
        HybridPlanner(only)(_ask("Sort photos of birds"))


def test_one_plan_and_plans_with_missing_fields_are_enough() -> None:
    one = HybridPlanner(fit([_known(0, "Sort photos of birds", {"Task Category": "Image Classification"})]))
    plan = one(_ask("Estimate the price of a flat"))["plan"]
    assert plan.task_category == "Image Classification"  # type: ignore[attr-defined]
    assert plan.layers == ()  # type: ignore[attr-defined]


def test_fields_come_from_plans_of_the_category() -> None:
    image = {"Task Category": "Image Classification", "Model Architecture": {"Layers": ["Conv2D(8, 3)", "Dense(2)"]}}
    text = {"Task Category": "Text Classification", "Model Architecture": {"Layers": ["Embedding(100, 8)", "Dense(2)"]}}
    known = [_known(number, "Sort photos of animals", image) for number in range(6)]
    known.append(_known(6, "Sort angry letters from friendly ones", text))
    plan = HybridPlanner(fit(known))(_ask("Sort angry e-mails from friendly ones"))["plan"]
    assert plan.task_category == "Text Classification"  # type: ignore[attr-defined]
    assert plan.layers[0] == "Embedding(100, 8)"  # type: ignore[attr-defined]


def test_no_plan_is_an_error_that_says_so() -> None:
    with pytest.raises(DLCodeGenError, match="no known plan"):
        fit([])


def test_a_folder_that_is_no_planner(fitted: Fitted, tmp_path: Path) -> None:
    with pytest.raises(DLCodeGenError, match=r"no fitted planner \(no planner\.json\)"):
        load_fitted(str(tmp_path))
    (tmp_path / "planner.json").write_text('{"kind": "gpt2"}')
    with pytest.raises(DLCodeGenError, match="not a planner that this version can read"):
        load_fitted(str(tmp_path))
    save_fitted(fitted, str(tmp_path / "torn"), {})
    (tmp_path / "torn" / "input_table.npy").unlink()
    with pytest.raises(DLCodeGenError, match=r"input_table\.npy"):
        load_fitted(str(tmp_path / "torn"))
