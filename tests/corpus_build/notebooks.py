"""Notebooks made for tests: their JSON, and a small corpus in which every kind of file occurs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

Source = str | list[object] | None

TASKS = (
    ("flower species", "images", "Conv2D(32, 3, activation='relu', input_shape=(64, 64, 3))", "softmax"),
    ("hotel review moods", "texts", "Embedding(5000, 32, input_length=80)", "softmax"),
    ("gearbox faults", "tables", "Dense(64, activation='relu', input_shape=(12,))", "softmax"),
    ("river levels", "series", "LSTM(32, input_shape=(24, 3))", "linear"),
)


def code(source: Source, executed: str | None = None, **cell: object) -> dict[str, object]:
    """A code cell of nbformat 4 with an output; `executed` is when, in ISO 8601."""
    metadata: dict[str, object] = {"execution": {"iopub.execute_input": executed}} if executed else {}
    output = {"output_type": "stream", "name": "stdout", "text": ["import torch and tensorflow\n"]}
    return {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": metadata,
        "outputs": [output],
        "source": source,
    } | cell


def markdown(source: Source) -> dict[str, object]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def notebook(*cells: dict[str, object], language: str = "python", **top: object) -> bytes:
    """The bytes of a notebook of nbformat 4.4."""
    kernel = {"kernelspec": {"language": language, "name": "python3" if language == "python" else "ir"}}
    document = {"cells": list(cells), "metadata": kernel, "nbformat": 4, "nbformat_minor": 4} | top
    return json.dumps(document).encode()


def project(number: int, executed: str | None = None, *, changed: int = 0, requirement: str | None = None) -> bytes:
    """A complete notebook, one of many that differ in more than constants; `changed` lines make near-duplicates."""
    subject, kind, first, activation = TASKS[number % len(TASKS)]
    words = [f"step_{number}_{index}" for index in range(30)]
    body = [f"{word} = prepare_{word}(frame_{number}, {index}, mode='{word}')" for index, word in enumerate(words)]
    body += [f"extra_{index} = {index}" for index in range(changed)]
    loss = "mse" if activation == "linear" else "sparse_categorical_crossentropy"
    title = requirement or f"Project {number}: predict the {subject} of region {number * 7919 % 10007}"
    model = f"""model = Sequential([{first}, Flatten(), Dense({number % 9 + 2}, activation='{activation}')])
model.compile(optimizer='adam', loss='{loss}', metrics=['accuracy'])
model.fit(x_{number}, y_{number}, epochs={number % 7 + 3}, batch_size={2 ** (number % 4 + 3)})
"""
    return notebook(
        markdown(
            f"# {title}" if requirement else f"# {title}\n\nThe goal is to classify {kind} of survey {number * 31}."
        ),
        code("from tensorflow.keras import Sequential\nfrom tensorflow.keras.layers import *\n", executed),
        code("\n".join(body)),
        code(model),
    )


def write(folder: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    for name, data in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def small_corpus() -> list[tuple[str, bytes]]:
    """60 different projects of 2022 to 2025 and undated ones, with exact and near-duplicates, and files to drop."""
    files = []
    for number in range(60):
        executed = None if number % 5 == 4 else f"{2022 + number % 4}-03-{number % 28 + 1:02d}T10:00:00.000Z"
        files.append((f"{number // 10:04d}/{number % 10:03d}/{1000 + number}.ipynb", project(number, executed)))
        if number % 3 == 0:
            files.append((f"copies/{number}.ipynb", project(number, "2021-01-01T00:00:00Z")))
        if number % 4 == 0:
            files.append((f"forks/{number}.ipynb", project(number, "2021-06-01T00:00:00Z", changed=3)))
    files += [
        ("bad/empty.ipynb", b""),
        ("bad/cut.ipynb", project(1)[:300]),
        ("bad/page.ipynb", b"<!DOCTYPE html><html><body>404</body></html>"),
        ("other/torch.ipynb", notebook(code("import torch\n"))),
        ("other/model.r", b"library(keras)\n"),
        ("other/trees.ipynb", notebook(code("import xgboost as xgb\n"))),
    ]
    return files
