"""Checks the PyTorch calls of a program against the facts of api.json, without importing torch."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Sequence

from pipeline.keras.api import wrong_arguments
from pipeline.keras.facts import Signature
from pipeline.syntax import keywords_of, nodes_of, problems_of
from pipeline.torch.facts import modules, signature

__all__ = ["check_call", "invalid_calls"]

_KERAS_WORDS = {
    "units": "out_features",
    "filters": "out_channels",
    "strides": "stride",
    "dilation_rate": "dilation",
    "rate": "p",
    "learning_rate": "lr",
    "beta_1": "betas",
    "clipnorm": "max_norm",
    "return_sequences": "batch_first",
    "num_heads": "nhead",
}
"""Keywords of Keras, with PyTorch's."""


def check_call(name: str, args: int, keywords: Sequence[str]) -> str | None:
    """What is wrong with a call of a name of PyTorch ("torch.nn.Conv2d"), in plain words; None if nothing is, or if
    nobody can tell. `args` is the number of positional arguments, `keywords` the names of the others."""
    known = signature(name)
    if known is None:
        return _unknown_name(name)
    return wrong_arguments(_shown(name), known, args, keywords, _meant)


def invalid_calls(tree: ast.Module) -> tuple[str, ...]:
    """Every unknown name of PyTorch and every call with wrong arguments, one line of text each, in order. Names are
    followed through the program's imports; what cannot be followed is passed over."""
    names, imported = _imports(nodes_of(tree))
    if not names:
        return ()
    unknown = [(line, _unknown_name(name)) for line, name in imported]
    return problems_of(
        tree,
        unknown,
        lambda call: _wrong_call(call, names),
        lambda attribute: _unknown_name(_resolved(attribute, names)),
    )


def _imports(nodes: Sequence[ast.AST]) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """What the program's names stand for in PyTorch, and what is imported from it with the line."""
    names: dict[str, str] = {}
    imported: list[tuple[int, str]] = []
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "torch":
                    imported.append((node.lineno, alias.name))
                    # `import torch.nn` binds `torch`, `import torch.nn as nn` the inner module.
                    names[alias.asname or "torch"] = alias.name if alias.asname else "torch"
        elif isinstance(node, ast.ImportFrom) and not node.level and f"{node.module}.".startswith("torch."):
            for alias in node.names:
                if alias.name != "*":
                    imported.append((node.lineno, f"{node.module}.{alias.name}"))
                    names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names, imported


def _resolved(node: ast.expr, names: dict[str, str]) -> str:
    """The dotted name of PyTorch that an expression stands for; "" for any other."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return ""
    return ".".join([names[node.id], *reversed(parts)])


def _wrong_call(node: ast.Call, names: dict[str, str]) -> str | None:
    keywords = keywords_of(node)
    if keywords is None:
        return None
    name = _resolved(node.func, names)
    known = signature(name) if name else None
    if known is None:
        return None  # a name that is unknown is reported where it is read
    return wrong_arguments(_shown(name), known, len(node.args), keywords, _meant)


def _unknown_name(name: str) -> str | None:
    """What is wrong with a dotted name; None for one that exists, lies below a class or in a module that is not
    known."""
    path, *parts = name.split(".")
    for part in parts:
        inside = modules().get(path)
        if inside is None:
            return None
        if part not in inside and not part.startswith("_"):
            same_letters = [known for known in sorted(inside) if known.lower() == part.lower()]
            close = same_letters or difflib.get_close_matches(part, inside, 1, cutoff=0.75)
            hint = f" (did you mean '{close[0]}'?)" if close else ""
            return f"{path}.{part} does not exist in PyTorch{hint}"
        path = f"{path}.{part}"
    return None


def _shown(name: str) -> str:
    """As people write it: nn.Conv2d, F.relu, optim.Adam."""
    return name.replace("torch.nn.functional.", "F.").removeprefix("torch.")


def _meant(keyword: str, known: Signature) -> str:
    """A hint at the parameter that an unknown keyword may stand for."""
    renamed = _KERAS_WORDS.get(keyword)
    if renamed is not None and known.accepts(renamed):
        return f" (PyTorch: {renamed})"
    close = difflib.get_close_matches(keyword, known.names, 1, cutoff=0.7)
    return f" (did you mean '{close[0]}'?)" if close else ""
