"""Calls: entering what the project itself defines, and recording every call that leaves it."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.analysis.builtin_calls import call_builtin, call_method
from pipeline.analysis.call_text import call_text
from pipeline.analysis.evaluate import Evaluator, items_of, member
from pipeline.analysis.keras_names import MERGE_FUNCTIONS, is_layer, ready_made
from pipeline.analysis.training.batches import GIVES_DATA
from pipeline.analysis.training.command_line import PARSES, flag_defined, parsed_arguments, settings_made, settings_of
from pipeline.analysis.training.graphs import graph_layers, is_estimator
from pipeline.analysis.values import (
    GIVES_ITSELF,
    SEQUENTIAL,
    Call,
    Class,
    Function,
    Instance,
    LayerUse,
    Loop,
    Reference,
    Scope,
    Setting,
    Unknown,
    contained,
    is_constant,
    is_network,
    parts_in_order,
)
from pipeline.torch.facts import ready_made as ready_network

MAX_DEPTH = 20  # of functions that call functions


@dataclass(slots=True)
class ProjectTrace:
    """What a project does, as far as it matters here, in the order of execution."""

    layers: list[LayerUse] = field(default_factory=list)
    parts: set[int] = field(default_factory=set)
    """Ids of those layers that were given to another one: they belong to it."""
    calls: list[Call] = field(default_factory=list)
    names: dict[str, object] = field(default_factory=dict)
    """The module's names with their last known values."""
    imports: set[str] = field(default_factory=set)
    """Top-level packages."""
    settings: list[Setting] = field(default_factory=list)
    """What attributes are given."""
    loops: list[Loop] = field(default_factory=list)
    functions: list[ast.AST] = field(default_factory=list)
    """Those of the project, methods among them."""
    modules: dict[int, LayerUse] = field(default_factory=dict)
    """Modules of PyTorch where they are constructed, by the id of the call."""


