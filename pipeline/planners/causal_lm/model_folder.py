"""Folders that hold a model in the layout of transformers, on disk or at any fsspec URL."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from pipeline.errors import DLCodeGenError
from pipeline.storage.files import download_files, join, names_in, read_bytes
from pipeline.storage.opening import located

MODEL = "model"
"""The folder in a training run's folder that holds the model."""

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
_TOKENIZERS = ("tokenizer.json", "vocab.json")


@contextmanager
def local_model_folder(folder: str) -> Iterator[str]:
    """A local path of the GPT-2 at `folder`, or in the `model` folder of a training run.

    A folder that is not local is copied for as long as the block lasts. Raises DLCodeGenError that
    names the folder and what is missing in it.
    """
    try:
        names = names_in(folder)
        if MODEL in names and "config.json" not in names:
            folder = join(folder, MODEL)
            names = names_in(folder)
        _check(folder, names)
        filesystem, path = located(folder)
    except (OSError, ValueError, ImportError) as error:
        raise DLCodeGenError(f"{folder}: cannot be opened as a model's folder ({error})") from error
    if isinstance(filesystem, LocalFileSystem):
        yield str(path)
        return
    with tempfile.TemporaryDirectory(prefix="dlcodegen-model-") as copy:
        download_files(folder, copy)
        yield copy


def gpt2_config(path: str) -> Any:
    """The configuration of a GPT-2 in a local folder."""
    from transformers import GPT2Config

    config = GPT2Config.from_pretrained(path)
    # The same function as one kernel instead of eight: a sixth more tokens a second.
    if config.activation_function == "gelu_new":
        config.activation_function = "gelu_pytorch_tanh"
    return config


def _check(folder: str, names: list[str]) -> None:
    if not names:
        raise DLCodeGenError(f"{folder}: no such folder, or an empty one; give the --out of `dlcodegen train-planner`")
    required = {"config.json": ("config.json",), _WEIGHTS[0]: _WEIGHTS, " or ".join(_TOKENIZERS): _TOKENIZERS}
    missing = [title for title, alternatives in required.items() if not set(alternatives) & set(names)]
    if missing:
        raise DLCodeGenError(
            f"{folder}: not a trained planner, since it has no {', no '.join(missing)}; give the "
            "--out of `dlcodegen train-planner`, or a folder that save_pretrained wrote (model and tokenizer)"
        )
    try:
        kind = json.loads(read_bytes(join(folder, "config.json"))).get("model_type")
    except (ValueError, AttributeError) as error:
        raise DLCodeGenError(f"{folder}/config.json: not a model's configuration ({error})") from error
    if kind != "gpt2":
        raise DLCodeGenError(f"{folder}: a model of type {kind!r}; this planner is for GPT-2 models")
