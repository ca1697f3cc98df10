"""Names that a source file uses without defining them."""

from __future__ import annotations

import ast

from pyflakes.checker import Checker
from pyflakes.messages import UndefinedName


def names_never_defined(tree: ast.Module) -> tuple[str, ...]:
    """Names that fail when they are reached, as pyflakes finds them; sorted, each once. Order does not count: a name
    that is only defined further down is defined.

    Notebook built-ins (`display`, `get_ipython`) count: a script has none. After `from x import *` any name may be
    defined, and pyflakes reports none. Code nested too deeply for pyflakes' recursion gives (). Sets pyflakes' own
    attributes on the nodes.
    """
    try:
        messages = Checker(tree).messages
    except RecursionError:
        return ()
    return tuple(sorted({str(message.message_args[0]) for message in messages if isinstance(message, UndefinedName)}))
