"""A corpus of generated notebooks with the sizes of real ones, the same for the same numbers.

Sizes are lognormal with a median of 25 KB and a 95th percentile of 630 KB; 70% of the bytes are outputs (pictures and
printed lines). Of ten notebooks five are exact copies of others (but for outputs and time stamps), two near-duplicates
(5% of the lines changed), three of their own; one in six imports no TensorFlow.
"""

from __future__ import annotations

import base64
import math
import random
from pathlib import Path

import orjson

MEDIAN, P95 = 25_000, 630_000
LARGEST = 40_000_000
OUTPUT_SHARE, MARKDOWN_SHARE = 0.7, 0.1
_SIGMA = math.log(P95 / MEDIAN) / 1.6449

_LINES = (
    "{a} = pd.read_csv('../input/{b}/train.csv')",
    "{a}['{b}'] = {a}['{c}'].fillna({a}['{c}'].median())",
    "{a} = layers.Conv2D({n}, ({k}, {k}), activation='relu', padding='same')({b})",
    "{a} = layers.Dense({n}, activation='relu', kernel_regularizer=keras.regularizers.l2(0.0{k}))({b})",
    "{a} = layers.Dropout(0.{k})({b})",
    "for {a} in range({n}):\n    {b}.append({c}[{a}] * {k})",
    "def make_{a}({b}, {c}={n}):\n    return np.mean({b}[:{c}], axis=0) + {k}",
    "plt.plot({a}.history['{b}'], label='{c}')",
    "plt.title('{a} against {b} over {n} steps')",
    "{a} = train_test_split({b}, {c}, test_size=0.{k}, random_state={n})",
    "model_{a}.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])",
    "history_{a} = model_{a}.fit({b}, {c}, epochs={k}, batch_size={n})",
    "print('{a}', {b}.shape, {c}.dtype)  # {n}",
    "{a} = np.array([{n}, {k}, {n}]) / 255.0",
    "# {a} of {b}, then {c}",
    "{a} = model_{b}.predict({c}[:{n}])",
)
_WORDS = "train test valid image label frame batch mask price score token user item wave pixel angle".split()
_PICTURES = base64.b64encode(random.Random(0).randbytes(3_000_000)).decode()


def write_corpus(folder: Path, start: int, end: int) -> int:
    """Writes notebooks no. `start` to `end` in Meta Kaggle Code's layout; returns their bytes."""
    total = 0
    for number in range(start, end):
        path = folder / f"{number:010d}"[0:4] / f"{number:010d}"[4:7] / f"{number}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = notebook(number)
        path.write_bytes(data)
        total += len(data)
    return total


def notebook(number: int) -> bytes:
    """Notebook no. `number`: the last digit says what it is (0-2 its own, 3-4 a near-duplicate, 5-9 a copy)."""
    kind = number % 10
    own = number if kind < 3 else number - kind + kind % 3  # the one of the same ten that it is made from
    author = random.Random(own)
    size = min(LARGEST, int(MEDIAN * math.exp(author.gauss(0, _SIGMA))))
    code = _code(author, int(size * (1 - OUTPUT_SHARE - MARKDOWN_SHARE)))
    if kind in (3, 4):
        fork = random.Random(number)
        code = [_line(fork) if fork.random() < 0.03 else line for line in code]
    framework = "import torch" if own % 6 == 5 else "from tensorflow import keras\nfrom tensorflow.keras import layers"
    head = f"import numpy as np\nimport pandas as pd\n{framework}\nmodel_{own} = keras.Sequential([layers.Dense(1)])\n"
    stamps = random.Random(-number - 1)
    cells = [
        _markdown(author, 200, f"# Project {own}: {' '.join(author.choices(_WORDS, k=6))}"),
        _cell(head, 300, stamps),
    ]
    per_cell = 25
    outputs = int(size * OUTPUT_SHARE / max(1, len(code) // per_cell + 1))
    for place in range(0, len(code), per_cell):
        cells.append(_cell("\n".join(code[place : place + per_cell]), outputs, stamps))
        cells.append(_markdown(author, int(size * MARKDOWN_SHARE / (len(code) / per_cell + 1)), "## Next"))
    metadata = {"kernelspec": {"language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    return orjson.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4})


def _code(author: random.Random, size: int) -> list[str]:
    lines: list[str] = []
    while size > 0:
        lines.append(_line(author))
        size -= len(lines[-1]) + 4  # quotes, comma and line end in JSON
    return lines


def _line(author: random.Random) -> str:
    names = {key: f"{author.choice(_WORDS)}_{author.randrange(400)}" for key in "abc"}
    return author.choice(_LINES).format(**names, n=2 ** author.randrange(3, 9), k=author.randrange(1, 8))


def _cell(source: str, outputs: int, stamps: random.Random) -> dict[str, object]:
    when = f"202{stamps.randrange(10) % 6}-0{stamps.randrange(1, 9)}-1{stamps.randrange(9)}T10:00:00.000Z"
    start = stamps.randrange(len(_PICTURES) // 2)
    found: list[object] = [{"output_type": "stream", "name": "stdout", "text": ["Epoch 1/10\n"] * (outputs // 200)}]
    left = outputs * 9 // 10
    while left > 0:
        piece = _PICTURES[start : start + min(left, 60_000)]
        found.append({"output_type": "display_data", "data": {"image/png": piece}, "metadata": {}})
        left -= len(piece) + 80
    return {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {"execution": {"iopub.execute_input": when, "iopub.status.busy": when}},
        "source": source.splitlines(keepends=True),
        "outputs": found,
    }


def _markdown(author: random.Random, size: int, head: str) -> dict[str, object]:
    words = " ".join(author.choices(_WORDS, k=max(1, size // 6)))
    return {"cell_type": "markdown", "metadata": {}, "source": [f"{head}\n", f"The goal is to classify {words}.\n"]}
