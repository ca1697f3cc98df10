"""Users and items by means and a few factors, fitted in turns by least squares (Koren, Bell and Volinsky, 2009)."""

import os

import numpy as np
import pandas as pd

ID = "row_id"
TARGETS = ["rating"]
FACTORS = 3
WEIGHT = 1.0

DATA = os.environ["DATA_DIR"]


def fitted(own, other, values, count, factors):
    """For each of `count` rows the weights that explain its values by the other side's factors."""
    weights = np.zeros((count, factors.shape[1]))
    for row in range(count):
        chosen = own == row
        inputs = factors[other[chosen]]
        weights[row] = np.linalg.solve(inputs.T @ inputs + WEIGHT * np.eye(factors.shape[1]), inputs.T @ values[chosen])
    return weights


def predictions(seed):
    train, test = (pd.read_csv(os.path.join(DATA, f"{part}.csv")) for part in ("train", "test"))
    train = train.sample(frac=0.95, random_state=seed)
    user, item = [name for name in test if name != ID][:2]
    codes = {name: pd.Index(pd.concat([train[name], test[name]]).unique()) for name in (user, item)}
    users, items = (codes[name].get_indexer(train[name]) for name in (user, item))
    mean = train[TARGETS[0]].mean()
    values = train[TARGETS[0]].to_numpy() - mean
    rng = np.random.default_rng(seed)
    # The first factor of one side is 1, so that the other side's weight for it is a mean of its own.
    of_items = np.column_stack([np.ones(len(codes[item])), 0.3 * rng.normal(size=(len(codes[item]), FACTORS + 1))])
    for _ in range(12):
        of_users = fitted(users, items, values, len(codes[user]), of_items)
        of_users[:, 1] = 1
        rest = values - of_users[users, 0]
        of_items[:, 1:] = fitted(items, users, rest, len(codes[item]), of_users[:, 1:])
    asked_users, asked_items = (codes[name].get_indexer(test[name]) for name in (user, item))
    found = mean + (of_users[asked_users] * of_items[asked_items]).sum(axis=1)
    return pd.DataFrame({ID: test[ID], TARGETS[0]: found})


if __name__ == "__main__":
    predictions(0).to_csv("predictions.csv", index=False)
