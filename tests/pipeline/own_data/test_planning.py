"""Training settings for as many examples as there are; what the user states stays."""

from __future__ import annotations

from pipeline.own_data.planning import MOST_EPOCHS, fitted_plan
from pipeline.plan.solution_plan import Hyperparameters, ModelArchitecture, SolutionPlan


def plan(optimizer: str = "SGD", rate: float = 0.001) -> SolutionPlan:
    hyper = Hyperparameters(optimizer=optimizer, learning_rate=rate, batch_size=48, epochs=30)  # type: ignore[call-arg]
    return SolutionPlan(architecture=ModelArchitecture(hyperparameters=hyper))  # type: ignore[call-arg]


def test_a_small_table_gets_smaller_batches_and_more_epochs() -> None:
    hyper = fitted_plan(plan(), 150, "table", set()).hyperparameters
    assert (hyper.batch_size, hyper.epochs) == (8, 116)
    large = fitted_plan(plan(), 100_000, "table", set()).hyperparameters
    assert (large.batch_size, large.epochs) == (48, 30)
    tiny = fitted_plan(plan(), 12, "table", set()).hyperparameters
    assert tiny.epochs == MOST_EPOCHS


def test_an_optimizer_that_nobody_asked_for_learns() -> None:
    hyper = fitted_plan(plan(), 1000, "image", set()).hyperparameters
    assert (hyper.optimizer, hyper.learning_rate) == ("Adam", 0.001)
    assert fitted_plan(plan("Adam", 0.00001), 1000, "image", set()).hyperparameters.learning_rate == 0.0003


def test_what_is_stated_stays() -> None:
    stated = {"optimizer", "learning_rate", "batch_size", "epochs"}
    assert fitted_plan(plan("SGD", 0.1), 150, "table", stated) == plan("SGD", 0.1)
