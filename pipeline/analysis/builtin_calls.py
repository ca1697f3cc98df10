"""What calls of Python's own functions and methods give on known values: range, min, list.append and the like."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain, islice, pairwise
from types import UnionType
from typing import Any

from pipeline.analysis.values import LARGEST, LONGEST, Call, Unknown, is_constant

_PURE: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "bool": bool,
    "float": float,
    "int": int,
    "len": len,
    "max": max,
    "min": min,
    "round": round,
    "str": str,
    "sum": sum,
    "math.ceil": math.ceil,
    "math.floor": math.floor,
    "math.log2": math.log2,
    "math.prod": math.prod,
    "math.sqrt": math.sqrt,
}
_ITERABLES: dict[str, Callable[..., Any]] = {
    "enumerate": enumerate,
    "itertools.chain": chain,
    "itertools.pairwise": pairwise,
    "list": list,
    "reversed": reversed,
    "sorted": sorted,
    "tuple": tuple,
    "zip": zip,
}


def call_builtin(path: str, args: tuple[object, ...], keywords: dict[str, object]) -> object:
    """What a builtin or a function of `math` gives; ANY for unknown arguments; None for a function not listed here."""
    if path == "dict" and not args:
        return dict(keywords)
    if path == "range":
        if not args or not _are_all(int, args):
            return Unknown.ANY
        return _attempt(range, args)
    if path in _PURE:
        if not args or keywords or not is_constant(args):
            return Unknown.ANY
        return _attempt(_PURE[path], args)
    if path in _ITERABLES:
        # Items need not be known: a list of layers can be reversed too. An int is the start of `enumerate`.
        # `zip(a, b, strict=True)` gives what it gives without.
        if path in ("enumerate", "zip") and any(isinstance(arg, Call) for arg in args):
            return None  # a data set, which is followed
        if not args or set(keywords) - {"strict"} or not _are_all(list | tuple | range | int, args):
            return Unknown.ANY
        return _collected(path, args)
    return None


def _are_all(kind: type | UnionType, values: tuple[object, ...]) -> bool:
    return all(isinstance(value, kind) for value in values)


def _collected(path: str, args: tuple[object, ...]) -> object:
    """The items of `zip(...)` and the like, as a list or tuple."""
    limited: list[object] = []
    for arg in args:
        # A range takes no memory whatever its length; the list of its items would.
        limited.append(arg[:LONGEST] if isinstance(arg, range) else arg)
    if path == "tuple":
        return _attempt(tuple, tuple(limited))
    return _attempt(lambda *items: list(_ITERABLES[path](*items)), tuple(limited))


def call_method(owner: object, method: str, args: tuple[object, ...]) -> object:
    """What a method of a known list, dict or string gives; lists change in place."""
    if isinstance(owner, list):
        return _list_method(owner, method, args)
    if isinstance(owner, dict):
        return _dict_method(owner, method, args)
    if isinstance(owner, str) and method in ("lower", "upper", "strip") and not args:
        return getattr(owner, method)()
    return Unknown.ANY


def _dict_method(owner: dict[object, object], method: str, args: tuple[object, ...]) -> object:
    if method == "get" and args and isinstance(args[0], str | int):
        return owner.get(*args[:2])
    views = {"items": owner.items, "keys": owner.keys, "values": owner.values}
    if method not in views:
        return Unknown.ANY
    return list(islice(views[method](), LONGEST))


def _list_method(owner: list[object], method: str, args: tuple[object, ...]) -> object:
    if method == "append" and len(args) == 1 and args[0] is not owner and len(owner) < LONGEST:
        owner.append(args[0])
    elif method == "extend" and args and isinstance(args[0], list | tuple) and len(owner) + len(args[0]) <= LONGEST:
        owner.extend(args[0])
    elif method == "reverse":
        owner.reverse()
    elif method == "pop" and _are_all(int, args):
        return _attempt(owner.pop, args)
    return Unknown.ANY


def _attempt(function: Callable[..., Any], args: tuple[object, ...]) -> object:
    try:
        result = function(*args)
    except (TypeError, ValueError, ArithmeticError, IndexError):
        return Unknown.ANY
    if isinstance(result, str) and len(result) > LONGEST:
        return Unknown.ANY
    if isinstance(result, int) and abs(result) > LARGEST:
        return Unknown.ANY
    return result
