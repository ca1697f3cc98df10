"""What a sample that is known to learn trains with, where nobody asks for other settings."""

from __future__ import annotations

from pipeline.generate.asked_settings import learning_rates
from pipeline.generate.own_training import training_of, with_own_settings
from pipeline.plan.solution_plan import Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.request.constraints import Constraint
from pipeline.request.data_contract import DataContract, DataInput
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


def test_batches_and_epochs_are_for_as_many_examples_as_the_row_s_own_data_have() -> None:
    data = DataContract(inputs=(DataInput(name="train", kind="table"),), examples=90)
    drawn = plan(optimizer="SGD", learning_rate=0.1, batch_size=64, epochs=5)
    sample = plan(optimizer="Adam", learning_rate=0.001, batch_size=32, epochs=100)
    mixed, changes = with_own_settings(drawn, sample, [], data)
    hyper = mixed.hyperparameters
    assert (hyper.optimizer, hyper.learning_rate, hyper.batch_size, hyper.epochs) == ("Adam", 0.001, 8, 188)
    reasons = {change.field: change.because for change in changes}
    assert reasons["epochs"] == reasons["batch_size"] == "for 90 examples"
    assert reasons["optimizer"] == "known to train this network"
    asked_for, _ = with_own_settings(drawn, sample, [asked("epochs", "5"), asked("batch_size", "64")], data)
    assert (asked_for.hyperparameters.batch_size, asked_for.hyperparameters.epochs) == (64, 5)
    without_data, _ = with_own_settings(drawn, sample, [])
    assert without_data.hyperparameters.epochs == 100


def test_plain_sgd_has_a_rate_that_suits_it() -> None:
    assert training_of("SGD", None, None, [asked("optimizer", "sgd")]).learning_rate == 0.01


def test_a_rate_behind_fine_tuning_is_that_of_fine_tuning() -> None:
    request = "ResNet50, frozen first and then the top fine-tuned at 1e-5"
    assert learning_rates(read_constraints(request)) == (None, 1e-05)
    request = "ResNet50, freeze the base then fine tune last 20 layers, Adam 1e-4"
    assert learning_rates(read_constraints(request)) == (0.0001, None)
