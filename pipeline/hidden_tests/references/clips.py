"""Clips, by how much each frame looks like the next one when it is moved by some pixels, with trees."""

import os

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

ID = "index"
TARGETS = ["label"]
REGRESSION = False

DATA = os.environ["DATA_DIR"]


def features(clips):
    """The correlation of frames for each shift, one and three frames apart; clips of shape (n, frames, h, w, 1)."""
    frames = clips[..., 0].astype("float32") / 255
    waves = np.fft.fft2(frames - frames.mean(axis=(2, 3), keepdims=True))
    parts = []
    for apart in (1, 3):
        alike = np.fft.ifft2(waves[:, apart:] * np.conj(waves[:, :-apart])).real.mean(axis=1)
        near = np.roll(alike, (6, 6), axis=(1, 2))[:, :13, :13]
        parts += [near.reshape(len(clips), -1), np.argmax(near.max(axis=1), axis=1)[:, None]]
    return np.concatenate(parts, axis=1)


def predictions(seed):
    train, test = (np.load(os.path.join(DATA, f"{part}.npz")) for part in ("train", "test"))
    chosen = np.random.default_rng(seed).permutation(len(train["x"]))[: int(0.9 * len(train["x"]))]
    model = (ExtraTreesRegressor if REGRESSION else ExtraTreesClassifier)(100, random_state=seed)
    model.fit(features(train["x"][chosen]), train[TARGETS[0]][chosen])
    return pd.DataFrame({ID: np.arange(len(test["x"])), TARGETS[0]: model.predict(features(test["x"]))})


if __name__ == "__main__":
    predictions(0).to_csv("predictions.csv", index=False)
