"""Optimizers, losses, metrics and activations that a program names by a text: `model.compile("adam", loss="mse")`."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator

from pipeline.keras.facts import words

_ARGUMENTS = {
    "Model.compile": (("optimizer", "optimizers"), ("loss", "losses")),
    "layers.Activation": (("activation", "activations"),),
}
"""The arguments of a call that take such a text, in their order if given by position."""

_ONE = {"optimizers": "optimizer", "losses": "loss", "metrics": "metric", "activations": "activation"}

_OF_MODELS_ALONE = frozenset({"accuracy", "acc", "crossentropy", "ce"})
"""Metrics that a model makes by its loss and output; `keras.metrics.get` knows none of them."""


def unknown_word(name: str, call: ast.Call, own_names: frozenset[str]) -> str | None:
    """What is wrong with the texts in a call of that name, in plain words; None if nothing is. A word that the program
    defines (`own_names`) may be registered as a custom object."""
    for text, kind in _texts(name, call):
        # Keras looks for an optimizer without regard to case.
        word = text.lower() if kind == "optimizers" else text
        if word in words()[kind] or text in own_names:
            continue
        if kind == "metrics" and (word in _OF_MODELS_ALONE or word in words()["losses"]):
            continue
        close = difflib.get_close_matches(text.lower(), words()[kind], 1, cutoff=0.7)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        return f"{name}: Keras 3 has no {_ONE[kind]} {text!r}{hint}"
    return None


def _texts(name: str, call: ast.Call) -> Iterator[tuple[str, str]]:
    """The texts in a call that name something, each with what it names."""
    arguments = _ARGUMENTS.get(name, ())
    given = dict(zip([argument for argument, _ in arguments], call.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    kinds = dict(arguments)
    if name == "Model.compile":
        kinds["metrics"] = "metrics"  # by position it comes behind `loss_weights`
    if name.startswith("layers."):
        kinds["activation"] = "activations"
    for argument, kind in kinds.items():
        if argument not in given:
            continue
        for text in _constants(given[argument]):
            yield text, kind


def _constants(node: ast.expr) -> Iterator[str]:
    """A text, or those in a list of texts."""
    inside = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    for item in inside:
        if isinstance(item, ast.Constant) and isinstance(item.value, str):
            yield item.value
