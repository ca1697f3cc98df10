"""The rules of docs/corpus.md for what counts as using a framework."""

from __future__ import annotations

import pytest

from corpus_build.drops import Drop
from corpus_build.read.cell_code import joined_python
from corpus_build.read.filters.frameworks import check_framework, imported_packages, imports_any
from corpus_build.read.reading import parse_notebook
from pipeline.time_limit import time_limit
from tests.corpus_build.notebooks import code, markdown, notebook


@pytest.mark.parametrize(
    "cell",
    [
        "import tensorflow as tf",
        "import os, tensorflow.keras.layers as L",
        "from keras.models import Sequential",
        "import tf_keras",
        "def build():\n    from tensorflow import keras",
        "try:\n    import keras\nexcept ImportError:\n    pass",
        "import importlib\nk = importlib.import_module('keras.layers')",
        "%matplotlib inline\nimport keras\n!pip install x",
        "!pip install \\\n  keras\nimport tensorflow as tf",
        "%%time\nimport keras",
        "%%capture out\n%%time\nimport keras",
        "%%writefile train.py\nimport tensorflow as tf\n",
        "print 'hello'\nimport keras",
        "try:\n    import keras\nexcept ImportError, e:\n    print e",
        "x = (1,\nimport keras",
        "from keras import *; 1 +",
        "files = !ls\nimport keras\nkeras?",
    ],
)
def test_an_import_counts_wherever_it_stands(cell: str) -> None:
    check_framework(parse_notebook(notebook(code(cell))), "tensorflow")


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("# import tensorflow as tf", "mentioned_only"),
        ("x = 'import keras'", "mentioned_only"),
        ("'''\nimport keras\n'''\nx = 1", "mentioned_only"),
        ("!pip install tensorflow keras", "mentioned_only"),
        ("%pip install tensorflow", "mentioned_only"),
        ("pip install tensorflow", "mentioned_only"),
        ("%%bash\npython -c 'import tensorflow'\n", "mentioned_only"),
        ("%%html\nimport keras", "mentioned_only"),
        ("%%writefile notes.txt\nimport keras", "mentioned_only"),
        ("print 'import keras'", "mentioned_only"),
        ("print 1 # import keras", "mentioned_only"),
        ("from .keras import x", "mentioned_only"),
        ("import kerasify, mytensorflow", "no_framework"),
        ("import torch\nimport torch.nn as nn", "pytorch_only"),
        ("import pytorch_lightning as pl", "pytorch_only"),
        ("import jax.numpy as jnp", "jax_only"),
        ("from sklearn.svm import SVC", "classical_only"),
        ("import xgboost, lightgbm", "classical_only"),
        ("import tensorflow_decision_forests as tfdf", "tree_models"),
        ("import tensorflow as tf\nimport tensorflow_decision_forests as tfdf\nm = tfdf.keras.GradientBoostedTreesModel()", "tree_models"),
        ("import pandas as pd", "no_framework"),
    ],
)  # fmt: skip
def test_what_is_no_import_does_not_count(cell: str, reason: str) -> None:
    with pytest.raises(Drop) as drop:
        check_framework(parse_notebook(notebook(code(cell))), "tensorflow")
    assert drop.value.reason == reason


def test_markdown_outputs_and_metadata_do_not_count() -> None:
    printed = code("x = 1", outputs=[{"text": "import tensorflow"}], metadata={"tags": ["import keras"]})
    with pytest.raises(Drop, match="imports no machine-learning framework"):
        check_framework(parse_notebook(notebook(markdown("import tensorflow as tf"), printed)), "tensorflow")


def test_decision_forests_beside_a_network_are_kept() -> None:
    cell = "import tensorflow as tf\nimport tensorflow_decision_forests as tfdf\nd = tf.keras.layers.Dense(1)"
    check_framework(parse_notebook(notebook(code(cell))), "tensorflow")


def test_other_languages_are_dropped() -> None:
    with pytest.raises(Drop) as drop:
        check_framework(parse_notebook(notebook(code("library(keras)"), language="R")), "tensorflow")
    assert drop.value.reason == "not_python"


@pytest.mark.parametrize(("framework", "reason"), [("pytorch", "tensorflow_only"), ("jax", "tensorflow_only")])
def test_the_framework_can_be_another(framework: str, reason: str) -> None:
    with pytest.raises(Drop) as drop:
        check_framework(parse_notebook(notebook(code("import keras"))), framework)
    assert drop.value.reason == reason
    check_framework(parse_notebook(notebook(code("import torch\nimport flax"))), framework)


def test_absurd_code_is_read_without_an_error() -> None:
    deep = "(" * 5000 + "import keras"
    assert set(imported_packages(deep)) <= {"keras"}
    assert set(imported_packages("import keras\n" + "-" * 100_000 + "1")) == {"keras"}
    assert set(imported_packages("import keras\nx = " + "+".join("a" * 20_000))) == {"keras"}


@pytest.mark.parametrize(
    ("before", "piece", "after"),
    [
        ("", "import ", "x = keras"),
        ("", "import \\\n", "x = keras"),
        ("", "%%time\n", "import keras"),
        ("(\n", "  a\n b\n", "import keras"),
        ("", " ", "% keras"),
        ("", "print a ", ") keras"),
        ("print a", " ", "b = ) keras"),
        ("", "@x\n", ") keras"),
        ("x = '''", "a\n", "import keras"),
    ],
)
def test_what_is_repeated_takes_time_in_proportion(before: str, piece: str, after: str) -> None:
    cell = before + piece * (50_000 // len(piece)) + after
    with time_limit(5):  # what needs the square of the text takes much longer
        imports_any([cell], frozenset({"keras"}))
        joined_python([cell])
