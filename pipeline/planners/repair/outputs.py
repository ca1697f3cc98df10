"""Output layer, loss, metric and class count of a plan made to agree.

softmax over n >= 2 goes with a categorical loss, one sigmoid with a binary one, n sigmoids (several labels at once)
with a binary one, linear outputs with a loss of numbers. What the request states counts first. Where it states nothing,
the loss counts more than the output layer: a loss was chosen for the request, the layers were borrowed as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.keras.layer_call import Symbol
from pipeline.plan.dataset_facts import DatasetFacts, shapes_in
from pipeline.plan.shapes import CLASSIFICATION, REGRESSION
from pipeline.plan.vocabulary import canonical_loss, canonical_metric
from pipeline.planners.repair.asked import Asked
from pipeline.planners.repair.draft import LayerEntry, PlanDraft
from pipeline.planners.repair.heads import Head, head_of, with_head

FORECASTING = "Time Series Forecasting"
_SEGMENTATION = "Image Segmentation"
_OF_CLASSES = {"Tabular Regression": "Tabular Classification", "Image Regression": "Image Classification"}

_BINARY = frozenset({"binary_crossentropy", "binary_focal_crossentropy", "hinge", "squared_hinge"})
_CATEGORICAL = frozenset(
    "categorical_crossentropy sparse_categorical_crossentropy categorical_focal_crossentropy categorical_hinge "
    "kl_divergence".split()
)
_NUMBERS = frozenset(
    "mean_squared_error mean_absolute_error mean_absolute_percentage_error mean_squared_logarithmic_error huber "
    "log_cosh".split()
)
_FOR_MANY = {"binary_focal_crossentropy": "categorical_focal_crossentropy"}
_FOR_ONE = {"categorical_focal_crossentropy": "binary_focal_crossentropy"}
_CLASS_METRICS = frozenset(
    "accuracy binary_accuracy categorical_accuracy sparse_categorical_accuracy top_k_categorical_accuracy "
    "AUC Precision Recall F1Score".split()
)
_NUMBER_METRICS = frozenset(
    "RootMeanSquaredError mean_squared_logarithmic_error mean_absolute_percentage_error mean_absolute_error "
    "mean_squared_error R2Score".split()
)

_OF_PAIRS = ("contrastive", "triplet")
_NAMED_COUNT = Symbol("num_classes")
"""As plans write a class count that they leave to the data."""
_CLASSES = re.compile(r"\b(\d{1,5}) (?:\w+ )?(?:classes|categories|labels)\b")


@dataclass(frozen=True, slots=True)
class _Output:
    """What a plan's output has to be."""

    units: int | None
    """None where nothing tells it."""
    activation: str
    because: str


def agree(draft: PlanDraft, asked: Asked, facts: DatasetFacts) -> None:
    """Makes the plan's output one thing. `facts` are those that the request states."""
    category = draft.category
    entries = draft.entries
    head = head_of(entries)
    if "pairs" in asked.values("variant") or asked.first("loss") in _OF_PAIRS:
        return  # the output is a distance
    if category in _OF_CLASSES and _tells_classes(draft, head) and not asked.values("problem"):
        category = _OF_CLASSES[category]
        draft.set("task_category", category, "output layer and loss are those of classes")
    is_tagging = "tagging" in asked.values("problem")
    if category == "Anomaly Detection" and is_by_reconstruction(asked):
        _set_head(draft, entries, head, _Output(facts.features, "", "asked: what goes in is reconstructed"))
        _set_loss(draft, asked, "mean_squared_error", _NUMBERS, "what goes in is reconstructed")
        _set_metric(draft, asked, _CLASS_METRICS, "mean_absolute_error", "numbers are predicted")
        return
    if (category in CLASSIFICATION and not (head is not None and head.is_convolution)) or is_tagging:
        _agree_on_classes(draft, asked, facts.classes, _classes_in(draft.values["output"]), entries, head)
    elif category in REGRESSION or category == FORECASTING:
        _agree_on_numbers(draft, asked, _numbers_to_predict(category, asked, facts, head), entries, head)
    elif category == _SEGMENTATION and (head is None or head.is_convolution):
        _agree_on_pixels(draft, asked, facts.classes, entries, head)
    elif head is not None and not head.is_convolution:
        _agree_on_head(draft, asked, facts, entries, head)


def is_by_reconstruction(asked: Asked) -> bool:
    """Whether anomalies are to be told by how badly an autoencoder rebuilds them."""
    return bool({"by_reconstruction", "one_class"} & set(asked.values("variant"))) or "autoencoder" in asked.values(
        "family"
    )


