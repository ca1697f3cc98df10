"""The values that static reading tells apart: constants, what calls of imported names gave, and everything else.

A constant is the Python value itself; lists and dicts are shared by reference, as in Python.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from pipeline.torch.facts import ready_made


class Unknown(Enum):
    """A value that only running the code would give."""

    ANY = auto()
    SIZE = auto()
    """Something read off a tensor's `.shape`."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An imported or undefined name with its full path: "tensorflow.keras.layers.Dense"."""

    path: str

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class LayerUse:
    """A layer where it is constructed."""

    name: str
    """Its class."""
    text: str
    """The call with constants put in."""
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call of something from outside the project.

    As a value it stands for what the call gave: an optimizer, a loss, a layer. That an earlier call's result was itself
    called (`base(x)`) is a call of its `__call__`.
    """

    path: str
    """The full path of an imported name, the bare name of a method."""
    args: tuple[object, ...]
    keywords: dict[str, object]
    layer: LayerUse | None = None
    """Set where the call constructed a layer."""
    owner: object = None
    """What a method was called on."""
    line: int | None = None
    """Where it stands in the source, counted from 1."""

    name: str = field(init=False)
    """The last part of the path; asked for so often that it is kept."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.path.rpartition(".")[2])

    def grow(self, parts: tuple[object, ...]) -> None:
        """Adds to what it was given: `sequential.append(layer)`."""
        object.__setattr__(self, "args", (*self.args, *parts))

    def argument(self, position: int, *keywords: str) -> object:
        """The argument under one of the keywords, or else at the position (none at -1); ANY where neither is given."""
        for keyword in keywords:
            if keyword in self.keywords:
                return self.keywords[keyword]
        if 0 <= position < len(self.args):
            return self.args[position]
        return Unknown.ANY


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """A value given to an attribute: `base.trainable = False`."""

    name: str
    value: object
    owner: object
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A `for` loop of the project; a `while` loop that counts as the `for` loop that it stands for."""

    node: ast.For | ast.AsyncFor
    items: object
    """What it goes through."""


@dataclass(slots=True)
class Scope:
    """Names and their values."""

    names: dict[str, object] = field(default_factory=dict)
    outer: Scope | None = None
    """The enclosing scope, in which missing names are looked up."""

    def find(self, name: str) -> object:
        """The value; an unbound name (a builtin, a star import, a typo) is a Reference to itself."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return Reference(name)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the project."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: Scope
    """Where it is defined."""
    bound: Instance | None = None
    """The instance of a method."""


@dataclass(frozen=True, slots=True)
class Class:
    """A class of the project."""

    name: str
    bases: tuple[object, ...]
    scope: Scope
    """Its attributes and methods."""

    def member(self, name: str) -> object:
        """A class attribute or method, its own or inherited from a class of the project; ANY without one."""
        if name in self.scope.names:
            return self.scope.names[name]
        for base in self.bases:
            if isinstance(base, Class):
                inherited = base.member(name)
                if inherited is not Unknown.ANY:
                    return inherited
        return Unknown.ANY

    def derives_from(self, name: str) -> bool:
        """Whether a base class, at any distance, is called so."""
        for base in self.bases:
            if isinstance(base, Reference) and base.name == name:
                return True
            if isinstance(base, Class) and base.derives_from(name):
                return True
        return False


@dataclass(slots=True, eq=False)
class Instance:
    """An object of a class of the project."""

    cls: Class
    attributes: dict[str, object] = field(default_factory=dict)
    """Those set on `self`."""
    parts: list[object] = field(default_factory=list)
    """The modules of one that is a kind of PyTorch's Sequential."""


# Numbers and sequences beyond these are not computed: no size or count in a project is near, and code may double them
# line by line.
LARGEST = 10**15
LONGEST = 2000


def is_constant(value: object) -> bool:
    """Whether the value is known in full: no unknown part, nothing that a call gave, at most LONGEST items."""
    if not isinstance(value, list | tuple | set | dict):
        return value is None or isinstance(value, bool | int | float | str | bytes)
    waiting: list[object] = [value]
    seen = 0
    while waiting:
        item = waiting.pop()
        seen += 1
        if seen + len(waiting) > LONGEST:
            return False
        if isinstance(item, dict):  # its keys are constants: only such are ever set
            waiting.extend(item.values())
        elif isinstance(item, list | tuple | set):
            waiting.extend(item)
        elif item is not None and not isinstance(item, bool | int | float | str | bytes):
            return False
    return True


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda left, right: operator.contains(right, left),
    ast.NotIn: lambda left, right: not operator.contains(right, left),
}


