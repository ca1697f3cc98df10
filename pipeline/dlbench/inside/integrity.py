"""Whether the tools that judge are the ones they were: functions that compare, run tests, collect outcomes."""

from __future__ import annotations

import builtins
import functools
import sys
import types
from typing import Any, Callable, Iterable, Optional

from .watchman import Candidate

_TOOLS = (
    "builtins",
    "math",
    "operator",
    "os",
    "unittest.case",
    "pytest",
    "pluggy",
    "numpy",
    "numpy.testing",
    "numpy.testing._private.utils",
    "numpy._core.numeric",
    "pandas.testing",
    "pandas._testing",
    "pandas._testing.asserters",
    "torch",
    "torch.testing",
    "torch.testing._comparison",
    "tensorflow.python.framework.test_util",
)
_TOOL_PACKAGES = ("_pytest.", "pluggy.")

_BASES = (object, int, float, complex, str, bytes, tuple, list, dict, set)
"""What a class that decides itself what it equals is most simply derived from."""

_COMPARING = {
    "__eq__",
    "__ne__",
    "__lt__",
    "__le__",
    "__gt__",
    "__ge__",
    "__array__",
    "__array_ufunc__",
    "__array_function__",
    "__torch_function__",
    "__instancecheck__",
    "__subclasscheck__",
}
"""What a class defines that decides how it compares."""

_OWN_MESSAGES = "an object that decides itself what it equals"


class Integrity:
    """A picture of the tools before a candidate is imported, to compare with."""

    def __init__(self, candidate: Candidate, allowed: Iterable[str], own_names: Iterable[str]) -> None:
        """`allowed`: comparing methods that the target's own reference defines; `own_names`: what the target's module
        has by itself, which others may have imported from it."""
        self._candidate = candidate
        self._allowed = frozenset(allowed)
        self._own_names = frozenset(own_names)
        self._before = _picture()
        self._classes_made: "list[Any]" = []
        self._watch_classes()

    def changed(self) -> Optional[str]:
        """What of it is not as it was; None where all is."""
        now = _picture()
        for name, value in self._before.items():
            if name in now and now[name] != value:
                return f"{name} is another one than before the candidate was there"
        return self._replaced_elsewhere() or self._comparing_class()

    def _replaced_elsewhere(self) -> Optional[str]:
        """A function of the candidate's in another module, under a name that module cannot have imported."""
        for module_name, module in list(sys.modules.items()):
            values = getattr(module, "__dict__", None)
            if not isinstance(values, dict) or not isinstance(module, types.ModuleType):
                continue
            file = getattr(module, "__file__", None)
            if file is not None and file in self._candidate._files:
                continue
            for name, value in list(values.items()):
                if (
                    isinstance(value, types.FunctionType)
                    and name not in self._own_names
                    and self._candidate.wrote(value.__code__)
                ):
                    return f"{module_name}.{name} is the candidate's"
        return None

    def look(self) -> None:
        """Keeps the candidate's classes that there are now: by the end of the suite they may have been collected."""
        for base in _BASES:
            for made in type.__subclasses__(base):
                if made not in self._classes_made and self._compares_itself(made):
                    self._classes_made.append(made)

    def _compares_itself(self, made: Any) -> bool:
        for name in _COMPARING & vars(made).keys():
            value = vars(made)[name]
            code = getattr(getattr(value, "__func__", value), "__code__", None)
            if code is not None and self._candidate.wrote(code):
                return True
        return False

    def _comparing_class(self) -> Optional[str]:
        for made in self._classes_made + _all_classes():
            for name in sorted((_COMPARING & vars(made).keys()) - self._allowed):
                value = vars(made)[name]
                value = getattr(value, "__func__", value)
                code = getattr(value, "__code__", None)
                if code is not None and self._candidate.wrote(code):
                    return f"{_OWN_MESSAGES}: class {made.__name__} with {name}"
                if code is None and callable(value) and made in self._classes_made:
                    return f"{_OWN_MESSAGES}: class {made.__name__} with {name}"
        return None

    def _watch_classes(self) -> None:
        """Keeps the classes that the candidate's own statements make: they may be gone when the suite has ended."""
        build = builtins.__build_class__
        candidate, made = self._candidate, self._classes_made

        def build_class(function: Any, name: str, *bases: Any, **keywords: Any) -> Any:
            cls = build(function, name, *bases, **keywords)
            if isinstance(cls, type) and candidate.wrote(function.__code__):
                made.append(cls)
            return cls

        setattr(builtins, "__build_class__", build_class)  # noqa: B010  # by assignment, mypy compares signatures
        self._before["builtins.__build_class__"] = _mark(build_class)


def equals_anything(value: Any) -> bool:
    """Whether an object says that it equals one that nothing knows."""

    class Unknown:
        pass

    try:
        answer = value == Unknown()
        return answer is True and (value != Unknown()) is not True
    except Exception:
        return False


def _picture() -> "dict[str, Any]":
    picture: "dict[str, Any]" = {}
    for name, module in list(sys.modules.items()):
        if name in _TOOLS or name.startswith(_TOOL_PACKAGES):
            for attribute, value in list(vars(module).items()):
                _add(picture, f"{name}.{attribute}", value)
    return picture


def _add(picture: "dict[str, Any]", name: str, value: Any) -> None:
    if isinstance(value, type):
        picture[name] = id(value)
        if value.__module__.startswith(("_pytest", "pluggy", "unittest")):
            for inner, member in list(vars(value).items()):
                if callable(member) or isinstance(member, (property, staticmethod, classmethod)):
                    picture[f"{name}.{inner}"] = _mark(member)
    elif callable(value):
        picture[name] = _mark(value)


def _mark(value: Any) -> Any:
    if isinstance(value, types.FunctionType):
        return id(value), id(value.__code__), id(value.__defaults__)
    return id(value)


def _all_classes() -> "list[Any]":
    classes: "list[Any]" = []
    seen = set()
    waiting: "list[Any]" = [object]
    while waiting:
        for cls in type.__subclasses__(waiting.pop()):
            if id(cls) not in seen:
                seen.add(id(cls))
                classes.append(cls)
                waiting.append(cls)
    return classes


def guarded(function: "Callable[..., Any]") -> "Callable[..., Any]":
    """The function, whose results are looked at: one that equals anything makes no test pass."""

    @functools.wraps(function)
    def guard(*arguments: Any, **keywords: Any) -> Any:
        result = function(*arguments, **keywords)
        parts = [result]
        if isinstance(result, (tuple, list)):
            parts += list(result[:50])
        elif isinstance(result, dict):
            parts += list(result.values())[:50]
        if any(equals_anything(part) for part in parts):
            raise AssertionError("the result equals anything")
        return result

    return guard
