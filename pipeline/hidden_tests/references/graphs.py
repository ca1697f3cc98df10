"""Graphs: nodes by their neighbours' features, whole graphs by their eigenvalues, links by common neighbours."""

import os

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ID = "index"
TARGETS = ["label"]
NODES = False
LINKS = False

DATA = os.environ["DATA_DIR"]


def of_nodes(seed):
    graph = np.load(os.path.join(DATA, "graph.npz"))
    adjacency = graph["adjacency"] + np.eye(len(graph["adjacency"]))
    step = adjacency / np.sqrt(np.outer(adjacency.sum(0), adjacency.sum(0)))
    inputs = np.concatenate([step @ graph["features"], step @ step @ graph["features"]], axis=1)
    nodes, labels = graph["train_nodes"], graph["train_labels"]
    chosen = np.random.default_rng(seed).permutation(len(nodes))[: int(0.9 * len(nodes))]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(inputs[nodes[chosen]], labels[chosen])
    return pd.DataFrame({ID: graph["test_nodes"], TARGETS[0]: model.predict(inputs[graph["test_nodes"]])})


def of_links(seed):
    friends, train, test = (pd.read_csv(os.path.join(DATA, f"{name}.csv")) for name in ("friends", "train", "test"))
    count = max(table[side].max() for table in (friends, train, test) for side in ("person_a", "person_b")) + 1
    adjacency = np.zeros((count, count))
    adjacency[friends["person_a"], friends["person_b"]] = 1
    adjacency += adjacency.T
    degrees = adjacency.sum(0)
    common = adjacency @ adjacency
    weighted = adjacency @ np.diag(1 / np.log(degrees + 2)) @ adjacency
    far = common @ adjacency

    def features(table):
        a, b = table["person_a"].to_numpy(), table["person_b"].to_numpy()
        return np.column_stack([common[a, b], weighted[a, b], far[a, b], degrees[a] * degrees[b]]) ** 0.5

    train = train.sample(frac=0.9, random_state=seed)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(features(train), train[TARGETS[0]])
    return pd.DataFrame({ID: test[ID], TARGETS[0]: model.predict_proba(features(test))[:, 1]})


def features(graphs):
    rows = []
    for graph in graphs.astype(float):
        degrees = np.sort(graph.sum(0))
        triangles = np.trace(graph @ graph @ graph) / 6
        rows.append(
            [*degrees, *np.linalg.eigvalsh(graph), *np.linalg.eigvalsh(np.diag(graph.sum(0)) - graph), triangles]
        )
    return np.array(rows)


def predictions(seed):
    if NODES:
        return of_nodes(seed)
    if LINKS:
        return of_links(seed)
    train, test = (np.load(os.path.join(DATA, f"{part}.npz")) for part in ("train", "test"))
    chosen = np.random.default_rng(seed).permutation(len(train["x"]))[: int(0.9 * len(train["x"]))]
    model = ExtraTreesClassifier(100, random_state=seed)
    model.fit(features(train["x"][chosen]), train[TARGETS[0]][chosen])
    return pd.DataFrame({ID: np.arange(len(test["x"])), TARGETS[0]: model.predict(features(test["x"]))})


if __name__ == "__main__":
    predictions(0).to_csv("predictions.csv", index=False)
