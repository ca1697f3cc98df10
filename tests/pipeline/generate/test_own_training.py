"""What a sample that is known to learn trains with, where nobody asks for other settings."""

from __future__ import annotations

from pipeline.generate.asked_settings import learning_rates
from pipeline.generate.own_training import own_settings, training_of
from pipeline.plan.solution_plan import Hyperparameters, ModelArchitecture, SolutionPlan
from pipeline.request.constraints import Constraint
from pipeline.request.data_contract import DataContract, DataInput
from pipeline.request.reading.reader import read_constraints


def plan(**settings: object) -> SolutionPlan:
    return SolutionPlan(architecture=ModelArchitecture(hyperparameters=Hyperparameters(**settings)))


def asked(name: str, value: str, start: int = 0, end: int = 1) -> Constraint:
    return Constraint(aspect="training", name=name, value=value, start=start, end=end)


def test_settings_that_nobody_asked_for_are_the_samples() -> None:
    wanted = own_settings(
        plan(optimizer="Adam", learning_rate=0.002, batch_size=32, epochs=60),
        plan(optimizer="AdamW", learning_rate=0.01, batch_size=16, epochs=200),
        [asked("batch_size", "32")],
    )
    assert [(one.field, one.was, one.now) for one in wanted] == [
        ("optimizer", "Adam", "AdamW"),
        ("learning_rate", "0.002", "0.01"),
        ("epochs", "60", "200"),
    ]


def test_batches_and_epochs_are_for_as_many_examples_as_the_row_s_own_data_have() -> None:
    data = DataContract(inputs=(DataInput(name="train", kind="table"),), examples=90)
    drawn = plan(optimizer="SGD", learning_rate=0.1, batch_size=64, epochs=5)
    sample = plan(optimizer="Adam", learning_rate=0.001, batch_size=32, epochs=100)
    wanted = {one.field: (one.now, one.because) for one in own_settings(drawn, sample, [], data)}
    assert wanted == {
        "optimizer": ("Adam", "known to train this network"),
        "learning_rate": ("0.001", "known to train this network"),
        "batch_size": ("8", "for 90 examples"),
        "epochs": ("188", "for 90 examples"),
    }
    asked_for = own_settings(drawn, sample, [asked("epochs", "5"), asked("batch_size", "64")], data)
    assert {one.field for one in asked_for} == {"optimizer", "learning_rate"}
    without_data = {one.field: one.now for one in own_settings(drawn, sample, [])}
    assert without_data["epochs"] == "100"


def test_plain_sgd_has_a_rate_that_suits_it() -> None:
    assert training_of("SGD", None, None, [asked("optimizer", "sgd")]).learning_rate == 0.01


def test_a_rate_behind_fine_tuning_is_that_of_fine_tuning() -> None:
    request = "ResNet50, frozen first and then the top fine-tuned at 1e-5"
    assert learning_rates(read_constraints(request)) == (None, 1e-05)
    request = "ResNet50, freeze the base then fine tune last 20 layers, Adam 1e-4"
    assert learning_rates(read_constraints(request)) == (0.0001, None)
