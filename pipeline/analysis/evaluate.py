"""What an expression is worth before anything has run: constants folded, the rest told apart as far as it matters."""

from __future__ import annotations

import ast
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import islice
from typing import Any

from pipeline.analysis.keras_names import OPTIMIZER_FUNCTIONS
from pipeline.analysis.training.command_line import flag_named
from pipeline.analysis.values import (
    LONGEST,
    Call,
    Class,
    Function,
    Instance,
    Reference,
    Scope,
    Unknown,
    arithmetic,
    comparison,
    is_constant,
)
from pipeline.syntax import walk

MAX_ROUNDS = 200  # of one loop or comprehension
MAX_STEPS = 20_000  # statements, calls and items of comprehensions: several times what the longest notebook takes

_SMOKE_RUN = re.compile(r"(is_?)?(synthetic|debug(ging)?|smoke(_?test)?|dry_?run|fast_?dev_?run|quick_?run)", re.I)


def truth(value: object) -> bool | None:
    """Whether a constant counts as true; None for what is not constant."""
    if not is_constant(value):
        return None
    return bool(value)


def member(owner: object, name: str) -> object:
    """`owner.name`. Attributes of what is unknown are unknown; a `.shape` is a size."""
    if isinstance(owner, Reference) and name != "shape":
        return Reference(f"{owner.path}.{name}")
    if isinstance(owner, Instance):
        if name in owner.attributes:
            return owner.attributes[name]
        inherited = owner.cls.member(name)
        if isinstance(inherited, Function):
            return Function(inherited.node, inherited.scope, bound=owner)
        return inherited
    if isinstance(owner, Class):
        return owner.member(name)
    if name == "shape":
        return Unknown.SIZE
    return Unknown.ANY


def items_of(value: object) -> list[object] | None:
    """What a loop over the value goes through, at most MAX_ROUNDS items; None where that is unknown."""
    if not isinstance(value, list | tuple | range | dict):
        return None
    return list(islice(value, MAX_ROUNDS))


def _unpacked(value: object, count: int) -> list[object]:
    """The parts of a value that is assigned to `count` targets; the parts of a tensor's shape are sizes."""
    if isinstance(value, list | tuple) and len(value) == count:
        return list(value)
    if isinstance(value, Call) and value.path in OPTIMIZER_FUNCTIONS:  # the optimizer, and its schedule
        return [value, *[Unknown.ANY] * (count - 1)]
    part = Unknown.SIZE if value is Unknown.SIZE else Unknown.ANY
    return [part] * count


def name_of(value: Function | Class) -> str:
    """What a function or class of the project is called; "" for a lambda."""
    if isinstance(value, Class):
        return value.name
    return "" if isinstance(value.node, ast.Lambda) else value.node.name


def names_within(value: Function | Class) -> set[str]:
    """The names that a function or the methods of a class read, their own left out."""
    functions = [value] if isinstance(value, Function) else list(value.scope.names.values())
    names: set[str] = set()
    for function in functions:
        if isinstance(function, Function):
            names |= {node.id for node in walk(function.node) if isinstance(node, ast.Name)}
    if isinstance(value, Class):  # a class that derives from it calls it
        names |= {base.name for base in value.bases if isinstance(base, Class)}
    return names - {name_of(value)}


class Exhausted(Exception):
    """MAX_STEPS are used up."""


