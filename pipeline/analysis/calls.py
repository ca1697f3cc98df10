"""Calls: entering what the project itself defines, and recording every call that leaves it."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.analysis.builtin_calls import call_builtin, call_method
from pipeline.analysis.call_text import call_text
from pipeline.analysis.evaluate import Evaluator, items_of, member
from pipeline.analysis.keras_names import MERGE_FUNCTIONS, is_layer
from pipeline.analysis.values import Call, Class, Function, Instance, LayerUse, Reference, Scope, Unknown, is_constant

MAX_DEPTH = 20  # of functions that call functions


@dataclass(slots=True)
class Trace:
    """Everything noteworthy, in the order of execution.

    `parts` are the ids of those layers that were given to another one; `names` are the module's, with their last known
    values.
    """

    layers: list[LayerUse] = field(default_factory=list)
    parts: set[int] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    names: dict[str, object] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)


class Caller(Evaluator):
    """Evaluates calls into `trace`. How the body of an entered function is executed is for the subclass to say."""

    def __init__(self) -> None:
        super().__init__()
        self.trace = Trace(names=self.scope.names)
        self.returned: object = None  # by the function being executed
        self.progress = 0  # grows with each layer, compile and known list item: a loop without them need not go on
        self._depth = 0
        self._entered: set[int] = set()
        self._built: dict[tuple[int, str], object] = {}

    @abstractmethod
    def execute(self, body: Iterable[ast.stmt]) -> None: ...

    def enter_unused(self) -> None:
        """Enters the functions and classes of the module that nothing has called, with unknown arguments."""
        for value in list(self.scope.names.values()):
            if isinstance(value, Function) and id(value.node) not in self._entered:
                self._enter(value, (), {})
            elif isinstance(value, Class) and id(value.scope) not in self._entered:
                self._instance(value, (), {})

    def call(self, node: ast.Call) -> object:
        """Enters what the project defines, records what it does not. `Dense(2)(Dense(4)(x))` builds Dense(4) first."""
        self.step()
        if isinstance(node.func, ast.Attribute):
            owner = self.value(node.func.value)
            args, keywords = self._arguments(node)
            if not isinstance(owner, Reference):
                self.trace.calls.append(Call(node.func.attr, args, keywords, owner=owner))
                self.progress += node.func.attr == "compile"
            if isinstance(owner, list | dict | str):
                self.progress += isinstance(owner, list) and any(is_constant(arg) for arg in args)
                return call_method(owner, node.func.attr, args)
            return self._apply(member(owner, node.func.attr), args, keywords, node)
        args, keywords = self._arguments(node)
        return self._apply(self.value(node.func), args, keywords, node)

    def _arguments(self, node: ast.Call) -> tuple[tuple[object, ...], dict[str, object]]:
        args: list[object] = []
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                args += items_of(self.value(arg.value)) or []
            else:
                args.append(self.value(arg))
        keywords: dict[str, object] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value)
            if keyword.arg is not None:
                keywords[keyword.arg] = value
            elif isinstance(value, dict):
                keywords |= {str(key): item for key, item in value.items()}
        return tuple(args), keywords

    def _apply(self, callee: object, args: tuple[object, ...], keywords: dict[str, object], node: ast.Call) -> object:
        if isinstance(callee, Reference):
            return self._make(callee, args, keywords, node)
        if isinstance(callee, Function):
            return self._enter(callee, args, keywords)
        if isinstance(callee, Class):
            if callee.derives_from("Layer"):
                return self._layer(callee.name, args, keywords, node)
            self.trace.calls.append(Call(callee.name, args, keywords))
            return self._instance(callee, args, keywords)
        if isinstance(callee, Call) and callee.name == "partial" and callee.args:
            return self._apply(callee.args[0], (*callee.args[1:], *args), callee.keywords | keywords, node)
        if isinstance(callee, Call) and callee.layer is None:
            self.trace.calls.append(Call("__call__", args, keywords, owner=callee))
        return Unknown.ANY

    def _make(self, callee: Reference, args: tuple[object, ...], keywords: dict[str, object], node: ast.Call) -> object:
        if is_layer(callee.path):
            return self._layer(callee.path, args, keywords, node)
        if callee.name in MERGE_FUNCTIONS and ".layers." in callee.path:
            self._layer(MERGE_FUNCTIONS[callee.name], (), keywords, node)
            return Unknown.ANY
        if (value := call_builtin(callee.path, args, keywords)) is not None:
            return value
        result = Call(callee.path, args, keywords)
        self.trace.calls.append(result)
        return result

    def _layer(self, path: str, args: tuple[object, ...], keywords: dict[str, object], node: ast.Call) -> Call:
        for value in (*args, *keywords.values()):
            for part in value if isinstance(value, list | tuple) else (value,):
                # What a layer is given (`Bidirectional(LSTM(8))`) is a part of it, not a layer of its own.
                if isinstance(part, Call) and part.layer is not None:
                    self.trace.parts.add(id(part.layer))
        name = path.rpartition(".")[2]
        layer = LayerUse(name, call_text(name, args, keywords, node), node.lineno)
        result = Call(path, args, keywords, layer)
        self.trace.calls.append(result)
        self.trace.layers.append(layer)
        self.progress += 1
        return result

    def _enter(self, function: Function, args: tuple[object, ...], keywords: dict[str, object]) -> object:
        if self._depth >= MAX_DEPTH:
            return Unknown.ANY
        # At the top level an equal call is the same model once more (for the next fold, say), not further layers.
        repeatable = self._depth == 0 and function.bound is None and is_constant(args) and is_constant(keywords)
        again = (id(function.node), repr((args, keywords))) if repeatable else None
        if again is not None and again in self._built:
            return self._built[again]
        layers_before = len(self.trace.layers)
        self._entered.add(id(function.node))
        outer, undecided = self.scope, self.undecided
        self.undecided, self._depth, self.returned = 0, self._depth + 1, None
        self.scope = Scope(outer=function.scope)
        self._parameters(function, args if function.bound is None else (function.bound, *args), keywords)
        if isinstance(function.node, ast.Lambda):
            self.returned = self.value(function.node.body)
        else:
            self.execute(function.node.body)
        self.scope, self.undecided, self._depth = outer, undecided, self._depth - 1
        returned, self.returned = self.returned, None
        if again is not None and len(self.trace.layers) > layers_before:
            self._built[again] = returned
        return Unknown.ANY if returned is None else returned

    def _parameters(self, function: Function, args: tuple[object, ...], keywords: dict[str, object]) -> None:
        parameters = function.node.args
        names = [parameter.arg for parameter in (*parameters.posonlyargs, *parameters.args)]
        optional = dict(zip(reversed(names), reversed(parameters.defaults), strict=False))
        for parameter, default in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True):
            names.append(parameter.arg)
            if default is not None:
                optional[parameter.arg] = default
        given = dict(zip(names, args, strict=False)) | {
            name: value for name, value in keywords.items() if name in names
        }
        for name in names:
            if name in given:
                self.scope.names[name] = given[name]
            else:
                self.scope.names[name] = self.value(optional[name]) if name in optional else Unknown.ANY
        if parameters.vararg is not None:
            self.scope.names[parameters.vararg.arg] = args[len(names) - len(parameters.kwonlyargs) :]
        if parameters.kwarg is not None:
            self.scope.names[parameters.kwarg.arg] = {k: v for k, v in keywords.items() if k not in names}

    def _instance(self, cls: Class, args: tuple[object, ...], keywords: dict[str, object]) -> Instance:
        instance = Instance(cls)
        self._entered.add(id(cls.scope))
        constructor = member(instance, "__init__")
        if isinstance(constructor, Function):
            self._enter(constructor, args, keywords)
        else:  # a dataclass
            instance.attributes.update(keywords)
        return instance
