"""Tables, with a linear model, trees or boosted trees on imputed, scaled and one-hot columns."""

import os

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

ID = "id"
TARGETS = ["target"]
KIND = "label"
TRAIN = "train.csv"
TEST = "test.csv"
READ = {}
MODEL = "linear"
BALANCED = False
LOGARITHM = False
DATE = ""
TEXT = ""


def read(name):
    table = pd.read_csv(os.path.join(os.environ["DATA_DIR"], name), **READ)
    if DATE:
        days = pd.to_datetime(table.pop(DATE))
        table["weekend"] = (days.dt.dayofweek >= 5).astype(int)
        for turn in (np.sin, np.cos):
            table[f"season {turn.__name__}"] = turn(2 * np.pi * days.dt.dayofyear / 365)
    return table


def model_of(seed):
    weights = "balanced" if BALANCED else None
    if KIND == "numbers":
        model = {
            "linear": Ridge(1.0),
            "forest": ExtraTreesRegressor(200, random_state=seed),
            "boosting": HistGradientBoostingRegressor(random_state=seed, max_iter=150),
        }[MODEL]
        if LOGARITHM:
            model = TransformedTargetRegressor(model, func=np.log, inverse_func=np.exp)
        return MultiOutputRegressor(model) if len(TARGETS) > 1 else model
    model = {
        "linear": LogisticRegression(C=3.0, max_iter=2000, class_weight=weights),
        "forest": ExtraTreesClassifier(200, class_weight=weights, random_state=seed),
        "boosting": HistGradientBoostingClassifier(class_weight=weights, random_state=seed, max_iter=150),
    }[MODEL]
    return MultiOutputClassifier(model) if len(TARGETS) > 1 else model


def predictions(seed):
    train, test = read(TRAIN).sample(frac=0.9, random_state=seed), read(TEST)
    inputs = train.drop(columns=[ID, *TARGETS, *([TEXT] if TEXT else [])])
    numbers = list(inputs.select_dtypes("number"))
    categories = [name for name in inputs if name not in numbers]
    parts = [
        ("numbers", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), numbers),
        ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
    ]
    if TEXT:
        parts.append(("text", TfidfVectorizer(), TEXT))
    model = make_pipeline(ColumnTransformer(parts, sparse_threshold=0), model_of(seed))
    model.fit(train, train[TARGETS] if len(TARGETS) > 1 else train[TARGETS[0]])
    found = model.predict_proba(test)[:, 1] if KIND == "score" else model.predict(test)
    return pd.concat([test[ID], pd.DataFrame(found, columns=TARGETS)], axis=1)


if __name__ == "__main__":
    predictions(0).to_csv("predictions.csv", index=False)