class Caller(Evaluator):
    """Evaluates calls into `trace`. How the body of an entered function is executed is for the subclass to say."""

    def __init__(self) -> None:
        super().__init__()
        self.trace = ProjectTrace(names=self.scope.names)
        self.returned: object = None
        """By the function being executed."""
        self.progress = 0
        """Grows with each layer, compile and known list item: a loop without them need not go on."""
        self._depth = 0
        self._entered: set[int] = set()
        self._built: dict[tuple[int, str], object] = {}
        self._instances: dict[int, Instance] = {}
        """The first of each class, by the id of the class' scope."""
        self._passed_through: set[int] = set()
        """Ids of the networks of PyTorch that were called: a second call would show nothing new."""
        self._inside_network = 0

    @abstractmethod
    def execute(self, body: Iterable[ast.stmt]) -> None: ...

    def set_attribute(self, target: ast.Attribute, owner: object, value: object) -> None:
        self.trace.settings.append(Setting(target.attr, value, owner, target.lineno))
        super().set_attribute(target, owner, value)

    def call(self, node: ast.Call) -> object:
        """Enters what the project defines, records what it does not. `Dense(2)(Dense(4)(x))` builds Dense(4) first."""
        self.step()
        if isinstance(node.func, ast.Attribute):
            owner = self.value(node.func.value)
            args, keywords = self._arguments(node)
            if isinstance(keywords.get("input_fn"), Function):  # an estimator calls what gives it its data
                keywords["input_fn"] = self._apply(keywords["input_fn"], (), {}, node)
            if not isinstance(owner, Reference):
                method = Call(node.func.attr, args, keywords, owner=owner, line=node.lineno)
                self.trace.calls.append(method)
                if node.func.attr == "compile":
                    self.progress += 1
                if node.func.attr == "__init__":
                    self._note_parts_of_self(args)
                if node.func.attr in ("add_module", "append") and isinstance(owner, Call) and owner.path == SEQUENTIAL:
                    owner.grow(args[-1:])
                if node.func.attr == "save_hyperparameters" and isinstance(owner, Instance):
                    owner.attributes["hparams"] = settings_of(self.scope.names)
                if is_network(owner) and member(owner, node.func.attr) is Unknown.ANY:
                    return owner if node.func.attr in GIVES_ITSELF else method
            if isinstance(owner, list) and any(map(is_constant, args)):
                self.progress += 1
            if isinstance(owner, list | dict | str):
                return call_method(owner, node.func.attr, args)
            if node.func.attr in PARSES and not isinstance(owner, Instance | Class):
                namespace = parsed_arguments(owner, self.trace.calls)
                return namespace if node.func.attr == "parse_args" else (namespace, Unknown.ANY)
            if node.func.attr in GIVES_DATA and not isinstance(owner, Reference | Instance | Class):
                return method
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
            elif isinstance(value, dict):  # `**settings`
                for key, item in value.items():
                    keywords[str(key)] = item
        return tuple(args), keywords

    def _apply(self, callee: object, args: tuple[object, ...], keywords: dict[str, object], node: ast.Call) -> object:
        if isinstance(callee, Reference):
            return self._make(callee, args, keywords, node)
        if isinstance(callee, Function):
            return self._enter(callee, args, keywords)
        if isinstance(callee, Class):
            if callee.derives_from("Layer"):
                return self._layer(callee.name, args, keywords, node)
            self.trace.calls.append(Call(callee.name, args, keywords, line=node.lineno))
            return self._instance(callee, args, keywords)
        if isinstance(callee, Call) and callee.name == "partial" and callee.args:
            return self._apply(callee.args[0], (*callee.args[1:], *args), callee.keywords | keywords, node)
        if isinstance(callee, Call) and callee.layer is None:
            self.trace.calls.append(Call("__call__", args, keywords, owner=callee, line=node.lineno))
        if is_network(callee):
            return self.pass_through(callee, args, keywords, node)
        return Unknown.ANY

    def _note_parts_of_self(self, args: tuple[object, ...]) -> None:
        """`super().__init__(conv, norm)` in a class of its own kind of Sequential."""
        myself = self.scope.find("self")
        if isinstance(myself, Instance) and myself.cls.derives_from("Sequential"):
            myself.parts += args

    def pass_through(
        self, network: object, args: tuple[object, ...], keywords: dict[str, object], node: ast.Call
    ) -> object:
        """A call of a network of PyTorch: enters `forward`, or the parts of a Sequential."""
        if self._inside_network:
            self.progress += 1  # a loop over blocks goes on
        if id(network) in self._passed_through:
            return Unknown.ANY
        self._inside_network += 1
        result: object = Unknown.ANY
        if isinstance(network, Instance):
            self._passed_through.add(id(network))
            forward = member(network, "forward")
            if isinstance(forward, Function):
                result = self._enter(forward, args, keywords)
            for part in network.parts if forward is Unknown.ANY else ():
                self._apply(part, (Unknown.ANY,), {}, node)
        elif isinstance(network, Call) and network.path == SEQUENTIAL:
            self._passed_through.add(id(network))
            for part in parts_in_order(network):
                self._apply(part, (Unknown.ANY,), {}, node)
        self._inside_network -= 1
        return result

    def _make(self, callee: Reference, args: tuple[object, ...], keywords: dict[str, object], node: ast.Call) -> object:
        if is_layer(callee.path):
            return self._layer(callee.path, args, keywords, node)
        if (network := ready_made(callee.path)) and not self._inside_network:
            return self._layer(network, args, keywords, node)
        if standing_for := graph_layers(callee.path, args, keywords):
            for name, settings, named in standing_for:
                self._layer(name, settings, named, node)
            if not is_estimator(callee.path):
                return Unknown.ANY
        if callee.name in MERGE_FUNCTIONS and ".layers." in callee.path:
            self._layer(MERGE_FUNCTIONS[callee.name], (), keywords, node)
            return Unknown.ANY
        if (value := call_builtin(callee.path, args, keywords)) is not None:
            return value
        if (value := settings_made(callee.path, args, keywords)) is not None:
            return value
        result = Call(callee.path, args, keywords, line=node.lineno)
        self.trace.calls.append(result)
        if (flag := flag_defined(result)) is not None:
            self.flags[flag[0]] = flag[1]
        if is_network(result):
            self.progress += 1
            self.trace.modules[id(result)] = _network_use(result, node)
        held = contained(callee.path, args)
        return result if held is None else held

    def _layer(self, path: str, args: tuple[object, ...], keywords: dict[str, object], node: ast.Call) -> Call:
        for value in (*args, *(value for key, value in keywords.items() if key != "input_tensor")):
            self._note_parts(value)
        name = path.rpartition(".")[2]
        layer = LayerUse(name, call_text(name, args, keywords, node), node.lineno)
        result = Call(path, args, keywords, layer, line=node.lineno)
        self.trace.calls.append(result)
        self.trace.layers.append(layer)
        self.progress += 1
        return result

    def _note_parts(self, value: object) -> None:
        """What a layer is given (`Bidirectional(LSTM(8))`) is a part of it, not a layer of its own."""
        parts = value if isinstance(value, list | tuple) else (value,)
        for part in parts:
            if isinstance(part, Call) and part.layer is not None:
                self.trace.parts.add(id(part.layer))

    def _enter(self, function: Function, args: tuple[object, ...], keywords: dict[str, object]) -> object:
        """Executes a function of the project in a scope of its own; gives what it returns."""
        if self._depth >= MAX_DEPTH:
            return Unknown.ANY
        repeat = self._repeat_key(function, args, keywords)
        if repeat is not None and repeat in self._built:
            return self._built[repeat]
        layers_before = len(self.trace.layers)
        self._entered.add(id(function.node))
        outer_scope, outer_undecided = self.scope, self.undecided
        self.scope, self.undecided = Scope(outer=function.scope), 0
        self._depth += 1
        self.returned = None
        if function.bound is not None:  # `self`
            args = (function.bound, *args)
        self._bind_parameters(function, args, keywords)
        if isinstance(function.node, ast.Lambda):
            self.returned = self.value(function.node.body)
        else:
            self.execute(function.node.body)
        self.scope, self.undecided = outer_scope, outer_undecided
        self._depth -= 1
        returned, self.returned = self.returned, None
        if repeat is not None and len(self.trace.layers) > layers_before:
            self._built[repeat] = returned
        return Unknown.ANY if returned is None else returned

    def _repeat_key(
        self, function: Function, args: tuple[object, ...], keywords: dict[str, object]
    ) -> tuple[int, str] | None:
        """What equal calls share; None where every call counts by itself.

        At the top level an equal call is the same model once more (for the next fold, say), not further layers.
        """
        if self._depth > 0 or function.bound is not None:
            return None
        if not is_constant(args) or not is_constant(keywords):
            return None
        return id(function.node), repr((args, keywords))

    def _bind_parameters(self, function: Function, args: tuple[object, ...], keywords: dict[str, object]) -> None:
        parameters = function.node.args
        positional = [parameter.arg for parameter in (*parameters.posonlyargs, *parameters.args)]
        keyword_only = [parameter.arg for parameter in parameters.kwonlyargs]
        names = positional + keyword_only
        # Defaults belong to the last positional parameters.
        defaults = dict(zip(reversed(positional), reversed(parameters.defaults), strict=False))
        for parameter, default in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True):
            if default is not None:
                defaults[parameter.arg] = default
        values = dict(zip(names, args, strict=False))
        further: dict[str, object] = {}  # what `**kwargs` collects
        for name, value in keywords.items():
            if name in names:
                values[name] = value
            else:
                further[name] = value
        for name in names:
            if name in values:
                self.scope.names[name] = values[name]
            elif name in defaults:
                self.scope.names[name] = self.value(defaults[name])
            else:
                self.scope.names[name] = Unknown.ANY
        if parameters.vararg is not None:
            self.scope.names[parameters.vararg.arg] = args[len(positional) :]
        if parameters.kwarg is not None:
            self.scope.names[parameters.kwarg.arg] = further

    def _instance(self, cls: Class, args: tuple[object, ...], keywords: dict[str, object]) -> Instance:
        instance = Instance(cls)
        self._entered.add(id(cls.scope))
        self._instances.setdefault(id(cls.scope), instance)
        constructor = member(instance, "__init__")
        if isinstance(constructor, Function):
            self._enter(constructor, args, keywords)
        else:  # a dataclass
            instance.attributes.update(keywords)
        return instance


def _network_use(network: Call, node: ast.Call) -> LayerUse:
    """A module of PyTorch, or a ready-made network by the name that it has or is given."""
    name = ready_network(network.path)
    if "." in name:  # `timm.create_model("efficientnet_b0")`
        given = [value for value in network.args if isinstance(value, str)]
        name = str(given[-1]) if given else str(network.keywords.get("model_name", network.name))
    name = name or network.name
    return LayerUse(name, call_text(name, network.args, network.keywords, node), node.lineno)
