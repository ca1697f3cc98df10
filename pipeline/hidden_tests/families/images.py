"""Images: real digits, and drawn shapes, stripes, dots, gauges and masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from pipeline.hidden_tests.draw import Array, Draw, png_file
from pipeline.hidden_tests.layouts import as_class_folders, as_listed_files
from pipeline.hidden_tests.predictions import runs_of
from pipeline.hidden_tests.task import TaskData


def digits(draw: Draw, *, rows: int, test_rows: int, target: str, layout: str, **how: Any) -> TaskData:
    """The real digits of scikit-learn, 8 by 8, drawn twice as large."""
    bunch = load_digits()
    chosen = draw.rng.permutation(len(bunch.images))[:rows]
    examples = [png_file(image.repeat(2, 0).repeat(2, 1) / 16) for image in bunch.images[chosen]]
    labels = [str(label) for label in bunch.target[chosen]]
    if layout == "folders":
        return as_class_folders(draw, examples, labels, test_rows=test_rows, ending="png", target=target, **how)
    targets = pd.DataFrame({target: labels})
    return as_listed_files(draw, examples, targets, test_rows=test_rows, ending="png", **how)


def shapes(
    draw: Draw,
    *,
    rows: int,
    test_rows: int,
    names: Sequence[str],
    target: str,
    size: int = 32,
    noise: float = 0.15,
    rare: float = 0.0,
    folder: str = "",
) -> TaskData:
    """One shape an image, anywhere and of any size; in class folders, or with a `folder` in a list. With `rare` the
    second of two shapes has that share, and the target is 1 for it."""
    shares = [1 - rare, rare] if rare else None
    chosen = draw.rng.choice(len(names), size=rows, p=shares)
    examples = [png_file(_noisy(draw, _shape(draw, names[number], size), noise)) for number in chosen]
    if not folder:
        labels = [names[number] for number in chosen]
        return as_class_folders(draw, examples, labels, test_rows=test_rows, ending="png", target=target)
    values = chosen if rare else np.array(names)[chosen]
    targets = pd.DataFrame({target: values})
    return as_listed_files(draw, examples, targets, test_rows=test_rows, ending="png", folder=folder)


def several_shapes(
    draw: Draw, *, rows: int, test_rows: int, names: Sequence[str], folder: str, size: int = 32, **how: Any
) -> TaskData:
    """Any number of the shapes in an image; a column of 0 and 1 for each."""
    there = draw.rng.random((rows, len(names))) < 0.45
    examples = []
    for flags in there:
        image = np.zeros((size, size))
        for name, flag in zip(names, flags, strict=True):
            image = np.maximum(image, _shape(draw, name, size, small=True)) if flag else image
        examples.append(png_file(_noisy(draw, image, 0.1)))
    targets = pd.DataFrame(there.astype(int), columns=list(names))
    return as_listed_files(draw, examples, targets, test_rows=test_rows, ending="png", folder=folder, **how)


def colours(draw: Draw, *, rows: int, test_rows: int, folder: str, size: int = 24) -> TaskData:
    """Patches of red, green, blue and yellow; a column of 0 and 1 for each colour that is there."""
    palette = {"red": (1, 0.1, 0.1), "green": (0.1, 0.8, 0.2), "blue": (0.1, 0.2, 1), "yellow": (0.95, 0.9, 0.1)}
    there = draw.rng.random((rows, len(palette))) < 0.5
    examples = []
    for flags in there:
        image = np.full((size, size, 3), 0.5)
        for colour, flag in zip(palette.values(), flags, strict=True):
            top, left = draw.rng.integers(size - 6, size=2)
            if flag:
                image[top : top + 6, left : left + 6] = colour
        examples.append(png_file(_noisy(draw, image, 0.08)))
    targets = pd.DataFrame(there.astype(int), columns=list(palette))
    return as_listed_files(draw, examples, targets, test_rows=test_rows, ending="png", folder=folder)


def stripes(draw: Draw, *, rows: int, test_rows: int, target: str, folder: str, size: int = 28) -> TaskData:
    """Coloured stripes that are horizontal, vertical or diagonal, of any width and phase."""
    names = ["horizontal", "vertical", "diagonal"]
    directions = {"horizontal": (1.0, 0.0), "vertical": (0.0, 1.0), "diagonal": (0.7, 0.7)}
    chosen = draw.rng.choice(names, size=rows)
    y, x = np.mgrid[:size, :size]
    examples = []
    for name in chosen:
        down, right = directions[name]
        wave = np.sin((down * y + right * x) * draw.rng.uniform(0.7, 1.6) + draw.rng.uniform(0, 6.3))
        image = 0.5 + 0.3 * wave[..., None] * draw.rng.uniform(0.3, 1, size=3)
        examples.append(png_file(_noisy(draw, image, 0.15)))
    targets = pd.DataFrame({target: chosen})
    return as_listed_files(draw, examples, targets, test_rows=test_rows, ending="png", folder=folder)


def dots(draw: Draw, *, rows: int, test_rows: int, target: str, folder: str, size: int = 40, **how: Any) -> TaskData:
    """Round dots, which may touch; the target is how many there are."""
    counts = draw.rng.integers(1, 16, size=rows)
    examples = []
    for count in counts:
        image = np.zeros((size, size))
        for _ in range(count):
            image = np.maximum(image, _disc(size, draw.rng.uniform(3, size - 3, size=2), 2.0))
        examples.append(png_file(_noisy(draw, image, 0.08)))
    targets = pd.DataFrame({target: counts.astype(float)})
    return as_listed_files(draw, examples, targets, test_rows=test_rows, ending="png", folder=folder, **how)


def gauges(
    draw: Draw, *, rows: int, test_rows: int, target: str, folder: str, level: bool = False, size: int = 32
) -> TaskData:
    """A dial whose needle points at the target, from 0 to 100; or with `level` a tank that is filled to it."""
    values = draw.rng.uniform(0, 100, size=rows).round(1)
    y, x = np.mgrid[:size, :size] / (size - 1)
    examples = []
    for value in values:
        if level:
            image = 0.75 * (y > 1 - value / 100) * (np.abs(x - 0.5) < draw.rng.uniform(0.25, 0.45))
        else:
            angle = np.pi * (1 - value / 100)
            along = (x - 0.5) * np.cos(angle) + (0.9 - y) * np.sin(angle)
            across = (x - 0.5) * np.sin(angle) - (0.9 - y) * np.cos(angle)
            image = ((np.abs(across) < 0.05) & (along > 0) & (along < draw.rng.uniform(0.35, 0.45))).astype(float)
        examples.append(png_file(_noisy(draw, image, 0.1)))
    targets = pd.DataFrame({target: values})
    return as_listed_files(draw, examples, targets, test_rows=test_rows, ending="png", folder=folder)


def masks(draw: Draw, *, rows: int, test_rows: int, bands: bool = False, size: int = 32) -> TaskData:
    """Bright cells on uneven ground, or with `bands` textured roads in colour: `train/images` and `train/masks`, and
    `test/images`. The answer is the mask's runs."""
    files: dict[str, bytes] = {}
    count = rows - test_rows
    y, x = np.mgrid[:size, :size] / size
    foregrounds = []
    images = []
    for _ in range(rows):
        ground = 0.35 + 0.15 * np.sin(4 * x + draw.rng.uniform(0, 6)) * np.sin(4 * y + draw.rng.uniform(0, 6))
        if bands:
            slope, middle = draw.rng.uniform(-0.7, 0.7), draw.rng.uniform(0.3, 0.7)
            mask = np.abs(y - middle - slope * (x - 0.5)) < draw.rng.uniform(0.08, 0.16)
            tones = np.stack([ground, ground + 0.2, ground], axis=-1)
            images.append(_noisy(draw, np.where(mask[..., None], ground[..., None] + 0.12, tones), 0.1))
        else:
            cells = [_disc(size, draw.rng.uniform(4, size - 4, 2), draw.rng.uniform(2, 5)) for _ in range(4)]
            mask = np.max(cells, axis=0) > 0.5
            images.append(_noisy(draw, ground + 0.3 * mask, 0.1))
        foregrounds.append(mask)
    order = draw.learnable(np.arange(count))
    for number in range(count):
        files[f"train/images/{number:04}.png"] = png_file(images[number])
        files[f"train/masks/{number:04}.png"] = png_file(foregrounds[order[number]].astype(float))
    names = [f"{number:04}.png" for number in range(count, rows)]
    for name, image in zip(names, images[count:], strict=True):
        files[f"test/images/{name}"] = png_file(image)
    runs = [runs_of(mask) for mask in foregrounds]
    answers = pd.DataFrame({"file": names, "mask": runs[count:]})
    train_answers = pd.DataFrame({"mask": runs[:count]})
    return TaskData(files=files, answers=answers, train_answers=train_answers, sizes=(size, size))


