"""What examples have to do with each other: users and items, pairs, graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from pipeline.hidden_tests.draw import Array, Draw, csv_file, npz_file, png_file
from pipeline.hidden_tests.layouts import as_arrays, as_tables
from pipeline.hidden_tests.task import TaskData


def ratings(
    draw: Draw,
    *,
    users: int,
    items: int,
    rows: int,
    test_rows: int,
    user: str,
    item: str,
    target: str,
    implicit: bool = False,
    ages: bool = False,
) -> TaskData:
    """Who rates what how: tastes of three dimensions, and users and items that are rated higher than others. Each pair
    is there once. `implicit`: 1 for what was bought, else 0. `ages`: a table of the users with a column that tells a
    part of their taste."""
    rng = draw.rng
    tastes, kinds = rng.normal(size=(users, 3)), rng.normal(size=(items, 3))
    cells = rng.choice(users * items, size=rows, replace=False)
    who, what = cells // items, cells % items
    liking = (tastes[who] * kinds[what]).sum(axis=1) / 1.7 + rng.normal(size=users)[who] + rng.normal(size=items)[what]
    liking = liking / 2 + 0.25 * rng.normal(size=rows)
    values: Array = (3 + 1.1 * liking).clip(1, 5).round(1)
    if implicit:
        values = (liking > 0.2).astype(int)
    table = pd.DataFrame({"row_id": np.arange(rows), user: [f"u{n:03}" for n in who], item: [f"i{n:03}" for n in what]})
    table[target] = values
    data = as_tables(draw, table, [target], test_rows=test_rows)
    if not ages:
        return data
    people = pd.DataFrame({user: [f"u{number:03}" for number in range(users)]})
    people["age"] = (40 + 12 * tastes[:, 0] + 3 * rng.normal(size=users)).round().clip(12, 90).astype(int)
    files = {**data.files, "users.csv": csv_file(people)}
    return TaskData(files=files, answers=data.answers, train_answers=data.train_answers)


def same_digit(draw: Draw, *, rows: int, test_rows: int, target: str, folder: str) -> TaskData:
    """Pairs of real digits; 1 where both are the same digit. Images of the test's pairs are in no training pair."""
    bunch = load_digits()
    order = draw.rng.permutation(len(bunch.images))
    pools = [order[:-400], order[-400:]]
    files: dict[str, bytes] = {}
    table = []
    for number in range(rows):
        pool = pools[number >= rows - test_rows]
        left = draw.rng.choice(pool)
        same = draw.rng.random() < 0.5
        fitting = pool[(bunch.target[pool] == bunch.target[left]) == same]
        right = draw.rng.choice(fitting[fitting != left])
        for example in (left, right):
            files[f"{folder}/{example:04}.png"] = png_file(bunch.images[example].repeat(2, 0).repeat(2, 1) / 16)
        table.append((number, f"{left:04}.png", f"{right:04}.png", int(same)))
    pairs = pd.DataFrame(table, columns=["pair", "left", "right", target])
    data = as_tables(draw, pairs, [target], test_rows=test_rows, train="train_pairs.csv", test="test_pairs.csv")
    return TaskData(files={**data.files, **files}, answers=data.answers, train_answers=data.train_answers)


def signatures(draw: Draw, *, rows: int, test_rows: int, target: str, size: int = 24) -> TaskData:
    """Pairs of feature vectors, x of shape (pairs, 2, size); 1 where both are by one writer, whose vectors lie close
    in a third of the dimensions only."""
    writers = draw.rng.normal(size=(200, size))
    telling = np.arange(size) < size // 3
    same = draw.rng.random(rows) < 0.5
    first = draw.rng.integers(200, size=rows)
    second = np.where(same, first, (first + draw.rng.integers(1, 200, size=rows)) % 200)
    pairs = np.stack([writers[first], writers[second]], axis=1)
    noise = draw.rng.normal(size=pairs.shape)
    pairs = np.where(telling, pairs + 0.35 * noise, noise).astype("float32").round(4)
    return as_arrays(draw, pairs, pd.DataFrame({target: same.astype(int)}), test_rows=test_rows)


