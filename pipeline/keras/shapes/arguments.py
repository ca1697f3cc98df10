"""A layer's arguments as the shape rules need them: numbers, windows, flags, with named constants looked up."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import TypeAlias

from pipeline.keras.layer_call import LayerCall, Symbol, Value

Shape: TypeAlias = "tuple[int | None, ...]"
"""Sizes of a tensor's axes without the batch axis; None is a size that varies."""

_OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}


class Misfit(ValueError):
    """A layer cannot take the tensor before it; the message says why."""


def resolved(value: Value, constants: Mapping[str, int]) -> Value:
    """The value with constants and integer arithmetic on them worked out; raises Misfit on a name that is unknown."""
    if isinstance(value, tuple):
        return tuple(resolved(item, constants) for item in value)
    if not isinstance(value, Symbol):
        return value
    try:
        return _worked_out(ast.parse(value.text, mode="eval").body, constants)
    except (SyntaxError, KeyError, ZeroDivisionError):
        raise Misfit(f"{value.text} is not known") from None


def _worked_out(node: ast.expr, constants: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int() as number):
            return number
        case ast.Name(id=name):
            return constants[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_worked_out(left, constants), _worked_out(right, constants))
        case _:
            raise KeyError(ast.unparse(node))


class Arguments:
    """The arguments of one call. Every method takes the default that Keras documents for the parameter."""

    def __init__(self, call: LayerCall, constants: Mapping[str, int]) -> None:
        self.call = call
        self.constants = constants
        self._given = call.arguments

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def value(self, name: str, default: Value = None) -> Value:
        return resolved(self._given[name], self.constants) if name in self._given else default

    def count(self, name: str, default: int | None = None) -> int:
        """A positive whole number."""
        number = self.value(name, default)
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise Misfit(f"{name} must be a positive whole number, not {number}")
        return number

    def flag(self, name: str, default: bool) -> bool:
        return bool(self.value(name, default))

    def text(self, name: str, default: str) -> str:
        return str(self.value(name, default))

    def window(
        self, name: str, axes: int, default: int | tuple[int, ...] | None = None, least: int = 1
    ) -> tuple[int, ...]:
        """One size per spatial axis; a single number stands for all of them."""
        sizes = self.value(name)
        sizes = default if sizes is None else sizes
        sizes = sizes if isinstance(sizes, tuple) else (sizes,) * axes
        whole = tuple(size for size in sizes if isinstance(size, int) and not isinstance(size, bool) and size >= least)
        if len(whole) != len(sizes) or len(whole) != axes:
            raise Misfit(f"{name} must be {axes} whole number{'s' * (axes > 1)} from {least} on, not {sizes}")
        return whole

    def amounts(self, name: str, axes: int, default: int) -> tuple[tuple[int, int], ...]:
        """What is added or cut before and after each axis (ZeroPadding, Cropping)."""
        given = self.value(name, default)
        if axes == 1 and isinstance(given, tuple):
            given = (given,)
        given = given if isinstance(given, tuple) else (given,) * axes
        pairs = [item if isinstance(item, tuple) else (item, item) for item in given]
        amounts = tuple((pair[0], pair[1]) for pair in pairs if len(pair) == 2)
        if len(amounts) != axes or not all(isinstance(side, int) and side >= 0 for pair in amounts for side in pair):
            raise Misfit(f"{name} must be one amount or pair per axis")
        return tuple((int(str(before)), int(str(after))) for before, after in amounts)
