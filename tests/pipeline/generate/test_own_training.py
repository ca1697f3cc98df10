"""What a sample that is known to learn trains with, where nobody asks for other settings."""

from __future__ import annotations

from pipeline.generate.asked_settings import learning_rates
from pipeline.generate.own_training import training_of, with_own_settings
from pipeline.plan.solution_plan import Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.request.constraints import Constraint
from pipeline.request.reading.reader import read_constraints


def plan(**settings: object) -> SolutionPlan:
    return SolutionPlan(architecture=ModelArchitecture(hyperparameters=Hyperparameters(**settings)))


def asked(name: str, value: str, start: int = 0, end: int = 1) -> Constraint:
    return Constraint(aspect="training", name=name, value=value, start=start, end=end)


def test_settings_that_nobody_asked_for_are_the_samples() -> None:
    mixed, changes = with_own_settings(
        plan(optimizer="Adam", learning_rate=0.002, batch_size=32, epochs=60),
        plan(optimizer="AdamW", learning_rate=0.01, batch_size=16, epochs=200),
        [asked("batch_size", "32")],
    )
    hyper = mixed.hyperparameters
    assert (hyper.optimizer, hyper.learning_rate, hyper.batch_size, hyper.epochs) == ("AdamW", 0.01, 32, 200)
    assert {change.field for change in changes} == {"optimizer", "learning_rate", "epochs"}


def test_plain_sgd_has_a_rate_that_suits_it() -> None:
    assert training_of("SGD", None, None, [asked("optimizer", "sgd")]).learning_rate == 0.01


def test_a_rate_behind_fine_tuning_is_that_of_fine_tuning() -> None:
    request = "ResNet50, frozen first and then the top fine-tuned at 1e-5"
    assert learning_rates(read_constraints(request)) == (None, 1e-05)
    request = "ResNet50, freeze the base then fine tune last 20 layers, Adam 1e-4"
    assert learning_rates(read_constraints(request)) == (0.0001, None)
