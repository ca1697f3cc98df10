"""Which environment a project wants, by what it imports and which Keras it is written for."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from pipeline.analysis.parsing import parsed
from pipeline.environments.catalogue import KERAS3, TF215, TORCH
from pipeline.keras.api import invalid_calls
from pipeline.records import SourceFile
from pipeline.syntax import nodes_of

_TORCH_PACKAGES = frozenset({"torch", "lightning", "pytorch_lightning", "torchmetrics", "torchvision", "torchaudio"})
_KERAS_PACKAGES = frozenset({"tensorflow", "keras", "tf_keras", "tensorflow_addons", "kerastuner", "keras_tuner"})

_ONLY_WITH_KERAS_2 = frozenset({"tensorflow_addons", "kerastuner"})
"""Packages that were given up before Keras 3."""

_IMPORT = re.compile(r"^\s*(?:import|from)\s+(\w+)", re.MULTILINE)


def environment_for(files: Sequence[SourceFile], wanted: str) -> str:
    """The environment of that name; of `auto` the one that the project wants."""
    return choose_environment(files) if wanted == "auto" else wanted


def choose_environment(files: Sequence[SourceFile]) -> str:
    """The name of the environment for a project.

    PyTorch where it imports that and not Keras; TensorFlow 2.15 where it calls what Keras 3 does not have, as most
    published code does; Keras 3 for all others.
    """
    imported: set[str] = set()
    old_keras = False
    for file in files:
        if not file.path.endswith(".py"):
            continue
        tree = parsed(file.text)
        imported |= _imported(file.text, tree)
        if tree is not None:
            old_keras = old_keras or bool(invalid_calls(tree))
    if imported & _TORCH_PACKAGES and not imported & _KERAS_PACKAGES:
        return TORCH
    if imported & _KERAS_PACKAGES and (old_keras or imported & _ONLY_WITH_KERAS_2):
        return TF215
    return KERAS3


def _imported(source: str, tree: ast.Module | None) -> set[str]:
    """The packages that a source imports; by its lines where it is no Python program."""
    if tree is None:
        return set(_IMPORT.findall(source))
    packages: set[str] = set()
    for node in nodes_of(tree):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            packages.add(node.module.partition(".")[0])
    return packages
