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
        self._stated = call.arguments

    def __contains__(self, name: str) -> bool:
        return name in self._stated

    def value(self, name: str, default: Value = None) -> Value:
        if name not in self._stated:
            return default
        return resolved(self._stated[name], self.constants)

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
        if sizes is None:
            sizes = default
        if not isinstance(sizes, tuple):
            sizes = (sizes,) * axes
        whole = tuple(size for size in sizes if isinstance(size, int) and not isinstance(size, bool) and size >= least)
        if len(whole) != len(sizes) or len(whole) != axes:
            raise Misfit(f"{name} must be {axes} whole number{'s' * (axes > 1)} from {least} on, not {sizes}")
        return whole

    def amounts(self, name: str, axes: int, default: int) -> tuple[tuple[int, int], ...]:
        """What is added or cut before and after each axis (ZeroPadding, Cropping)."""
        stated = self.value(name, default)
        if axes == 1 and isinstance(stated, tuple):
            stated = (stated,)  # in one dimension the argument is the pair itself
        if not isinstance(stated, tuple):
            stated = (stated,) * axes
        amounts: list[tuple[int, int]] = []
        for item in stated:
            pair = item if isinstance(item, tuple) else (item, item)
            if len(pair) != 2 or not all(isinstance(side, int) and side >= 0 for side in pair):
                raise Misfit(f"{name} must be one amount or pair per axis")
            amounts.append((int(str(pair[0])), int(str(pair[1]))))
        if len(amounts) != axes:
            raise Misfit(f"{name} must be one amount or pair per axis")
        return tuple(amounts)
