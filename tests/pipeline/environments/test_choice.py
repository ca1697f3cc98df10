from __future__ import annotations

import pytest

from pipeline.environments.catalogue import environment_named, environments
from pipeline.environments.choice import choose_environment
from pipeline.errors import DLCodeGenError
from pipeline.records import SourceFile


def _chosen(*texts: str) -> str:
    files = [SourceFile(path=f"part{number}.py", text=text) for number, text in enumerate(texts)]
    return choose_environment(files)


@pytest.mark.parametrize(
    ("source", "environment"),
    [
        ("import tensorflow as tf\nfrom tensorflow import keras\nkeras.layers.Dense(3)", "keras3"),
        ("import keras", "keras3"),
        ("import numpy as np", "keras3"),
        ("import torch.nn as nn", "torch"),
        ("import lightning.pytorch as pl", "torch"),
        ("# import torch\nimport pandas", "keras3"),
        ("x = 'import torch'", "keras3"),
        ("import os\nos.environ['KERAS_BACKEND'] = 'torch'\nimport torch, keras", "keras3"),
        ("from tensorflow import keras\nkeras.optimizers.Adam(lr=0.1)", "tf215"),
        ("from keras.utils import np_utils", "tf215"),
        ("import tensorflow as tf\nimport tensorflow_addons as tfa", "tf215"),
        # What is no Python program is looked at line by line.
        ("import torch\nthis is no Python", "torch"),
    ],
)
def test_the_environment_follows_what_a_project_imports_and_calls(source: str, environment: str) -> None:
    assert _chosen(source) == environment


def test_all_files_of_a_project_count() -> None:
    assert _chosen("import network", "import torch") == "torch"


def test_every_pin_is_exact_and_every_environment_is_named_once() -> None:
    names = [environment.name for environment in environments()]
    assert names == ["keras3", "torch", "tf215"]
    for environment in environments():
        lines = environment.requirements.split()
        assert [line for line in lines if "==" not in line] == []


def test_an_unknown_environment_is_told_with_those_there_are() -> None:
    with pytest.raises(DLCodeGenError, match=r"env=jax: .*; give one of keras3, torch, tf215, or auto"):
        environment_named("jax")
