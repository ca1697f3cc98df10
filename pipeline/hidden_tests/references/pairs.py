"""Pairs, by how far apart they are in each dimension, and what differences matter, with trees or a linear model."""

import os

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

ID = "index"
TARGETS = ["same"]
KIND = "label"
IMAGES = ""
TEXTS = False
RECORDS = False

DATA = os.environ["DATA_DIR"]


def image(name):
    with Image.open(os.path.join(DATA, IMAGES, name)) as file:
        return np.asarray(file, dtype="float32")[::2, ::2].ravel() / 255


def differences(first, second):
    return np.concatenate([np.abs(first - second), first * second], axis=1)


def of_records(table):
    """Whether categories are equal, and the ratios of numbers."""
    columns = []
    for name in [name[:-2] for name in table if name.endswith("_a")]:
        first, second = table[f"{name}_a"], table[f"{name}_b"]
        if pd.api.types.is_numeric_dtype(first):
            columns.append(np.abs(np.log(first / second)))
        else:
            columns.append((first == second).astype(float))
    return np.column_stack(columns)


def content(questions):
    """The words of both questions, without those that most questions have."""
    counts = pd.Series([word for row in questions for question in row for word in question.split()]).value_counts()
    common = set(counts[counts > len(questions)].index)
    return [[set(question.split()) - common for question in row] for row in questions]


def kinship(questions):
    """For two words how often they stand on both sides of a pair: half of the pairs mean the same."""
    counts = {}
    for first, second in questions:
        for one in first:
            for other in second:
                for pair in ((one, other), (other, one)):
                    counts[pair] = counts.get(pair, 0) + 1
    return {pair: np.log(count) for pair, count in counts.items()}


def of_questions(questions, kin):
    """How well the words of each side find their like on the other: the worst, the next, and all."""
    rows = []
    for first, second in questions:
        best = [max(kin.get((one, other), -1) for other in second) for one in first]
        best += [max(kin.get((one, other), -1) for one in first) for other in second]
        rows.append([*sorted(best)[:3], sum(best)])
    return np.array(rows)


def predictions(seed):
    rng = np.random.default_rng(seed)
    if IMAGES or TEXTS or RECORDS:
        names = ("train_pairs.csv", "test_pairs.csv") if IMAGES else ("train.csv", "test.csv")
        train, test = (pd.read_csv(os.path.join(DATA, name)) for name in names)
        train = train.sample(frac=0.9, random_state=seed)
        targets, ids = train[TARGETS[0]].to_numpy(), test[ID]
    else:
        train, test = (np.load(os.path.join(DATA, f"{part}.npz")) for part in ("train", "test"))
        chosen = rng.permutation(len(train["x"]))[: int(0.9 * len(train["x"]))]
        targets, ids = train[TARGETS[0]][chosen], np.arange(len(test["x"]))
        inputs, new = (differences(x[:, 0], x[:, 1]) for x in (train["x"][chosen], test["x"]))
    if IMAGES:
        sides = [
            [np.array([image(name) for name in table[side]]) for side in ("left", "right")] for table in (train, test)
        ]
        inputs, new = (differences(*side) for side in sides)
    elif TEXTS:
        split = [content(table[["question1", "question2"]].to_numpy()) for table in (train, test)]
        kin = kinship(split[0])
        inputs, new = (of_questions(questions, kin) for questions in split)
    elif RECORDS:
        inputs, new = of_records(train), of_records(test)
    model = LogisticRegression(max_iter=1000) if TEXTS or RECORDS else ExtraTreesClassifier(150, random_state=seed)
    model.fit(inputs, targets)
    found = model.predict_proba(new)[:, 1] if KIND == "score" else model.predict(new)
    return pd.DataFrame({ID: ids, TARGETS[0]: found})


if __name__ == "__main__":
    predictions(0).to_csv("predictions.csv", index=False)