def _noisy(draw: Draw, image: Array, noise: float) -> Array:
    noisy: Array = image + noise * draw.rng.normal(size=image.shape)
    return noisy


def _disc(size: int, centre: Array, radius: float) -> Array:
    y, x = np.mgrid[:size, :size]
    disc: Array = (np.hypot(y - centre[0], x - centre[1]) <= radius).astype(float)
    return disc


def _shape(draw: Draw, name: str, size: int, *, small: bool = False) -> Array:
    """A shape of brightness 1 on black."""
    radius = draw.rng.uniform(0.12, 0.17) * size if small else draw.rng.uniform(0.18, 0.32) * size
    centre_y, centre_x = draw.rng.uniform(radius, size - radius, size=2)
    y, x = np.mgrid[:size, :size]
    down, right = y - centre_y, x - centre_x
    outlines = {
        "circle": np.hypot(down, right) <= radius,
        "square": np.maximum(abs(down), abs(right)) <= 0.85 * radius,
        "triangle": (down <= 0.7 * radius) & (abs(right) <= 0.55 * (down + radius)),
        "cross": (np.minimum(abs(down), abs(right)) <= 0.25 * radius) & (np.maximum(abs(down), abs(right)) <= radius),
        "ring": abs(np.hypot(down, right) - 0.75 * radius) <= 0.25 * radius,
    }
    shape: Array = outlines[name].astype(float)
    return shape
