"""The modules of a network of PyTorch, in the order in which `forward` calls them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from pipeline.analysis.call_text import call_text
from pipeline.analysis.calls import ProjectTrace
from pipeline.analysis.trace import trace_network
from pipeline.analysis.values import Call, Instance, LayerUse, Unknown, is_network
from pipeline.torch.facts import is_module

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


def layers_of(tree: ast.Module, network: object, constructed: ProjectTrace) -> tuple[LayerUse, ...]:
    """The layers of a network in the order of `forward`; in the order of their construction where reading does not get
    through it. `constructed` is the trace of the program, in which they are built."""
    called = trace_network(tree, network)
    in_order = _in_order(called.calls, constructed)
    built = modules_within(network)
    # A forward that reading did not get through shows some layers, or none; what it is made of is surer then.
    if 2 * len({layer.line for layer in in_order}) < len({use.line for use in built_uses(built, constructed)}):
        return built_uses(built, constructed)
    return in_order


def built_uses(modules: Iterable[Call], constructed: ProjectTrace) -> tuple[LayerUse, ...]:
    """The modules as layers, where they are constructed."""
    return tuple(_use(module, constructed) for module in modules)


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
        if isinstance(value, Call) and is_module(value.path):
            found.append(value)
        elif isinstance(value, Call) and is_network(value):
            waiting += reversed([*value.args, *value.keywords.values()])
        elif isinstance(value, Instance):
            waiting += reversed(list(value.attributes.values()))
        elif isinstance(value, list | tuple):
            waiting += reversed(value)
        elif isinstance(value, dict):
            waiting += reversed(list(value.values()))
    return found


def _in_order(calls: Sequence[Call], constructed: ProjectTrace) -> tuple[LayerUse, ...]:
    layers: list[LayerUse] = []
    seen: set[int] = set()
    for call in calls:
        module = call.owner
        if call.name == "__call__" and isinstance(module, Call) and is_module(module.path):
            if module.name not in _WITHOUT_WEIGHTS and id(module) in seen:
                continue  # the same weights once more
            seen.add(id(module))
            layers.append(_use(module, constructed))
        elif (function := _function(call)) is not None:
            layers.append(function)
    return tuple(layers)


def _use(module: Call, constructed: ProjectTrace) -> LayerUse:
    known = constructed.modules.get(id(module))
    if known is not None:
        return known
    return LayerUse(module.name, call_text(module.name, module.args, module.keywords), module.line or 0)


def _function(call: Call) -> LayerUse | None:
    """A function that is a layer without weights: `F.max_pool2d(x, 2)` -> MaxPool2d(2)."""
    parent, _, name = call.path.rpartition(".")
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
    return LayerUse(module, call_text(module, tuple(args), keywords), call.line or 0)
