"""Names that a source file uses without defining them."""

from __future__ import annotations

import ast
from typing import Any

from pyflakes.checker import TYPING_MODULES, Checker
from pyflakes.messages import UndefinedName

from pipeline.syntax import FIELDS


def names_never_defined(tree: ast.Module) -> tuple[str, ...]:
    """Names that fail when they are reached, as pyflakes finds them; sorted, each once. Order does not count: a name
    that is only defined further down is defined.

    Notebook built-ins (`display`, `get_ipython`) count: a script has none. After `from x import *` any name may be
    defined, and pyflakes reports none. Code nested too deeply for pyflakes' recursion gives (). Sets pyflakes' own
    attributes on the nodes.
    """
    try:
        messages = _Names(tree).messages
    except RecursionError:
        return ()
    return tuple(sorted({str(message.message_args[0]) for message in messages if isinstance(message, UndefinedName)}))


class _Names(Checker):  # type: ignore[misc]  # pyflakes has no types
    """pyflakes without what it does for its other reports, which takes it half of its time: what is unused, what is
    defined twice in one fork, contexts and operators, and at each call whether it is one of `typing`."""

    _imports_typing = False

    def handleChildren(self, tree: ast.AST, omit: Any = None) -> None:
        for name in FIELDS[type(tree)]:
            if omit and name in omit:
                continue
            value = getattr(tree, name, None)
            for node in value if isinstance(value, list) else (value,):
                if isinstance(node, ast.AST):
                    self.handleNode(node, tree)

    def IMPORT(self, node: ast.Import) -> None:
        self._imports_typing |= any(alias.name in TYPING_MODULES for alias in node.names)
        super().IMPORT(node)

    def IMPORTFROM(self, node: ast.ImportFrom) -> None:
        self._imports_typing |= node.module in TYPING_MODULES
        super().IMPORTFROM(node)

    def CALL(self, node: ast.Call) -> None:
        if self._imports_typing:
            super().CALL(node)
        else:
            self.handleChildren(node)

    def differentForks(self, lnode: ast.AST, rnode: ast.AST) -> bool:
        return True  # in one fork, a second definition would be reported

    def checkDeadScopes(self) -> None:
        pass


# Most kinds of node have no other handler, each by a name of its own.
for _kind, _handler in vars(Checker).items():
    if _handler is Checker.handleChildren:
        setattr(_Names, _kind, _Names.handleChildren)