def _agree_on_classes(
    draft: PlanDraft,
    asked: Asked,
    stated: int | None,
    said: int | None,
    entries: Sequence[LayerEntry],
    head: Head | None,
) -> None:
    if "multi_label" in asked.values("variant"):
        units = stated or said or (head.units if head else None)
        _set_head(draft, entries, head, _Output(units, "sigmoid", "asked: multi-label"))
        _set_loss(draft, asked, "binary_crossentropy", _BINARY, "several labels at once are so many yes or no")
        _set_metric(draft, asked, _NUMBER_METRICS, "accuracy", "the output are classes")
        return
    loss = _loss_of(draft, head)
    if said is not None and head is not None and head.units == said and not asked.is_class_count_sure:
        stated = None  # names that the request gives as examples are no count
    count, because = _class_count(stated, said, head, loss)
    if head is not None and _is_multi_label(head, loss) and stated in (None, head.units):
        return  # so many labels at once: together they are one thing
    if count is None:
        _agree_without_count(draft, entries, head, loss)
        return
    if count > 2:
        activation = "sigmoid" if asked.first("loss") in _BINARY else "softmax"
        _set_head(draft, entries, head, _Output(count, activation, because))
        wanted = _FOR_MANY.get(loss, "categorical_crossentropy")
        _set_loss(draft, asked, wanted, _CATEGORICAL, f"{because}: one of {count}")
    elif _wants_one_sigmoid(draft, asked, loss, head):
        _set_head(draft, entries, head, _Output(1, "sigmoid", because))
        wanted = _FOR_ONE.get(loss, "binary_crossentropy")
        _set_loss(draft, asked, wanted, _BINARY, f"{because}: one sigmoid tells two apart")
    else:
        _set_head(draft, entries, head, _Output(2, "softmax", because))
        _set_loss(draft, asked, "categorical_crossentropy", _CATEGORICAL, f"{because}: softmax over two")
    _set_metric(draft, asked, _NUMBER_METRICS, "accuracy", "the output are classes")


def _loss_of(draft: PlanDraft, head: Head | None) -> str:
    """The canonical loss; a bare "focal loss" is that of the output layer."""
    loss = canonical_loss(draft.values["loss"])
    is_bare = loss == "binary_focal_crossentropy" and "binary" not in draft.values["loss"].lower()
    if is_bare and head is not None and head.activation == "softmax":
        return "categorical_focal_crossentropy"
    return loss


def _agree_without_count(draft: PlanDraft, entries: Sequence[LayerEntry], head: Head | None, loss: str) -> None:
    """Nothing tells how many classes there are: output layer and loss only have to go together."""
    if head is None:
        return
    if loss in _NUMBERS and head.activation in ("", "linear"):
        return  # they agree on numbers, whatever the category is called
    if _of_one(loss) is False and head.units == 1:
        with_softmax = with_head(entries, head, _NAMED_COUNT, "softmax")
        draft.set_layers(with_softmax, entries, f"{loss} is one of several classes")
    elif _of_one(loss) and head.activation == "softmax":
        _set_head(draft, entries, head, _Output(1, "sigmoid", f"{loss} is a yes or no"))


def _classes_in(text: str) -> int | None:
    """The class count of a plan's output, by a shape with one axis or in words; None where it is one number."""
    sizes = [shape[0] for shape in shapes_in(text) if len(shape) == 1 and shape[0]]
    named = _CLASSES.search(text)
    count = sizes[0] if sizes else int(named[1]) if named else None
    return count if count is not None and count >= 2 else None


def _class_count(stated: int | None, said: int | None, head: Head | None, loss: str) -> tuple[int | None, str]:
    """How many classes there are, and what tells it."""
    if stated is not None and stated >= 2:
        return stated, f"asked: {stated} classes"
    if said is not None and said >= 2:
        return said, f"the plan's output names {said} classes"
    if head is None or head.units is None:
        return None, ""
    is_of_several = _of_one(loss) is False or (_of_one(loss) is None and head.activation == "softmax")
    if head.units >= 2 and is_of_several:
        return head.units, f"the output layer has {head.units} units"
    if head.units <= 2 and _of_one(loss):
        return 2, "loss and output layer tell two classes apart"
    return None, ""


def _wants_one_sigmoid(draft: PlanDraft, asked: Asked, loss: str, head: Head | None) -> bool:
    """Whether two classes are one sigmoid output: as asked for, as the loss has it, or as the output layer has it."""
    activation = asked.first("output_activation")
    if activation in ("sigmoid", "softmax"):
        return activation == "sigmoid"
    if asked.values("loss") or _of_one(loss) is not None:
        return bool(_of_one(loss))
    return head is None or head.units != 2 or head.activation == "sigmoid"


def _of_one(loss: str) -> bool | None:
    """Whether the loss is one of a single yes or no; None where it can be either."""
    if loss in _BINARY:
        return True
    return False if loss in _CATEGORICAL else None


def _is_multi_label(head: Head, loss: str) -> bool:
    return head.activation == "sigmoid" and head.units is not None and head.units > 2 and loss in _BINARY


def _agree_on_numbers(
    draft: PlanDraft, asked: Asked, output: _Output, entries: Sequence[LayerEntry], head: Head | None
) -> None:
    if output.units is not None or (head is not None and head.activation == "softmax"):
        units = output.units or (head.units if head else None)
        activation = head.activation if head is not None and head.activation != "softmax" else ""
        _set_head(draft, entries, head, _Output(units, activation, output.because))
    _set_loss(draft, asked, "mean_squared_error", _NUMBERS, "numbers are predicted")
    _set_metric(draft, asked, _CLASS_METRICS, "mean_absolute_error", "numbers are predicted")


