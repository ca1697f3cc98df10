"""Writes api.json: the public names and signatures of Keras.

Run it where TensorFlow is installed; nothing else in this project imports Keras:

    path/to/python pipeline/keras/make_api.py pipeline/keras/api.json

A signature is one string in Python's order: `filters kernel_size strides= * name= **`. A name with `=` may be
left out, `*` starts the keyword-only part, `*args` takes any number of positional arguments, `**` any keyword. Keywords
that reach a base class through `**kwargs` (name, dtype, input_shape, ...) are followed there and listed, so that `**`
remains only where Keras truly takes anything.
"""

from __future__ import annotations

import ast
import inspect
import json
import os
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

NAMES_ONLY = ("ops", "backend", "random", "tree", "distribution", "quantizers", "dtype_policies", "export", "src")
MODEL_METHODS = ("compile", "fit", "evaluate", "predict", "summary", "save", "load_weights", "save_weights")


class _Accepted:
    """The parameters a constructor takes, those of its base classes included where `**kwargs` hands them on."""

    def __init__(self) -> None:
        self.positional: dict[str, bool] = {}
        """By name: whether it is required."""
        self.keyword: dict[str, bool] = {}
        """The same of keyword-only ones."""
        self.any_args = False
        self.any_keywords = False

    def text(self) -> str:
        parts = _written(self.positional)
        if self.any_args:
            parts.append("*args")
        elif self.keyword:
            parts.append("*")
        parts += _written(self.keyword)
        if self.any_keywords:
            parts.append("**")
        return " ".join(parts)


def _written(parameters: dict[str, bool]) -> list[str]:
    words: list[str] = []
    for name, required in parameters.items():
        words.append(name if required else f"{name}=")
    return words


def _own(function: Callable[..., Any], skip_self: bool) -> _Accepted:
    kinds = inspect.Parameter
    accepted = _Accepted()
    parameters = list(inspect.signature(function).parameters.values())
    if skip_self:
        parameters = parameters[1:]
    for parameter in parameters:
        required = parameter.default is parameter.empty
        if parameter.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.POSITIONAL_ONLY):
            accepted.positional[parameter.name] = required
        elif parameter.kind is kinds.KEYWORD_ONLY:
            accepted.keyword[parameter.name] = required
        elif parameter.kind is kinds.VAR_POSITIONAL:
            accepted.any_args = True
        else:
            accepted.any_keywords = True
    return accepted


def _popped_and_passed(init: Callable[..., Any]) -> tuple[set[str], set[str], int, bool]:
    """From the source of an `__init__`: keywords popped from kwargs; keywords and count of positional arguments given
    to the base class; whether kwargs go on to the base class."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(init)))
    popped: set[str] = set()
    passed: set[str] = set()
    positional, handed_on = 0, False
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = ast.unparse(node.func.value)
        if owner == "kwargs" and node.func.attr == "pop" and isinstance(node.args[0], ast.Constant):
            popped.add(str(node.args[0].value))
        elif owner == "super()" and node.func.attr == "__init__":
            for keyword in node.keywords:
                if keyword.arg is None:  # `**kwargs`
                    handed_on = True
                else:
                    passed.add(keyword.arg)
            plain = [arg for arg in node.args if not isinstance(arg, ast.Starred)]
            positional = max(positional, len(plain))
    return popped, passed, positional, handed_on


def _keeps_keywords(init: Callable[..., Any]) -> bool:
    """Whether an `__init__` takes any keyword to keep it: `self.__dict__.update(kwargs)`."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(init)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "self.__dict__.update":
            return True
    return False


def _constructor(cls: type, bases: tuple[type, ...] | None = None) -> _Accepted:
    order = cls.__mro__ if bases is None else bases
    defining = [index for index, base in enumerate(order) if "__init__" in vars(base) and base is not object]
    if not defining:
        return _Accepted()
    init = vars(order[defining[0]])["__init__"]
    accepted = _own(init, skip_self=True)
    if not accepted.any_keywords:
        return accepted
    try:
        popped, passed, positional, handed_on = _popped_and_passed(init)
        if _keeps_keywords(init):
            return accepted
    except (OSError, TypeError):
        return accepted
    accepted.any_keywords = False
    for name in sorted(popped):
        if name not in accepted.positional:
            accepted.keyword[name] = False
    if not handed_on:
        return accepted
    base = _constructor(cls, order[defining[0] + 1 :])
    if accepted.any_args and not accepted.positional:  # a base class that only hands everything on
        return base
    inherited = dict(list(base.positional.items())[positional:]) | base.keyword
    for name, required in inherited.items():
        if name not in passed and name not in accepted.positional and name not in accepted.keyword:
            accepted.keyword[name] = required
    accepted.any_keywords = base.any_keywords
    return accepted


