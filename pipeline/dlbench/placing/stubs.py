"""Wrong versions of a target that no test may pass: it returns None, raises, or gives its first argument back."""

from __future__ import annotations

from pipeline.dlbench.placing.candidate import signature_of
from pipeline.dlbench.placing.target import Target

RETURNS_NONE, RAISES, FIRST_ARGUMENT = "returns none", "raises", "first argument"


def stubs_of(target: Target) -> dict[str, str]:
    """The stubs by name, each as a definition without decorators. What has no argument gives the object `...` back:
    None is the other stub's."""
    header = signature_of(target)
    return {
        RETURNS_NONE: f"{header}\n    return None\n",
        RAISES: f"{header}\n    raise NotImplementedError\n",
        FIRST_ARGUMENT: f"{header}\n    return {_first_argument(target)}\n",
    }


def _first_argument(target: Target) -> str:
    arguments = target.node.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    static = any(getattr(one, "id", "") == "staticmethod" for one in target.node.decorator_list)
    if target.in_class and not static and names:
        names = names[1:]
    names += [argument.arg for argument in arguments.kwonlyargs]
    if names:
        return names[0]
    return arguments.vararg.arg if arguments.vararg else "..."