def matches(draw: Draw, *, rows: int, test_rows: int, target: str, **how: Any) -> TaskData:
    """Records of two shops' catalogues, numbers and a brand each; 1 where they are the same product."""
    rng = draw.rng
    same = rng.random(rows) < 0.5
    brands = np.array("Nordal Kestrel Bravo Lumen Arco Tessa".split())
    brand = rng.integers(len(brands), size=rows)
    table = pd.DataFrame({"pair_id": np.arange(1, rows + 1), "brand_a": brands[brand]})
    table["brand_b"] = brands[np.where(same | (rng.random(rows) < 0.4), brand, rng.integers(len(brands), size=rows))]
    for name, mean in (("weight", 500.0), ("width", 30.0), ("price", 80.0)):
        value = mean * np.exp(0.35 * rng.normal(size=rows))
        other = np.where(same, value, mean * np.exp(0.35 * rng.normal(size=rows)))
        table[f"{name}_a"] = value.round(2)
        table[f"{name}_b"] = (other * np.exp(0.1 * rng.normal(size=rows))).round(2)
    table[target] = same.astype(int)
    return as_tables(draw, table, [target], test_rows=test_rows, **how)


def nodes(draw: Draw, *, count: int, test_rows: int, classes: int, target: str, features: int = 12) -> TaskData:
    """One graph with groups: adjacency, features that say little, classes of some nodes; the others are asked for."""
    rng = draw.rng
    groups = rng.integers(classes, size=count)
    near = np.where(groups[:, None] == groups[None, :], 0.12, 0.015)
    edges = np.triu(rng.random((count, count)) < near, 1)
    adjacency = (edges | edges.T).astype("uint8")
    centres = rng.normal(size=(classes, features))
    vectors = 0.5 * centres[groups] + rng.normal(size=(count, features))
    order = rng.permutation(count)
    learnt, asked = np.sort(order[:-test_rows]), np.sort(order[-test_rows:])
    files = {
        "graph.npz": npz_file(
            adjacency=adjacency,
            features=vectors.astype("float32").round(4),
            train_nodes=learnt,
            train_labels=draw.learnable(groups[learnt]),
            test_nodes=asked,
        )
    }
    answers = pd.DataFrame({"node": asked, target: groups[asked]})
    return TaskData(files=files, answers=answers, train_answers=pd.DataFrame({target: groups[learnt]}))


def rings_and_trees(draw: Draw, *, rows: int, test_rows: int, target: str, size: int = 14) -> TaskData:
    """Small graphs as adjacency matrices, nodes in any order: rings, trees, or two clusters with a bridge."""
    names = np.array(["ring", "tree", "clusters"])
    chosen = draw.rng.integers(3, size=rows)
    graphs = np.zeros((rows, size, size), dtype="uint8")
    for graph, number in zip(graphs, chosen, strict=True):
        for node in range(1, size):
            parent = node - 1 if number == 0 else draw.rng.integers(node)
            if number == 2:
                half = size // 2 * (node >= size // 2)
                parent = draw.rng.integers(half, node) if node > half else 0
            graph[node, parent] = 1
        graph[size - 1, 0] |= number == 0
        extra = draw.rng.integers(size, size=(2 if number < 2 else 8, 2))
        if number == 2:  # more edges within the halves
            extra = extra % (size // 2) + size // 2 * draw.rng.integers(2, size=(8, 1))
        graph[extra[:, 0], extra[:, 1]] = 1
        np.fill_diagonal(graph, 0)
        graph |= graph.T
        order = draw.rng.permutation(size)
        graph[:] = graph[order][:, order]
    return as_arrays(draw, graphs, pd.DataFrame({target: names[chosen]}), test_rows=test_rows)


def links(draw: Draw, *, count: int, rows: int, test_rows: int, target: str) -> TaskData:
    """Friendships in a network with groups: known ones as a list of edges, pairs with 0 and 1 to learn from, and pairs
    that are asked for. No pair that is asked for is in the list."""
    rng = draw.rng
    places = rng.normal(size=(count, 2))
    distance = np.linalg.norm(places[:, None] - places[None], axis=-1)
    friends = np.triu(rng.random((count, count)) < np.exp(-3 * distance), 1)
    yes, no = np.argwhere(friends), np.argwhere(np.triu(~friends, 1))
    yes, no = rng.permutation(yes), rng.permutation(no)
    pairs = np.concatenate([yes[: rows // 2], no[: rows - rows // 2]])
    labels = np.concatenate([np.ones(rows // 2, dtype=int), np.zeros(rows - rows // 2, dtype=int)])
    order = rng.permutation(rows)
    table = pd.DataFrame(pairs[order], columns=["person_a", "person_b"])
    table.insert(0, "pair_id", np.arange(1, rows + 1))
    table[target] = labels[order]
    data = as_tables(draw, table, [target], test_rows=test_rows)
    edges = pd.DataFrame(yes[rows // 2 :], columns=["person_a", "person_b"])
    files = {**data.files, "friends.csv": csv_file(edges)}
    return TaskData(files=files, answers=data.answers, train_answers=data.train_answers)
