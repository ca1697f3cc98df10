"""Graphs of TensorFlow 1 and estimators: the layers that their calls stand for, by the names that Keras has for them.

`tf.layers.dense(x, 40)` is Dense(40), `tf.matmul(x, w)` with a variable of shape (784, 10) is Dense(10), and
`DNNClassifier(hidden_units=[30, 12], n_classes=3)` three Dense layers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipeline.analysis.training.given import whole
from pipeline.analysis.values import Call, Unknown

_LAYERS = {
    "average_pooling2d": "AveragePooling2D",
    "avg_pool2d": "AveragePooling2D",
    "batch_norm": "BatchNormalization",
    "batch_normalization": "BatchNormalization",
    "conv1d": "Conv1D",
    "conv2d": "Conv2D",
    "conv2d_transpose": "Conv2DTranspose",
    "conv3d": "Conv3D",
    "convolution2d": "Conv2D",
    "dense": "Dense",
    "dropout": "Dropout",
    "flatten": "Flatten",
    "fully_connected": "Dense",
    "linear": "Dense",
    "max_pool2d": "MaxPooling2D",
    "max_pooling1d": "MaxPooling1D",
    "max_pooling2d": "MaxPooling2D",
    "max_pooling3d": "MaxPooling3D",
    "separable_conv2d": "SeparableConv2D",
}
"""Functions of `tf.layers`, `tf.contrib.layers` and slim."""

_MODULES = re.compile(r"(tensorflow|tf)(\.compat\.v1)?\.(contrib\.)?(layers|slim)|slim|tf_slim(\.layers)?")
_TF = re.compile(r"(tensorflow|tf)(\.compat\.v1)?")
_PLAIN = {"conv2d": "Conv2D", "max_pool": "MaxPooling2D", "avg_pool": "AveragePooling2D", "dropout": "Dropout"}
"""Functions of `tf.nn` that are layers in a graph."""
_ESTIMATOR = re.compile(r"(DNN|Linear|DNNLinearCombined)(Classifier|Regressor|Estimator)(V2)?")

LOSS_FUNCTIONS = {
    "sigmoid_cross_entropy_with_logits": "binary_crossentropy",
    "softmax_cross_entropy_with_logits": "categorical_crossentropy",
    "softmax_cross_entropy_with_logits_v2": "categorical_crossentropy",
    "sparse_softmax_cross_entropy_with_logits": "sparse_categorical_crossentropy",
    "sparse_softmax_cross_entropy": "sparse_categorical_crossentropy",
    "softmax_cross_entropy": "categorical_crossentropy",
    "sigmoid_cross_entropy": "binary_crossentropy",
    "l2_loss": "mean_squared_error",
}
"""Functions of `tf.nn` and `tf.losses`, in the spelling of `plan.vocabulary`."""

_DISTANCES = {"square": "mean_squared_error", "squared_difference": "mean_squared_error", "abs": "mean_absolute_error"}
_AVERAGES = frozenset({"reduce_mean", "reduce_sum"})


class GraphLayer(NamedTuple):
    """A layer that a call stands for."""

    name: str
    args: tuple[object, ...]
    keywords: dict[str, object]


def graph_layers(path: str, args: tuple[object, ...], keywords: dict[str, object]) -> list[GraphLayer]:
    """The layers of one call; none for any other call."""
    parent, _, name = path.rpartition(".")
    if name in _LAYERS and _MODULES.fullmatch(parent):
        settings = {key: value for key, value in keywords.items() if key not in ("inputs", "training", "name")}
        tensor_is_named = "inputs" in keywords
        return [GraphLayer(_LAYERS[name], args if tensor_is_named else args[1:], settings)]
    if estimator := _ESTIMATOR.fullmatch(name):
        return _estimator_layers(estimator, keywords)
    if name in ("matmul", "xw_plus_b") and len(args) > 1 and (shape := variable_shape(args[1])):
        return [GraphLayer("Dense", (shape[-1],), {})]
    if parent.endswith("nn") and name in _PLAIN and _TF.match(parent):
        return _plain_layer(name, args)
    return []


def _plain_layer(name: str, args: tuple[object, ...]) -> list[GraphLayer]:
    if name != "conv2d":
        return [GraphLayer(_PLAIN[name], (), {})]
    shape = variable_shape(args[1]) if len(args) > 1 else None
    if shape is None or len(shape) != 4:
        return []
    return [GraphLayer("Conv2D", (shape[3], (shape[0], shape[1])), {})]


def _estimator_layers(estimator: re.Match[str], keywords: dict[str, object]) -> list[GraphLayer]:
    hidden = keywords.get("hidden_units", keywords.get("dnn_hidden_units", ()))
    layers: list[GraphLayer] = []
    for units in hidden if isinstance(hidden, list | tuple) else ():
        layers.append(GraphLayer("Dense", (units,), {"activation": "relu"}))
    classes = keywords.get("n_classes", 2) if estimator[2] == "Classifier" else keywords.get("label_dimension", 1)
    return [*layers, GraphLayer("Dense", (1 if classes == 2 else classes,), {})]


def variable_shape(variable: object) -> tuple[int, ...] | None:
    """The shape of a variable of a graph, where its initial value or `get_variable` says it."""
    if not isinstance(variable, Call) or variable.name not in ("Variable", "get_variable"):
        return None
    shape = (
        variable.argument(1, "shape")
        if variable.name == "get_variable"
        else _initial_shape(variable.argument(0, "initial_value"))
    )
    if not isinstance(shape, list | tuple) or not shape:
        return None
    sizes = [size for size in map(whole, shape) if size is not None]
    return tuple(sizes) if len(sizes) == len(shape) else None


def _initial_shape(value: object) -> object:
    """Of `tf.random_normal([784, 256])`, of an initializer that is called, or of such a value within a product."""
    if not isinstance(value, Call):
        return Unknown.ANY
    return value.argument(0, "shape")


def is_estimator(path: str) -> bool:
    """Whether the name is an estimator that is a network: `tf.estimator.DNNClassifier`."""
    return _ESTIMATOR.fullmatch(path.rpartition(".")[2]) is not None


def estimator_of(calls: Iterable[Call]) -> Call | None:
    """The last estimator that is constructed."""
    return next((call for call in reversed(list(calls)) if is_estimator(call.path)), None)


def estimator_loss(estimator: Call) -> str:
    if "Classifier" not in estimator.name:
        return "mean_squared_error"
    return "binary_crossentropy" if estimator.keywords.get("n_classes", 2) == 2 else "sparse_categorical_crossentropy"


def is_graph(calls: Iterable[Call]) -> bool:
    """Whether a program builds a graph that a session, or an estimator, trains."""
    return any(call.name in ("placeholder", "minimize", "EstimatorSpec") for call in calls)


def written_loss(calls: Sequence[Call]) -> str:
    """The loss of a graph that is written out: `tf.reduce_mean(tf.square(a - b))`, `-tf.reduce_sum(y * tf.log(p))`."""
    for call in calls:
        inner = call.args[0] if call.name in _AVERAGES and call.args else None
        if isinstance(inner, Call) and inner.name in _DISTANCES:
            return _DISTANCES[inner.name]
    names = {call.name for call in calls}
    return "categorical_crossentropy" if "log" in names and names & _AVERAGES else ""


def graph_input_shape(calls: Iterable[Call]) -> tuple[int | None, ...] | None:
    """What the first placeholder has behind its batch axis, or a picture that the input is reshaped to."""
    shape: tuple[int | None, ...] | None = None
    for call in calls:
        stated: object = None
        if call.name == "reshape" and len(call.args) == 2:
            stated = call.args[1]
            if not isinstance(stated, list | tuple) or len(stated) < 4 or stated[0] != -1:
                continue
            return tuple(whole(size) for size in stated[1:])
        if call.name == "placeholder" and shape is None:
            stated = call.argument(1, "shape")
            if isinstance(stated, list | tuple) and len(stated) > 1:
                shape = tuple(whole(size) for size in stated[1:])
    if shape is None and (estimator := estimator_of(calls)) is not None:
        columns = estimator.keywords.get("feature_columns")
        if isinstance(columns, list | tuple) and all(getattr(one, "name", "") == "numeric_column" for one in columns):
            shape = (len(columns),)
    return shape
