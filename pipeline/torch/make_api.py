"""Writes api.json: the public names and signatures of PyTorch that projects use.

Run it where torch is installed; nothing else in this project imports torch to know what it has:

    path/to/python pipeline/torch/make_api.py pipeline/torch/api.json

The notation of a signature is that of `pipeline/keras/make_api.py`. Functions that are written in C++ (`torch.cat`)
show no signature: of them the name alone is kept.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import sys
import typing
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

WITH_SIGNATURES = (
    "torch.nn",
    "torch.nn.functional",
    "torch.nn.init",
    "torch.nn.utils",
    "torch.nn.utils.rnn",
    "torch.optim",
    "torch.optim.lr_scheduler",
    "torch.optim.swa_utils",
    "torch.utils.data",
    "torch.amp",
    "torch.cuda.amp",
)
"""What networks, trainings and data are made of."""

NAMES_ONLY = ("torch", "torch.cuda", "torch.linalg", "torch.fft", "torch.distributions", "torch.nn.parallel")

FUNCTIONS_OF_TORCH = ("save", "load", "manual_seed", "compile", "no_grad", "autocast", "set_grad_enabled")
"""Functions of `torch` itself with their signatures; most others are written in C++."""


def signature_of(value: Any) -> str | None:
    """What a class or function takes; None where Python cannot say."""
    function, is_method = value, False
    if inspect.isclass(value):
        function, is_method = value.__init__, True
    if not inspect.isroutine(function) or not hasattr(function, "__module__"):
        return None
    overloads = typing.get_overloads(function)
    if overloads:  # nn.LSTM(*args, **kwargs) says what it takes in its overloads
        function = overloads[0]
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):
        return None
    if is_method:
        parameters = parameters[1:]
    return _text(parameters)


def _text(parameters: list[inspect.Parameter]) -> str:
    kinds = inspect.Parameter
    words: list[str] = []
    for parameter in parameters:
        if parameter.kind is kinds.VAR_POSITIONAL:
            words.append("*args")
        elif parameter.kind is kinds.VAR_KEYWORD:
            words.append("**")
        else:
            opens_keywords = parameter.kind is kinds.KEYWORD_ONLY and not {"*", "*args"} & set(words)
            if opens_keywords:
                words.append("*")
            words.append(parameter.name if parameter.default is parameter.empty else f"{parameter.name}=")
    return " ".join(words)


def public_names(module: ModuleType) -> list[str]:
    """Its names and the modules in it, which need not be imported yet."""
    names = {name for name in dir(module) if not name.startswith("_")}
    for found in pkgutil.iter_modules(getattr(module, "__path__", [])):
        if not found.name.startswith("_"):
            names.add(found.name)
    return sorted(names)


def collect() -> dict[str, Any]:
    """Everything api.json holds."""
    torch = importlib.import_module("torch")
    names: dict[str, list[str]] = {}
    calls: dict[str, str] = {}
    for path in (*NAMES_ONLY, *WITH_SIGNATURES):
        module = importlib.import_module(path)
        names[path] = public_names(module)
        wanted = names[path] if path in WITH_SIGNATURES else []
        if path == "torch":
            wanted = list(FUNCTIONS_OF_TORCH)
        for name in wanted:
            signature = signature_of(getattr(module, name, None))
            if signature == "*args **":  # max_pool2d chooses between two functions, the first of which shows more
                signature = signature_of(getattr(module, f"_{name}", None)) or signature
            if signature is not None and _is_torchs(getattr(module, name)):
                calls[f"{path}.{name}"] = signature
    version = torch.__version__.partition("+")[0]
    return {"versions": {"torch": version}, "names": names, "calls": dict(sorted(calls.items()))}


def _is_torchs(value: Callable[..., Any]) -> bool:
    """Whether it is no other package's, imported for use there."""
    return str(getattr(value, "__module__", "")).startswith("torch")


def main(target: str) -> None:
    facts = collect()
    sections: list[str] = []
    for key, section in facts.items():
        # One entry a line, so that a new version of torch gives a readable diff.
        entries = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in section.items()]
        lines = ",\n".join(entries)
        sections.append(f"{json.dumps(key)}: {{\n{lines}\n}}")
    Path(target).write_text("{\n" + ",\n".join(sections) + "\n}\n", encoding="utf-8")
    print(f"{target}: {len(facts['calls'])} signatures")


if __name__ == "__main__":
    main(sys.argv[1])
