"""Chance for the families, and how what they drew becomes the bytes of a file."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

Array = npt.NDArray[Any]


class Draw:
    """A task's chance: what is drawn from it is the same each time."""

    def __init__(self, seed: tuple[int, ...], *, control: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self._control = control
        # A generator of its own, so that the control's test examples are those of the task.
        self._shuffling = np.random.default_rng((*seed, control))

    def learnable(self, targets: Array) -> Array:
        """The training examples' targets as they are written: themselves; in the random-label control each one is
        another example's. Families pass everything through it from which the answers could be learnt."""
        return self._shuffling.permutation(targets) if self._control else targets


def csv_file(table: pd.DataFrame, **how: Any) -> bytes:
    """A table as pandas writes it, without its index."""
    text: str = table.to_csv(index=False, lineterminator="\n", **how)
    return text.encode()


def npz_file(**arrays: Array) -> bytes:
    """Arrays by name."""
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def png_file(pixels: Array) -> bytes:
    """An image of shape (height, width) or (height, width, 3) with values in [0, 1]."""
    stream = io.BytesIO()
    levels = (np.clip(pixels, 0, 1) * 255).round().astype("uint8")
    # Not compressed: every zlib packs otherwise, and a task's digest is over the bytes.
    Image.fromarray(levels).save(stream, "PNG", compress_level=0)
    return stream.getvalue()


def wav_file(signal: Array, rate: int) -> bytes:
    """A recording with values in [-1, 1] as 16-bit mono."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((np.clip(signal, -1, 1) * 32_767).astype("<i2").tobytes())
    return stream.getvalue()
