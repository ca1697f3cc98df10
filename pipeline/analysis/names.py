"""Names that a source file uses without defining them, and those it defines without using them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import chain

from pyflakes.checker import Checker
from pyflakes.messages import UndefinedName

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def undefined_names(tree: ast.Module) -> tuple[str, ...]:
    """Names that fail when they are reached, as pyflakes finds them; sorted, each once.

    Notebook built-ins (`display`, `get_ipython`) count: a script has none. After `from x import *` any name may be
    defined, and pyflakes reports none. Code nested too deeply for pyflakes' recursion gives (). Sets pyflakes' own
    attributes on the nodes.
    """
    try:
        messages = Checker(tree).messages
    except RecursionError:
        return ()
    return tuple(sorted({str(message.message_args[0]) for message in messages if isinstance(message, UndefinedName)}))


def unused_definitions(tree: ast.Module) -> tuple[str, ...]:
    """Imports, functions, classes and upper-case constants of the module that its running code never reaches; sorted.

    What only unused definitions read is unused as well, recursion included. Names in `__all__`, names that start with
    an underscore and decorated definitions count as used; so does a name that a used function has for a local variable.
    """
    reads: dict[str, set[str]] = {}  # what each definition reads
    used: set[str] = set()  # what the statements that run read
    for statement in _top_level(tree.body):
        names = _bound_names(statement)
        read = {node.id for node in _reading(statement)}
        if names:
            for name in names:
                reads.setdefault(name, set()).update(read)
        else:
            used |= read
        if isinstance(statement, ast.Assign) and names == ("__all__",):
            used |= {str(node.value) for node in ast.walk(statement.value) if isinstance(node, ast.Constant)}
    used |= {name for name in reads if name.startswith("_")}
    waiting = list(used)
    while waiting:
        for name in reads.get(waiting.pop(), ()):
            if name not in used:
                used.add(name)
                waiting.append(name)
    return tuple(sorted(reads.keys() - used))


def _top_level(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The module's statements, those inside `if` and `try` one by one."""
    for statement in statements:
        if not isinstance(statement, ast.If | ast.Try | ast.TryStar):
            yield statement
            continue
        bodies = [statement.body, statement.orelse]
        if isinstance(statement, ast.If):
            yield ast.Expr(statement.test)
        else:
            bodies += [statement.finalbody, *(handler.body for handler in statement.handlers)]
            yield from (ast.Expr(handler.type) for handler in statement.handlers if handler.type is not None)
        yield from _top_level(chain.from_iterable(bodies))


def _bound_names(statement: ast.stmt) -> tuple[str, ...]:
    """The names of a definition; () for a statement that does more than define."""
    if isinstance(statement, _DEFINITIONS):
        return () if statement.decorator_list else (statement.name,)  # a decorator may register what it decorates
    if isinstance(statement, ast.Import):
        return tuple(alias.asname or alias.name.partition(".")[0] for alias in statement.names)
    if isinstance(statement, ast.ImportFrom):
        names = tuple(alias.asname or alias.name for alias in statement.names)
        return () if statement.module == "__future__" or names == ("*",) else names
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    names = tuple(target.id for target in targets if isinstance(target, ast.Name))
    return names if len(names) == len(targets) and all(name.isupper() or name == "__all__" for name in names) else ()


def _reading(statement: ast.stmt) -> Iterator[ast.Name]:
    return (node for node in ast.walk(statement) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store))
