"""A project's source as the checks look at it: calls, layers, named values, words and texts, each with its line."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache
from typing import TypeVar

from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.extract import CodeFacts, facts_of
from pipeline.analysis.models import main_model
from pipeline.analysis.parsing import parsed
from pipeline.analysis.torch_code.loops import epoch_loops, functions_in, functions_that_train
from pipeline.analysis.torch_code.reading import TorchCode, read_torch
from pipeline.analysis.trace import trace_everything
from pipeline.analysis.values import Call, Loop, Setting, Unknown
from pipeline.measures.delivery.findings import Finding, Found, spaced
from pipeline.measures.delivery.layers import Layer, is_sized, layers_of
from pipeline.measures.delivery.sight import is_plain, see
from pipeline.measures.delivery.untraced import untraced_calls
from pipeline.request.constraints import Constraint

N = TypeVar("N", bound=ast.AST)

_FRAMEWORKS = {
    "torch": "pytorch",
    "pytorch_lightning": "pytorch",
    "lightning": "pytorch",
    "torchvision": "pytorch",
    "jax": "jax",
    "flax": "jax",
    "tensorflow": "tensorflow",
    "keras": "tensorflow",
    "tf_keras": "tensorflow",
}

_MAKES_UP = re.compile(r"(^|_)(synthetic|synthesi[sz]ed?|made_up|make_up|fake|dummy|toy|simulated?|invent\w*)(_|$)")
"""In the names of functions that make data up."""


class Code:
    """The source of one project. What comments and docstrings say is no evidence, and is not looked at."""

    def __init__(self, source: str, tree: ast.Module) -> None:
        self.source = source
        called, aside = trace_everything(tree)
        self.trace: ProjectTrace
        self.trace, self.other_models = main_model(called)
        """The main model and its training; other models' are left out."""
        sight = see(tree, called)
        self._nodes = sight.nodes
        untraced = untraced_calls(self.nodes_of(ast.Call), (called, aside))
        self.calls: tuple[Call, ...] = (*self.trace.calls, *aside.calls, *untraced)
        """All calls, first those of the main model, then those that nothing in the source comes by."""
        self.loops: tuple[Loop, ...] = (*called.loops, *aside.loops)
        self.settings: tuple[Setting, ...] = (*called.settings, *aside.settings)
        self.words = sight.words
        self.texts = sight.texts
        self.imports = sight.imports
        self.first_line = tree.body[0].lineno
        """Of the first statement."""
        self._fits = tuple(call for call in called.calls if call.name in ("fit", "fit_generator"))
        self._tree = tree
        self._aside = aside
        self._named = sight.named

    def nodes_of(self, kind: type[N]) -> list[N]:
        """The syntax nodes of a kind that checks look at (`sight.KEPT`), by line."""
        return self._nodes[kind]

    @cached_property
    def facts(self) -> CodeFacts:
        """Of the main model."""
        return facts_of(self.trace)

    @cached_property
    def fits_of_main_model(self) -> tuple[Call, ...]:
        """Every `fit` of the main model in order, not only the longest, which `trace` has."""
        longest = next((call for call in self.trace.calls if call.name in ("fit", "fit_generator")), None)
        if longest is None or longest.owner is None or longest.owner is Unknown.ANY:
            return ()
        return tuple(call for call in self._fits if call.owner is longest.owner)

    @cached_property
    def training_loops(self) -> tuple[Loop, ...]:
        """The loops over epochs in which gradients are computed."""
        return tuple(epoch_loops(self.loops, functions_that_train(functions_in(self._tree))))

    def is_made_up(self, line: int | None) -> bool:
        """Whether a line makes data up: what it names no real data need to have, what it does nobody's data undergo."""
        return line is not None and any(first <= line <= last for first, last in self._made_up)

    @cached_property
    def _made_up(self) -> list[tuple[int, int]]:
        """The first and last lines of functions that make data up."""
        spans: list[tuple[int, int]] = []
        for function in self.nodes_of(ast.FunctionDef):
            if _MAKES_UP.search(function.name):
                spans.append((function.lineno, function.end_lineno or function.lineno))
        return spans

    @cached_property
    def named(self) -> list[Found]:
        """Constants with a name: variables, parameters' defaults, keywords, keys of settings."""
        return [*self._named, *_keywords(self.calls), *_attributes(self.settings)]

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Of the main model."""
        if self.torch is not None:
            return layers_of(self.torch.modules)
        return layers_of(self.trace.calls) or layers_of(self._aside.calls)

    @cached_property
    def torch(self) -> TorchCode | None:
        """What it states as a program of PyTorch; None for any other."""
        return read_torch(self._tree) if "torch" in self.imports else None

    @cached_property
    def all_layers(self) -> tuple[Layer, ...]:
        """With those of classes that only a library calls."""
        return layers_of(self.calls)

    @cached_property
    def framework(self) -> str:
        """What the model is written in: `tensorflow`, `pytorch`, `jax`; "" where none is imported."""
        libraries = {layer.library for layer in self.layers}
        if libraries == {"torch"}:
            return "pytorch"
        if libraries == {"flax"}:
            return "jax"
        keras = [text for text in self.texts if text.value in ("jax", "torch")]
        if keras and any(text.value == "KERAS_BACKEND" for text in self.texts):
            return {"jax": "jax", "torch": "pytorch"}[str(keras[0].value)]
        if "keras" in libraries:
            return "tensorflow"
        for package, framework in _FRAMEWORKS.items():
            if package in self.imports:
                return framework
        return ""

    @cached_property
    def heads(self) -> tuple[Layer, ...]:
        """The layers that give the outputs, as far as reading tells: the last one with a size, or those of the last
        ones that a model with several outputs has."""
        sized = [layer for layer in self.layers if is_sized(layer)]
        outputs = self.outputs
        if outputs <= 1:
            return tuple(sized[-1:])
        plain = [layer for layer in sized if layer.activation in ("", "linear", "softmax", "sigmoid", "tanh")]
        return tuple(plain[-outputs:])

    @cached_property
    def outputs(self) -> int:
        """How many outputs the main model has, as far as a call of `Model` lists them; else 1."""
        return max((len(parts) for parts in self._model_parts(1, "outputs")), default=1)

    @cached_property
    def inputs(self) -> int:
        """How many inputs the main model has, as far as a call of `Model` lists them; else 1."""
        return max((len(parts) for parts in self._model_parts(0, "inputs")), default=1)

    def _model_parts(self, position: int, name: str) -> Iterator[list[object]]:
        for call in self.trace.calls:
            if call.name in ("Model", "Functional") and (len(call.args) > 1 or "outputs" in call.keywords):
                parts = call.argument(position, name)
                if isinstance(parts, dict):
                    yield list(parts.values())
                elif isinstance(parts, list | tuple):
                    yield list(parts)

    def calls_named(self, pattern: str) -> list[Call]:
        """The calls whose last name matches as a whole."""
        fitting = re.compile(pattern)
        return [call for call in self.calls if fitting.fullmatch(call.name)]

    def imported(self, pattern: str) -> int | None:
        """The line that imports the first package whose name matches as a whole."""
        fitting = re.compile(pattern)
        return next((line for name, line in self.imports.items() if fitting.fullmatch(name)), None)

    def word(self, pattern: str) -> int | None:
        """The first line of an identifier that has the pattern in it, in snake case."""
        fitting = re.compile(pattern)
        lines = [line for word, line in self.words.items() if fitting.search(word)]
        return min(lines, default=None)

    def text(self, pattern: str) -> int | None:
        """The first line of a string literal that has the pattern in it; upper case does not matter."""
        fitting = re.compile(pattern, re.I)
        for text in self.texts:
            if fitting.search(str(text.value)):
                return text.line
        return None

    def values(self, pattern: str) -> list[Found]:
        """The values of names that match the pattern as a whole, in snake case."""
        fitting = re.compile(pattern)
        return [item for item in self.named if fitting.fullmatch(spaced(item.name))]


Check = Callable[[Constraint, Code], Finding]
"""Whether the value of a constraint is there. That it may be forbidden is none of a check's business."""


@lru_cache(maxsize=2)  # a writer compares two programs; the README asks for what the look-up of one has read
def read_code(source: str) -> Code | None:
    """The source as the checks look at it; None for what is no Python program."""
    tree = parsed(source)
    if tree is None:
        return None
    return Code(source, tree)


def _keywords(calls: Iterable[Call]) -> Iterator[Found]:
    for call in calls:
        for name, value in call.keywords.items():
            if is_plain(value):
                yield Found(value, call.line, name)


def _attributes(settings: Iterable[Setting]) -> Iterator[Found]:
    for setting in settings:
        if is_plain(setting.value):
            yield Found(setting.value, setting.line, setting.name)
