"""Plans as they are found: mixed schemas, wrong types, JSON that is cut off."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.plan.reading import UnreadablePlanError, read_number, read_plan
from pipeline.plan.solution_plan import SolutionPlan, plan_schema

PLAN = {
    "Task Category": "Image Classification",
    "Dataset": {"Input": "(batch_size, 64, 64, 3)", "Output": "(batch_size, 4)"},
    "Preprocess": "Pixels are scaled to 0..1.",
    "Model Architecture": {
        "Layers": ["Conv2D(32, 3)", "Flatten()", "Dense(4, activation='softmax')"],
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


def test_a_plan_in_the_papers_form_is_read_and_written_unchanged() -> None:
    plan = read_plan(PLAN)
    assert json.loads(plan.to_json()) == PLAN
    assert read_plan(plan.to_json()) == plan


def test_the_papers_second_spelling_gives_the_same_plan() -> None:
    architecture = {
        "Layers": PLAN["Model Architecture"]["Layers"],
        "Hypermeters": PLAN["Model Architecture"]["Hyperparameters"],
    }
    second = {key: value for key, value in PLAN.items() if key != "Model Architecture"} | {
        "Model architecture": architecture
    }
    assert read_plan(second) == read_plan(PLAN)


@pytest.mark.parametrize("cut", range(120, 420, 7))
def test_json_cut_off_anywhere_keeps_what_came_before(cut: int) -> None:
    plan = read_plan(json.dumps(PLAN)[:cut])
    assert plan.task_category == "Image Classification"
    assert plan.dataset.input == "(batch_size, 64, 64, 3)"


def test_a_list_closed_by_brackets_appended_at_the_length_limit_is_read() -> None:
    text = '{"Task Category": "X", "Model Architecture": {"Layers": ["Conv2D(32, 3)", "Conv2D(32, 3)",}}}'
    assert read_plan(text).layers == ("Conv2D(32, 3)", "Conv2D(32, 3)")


def test_wrong_types_are_read_for_what_they_mean() -> None:
    plan = read_plan(
        {
            "Task Category": ["Tabular Regression", "Other"],
            "Preprocess": {"scaling": "standard", "split": 0.2},
            "Model Architecture": {
                "Layers": [{"Layers": ["Dense(8)"]}, "Dense(1)", None, ["Dropout(0.5)"]],
                "Hyperparameters": {
                    "learning_rate": "1e-4 with warm-up",
                    "batch size": "64",
                    "epochs": "best_params['epochs']",
                    "evaluation metric": ["mae", "mse"],
                    "optimizer": None,
                    "loss function": "Not specified in the code",
                },
            },
        }
    )
    hyper = plan.hyperparameters
    assert plan.task_category == "Tabular Regression, Other"
    assert plan.preprocess == "scaling: standard; split: 0.2"
    assert plan.layers == ("Dense(8)", "Dense(1)", "Dropout(0.5)")
    assert (hyper.learning_rate, hyper.batch_size, hyper.epochs, hyper.metric) == (1e-4, 64, None, "mae, mse")
    assert (hyper.optimizer, hyper.loss) == ("", "")


@pytest.mark.parametrize("text", ["", "no plan here", "[1, 2]", "{}", '{"answer": 42}', "{" * 100_000])
def test_what_holds_no_plan_says_so(text: str) -> None:
    with pytest.raises(UnreadablePlanError):
        read_plan(text)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (32, 32),
        ("0.0001", 1e-4),
        ("1e-3", 1e-3),
        ("0.025 for one, 0.021 for two", 0.025),
        ([0.01, 0.1], 0.01),
        ("2**study.best", None),
        ("N/A", None),
        (True, None),
        (float("nan"), None),
        (-1, None),
        (10**400, None),
        (None, None),
    ],
)
def test_numbers_are_read_from_any_value(value: object, number: float | None) -> None:
    assert read_number(value) == number


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_value_in_any_field_gives_a_plan(value: object) -> None:
    plan = read_plan(
        {"Task Category": value, "Dataset": value, "Preprocess": value, "Model Architecture": {"Layers": value}}
    )
    assert isinstance(plan, SolutionPlan)


def test_the_schema_names_the_papers_keys_and_admits_no_others() -> None:
    schema = plan_schema()
    assert list(schema["properties"]) == list(PLAN)
    assert schema["additionalProperties"] is False


@pytest.mark.shared
def test_all_but_one_of_the_published_plans_are_read(artifact: str) -> None:
    read, unread = 0, 0
    for name in ("Train", "Evaluation", "Test"):
        with open(f"{artifact}/Datasets/DLPlanData/{name}.txt", encoding="utf-8") as lines:
            for line in lines:
                try:
                    read_plan(json.loads(line)["Code Plan"])
                    read += 1
                except UnreadablePlanError:
                    unread += 1
    assert (read, unread) == (3587, 1)


@pytest.mark.shared
@pytest.mark.parametrize(
    "name", ["GPT-2-Large_Beam", "GPT-2-Large_Greedy", "GPT-4o-mini_5-Shot", "GPT-3.5-Turbo-0125_3-Shot"]
)
def test_every_published_prediction_is_read(artifact: str, name: str) -> None:
    with open(f"{artifact}/Results/RQ3/results/{name}.txt", encoding="utf-8") as lines:
        plans = [read_plan(line[line.index('"Code Plan":') + len('"Code Plan":') :]) for line in lines]
    assert len(plans) == 189
    assert all(plan.task_category for plan in plans)


_TEXT = json.dumps(PLAN)


@pytest.mark.parametrize(
    "text",
    [
        f'The format is {{"Task Category": ...}}. My plan:\n{_TEXT}',
        f'{{"note": "ok"}}\n{_TEXT}',
        f"{_TEXT}\nThis {{small}} model should do.",
        f'A draft: {{"Task Category": "Tabular Regression", "Dataset": {{}}}}\nBetter:\n```json\n{_TEXT}\n```',
        f"[{_TEXT}]",
        json.dumps(_TEXT),
        json.dumps({"plan": _TEXT}),
        json.dumps([_TEXT]),
        f"```json\n{json.dumps(_TEXT)}\n```",
        json.dumps({"response": {"result": PLAN}}),
        json.dumps({"plans": [PLAN]}),
        f'<tool_call>\n{{"name": "plan", "arguments": {_TEXT}}}\n</tool_call>',
        json.dumps({"name": "plan", "arguments": _TEXT}),
        json.dumps(PLAN, indent=2).replace("\n", "\\n").replace('"', '\\"'),
        _TEXT.replace('"', "&quot;"),
        _TEXT.replace('": ', '"：').replace(', "', '，"'),
        json.dumps({"type": "object", "properties": PLAN}),
        _TEXT.replace('64, 3)", ', '64, 3)", ..., '),
        _TEXT.replace("}}}", ", ...}}}"),
        _TEXT.replace("0.001", "10**-3"),
        _TEXT.replace("0.001", '"10^-3"'),
        _TEXT.replace("0.001", "1/1000"),
    ],
)
def test_a_plan_is_found_whatever_stands_around_it(text: str) -> None:
    assert read_plan(text) == read_plan(PLAN)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("10^-3", 1e-3),
        ("10**-4", 1e-4),
        ("5 x 10^-4", 5e-4),
        ("3×10⁻⁴", 3e-4),
        ("1e−4", 1e-4),
        ("1/1000", 1e-3),
        ("1,000", 1000),
        ("0,001", 1e-3),
        ("2^6", 64),
        (".001", 1e-3),
        ("10^{-3}", 1e-3),
        ("$10^{-3}$", 1e-3),
        ("10^-3.5", 10**-3.5),
        ("0.1%", 1e-3),
        ("lr=0.001", 1e-3),
        ("learning_rate: 1e-3", 1e-3),
        ("1e-3f", 1e-3),
        ("1 e-3", 1e-3),
        ("1/(1000)", 1e-3),
        ("1 ÷ 1000", 1e-3),
        ({"initial": 0.001, "decay": 0.9}, 1e-3),
        ("1 in 1000", None),
        ("-0.001", None),
        ("1-e3", None),
        ("32 * replicas", None),
        ("10^x", None),
        ("1/0", None),
        ("9^999", None),
        ("9" * 500, None),
    ],
)
def test_a_formula_is_computed_or_refused(value: object, number: float | None) -> None:
    assert read_number(value) == (None if number is None else pytest.approx(number))


def test_dots_in_a_field_s_place_say_nothing() -> None:
    plan = read_plan('{"Task Category": "...", "Model Architecture": {"Layers": ["Dense(1)", "..."]}}')
    assert (plan.task_category, plan.layers) == ("", ("Dense(1)",))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", ['{"a": ' * 50_000, "{" * 300_000, '{"' * 100_000, "}{" * 100_000, '{"a": "' * 50_000])
def test_hostile_texts_are_read_in_bounded_time(text: str) -> None:
    with pytest.raises(UnreadablePlanError):
        read_plan(text)
