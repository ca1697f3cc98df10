"""Masks, pixel by pixel: boosted trees on what a pixel and its surroundings look like, near and far."""

import os

import numpy as np
import pandas as pd
from PIL import Image
from scipy.ndimage import gaussian_filter
from sklearn.ensemble import HistGradientBoostingClassifier

ID = "file"
TARGETS = ["mask"]

DATA = os.environ["DATA_DIR"]


def image(*path):
    with Image.open(os.path.join(DATA, *path)) as file:
        return np.asarray(file, dtype="float32") / 255


def features(pixels):
    """Of shape (pixels, values): each channel blurred by several widths, and how much it varies around."""
    channels = np.atleast_3d(pixels)
    parts = []
    for channel in np.moveaxis(channels, -1, 0):
        blurred = [gaussian_filter(channel, width) for width in (0.7, 1.5, 3, 6)]
        spread = gaussian_filter(channel**2, 2) - gaussian_filter(channel, 2) ** 2
        parts += [*blurred, spread]
    return np.stack(parts, axis=-1).reshape(channels.shape[0] * channels.shape[1], -1)


def runs(mask):
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(int), [0]))))
    return " ".join(f"{start + 1} {end - start}" for start, end in zip(edges[::2], edges[1::2], strict=True))


def predictions(seed):
    rng = np.random.default_rng(seed)
    inputs, targets = [], []
    for name in sorted(os.listdir(os.path.join(DATA, "train", "images"))):
        mask = image("train", "masks", name).ravel() > 0.5
        some = rng.choice(mask.size, 200, replace=False)
        inputs.append(features(image("train", "images", name))[some])
        targets.append(mask[some])
    model = HistGradientBoostingClassifier(max_iter=80, random_state=seed)
    model.fit(np.concatenate(inputs), np.concatenate(targets))
    names = sorted(os.listdir(os.path.join(DATA, "test", "images")))
    masks = [runs(model.predict(features(image("test", "images", name)))) for name in names]
    return pd.DataFrame({ID: names, TARGETS[0]: masks})


if __name__ == "__main__":
    predictions(0).to_csv("predictions.csv", index=False)
