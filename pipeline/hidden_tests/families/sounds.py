"""Recordings: tones, sweeps, machines and beeps, as 16-bit WAV files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.hidden_tests.draw import Array, Draw, wav_file
from pipeline.hidden_tests.layouts import as_class_folders, as_listed_files
from pipeline.hidden_tests.task import TaskData

RATE = 4000
"""Samples a second."""

SECONDS = 0.5


def intervals(draw: Draw, *, rows: int, test_rows: int, target: str, ratios: dict[str, float]) -> TaskData:
    """Two tones at a time, of any pitch; the class is the interval between them."""
    names = list(ratios)
    chosen = draw.rng.choice(names, size=rows)
    examples = []
    for name in chosen:
        pitch = draw.rng.uniform(200, 450)
        examples.append(_recording(draw, _tone(draw, pitch) + _tone(draw, pitch * ratios[name])))
    return as_class_folders(draw, examples, chosen.tolist(), test_rows=test_rows, ending="wav", target=target)


def sweeps(draw: Draw, *, rows: int, test_rows: int, target: str) -> TaskData:
    """A tone that rises, falls or stays."""
    slopes = {"rising": 500.0, "falling": -500.0, "steady": 0.0}
    chosen = draw.rng.choice(list(slopes), size=rows)
    now = _now()
    examples = []
    for name in chosen:
        slope = slopes[name] * draw.rng.uniform(0.5, 1.0)
        pitch = draw.rng.uniform(500, 900)
        examples.append(_recording(draw, np.sin(2 * np.pi * (pitch * now + slope * now**2 / 2))))
    return as_class_folders(draw, examples, chosen.tolist(), test_rows=test_rows, ending="wav", target=target)


def machines(
    draw: Draw, *, rows: int, test_rows: int, target: str, folder: str, classes: Sequence[str], rare: float
) -> TaskData:
    """A humming machine; a share of the recordings has a rattle in it."""
    faulty = draw.rng.random(rows) < rare
    now = _now()
    examples = []
    for flag in faulty:
        hum = _tone(draw, draw.rng.uniform(90, 130)) + 0.5 * _tone(draw, draw.rng.uniform(180, 260))
        rattle = (np.sin(2 * np.pi * draw.rng.uniform(14, 22) * now) > 0.8) * draw.rng.normal(size=len(now))
        examples.append(_recording(draw, hum + 0.8 * rattle * flag))
    targets = pd.DataFrame({target: np.array(classes)[faulty.astype(int)]})
    return as_listed_files(
        draw, examples, targets, test_rows=test_rows, ending="wav", folder=folder, column="recording"
    )


def pitches(draw: Draw, *, rows: int, test_rows: int, target: str, folder: str) -> TaskData:
    """One tone with its overtone; the target is its pitch in hertz."""
    values = draw.rng.uniform(150, 900, size=rows).round(1)
    examples = [_recording(draw, _tone(draw, pitch) + 0.4 * _tone(draw, 2 * pitch)) for pitch in values]
    targets = pd.DataFrame({target: values})
    return as_listed_files(
        draw, examples, targets, test_rows=test_rows, ending="wav", folder=folder, column="recording"
    )


def beeps(draw: Draw, *, rows: int, test_rows: int, target: str, folder: str) -> TaskData:
    """Short beeps of any pitch; the target is how many there are."""
    counts = draw.rng.integers(1, 7, size=rows)
    length = len(_now())
    examples = []
    for count in counts:
        sound = np.zeros(length)
        for start in draw.rng.choice(12, size=count, replace=False) * (length // 12):
            sound[start : start + length // 20] = 1.0
        examples.append(_recording(draw, sound * _tone(draw, draw.rng.uniform(400, 900))))
    targets = pd.DataFrame({target: counts.astype(float)})
    return as_listed_files(
        draw, examples, targets, test_rows=test_rows, ending="wav", folder=folder, column="recording"
    )


def _now() -> Array:
    return np.arange(int(RATE * SECONDS)) / RATE


def _tone(draw: Draw, pitch: float) -> Array:
    return np.sin(2 * np.pi * pitch * _now() + draw.rng.uniform(0, 6.3))


def _recording(draw: Draw, signal: Array) -> bytes:
    noisy = signal + 0.3 * draw.rng.normal(size=len(signal))
    return wav_file(0.25 * draw.rng.uniform(0.6, 1.0) * noisy, RATE)
