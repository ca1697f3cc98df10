"""The solution plan: what is to be built, in the four parts of the paper (DLCodeGen, section III.A).

Task category; dataset (input and output); preprocessing; model architecture (layers and hyperparameters). The JSON
keys are the paper's own. Reading what models and data sets really contain is `pipeline.plan.reading`.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SerializationInfo, SerializerFunctionWrapHandler, model_serializer
from pydantic.json_schema import SkipJsonSchema

from pipeline.plan.frameworks import KERAS
from pipeline.plan.vocabulary import (
    CATEGORIES,
    canonical_category,
    canonical_loss,
    canonical_metric,
    canonical_optimizer,
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)


class DatasetShape(_Part):
    """What goes into the model and what comes out, in words with shapes: "(batch_size, 128, 128, 3)"."""

    input: str = Field("", alias="Input")
    output: str = Field("", alias="Output")


class Hyperparameters(_Part):
    """Training settings. None or an empty string stands for what a plan leaves open."""

    optimizer: str = ""
    loss: str = Field("", alias="loss function")
    learning_rate: float | None = Field(None, alias="learning rate", gt=0, allow_inf_nan=False)
    batch_size: int | None = Field(None, alias="batch size", gt=0)
    epochs: int | None = Field(None, gt=0)
    metric: str = Field("", alias="evaluation metric")


class ModelArchitecture(_Part):
    """Layers in order, each a Keras call or a phrase ("Dense layer with 10 units"), and the hyperparameters."""

    layers: tuple[str, ...] = Field((), alias="Layers")
    hyperparameters: Hyperparameters = Field(default_factory=Hyperparameters, alias="Hyperparameters")


class SolutionPlan(_Part):
    """One solution plan. Equal plans are equal values; `model_copy(update=...)` makes a changed one."""

    task_category: str = Field("", alias="Task Category")
    dataset: DatasetShape = Field(default_factory=DatasetShape, alias="Dataset")
    preprocess: str = Field("", alias="Preprocess")
    architecture: ModelArchitecture = Field(default_factory=ModelArchitecture, alias="Model Architecture")
    framework: SkipJsonSchema[str] = Field(KERAS, alias="Framework")
    """What the project is to be written in (`pipeline.plan.frameworks`). The paper's plans are Keras', and its formats
    are written without it for them; a language model is not asked for it."""

    @model_serializer(mode="wrap")
    def _in_the_papers_form(self, write: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        values: dict[str, Any] = write(self)
        if info.by_alias and self.framework == KERAS:
            del values["Framework"]
        return values

    @property
    def layers(self) -> tuple[str, ...]:
        return self.architecture.layers

    @property
    def hyperparameters(self) -> Hyperparameters:
        return self.architecture.hyperparameters

    def canonical(self) -> SolutionPlan:
        """The plan with category, optimizer, loss and metric in one spelling each; texts and layers as they are."""
        hyper = self.hyperparameters
        hyper = hyper.model_copy(
            update={
                "optimizer": canonical_optimizer(hyper.optimizer),
                "loss": canonical_loss(hyper.loss),
                "metric": canonical_metric(hyper.metric),
            }
        )
        return self.model_copy(
            update={
                "task_category": canonical_category(self.task_category),
                "architecture": self.architecture.model_copy(update={"hyperparameters": hyper}),
            }
        )

    def to_json(self) -> str:
        """One line of JSON with the paper's keys, in the paper's order."""
        return json.dumps(self.model_dump(by_alias=True, mode="json"), ensure_ascii=False)

    def text(self) -> str:
        """The plan as plain words for a search index: category, shapes, preprocessing, layers, hyperparameters."""
        hyper = self.hyperparameters
        parts = [self.task_category, self.dataset.input, self.dataset.output, self.preprocess, *self.layers]
        return "\n".join([*parts, hyper.optimizer, hyper.loss, hyper.metric])


def plan_schema() -> dict[str, Any]:
    """The JSON schema of a plan, keys as in the paper: for structured output of LLMs and for checks."""
    return SolutionPlan.model_json_schema(by_alias=True)


_SENTENCE = {"type": "string", "pattern": r"^[ -!#-\[\]-~]{1,400}$"}
_PHRASE = {"type": "string", "pattern": r"^[ -!#-\[\]-~]{1,120}$"}
_LONGEST_STACK = 60


def bounded_plan_schema() -> dict[str, Any]:
    """The schema of a plan for structured output: every text, list and number has an end, and every key is there.

    A model that is held to a schema without bounds can go on inside of a text, a list or a number until it is cut off.
    Texts are printable ASCII without quotes, which no JSON reader trips over.
    """
    layers = {"type": "array", "items": _PHRASE, "minItems": 1, "maxItems": _LONGEST_STACK}
    hyperparameters = {
        "optimizer": _PHRASE,
        "loss function": _PHRASE,
        "learning rate": {"type": "number", "minimum": 0.000001, "maximum": 1, "multipleOf": 0.000001},
        "batch size": {"type": "integer", "minimum": 1, "maximum": 4096},
        "epochs": {"type": "integer", "minimum": 1, "maximum": 1000},
        "evaluation metric": _PHRASE,
    }
    return _object(
        {
            "Task Category": {"type": "string", "enum": list(CATEGORIES)},
            "Dataset": _object({"Input": _SENTENCE, "Output": _SENTENCE}),
            "Preprocess": _SENTENCE,
            "Model Architecture": _object({"Layers": layers, "Hyperparameters": _object(hyperparameters)}),
        }
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