def _signature(value: Any) -> str | None:
    try:
        if inspect.isclass(value):
            return _constructor(value).text()
        if callable(value):
            return _own(value, skip_self=False).text()
    except (ValueError, TypeError):
        return None
    return None


def _modules(module: ModuleType, path: str = "") -> Iterator[tuple[str, ModuleType]]:
    yield path, module
    for name, value in sorted(vars(module).items()):
        if isinstance(value, ModuleType) and not name.startswith("_") and "keras" in value.__name__ and name != "src":
            yield from _modules(value, f"{path}.{name}".lstrip("."))


def _names(module: ModuleType) -> set[str]:
    return {name for name in dir(module) if not name.startswith("_")}


def _aliases(layers: ModuleType) -> dict[str, str]:
    """Further names of the module's classes: MaxPool2D -> MaxPooling2D."""
    aliases: dict[str, str] = {}
    for name, cls in sorted(vars(layers).items()):
        if inspect.isclass(cls) and cls.__name__ != name and hasattr(layers, cls.__name__):
            aliases[name] = cls.__name__
    return aliases


def _words() -> dict[str, list[str]]:
    """What Keras takes for an optimizer, a loss, a metric and an activation that is given as a text."""
    from keras.src import activations, losses, metrics, optimizers

    words: dict[str, list[str]] = {}
    for module in (activations, losses, metrics, optimizers):
        words[module.__name__.split(".")[-1]] = sorted(module.ALL_OBJECTS_DICT)
    return words


def collect() -> dict[str, Any]:
    """Everything api.json holds."""
    import keras
    import keras._tf_keras.keras as tf_keras  # what `tensorflow.keras` is: keras and some names of Keras 2
    import tensorflow

    names: dict[str, list[str]] = {}
    tensorflow_only: list[str] = []
    keras_only: list[str] = []
    calls: dict[str, str] = {}
    plain, in_tensorflow = dict(_modules(keras)), dict(_modules(tf_keras))
    for path in [*in_tensorflow, *sorted(plain.keys() - in_tensorflow.keys())]:
        of_tensorflow = _names(in_tensorflow[path]) if path in in_tensorflow else set()
        of_keras = _names(plain[path]) - {"src"} if path in plain else set()
        names[path] = sorted(of_tensorflow | of_keras)
        tensorflow_only += [f"{path}.{name}".lstrip(".") for name in sorted(of_tensorflow - of_keras)]
        keras_only += [f"{path}.{name}".lstrip(".") for name in sorted(of_keras - of_tensorflow)]
        if path.split(".")[0] in NAMES_ONLY:
            continue
        for name in names[path]:
            module = in_tensorflow[path] if name in of_tensorflow else plain[path]
            signature = _signature(getattr(module, name))
            if signature is not None:
                calls[f"{path}.{name}".lstrip(".")] = signature
    for name in list(calls):
        if name.startswith("optimizers.legacy."):
            del calls[name]  # placeholders whose constructors raise; so are their names
        elif name.split(".")[-1] == "Model":
            # `Model(inputs, outputs)` is dispatched to Functional by __new__, which a signature cannot show.
            calls[name] = "inputs= outputs= name= * trainable= dtype= autocast= activity_regularizer="
    names["optimizers.legacy"] = []
    for method in MODEL_METHODS:
        calls[f"Model.{method}"] = _own(getattr(keras.Model, method), skip_self=True).text()
    return {
        "versions": {"keras": keras.__version__, "tensorflow": tensorflow.__version__},
        "names": names,
        "tensorflow_only": tensorflow_only,
        "keras_only": keras_only,
        "words": _words(),
        "layer_aliases": _aliases(keras.layers),
        "layer_keywords": sorted(_constructor(keras.layers.Layer).keyword),
        "calls": dict(sorted(calls.items())),
    }


def main(target: str) -> None:
    facts = collect()
    sections = []
    for key, section in facts.items():
        if isinstance(section, dict):  # one entry a line, so that a new Keras version gives a readable diff
            entries = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in section.items()]
            lines = ",\n".join(entries)
            sections.append(f"{json.dumps(key)}: {{\n{lines}\n}}")
        else:
            sections.append(f"{json.dumps(key)}: {json.dumps(section)}")
    Path(target).write_text("{\n" + ",\n".join(sections) + "\n}\n", encoding="utf-8")
    print(f"{target}: {len(facts['calls'])} signatures")


if __name__ == "__main__":
    main(sys.argv[1])
