"""A project's source as the checks look at it: calls, layers, named values, words and texts, each with its line."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.extract import CodeFacts, facts_of
from pipeline.analysis.models import main_model
from pipeline.analysis.parsing import parsed
from pipeline.analysis.trace import trace_everything
from pipeline.analysis.values import Call, Loop, Setting, is_constant
from pipeline.measures.delivery.findings import Finding, Found, spaced
from pipeline.measures.delivery.layers import Layer, is_sized, layers_of
from pipeline.measures.delivery.untraced import untraced_calls
from pipeline.request.constraints import Constraint

_LONGEST_TEXT = 300
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


@dataclass(slots=True)
class _Sight:
    """What a walk through the syntax tree gathers."""

    words: dict[str, int] = field(default_factory=dict)
    texts: list[Found] = field(default_factory=list)
    named: list[Found] = field(default_factory=list)
    imports: dict[str, int] = field(default_factory=dict)
    nodes: list[ast.AST] = field(default_factory=list)


class Code:
    """The source of one project. What comments and docstrings say is no evidence, and is not looked at."""

    def __init__(self, source: str, tree: ast.Module) -> None:
        self.source = source
        called, aside = trace_everything(tree)
        self.trace: ProjectTrace
        self.trace, self.other_models = main_model(called)
        """The main model and its training; other models' are left out."""
        sight = _seen(tree, called)
        untraced = untraced_calls(sight.nodes, (called, aside))
        self.calls: tuple[Call, ...] = (*self.trace.calls, *aside.calls, *untraced)
        """All calls, first those of the main model, then those that nothing in the source comes by."""
        self.loops: tuple[Loop, ...] = (*called.loops, *aside.loops)
        self.settings: tuple[Setting, ...] = (*called.settings, *aside.settings)
        self.facts: CodeFacts = facts_of(self.trace)
        self.words = sight.words
        """Every identifier in snake case, with its first line; imports do not count."""
        self.texts = sight.texts
        """String literals."""
        self.imports = sight.imports
        """Top-level packages with the line of their first import."""
        self.nodes = sight.nodes
        self.named = [*sight.named, *_keywords(self.calls), *_attributes(self.settings)]
        """Constants with a name: variables, parameters' defaults, keywords, keys of settings."""
        self.layers: tuple[Layer, ...] = layers_of(self.trace.calls) or layers_of(aside.calls)
        """Of the main model."""
        self.all_layers: tuple[Layer, ...] = layers_of(self.calls)
        """With those of classes that only a library calls."""

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


def read_code(source: str) -> Code | None:
    """The source as the checks look at it; None for what is no Python program."""
    tree = parsed(source)
    if tree is None:
        return None
    return Code(source, tree)


def _keywords(calls: Iterable[Call]) -> Iterator[Found]:
    for call in calls:
        for name, value in call.keywords.items():
            if _is_plain(value):
                yield Found(value, call.line, name)


def _attributes(settings: Iterable[Setting]) -> Iterator[Found]:
    for setting in settings:
        if _is_plain(setting.value):
            yield Found(setting.value, setting.line, setting.name)


def _is_plain(value: object) -> bool:
    return value is not None and not isinstance(value, bytes | dict) and is_constant(value)


# What is given to these is shown to people: a title of a plot is no column.
_SHOWS = re.compile(r"print|(set_)?(title|xlabel|ylabel)|suptitle|text|annotate|legend|write|info|warning|set")


def _seen(tree: ast.Module, trace: ProjectTrace) -> _Sight:
    sight = _Sight()
    top_level = {id(statement) for statement in tree.body}
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, is_shown = waiting.pop()
        sight.nodes.append(node)
        _note_words(node, sight)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        if isinstance(node, ast.Call):
            function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            is_shown = is_shown or _SHOWS.fullmatch(function) is not None
        elif isinstance(node, ast.keyword):
            is_shown = is_shown or node.arg in ("label", "title")
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str) and not is_shown and len(node.value) <= _LONGEST_TEXT:
                sight.texts.append(Found(node.value, node.lineno))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for name in names:
                sight.imports.setdefault(name.partition(".")[0], node.lineno)
        else:
            _note_constants(node, trace if id(node) in top_level else None, sight)
        waiting += [(child, is_shown) for child in reversed(list(ast.iter_child_nodes(node)))]
    sight.texts.sort(key=lambda text: text.line or 0)
    sight.nodes.sort(key=lambda node: getattr(node, "lineno", 0))
    return sight


def _note_constants(node: ast.AST, trace: ProjectTrace | None, sight: _Sight) -> None:
    """Notes what an assignment, a parameter's default or a key of a dict holds; of a module's name, its last value."""
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Name):
                known = None if trace is None else trace.names.get(target.id)
                _note_named(target.id, node.value, known, sight)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        parameters = [*node.args.posonlyargs, *node.args.args]
        for parameter, default in zip(reversed(parameters), reversed(node.args.defaults), strict=False):
            _note_named(parameter.arg, default, None, sight)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                _note_named(key.value, value, None, sight)


def _note_words(node: ast.AST, sight: _Sight) -> None:
    word: str | None = None
    if isinstance(node, ast.Name):
        word = node.id
    elif isinstance(node, ast.Attribute):
        word = node.attr
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        word = node.name
    elif isinstance(node, ast.arg | ast.keyword):
        word = node.arg
    if word:
        line = getattr(node, "lineno", 0)
        key = spaced(word)
        sight.words[key] = min(line, sight.words.get(key, line))


def _note_named(name: str, node: ast.expr, known: object, sight: _Sight) -> None:
    value = known
    if not _is_plain(value):
        value = _literal(node)
    if _is_plain(value):
        sight.named.append(Found(value, node.lineno, name))


def _literal(node: ast.expr) -> object:
    """The value of a constant, with its sign, or of a short flat sequence of constants; None for all else."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        return -value if isinstance(value, int | float) else None
    if isinstance(node, ast.Tuple | ast.List):
        items = [element.value for element in node.elts if isinstance(element, ast.Constant)]
        if len(items) == len(node.elts):
            return items
    return None
