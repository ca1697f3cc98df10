"""The schemas of a plan: the one for language models bounds all that it lets them say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from pipeline.plan.solution_plan import SolutionPlan, bounded_plan_schema, plan_schema

PLAN = {
    "Task Category": "Image Classification",
    "Dataset": {"Input": "(batch_size, 80, 80, 3)", "Output": "(batch_size, 9)"},
    "Preprocess": "Pixels divided by 255.",
    "Model Architecture": {
        "Layers": ["Conv2D(32, 3)", "Dense(9)"],
        "Hyperparameters": {
            "optimizer": "SGD",
            "loss function": "categorical crossentropy",
            "learning rate": 0.001,
            "batch size": 8,
            "epochs": 2,
            "evaluation metric": "accuracy",
        },
    },
}


def exact(value: dict[str, Any]) -> Any:
    """With decimal numbers, as JSON writes them: 0.001 is a multiple of 0.000001 there, and none in binary."""
    return json.loads(json.dumps(value), parse_float=Decimal)


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas of all values in a schema."""
    yield schema
    for inner in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        yield from parts(inner)


def test_nothing_in_it_can_go_on_for_ever() -> None:
    found = list(parts(bounded_plan_schema()))
    assert len(found) == 16
    for part in found:
        match part["type"]:
            case "string":
                assert "enum" in part or "}$" in part["pattern"]
            case "array":
                assert part["maxItems"]
            case "integer":
                assert part["maximum"]
            case "number":
                assert part["maximum"]
                assert part["multipleOf"], "or its digits would have no end"
            case "object":
                assert part["additionalProperties"] is False
                assert part["required"] == list(part["properties"])


def test_what_it_lets_through_is_a_plan() -> None:
    jsonschema.validate(exact(PLAN), exact(bounded_plan_schema()))
    plan = SolutionPlan.model_validate(PLAN)
    assert plan.model_dump(by_alias=True, mode="json") == PLAN
    jsonschema.validate(PLAN, plan_schema())


@pytest.mark.parametrize("text", ['a " quote', "a \\ backslash", "a line\nbreak", "", "x" * 500])
def test_texts_that_trip_readers_are_kept_out(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(PLAN | {"Preprocess": text}, bounded_plan_schema())
