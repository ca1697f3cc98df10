"""Images, by how strongly patches of the training images answer anywhere (Coates and Ng, 2012), and a linear model."""

import os

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ID = "file"
TARGETS = ["label"]
KIND = "label"
REGRESSION = False
PIXELS = False
COLOURS = False
FILTERS = 48
PATCH = 7

DATA = os.environ["DATA_DIR"]


def image(path):
    with Image.open(path) as file:
        pixels = np.asarray(file, dtype="float32") / 255
    return pixels if pixels.ndim == 3 else pixels[..., None]


def folders():
    """Images and targets to learn from, images and ids that are asked for: from class folders, or by two tables."""
    if not os.path.exists(os.path.join(DATA, "train.csv")):
        paths, labels = [], []
        for name in sorted(os.listdir(os.path.join(DATA, "train"))):
            folder = os.path.join(DATA, "train", name)
            paths += [os.path.join(folder, file) for file in sorted(os.listdir(folder))]
            labels += [name] * (len(paths) - len(labels))
        names = sorted(os.listdir(os.path.join(DATA, "test")))
        asked = [os.path.join(DATA, "test", name) for name in names]
        return paths, pd.DataFrame({TARGETS[0]: labels}), asked, names
    train, test = (pd.read_csv(os.path.join(DATA, f"{part}.csv")) for part in ("train", "test"))
    folder = next(entry.path for entry in os.scandir(DATA) if entry.is_dir())
    asked = [os.path.join(folder, name) for name in test[ID]]
    return [os.path.join(folder, name) for name in train[ID]], train[TARGETS], asked, list(test[ID])


def patches(images):
    """Of shape (images, rows, columns, values), each less its mean and of length 1 at most."""
    found = sliding_window_view(images, (PATCH, PATCH), axis=(1, 2))[:, ::2, ::2]
    found = found.reshape(*found.shape[:3], -1)
    if not COLOURS:
        found = found - found.mean(axis=-1, keepdims=True)
    return found / (np.linalg.norm(found, axis=-1, keepdims=True) + 0.5)


def features(images, filters):
    if PIXELS:
        return images.reshape(len(images), -1)
    parts = []
    for start in range(0, len(images), 100):
        some = patches(images[start : start + 100])
        answers = np.maximum(some @ filters.T - 0.15, 0)
        middle = answers.shape[1] // 2
        quarters = [answers[:, :middle, :middle], answers[:, :middle, middle:], answers[:, middle:, :middle]]
        pooled = [answers.mean((1, 2)), answers.max((1, 2)), *(part.mean((1, 2)) for part in quarters)]
        parts.append(np.concatenate(pooled, axis=1))
    return np.concatenate(parts)


def predictions(seed):
    paths, targets, asked, names = folders()
    images, new = (np.stack([image(path) for path in group]) for group in (paths, asked))
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(images))[: int(0.9 * len(images))]
    some = patches(images[chosen[:200]])
    some = some.reshape(-1, some.shape[-1])
    filters = some[rng.choice(len(some), FILTERS * 4, replace=False)]
    filters = filters[np.argsort(-np.linalg.norm(filters, axis=1))[:FILTERS]]
    if REGRESSION:
        model = make_pipeline(StandardScaler(), Ridge(30.0))
    else:
        model = LogisticRegression(C=0.1, max_iter=1000)
        model = make_pipeline(StandardScaler(), MultiOutputClassifier(model) if len(TARGETS) > 1 else model)
    values = targets.to_numpy() if len(TARGETS) > 1 else targets[TARGETS[0]].to_numpy()
    model.fit(features(images[chosen], filters), values[chosen])
    inputs = features(new, filters)
    found = model.predict_proba(inputs)[:, 1] if KIND == "score" else model.predict(inputs)
    return pd.concat([pd.Series(names, name=ID), pd.DataFrame(found, columns=TARGETS)], axis=1)


if __name__ == "__main__":
    predictions(0).to_csv("predictions.csv", index=False)
