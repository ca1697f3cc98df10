"""Videos, small enough to be arrays: a bright dot that moves over a noisy ground."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.hidden_tests.draw import Array, Draw
from pipeline.hidden_tests.layouts import as_arrays
from pipeline.hidden_tests.task import TaskData


def directions(draw: Draw, *, rows: int, test_rows: int, target: str, frames: int = 8, size: int = 16) -> TaskData:
    """The class is where the dot goes; it leaves on one side and comes in on the other."""
    ways = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
    chosen = draw.rng.choice(list(ways), size=rows)
    speeds = draw.rng.uniform(0.6, 1.6, size=rows)
    clips = [_clip(draw, ways[name], speed, frames, size) for name, speed in zip(chosen, speeds, strict=True)]
    return as_arrays(draw, np.array(clips), pd.DataFrame({target: chosen}), test_rows=test_rows)


def speeds(draw: Draw, *, rows: int, test_rows: int, target: str, frames: int = 8, size: int = 16) -> TaskData:
    """The target is the dot's speed in pixels a frame, to the right."""
    values = draw.rng.uniform(0.2, 1.7, size=rows).round(2)
    clips = [_clip(draw, (0, 1), speed, frames, size) for speed in values]
    return as_arrays(draw, np.array(clips), pd.DataFrame({target: values}), test_rows=test_rows)


def _clip(draw: Draw, way: tuple[int, int], speed: float, frames: int, size: int) -> Array:
    """Of shape (frames, height, width, 1), values from 0 to 255."""
    start = draw.rng.uniform(0, size, size=2)
    y, x = np.mgrid[:size, :size]
    clip = np.empty((frames, size, size, 1), dtype="uint8")
    for number in range(frames):
        centre = (start + number * speed * np.array(way)) % size
        dot = np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / 3)
        image = 0.15 + 0.7 * dot + 0.06 * draw.rng.normal(size=(size, size))
        clip[number, :, :, 0] = (image.clip(0, 1) * 255).round()
    return clip
