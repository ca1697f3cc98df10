"""The frameworks a plan may be for, by the names of a request's constraints; Keras, the paper's own, is ""."""

from __future__ import annotations

import re

KERAS = ""
PYTORCH = "pytorch"
JAX = "jax"

_SPELLINGS = (
    (re.compile(r"torch|lightning|fast\.?ai", re.I), PYTORCH),
    (re.compile(r"jax|flax|haiku|equinox", re.I), JAX),
)

_TITLES = {KERAS: "TensorFlow/Keras", PYTORCH: "PyTorch", JAX: "JAX"}


def canonical_framework(text: str) -> str:
    """PYTORCH or JAX where the text names it, KERAS for anything else."""
    for pattern, framework in _SPELLINGS:
        if pattern.search(text):
            return framework
    return KERAS


def framework_title(framework: str) -> str:
    """The framework as people write it."""
    return _TITLES.get(framework, framework)