class Evaluator(ABC):
    """Evaluates expressions in `scope`. What a call does is for the subclass to say."""

    def __init__(self) -> None:
        self.scope = Scope({"__name__": "__main__"})
        self.undecided = 0
        """How many of the branches around the current statement may not be taken."""
        self.steps = 0
        """Taken so far."""
        self.flags: dict[str, object] = {}
        """The defaults of the command line's flags that the program defines, by name."""

    @abstractmethod
    def call(self, node: ast.Call) -> object: ...

    def step(self) -> None:
        """Counts one step. Raises Exhausted after MAX_STEPS."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Exhausted

    def value(self, node: ast.expr) -> object:
        """The value of an expression; ANY for kinds that never matter here (f-strings, await)."""
        evaluate = _KINDS.get(type(node))
        if evaluate is None:
            return Unknown.ANY
        return evaluate(self, node)

    def bind(self, target: ast.expr, value: object) -> None:
        """Assigns, as far as the target is known. A constant stays what it is where the change may not happen."""
        if isinstance(target, ast.Name):
            if not (self.undecided and is_constant(self.scope.names.get(target.id, Unknown.ANY))):
                self.scope.names[target.id] = value
        elif isinstance(target, ast.Attribute):
            self.set_attribute(target, self.value(target.value), value)
        elif isinstance(target, ast.Subscript):
            owner, key = self.value(target.value), self.value(target.slice)
            if isinstance(owner, dict) and isinstance(key, str | int):
                owner[key] = value
        elif isinstance(target, ast.Tuple | ast.List):
            for element, part in zip(target.elts, _unpacked(value, len(target.elts)), strict=True):
                self.bind(element, part)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, Unknown.ANY)

    def set_attribute(self, target: ast.Attribute, owner: object, value: object) -> None:
        """Gives an attribute of the owner its value, where the owner is of the project."""
        if isinstance(owner, Instance):
            owner.attributes[target.attr] = value
        elif isinstance(owner, Class):
            owner.scope.names[target.attr] = value

    def _constant(self, node: ast.Constant) -> object:
        return node.value

    def _name(self, node: ast.Name) -> object:
        value = self.scope.find(node.id)
        if isinstance(value, Unknown) and _SMOKE_RUN.fullmatch(node.id):
            return False  # a switch for short trial runs is taken to be off
        return value

    def _attribute(self, node: ast.Attribute) -> object:
        value = member(self.value(node.value), node.attr)
        if self.flags and isinstance(value, Reference):
            return self.flags.get(flag_named(value.path), value)
        return value

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set) -> object:
        items: list[object] = []
        for element in node.elts:
            if isinstance(element, ast.Starred):
                inner = self.value(element.value)
                if isinstance(inner, list | tuple | range):
                    items.extend(inner)
                else:
                    items.append(Unknown.ANY)
            else:
                items.append(self.value(element))
            if len(items) > LONGEST:
                return Unknown.ANY
        if isinstance(node, ast.Tuple):
            return tuple(items)
        return items  # a set too: all that matters of it is what it holds

    def _dict(self, node: ast.Dict) -> object:
        items: dict[object, object] = {}
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            if key_node is None:  # `**settings`
                settings = self.value(value_node)
                if isinstance(settings, dict):
                    items |= settings
                continue
            key = self.value(key_node)
            value = self.value(value_node)
            if isinstance(key, str | int | float):
                items[key] = value
        return items

    def _binary(self, node: ast.BinOp) -> object:
        return arithmetic(type(node.op), self.value(node.left), self.value(node.right))

    def _unary(self, node: ast.UnaryOp) -> object:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            known = truth(value)
            return Unknown.ANY if known is None else not known
        if isinstance(node.op, ast.USub) and isinstance(value, int | float):
            return -value
        if isinstance(node.op, ast.UAdd):
            return value
        return Unknown.ANY

    def _compare(self, node: ast.Compare) -> object:
        operands = [self.value(operand) for operand in (node.left, *node.comparators)]
        pairs = zip(node.ops, operands, operands[1:], strict=False)
        results = [comparison(type(kind), left, right) for kind, left, right in pairs]
        if False in results:
            return False
        if Unknown.ANY in results:
            return Unknown.ANY
        return True

    def _boolean(self, node: ast.BoolOp) -> object:
        deciding = isinstance(node.op, ast.Or)  # `or` is settled by a true operand, `and` by a false one
        undecided = False
        value: object = Unknown.ANY
        for operand in node.values:
            value = self.value(operand)
            known = truth(value)
            if known is deciding:
                return value
            undecided = undecided or known is None
        if undecided:
            return Unknown.ANY
        return value

    def _choice(self, node: ast.IfExp) -> object:
        if truth(self.value(node.test)) is False:
            return self.value(node.orelse)
        return self.value(node.body)

    def _subscript(self, node: ast.Subscript) -> object:
        owner = self.value(node.value)
        if isinstance(owner, Unknown):
            return owner
        key: Any
        if isinstance(node.slice, ast.Slice):
            key = self._slice(node.slice)
        else:
            key = self.value(node.slice)
        if not isinstance(owner, list | tuple | dict | str):
            return Unknown.ANY
        try:
            return owner[key]
        except (KeyError, IndexError, TypeError, ValueError):
            return Unknown.ANY

    def _slice(self, node: ast.Slice) -> slice:
        parts: list[object] = []
        for part in (node.lower, node.upper, node.step):
            parts.append(None if part is None else self.value(part))
        return slice(*parts)

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp) -> object:
        if len(node.generators) > 1:
            return Unknown.ANY
        clause = node.generators[0]
        items: list[object] | None = None
        if not clause.ifs:
            items = items_of(self.value(clause.iter))
        outer = self.scope
        self.scope = Scope(outer=outer)
        results: list[object] = []
        # Where the items are unknown the element is evaluated once all the same: it may build a layer.
        for item in [Unknown.ANY] if items is None else items:
            self.step()
            self.bind(clause.target, item)
            results.append(self.value(node.elt))
        self.scope = outer
        if items is None:
            return Unknown.ANY
        return results

    def _named(self, node: ast.NamedExpr) -> object:
        value = self.value(node.value)
        self.bind(node.target, value)
        return value

    def _lambda(self, node: ast.Lambda) -> object:
        return Function(node, self.scope)


_KINDS: dict[type[ast.expr], Callable[[Any, Any], object]] = {
    ast.Constant: Evaluator._constant,
    ast.Name: Evaluator._name,
    ast.Attribute: Evaluator._attribute,
    ast.Call: lambda run, node: run.call(node),
    ast.List: Evaluator._sequence,
    ast.Tuple: Evaluator._sequence,
    ast.Set: Evaluator._sequence,
    ast.Dict: Evaluator._dict,
    ast.BinOp: Evaluator._binary,
    ast.UnaryOp: Evaluator._unary,
    ast.Compare: Evaluator._compare,
    ast.BoolOp: Evaluator._boolean,
    ast.IfExp: Evaluator._choice,
    ast.Subscript: Evaluator._subscript,
    ast.ListComp: Evaluator._comprehension,
    ast.GeneratorExp: Evaluator._comprehension,
    ast.NamedExpr: Evaluator._named,
    ast.Lambda: Evaluator._lambda,
}
