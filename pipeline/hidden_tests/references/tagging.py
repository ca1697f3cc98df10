"""Tags of words, each by the word, its neighbours and its form, with a linear model."""

import os

import pandas as pd
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

ID = "id"
TARGETS = ["tags"]

DATA = os.environ["DATA_DIR"]


def features(words):
    found = []
    for place, word in enumerate(words):
        one = {f"word {word}": 1, "number": word.isdigit(), "capital": word[0].isupper(), "first": place == 0}
        for distance in (-2, -1, 1, 2):
            if 0 <= place + distance < len(words):
                other = words[place + distance]
                one[f"{distance} {'number' if other.isdigit() else other}"] = 1
        found.append(one)
    return found


def predictions(seed):
    train, test = (pd.read_csv(os.path.join(DATA, f"{part}.csv")) for part in ("train", "test"))
    train = train.sample(frac=0.9, random_state=seed)
    column = next(name for name in test if name != ID)
    inputs, tags = [], []
    for sentence, marks in zip(train[column], train[TARGETS[0]], strict=True):
        words, own = features(sentence.split()), marks.split()
        # In the control a sentence has another one's tags, which may be fewer or more than its words.
        both = min(len(words), len(own))
        inputs += words[:both]
        tags += own[:both]
    model = make_pipeline(DictVectorizer(), LogisticRegression(C=10.0, max_iter=1000))
    model.fit(inputs, tags)
    found = [" ".join(model.predict(features(sentence.split()))) for sentence in test[column]]
    return pd.DataFrame({ID: test[ID], TARGETS[0]: found})


if __name__ == "__main__":
    predictions(0).to_csv("predictions.csv", index=False)
