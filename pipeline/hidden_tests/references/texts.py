"""Texts, as weighted counts of words and pairs of words, or of runs of letters, with a linear model."""

import os

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline

ID = "id"
TARGETS = ["label"]
REGRESSION = False
CHARACTERS = False
BALANCED = False
FOLDERS = False

DATA = os.environ["DATA_DIR"]


def text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def tables():
    """The training texts with their targets, and those that are asked for."""
    if not FOLDERS:
        return [pd.read_csv(os.path.join(DATA, f"{part}.csv")) for part in ("train", "test")]
    rows = []
    for name in sorted(os.listdir(os.path.join(DATA, "train"))):
        folder = os.path.join(DATA, "train", name)
        rows += [(file, text(os.path.join(folder, file)), name) for file in sorted(os.listdir(folder))]
    names = sorted(os.listdir(os.path.join(DATA, "test")))
    asked = [text(os.path.join(DATA, "test", name)) for name in names]
    return pd.DataFrame(rows, columns=[ID, "text", *TARGETS]), pd.DataFrame({ID: names, "text": asked})


def predictions(seed):
    train, test = tables()
    train = train.sample(frac=0.9, random_state=seed)
    column = next(name for name in test if name != ID)
    if CHARACTERS:
        words = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True)
    else:
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    if REGRESSION:
        model = Ridge(0.3)
    else:
        model = LogisticRegression(C=10.0, max_iter=1000, class_weight="balanced" if BALANCED else None)
        model = MultiOutputClassifier(model) if len(TARGETS) > 1 else model
    model = make_pipeline(words, model)
    values = train[TARGETS].to_numpy()
    model.fit(train[column], values if len(TARGETS) > 1 else values[:, 0])
    found = np.asarray(model.predict(test[column]))
    return pd.concat([test[ID], pd.DataFrame(found, columns=TARGETS)], axis=1)


if __name__ == "__main__":
    predictions(0).to_csv("predictions.csv", index=False)
