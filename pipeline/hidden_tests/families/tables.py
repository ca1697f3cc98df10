"""Tables: real ones that scikit-learn ships, and made-up ones of numbers, categories and dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

from pipeline.hidden_tests.draw import Array, Draw
from pipeline.hidden_tests.layouts import as_tables
from pipeline.hidden_tests.task import TaskData


def shipped(
    draw: Draw, *, name: str, id: str, target: str, test_rows: int, classes: Sequence[str] = (), **how: Any
) -> TaskData:
    """A real table of scikit-learn (`iris`, `wine`, `breast_cancer`, `diabetes`, `digits`), its rows in another order.
    `classes` names them in the order of their numbers; `how` goes to `as_tables`."""
    # Diabetes in the units that were measured: scaled over all rows, the test's are known to the training rows.
    options = {"scaled": False} if name == "diabetes" else {}
    table = getattr(datasets, f"load_{name}")(as_frame=True, **options).frame.rename(columns={"target": target})
    table = table.iloc[draw.rng.permutation(len(table))].reset_index(drop=True)
    if classes:
        table[target] = np.array(classes)[table[target]]
    table.insert(0, id, np.arange(1, len(table) + 1))
    return as_tables(draw, table, [target], test_rows=test_rows, **how)


def mixed(
    draw: Draw,
    *,
    rows: int,
    test_rows: int,
    id: str,
    numbers: Mapping[str, Sequence[float]],
    targets: Mapping[str, Mapping[str, Any]],
    categories: Mapping[str, Sequence[str]] | None = None,
    many: Mapping[str, int] | None = None,
    date: str = "",
    product: bool = False,
    noise: float = 0.4,
    missing: float = 0.0,
    **how: Any,
) -> TaskData:
    """A table whose targets are weighted sums of its columns and noise.

    `numbers`: mean and deviation of each. `categories`: values of each. `many`: columns with so many different values.
    `date`: a column of days, with a yearly wave and quiet weekends. `product`: the first two numbers count by their
    product alone, which no linear model finds. `noise`: its deviation, where the signal's is 1. `missing`: the share of
    cells without a value. `targets`: how each one is made of its sum (`_target`).
    """
    rng = draw.rng
    table = pd.DataFrame({id: np.arange(1, rows + 1)})
    parts: list[Array] = []
    for name, (mean, deviation) in numbers.items():
        standard = rng.normal(size=rows)
        table[name] = (mean + deviation * standard).round(3)
        parts.append(standard)
    if product:
        parts[:2] = [2 * parts[0] * parts[1], np.zeros(rows)]
    values = {name: list(names) for name, names in (categories or {}).items()}
    values |= {name: [f"{name}_{number:03}" for number in range(count)] for name, count in (many or {}).items()}
    for name, names in values.items():
        codes = rng.integers(len(names), size=rows)
        table[name] = np.array(names)[codes]
        parts.append(rng.normal(size=len(names))[codes])
    if date:
        days = pd.Series(pd.date_range("2023-01-01", periods=rows, freq="D")).sample(
            frac=1, random_state=rng.integers(99)
        )
        days = days.reset_index(drop=True)
        table[date] = days.dt.strftime("%Y-%m-%d")
        parts.append(1.5 * np.sin(2 * np.pi * days.dt.dayofyear.to_numpy() / 365) - 1.5 * (days.dt.dayofweek >= 5))
    inputs = [name for name in table.columns if name not in (id, date)]
    for name, made in targets.items():
        # No weight near zero: every column says something.
        weights = rng.choice([-1, 1], size=len(parts)) * rng.uniform(0.6, 1.4, size=len(parts))
        signal = np.asarray(parts).T @ weights
        table[name] = _target(signal / signal.std() + noise * rng.normal(size=rows), **made)
    for name in inputs:
        # In the test too: whoever deploys a model meets gaps there.
        table[name] = table[name].mask(rng.random(rows) < missing)
    return as_tables(draw, table, list(targets), test_rows=test_rows, **how)


def _target(
    value: Array,
    *,
    classes: Sequence[Any] = (),
    shares: Sequence[float] = (),
    mean: float = 0.0,
    deviation: float = 1.0,
    skewed: bool = False,
) -> Array:
    """The target of a standardised value: one of `classes` by its rank, with the given or equal shares; or a number
    about `mean`, whose logarithm is meant where it is `skewed`."""
    if classes:
        edges = np.cumsum(shares or np.full(len(classes), 1 / len(classes)))[:-1]
        return np.array(classes)[np.digitize(value, np.quantile(value, edges))]
    if skewed:
        return (mean * np.exp(deviation * value)).round(2)
    return (mean + deviation * value).round(2)
