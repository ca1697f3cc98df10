"""The modules of a network of PyTorch, in the order in which `forward` calls them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import TypeGuard

from pipeline.analysis.call_text import call_text
from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.trace import trace_network
from pipeline.analysis.values import Call, Instance, LayerUse, Setting, Unknown, is_network
from pipeline.torch.facts import is_module, ready_made

_WITHOUT_WEIGHTS = frozenset(
    "ReLU ReLU6 LeakyReLU ELU SELU GELU SiLU Mish Softplus Softmax LogSoftmax Sigmoid Tanh Hardswish Hardtanh Softsign "
    "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout Flatten Unflatten Identity Upsample PixelShuffle "
    "MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d "
    "AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d ZeroPad2d ReflectionPad2d".split()
)
"""Modules that are a layer wherever they are called: one `self.relu` may follow each convolution."""

_FUNCTIONS = {
    "relu": ("ReLU", ()),
    "leaky_relu": ("LeakyReLU", ("negative_slope",)),
    "elu": ("ELU", ()),
    "gelu": ("GELU", ()),
    "silu": ("SiLU", ()),
    "softmax": ("Softmax", ("dim",)),
    "log_softmax": ("LogSoftmax", ("dim",)),
    "sigmoid": ("Sigmoid", ()),
    "tanh": ("Tanh", ()),
    "dropout": ("Dropout", ("p",)),
    "max_pool1d": ("MaxPool1d", ("kernel_size", "stride")),
    "max_pool2d": ("MaxPool2d", ("kernel_size", "stride")),
    "max_pool3d": ("MaxPool3d", ("kernel_size", "stride")),
    "avg_pool1d": ("AvgPool1d", ("kernel_size", "stride")),
    "avg_pool2d": ("AvgPool2d", ("kernel_size", "stride")),
    "adaptive_avg_pool1d": ("AdaptiveAvgPool1d", ("output_size",)),
    "adaptive_avg_pool2d": ("AdaptiveAvgPool2d", ("output_size",)),
    "flatten": ("Flatten", ()),
}
"""Functions that are layers without weights: the module of the same effect, and which arguments it shares."""

_FUNCTION_MODULES = ("torch", "torch.nn.functional")


def modules_of(tree: ast.Module, network: object) -> list[Call]:
    """The calls that construct a network's modules, in the order of `forward`; in the order in which it is given them
    where reading does not get through it. A function such as `F.relu(x)` stands as the module of the same effect."""
    in_order = _in_order(trace_network(tree, network).calls)
    built = modules_within(network)
    # A forward that reading did not get through shows some layers, or none; what it is made of is surer then.
    if 2 * len({module.line for module in in_order}) < len({module.line for module in built}):
        return built
    return in_order


def as_layers(modules: Iterable[Call], constructed: ProjectTrace) -> tuple[LayerUse, ...]:
    """The modules with their text; `constructed` is the trace of the program, in which they are built."""
    layers: list[LayerUse] = []
    for module in modules:
        text = call_text(module.name, module.args, module.keywords)
        layers.append(constructed.modules.get(id(module)) or LayerUse(module.name, text, module.line or 0))
    return tuple(layers)


def modules_within(network: object) -> list[Call]:
    """The modules that a network is made of, in the order they are given to it."""
    found: list[Call] = []
    seen: set[int] = set()
    waiting = [network]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if is_part(value):
            found.append(value)
        elif isinstance(value, Call) and is_network(value):
            waiting += reversed([*value.args, *value.keywords.values()])
        elif isinstance(value, Instance):
            waiting += reversed([*value.parts, *value.attributes.values()])
        elif isinstance(value, list | tuple):
            waiting += reversed(value)
        elif isinstance(value, dict):
            waiting += reversed(list(value.values()))
    return found


def is_part(value: object) -> TypeGuard[Call]:
    """Whether a value is a layer of PyTorch, or a ready-made network, which counts as one."""
    return isinstance(value, Call) and (is_module(value.path) or bool(ready_made(value.path)))


def with_new_heads(modules: Iterable[Call], settings: Iterable[Setting]) -> list[Call]:
    """The modules, each ready-made network followed by what the program puts in the place of its last layers
    (`model.fc = nn.Linear(512, 3)`)."""
    replaced: dict[int, list[Call]] = {}
    for setting in settings:
        if isinstance(setting.owner, Call) and ready_made(setting.owner.path):
            replaced.setdefault(id(setting.owner), []).extend(modules_within(setting.value))
    known = list(modules)
    known_ids = {id(module) for module in known}
    with_heads: list[Call] = []
    for module in known:
        with_heads.append(module)
        with_heads += [head for head in replaced.get(id(module), ()) if id(head) not in known_ids]
    return with_heads


def _in_order(calls: Sequence[Call]) -> list[Call]:
    modules: list[Call] = []
    seen: set[int] = set()
    for call in calls:
        module = call.owner
        if call.name == "__call__" and is_part(module):
            if module.name not in _WITHOUT_WEIGHTS and id(module) in seen:
                continue  # the same weights once more
            seen.add(id(module))
            modules.append(module)
        elif (function := _function(call)) is not None:
            modules.append(function)
    return modules


_METHODS = frozenset({"flatten", "relu", "sigmoid", "tanh", "softmax", "log_softmax"})
"""Methods of a tensor that are such functions."""


def _function(call: Call) -> Call | None:
    """A function that is a layer without weights: `F.max_pool2d(x, 2)` -> MaxPool2d(2), `x.mean((2, 3))`, the average
    over an image, -> AdaptiveAvgPool2d(1)."""
    parent, _, name = call.path.rpartition(".")
    if not parent and call.owner is Unknown.ANY:
        over = call.argument(0, "dim")
        if name == "mean" and isinstance(over, tuple | list) and list(over) in ([2, 3], [-2, -1], [-1, -2]):
            return Call("torch.nn.AdaptiveAvgPool2d", (1,), {}, line=call.line)
        if name in _METHODS:
            return Call(f"torch.nn.{_FUNCTIONS[name][0]}", (), {}, line=call.line)
    if parent not in _FUNCTION_MODULES or name not in _FUNCTIONS:
        return None
    module, parameters = _FUNCTIONS[name]
    # The first argument is the tensor.
    args: list[object] = []
    for value in call.args[1 : 1 + len(parameters)]:
        if value is Unknown.ANY:
            break
        args.append(value)
    keywords = {key: value for key, value in call.keywords.items() if key in parameters}
    return Call(f"torch.nn.{module}", tuple(args), keywords, line=call.line)