def arithmetic(kind: type[ast.operator], left: object, right: object) -> object:
    """The result on constants, ANY where it is unknown, fails or would be huge.

    The difference of two tensor sizes is taken to be 0: where code compares or subtracts shapes, they agree.
    """
    if left is Unknown.SIZE and right is Unknown.SIZE and kind is ast.Sub:
        return 0
    if left is Unknown.SIZE or right is Unknown.SIZE:
        return Unknown.SIZE
    compute = _ARITHMETIC.get(kind)
    if compute is None or isinstance(left, Unknown) or isinstance(right, Unknown):
        return Unknown.ANY
    if not _is_cheap(kind, left, right):
        return Unknown.ANY
    try:
        result = compute(left, right)
    except (TypeError, ValueError, ArithmeticError):
        return Unknown.ANY
    if isinstance(result, complex):  # the root of a negative number: no setting
        return Unknown.ANY
    return result


def comparison(kind: type[ast.cmpop], left: object, right: object) -> object:
    """True, False or ANY. Tensor sizes are taken to agree with whatever they are compared with."""
    if (left is Unknown.SIZE or right is Unknown.SIZE) and kind in (ast.Eq, ast.NotEq):
        return kind is ast.Eq
    if not is_constant(left) or not is_constant(right):
        return Unknown.ANY
    try:
        return bool(_COMPARISONS[kind](left, right))
    except TypeError:
        return Unknown.ANY


def _is_cheap(kind: type[ast.operator], left: object, right: object) -> bool:
    """Whether the result is known to be of a reasonable size before it is computed."""
    if isinstance(left, int | float) and isinstance(right, int | float):
        small = abs(left) <= LARGEST and abs(right) <= LARGEST
        return small and (kind is not ast.Pow or abs(right) <= 64)
    if kind is ast.Add and isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
        return len(left) + len(right) <= LONGEST
    if kind is ast.Mult:
        times, items = (left, right) if isinstance(left, int) else (right, left)
        return isinstance(times, int) and isinstance(items, list | tuple | str) and times * len(items) <= LONGEST
    return False


SEQUENTIAL = "torch.nn.Sequential"

GIVES_ITSELF = frozenset(
    "to cuda cpu train eval float double half bfloat16 apply requires_grad_ compile share_memory".split()
)
"""Methods of a network after which one has the network: `Net().to(device)`."""

_WRAPPERS = frozenset(
    {"torch.compile", "torch.jit.script", "torch.nn.DataParallel", "torch.nn.parallel.DistributedDataParallel"}
)


def is_network(value: object) -> bool:
    """Whether a value is a module of PyTorch: one that it has, or an object of a class of the project."""
    if isinstance(value, Instance):
        return any(map(value.cls.derives_from, ("Module", "LightningModule", "Sequential")))
    if not isinstance(value, Call):
        return False
    return (value.path.startswith("torch.nn.") and value.name[:1].isupper()) or bool(ready_made(value.path))


def contained(path: str, args: tuple[object, ...]) -> object:
    """What a call of the name stands for where that is what it is given: the network that `torch.compile` wraps, the
    list of a ModuleList; None for any other call."""
    if path in _WRAPPERS and args and is_network(args[0]):
        return args[0]
    if path == "torch.nn.ModuleList":
        return list(args[0]) if args and isinstance(args[0], list | tuple) else []
    if path == "torch.nn.ModuleDict":
        return dict(args[0]) if args and isinstance(args[0], dict) else {}
    return None


def parts_in_order(sequential: Call) -> list[object]:
    """The modules of a Sequential; those of an OrderedDict by their order."""
    parts = list(sequential.args)
    if len(parts) == 1 and isinstance(parts[0], Call) and parts[0].name == "OrderedDict":
        pairs = parts[0].argument(0)
        if not isinstance(pairs, list | tuple):
            return []
        return [pair[-1] for pair in pairs if isinstance(pair, tuple | list)]
    return parts