def _numbers_to_predict(category: str, asked: Asked, facts: DatasetFacts, head: Head | None) -> _Output:
    """How many numbers a model gives: the stated ones, one for a regression, what the plan has for a forecast."""
    if category == FORECASTING:
        return _Output(facts.horizon or facts.targets, "", f"asked: {facts.horizon} steps ahead")
    if facts.targets:
        return _Output(facts.targets, "", f"asked: {facts.targets} numbers")
    if "multi_output" in asked.values("variant") or (head is not None and head.units in (None, 1)):
        return _Output(None, "", "numbers are predicted")
    return _Output(1, "", "no number of outputs is asked for: one")


def _agree_on_pixels(
    draft: PlanDraft, asked: Asked, classes: int | None, entries: Sequence[LayerEntry], head: Head | None
) -> None:
    """A class a pixel. Dice and the like go with any of them."""
    loss = canonical_loss(draft.values["loss"])
    if classes is not None and classes > 2:
        if head is not None and head.is_convolution:
            _set_head(draft, entries, head, _Output(classes, "softmax", f"asked: {classes} classes"))
        if _of_one(loss):
            _set_loss(draft, asked, "categorical_crossentropy", _CATEGORICAL, f"asked: {classes} classes")
    elif head is not None and head.is_convolution and head.units == 1 and _of_one(loss) is False:
        _set_loss(draft, asked, "binary_crossentropy", _BINARY, "one channel tells two classes apart")
    elif head is not None and head.is_convolution and head.activation == "softmax" and _of_one(loss):
        if head.units == 2:
            _set_head(draft, entries, head, _Output(1, "sigmoid", "the loss is binary"))
        else:
            _set_loss(draft, asked, "categorical_crossentropy", _CATEGORICAL, "the output is a softmax")
    _set_metric(draft, asked, _NUMBER_METRICS, "accuracy", "the output are classes")


def _agree_on_head(
    draft: PlanDraft, asked: Asked, facts: DatasetFacts, entries: Sequence[LayerEntry], head: Head
) -> None:
    """Where the category leaves the output open (a token, a rating, boxes), the loss follows the output layer."""
    category, loss = draft.category, canonical_loss(draft.values["loss"])
    if category.startswith("Text") and facts.vocabulary and head.activation == "softmax":
        units = facts.vocabulary
        _set_head(draft, entries, head, _Output(units, "softmax", f"asked: vocabulary {units}"))
    if head.activation == "softmax" and _of_one(loss) and not category.startswith(("Text", "Question")):
        _set_head(draft, entries, head, _Output(head.units or 1, "sigmoid", f"{loss} is a yes or no"))
    elif head.activation == "softmax" and (_of_one(loss) or loss in _NUMBERS):
        _set_loss(draft, asked, "sparse_categorical_crossentropy", _CATEGORICAL, "the output is a softmax")
    elif head.units == 1 and loss in _CATEGORICAL:
        wanted = "binary_crossentropy" if head.activation == "sigmoid" else "mean_squared_error"
        _set_loss(draft, asked, wanted, _BINARY | _NUMBERS, "the output is one number")
    elif head.activation == "sigmoid" and loss in _CATEGORICAL:
        _set_loss(draft, asked, "binary_crossentropy", _BINARY, "the outputs are sigmoids")
    loss = canonical_loss(draft.values["loss"])
    if head.activation in ("", "linear") and loss in _NUMBERS:
        _set_metric(draft, asked, _CLASS_METRICS, "mean_absolute_error", "numbers are predicted")


def _tells_classes(draft: PlanDraft, head: Head | None) -> bool:
    """Whether loss and output layer are both those of a classifier."""
    loss = canonical_loss(draft.values["loss"])
    return head is not None and head.activation in ("softmax", "sigmoid") and loss in _BINARY | _CATEGORICAL


def _set_head(draft: PlanDraft, entries: Sequence[LayerEntry], head: Head | None, output: _Output) -> None:
    """A head that states less is no contradiction; one that is not there is added where layers and units are known."""
    if output.units is None or not entries:
        return
    if head is None:
        if not all(entry.is_exact for entry in entries):
            return  # it may be among the words that are not understood
    else:
        same_units = head.units in (None, output.units)
        if same_units and head.activation in ("", output.activation):
            return
    draft.set_layers(with_head(entries, head, output.units, output.activation), entries, output.because)


def _set_loss(draft: PlanDraft, asked: Asked, wanted: str, fitting: frozenset[str], because: str) -> None:
    """`wanted` in the place of a loss that does not fit. One that is asked for stays, and so does one that Keras does
    not have: it may fit anything."""
    if asked.first("loss") not in ("", "crossentropy"):
        return
    loss = canonical_loss(draft.values["loss"])
    is_own = draft.values["loss"] and not loss
    if loss not in fitting and not is_own:
        draft.set("loss", wanted, because)


def _set_metric(draft: PlanDraft, asked: Asked, unfit: frozenset[str], wanted: str, because: str) -> None:
    if not asked.values("metric") and canonical_metric(draft.values["metric"]) in unfit:
        draft.set("metric", wanted, because)
