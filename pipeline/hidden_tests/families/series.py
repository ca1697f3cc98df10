"""Series: forecasts, windows of several channels, anomalies, remaining life."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.hidden_tests.draw import Array, Draw, csv_file, npz_file
from pipeline.hidden_tests.layouts import as_arrays, as_tables
from pipeline.hidden_tests.task import TaskData


def forecast(
    draw: Draw,
    *,
    steps: int,
    horizon: int,
    time: str,
    target: str,
    start: str,
    frequency: str,
    periods: Sequence[float],
    level: float,
    swing: float,
    trend: float = 0.0,
    noise: float = 0.2,
    drivers: Sequence[str] = (),
    history: str = "history.csv",
    future: str = "future.csv",
) -> TaskData:
    """A series of waves, a trend and noise: its history, and the next `horizon` times without the target. `drivers`
    are further columns that move it, known in the future too."""
    rng, count = draw.rng, steps + horizon
    now = np.arange(count)
    value = trend * now / count
    for period in periods:
        value = value + np.sin(2 * np.pi * now / period + rng.uniform(0, 6.3)) * rng.uniform(0.7, 1.2)
    table = pd.DataFrame({time: _times(start, count, frequency)})
    for name in drivers:
        driver = _smooth(draw, count, 5)
        table[name] = driver.round(3)
        value = value + driver
    table[target] = (level + swing * (value + noise * rng.normal(size=count))).round(2)
    return _parted(draw, table, [target], steps, history, future)


def stores(
    draw: Draw, *, names: Sequence[str], days: int, horizon: int, target: str, history: str, future: str
) -> TaskData:
    """Daily sales of several shops, a row for each shop and day: a week's pattern of their own and a common trend."""
    parts = []
    dates = _times("2024-01-01", days + horizon, "D")
    now = np.arange(days + horizon)
    for name in names:
        week = draw.rng.uniform(0.6, 1.4, size=7)
        sales = draw.rng.uniform(50, 200) * week[now % 7] * (1 + 0.3 * now / days)
        sales = sales * np.exp(0.06 * draw.rng.normal(size=len(now)))
        parts.append(pd.DataFrame({"shop": name, "date": dates, target: sales.round(1)}))
    table = pd.concat(parts, ignore_index=True).sort_values(["date", "shop"], ignore_index=True)
    table.insert(0, "row_id", np.arange(len(table)))
    return _parted(draw, table, [target], days * len(names), history, future, groups=len(names))


def motions(
    draw: Draw,
    *,
    rows: int,
    test_rows: int,
    names: Sequence[str],
    target: str,
    channels: int,
    steps: int = 48,
    shares: Sequence[float] | None = None,
    noise: float = 0.6,
) -> TaskData:
    """Windows of several channels, each class with rhythms of its own at any phase."""
    classes = len(names)
    rhythms = draw.rng.uniform(1.5, 9.0, size=(classes, channels))
    strengths = draw.rng.uniform(0.5, 1.5, size=(classes, channels))
    chosen = draw.rng.choice(classes, size=rows, p=shares)
    now = np.arange(steps) / steps
    windows = np.empty((rows, steps, channels), dtype="float32")
    for row, number in enumerate(chosen):
        phases = draw.rng.uniform(0, 6.3, size=channels)
        speed = draw.rng.uniform(0.9, 1.1)
        wave = strengths[number] * np.sin(2 * np.pi * speed * now[:, None] * rhythms[number] + phases)
        windows[row] = wave + noise * draw.rng.normal(size=(steps, channels))
    return as_arrays(draw, windows.round(4), pd.DataFrame({target: np.array(names)[chosen]}), test_rows=test_rows)


def beats(draw: Draw, *, rows: int, test_rows: int, target: str, steps: int = 60) -> TaskData:
    """Heart beats, a row of readings each: normal, early, or with a wide wave. Beats lie anywhere in their window."""
    names = np.array(["normal", "early", "wide"])
    chosen = draw.rng.choice(3, size=rows, p=[0.6, 0.2, 0.2])
    now = np.arange(steps)
    readings = np.empty((rows, steps))
    for row, number in enumerate(chosen):
        middle = draw.rng.uniform(22, 38)
        width = 4.5 if number == 2 else 2.0
        early = 14 if number == 1 else 20
        beat = np.exp(-(((now - middle) / width) ** 2)) + 0.3 * np.exp(-(((now - middle + early) / 3) ** 2))
        beat += 0.35 * np.exp(-(((now - middle - 13) / 4) ** 2))
        readings[row] = beat * draw.rng.uniform(0.8, 1.2) + 0.08 * draw.rng.normal(size=steps)
    table = pd.DataFrame(readings.round(4), columns=[f"t{number}" for number in now])
    table.insert(0, "beat_id", np.arange(1, rows + 1))
    table[target] = names[chosen]
    return as_tables(draw, table, [target], test_rows=test_rows)


def odd_windows(
    draw: Draw, *, rows: int, test_rows: int, target: str, channels: int = 2, steps: int = 40, share: float = 0.2
) -> TaskData:
    """Normal windows to learn from, and windows of which some have a jump, a dropout or another rhythm. There are no
    targets to learn from, so that the control changes the answers' places."""
    rng = draw.rng
    odd = np.concatenate([np.zeros(rows - test_rows, dtype=bool), rng.random(test_rows) < share])
    now = np.arange(steps) / steps
    windows = np.empty((rows, steps, channels), dtype="float32")
    for row in range(rows):
        rhythm = 3.0 if not odd[row] else rng.choice([3.0, 5.0])
        wave = np.sin(2 * np.pi * rhythm * now[:, None] + rng.uniform(0, 6.3) + np.arange(channels))
        if odd[row] and rhythm == 3.0:
            first = rng.integers(steps - 10)
            wave[first : first + 10, rng.integers(channels)] = rng.choice([0.0, 1.6])
        windows[row] = wave + 0.2 * rng.normal(size=(steps, channels))
    count = rows - test_rows
    files = {"train.npz": npz_file(x=windows[:count].round(4)), "test.npz": npz_file(x=windows[count:].round(4))}
    scores = draw.learnable(odd[count:].astype(int))
    return TaskData(
        files=files,
        answers=pd.DataFrame({"index": np.arange(test_rows), target: scores}),
        train_answers=pd.DataFrame({target: np.zeros(count, dtype=int)}),
    )


def odd_readings(
    draw: Draw, *, steps: int, test_steps: int, sensors: Sequence[str], time: str, target: str
) -> TaskData:
    """A table of sensors that move together: a normal stretch, then one in which a sensor now and then goes its own
    way. As in `odd_windows` there are no targets to learn from."""
    rng, count = draw.rng, steps + test_steps
    common = _smooth(draw, count, 9)
    odd = np.zeros(count, dtype=int)
    for first in rng.choice(np.arange(steps, count - 6, 12), size=test_steps // 60, replace=False):
        odd[first : first + 6] = 1
    table = pd.DataFrame({time: _times("2025-03-01", count, "min")})
    for number, name in enumerate(sensors):
        reading = 20 + 5 * number + (3 + number) * common + 0.4 * rng.normal(size=count)
        if number == 1:
            reading = reading + odd * rng.choice([-4.0, 4.0], size=count)
        table[name] = reading.round(3)
    asked = table.iloc[steps:].reset_index(drop=True)
    answers = asked[[time]].assign(**{target: draw.learnable(odd[steps:])})
    return TaskData(
        files={"normal.csv": csv_file(table.iloc[:steps]), "test.csv": csv_file(asked)},
        answers=answers,
        train_answers=pd.DataFrame({target: np.zeros(steps, dtype=int)}),
    )


def wear(draw: Draw, *, rows: int, test_rows: int, target: str, steps: int = 30, sensors: int = 4) -> TaskData:
    """The last readings of machines that wear out: the nearer the end, the steeper they drift."""
    left = draw.rng.uniform(0, 120, size=rows)
    drift = draw.rng.uniform(0.5, 1.5, size=sensors) * draw.rng.choice([-1, 1], size=sensors)
    now = np.arange(steps)
    age = np.exp(-(left[:, None] + steps - now[None, :]) / 45)
    windows = 4 * age[:, :, None] * drift + 0.25 * draw.rng.normal(size=(rows, steps, sensors))
    targets = pd.DataFrame({target: left.round(1)})
    return as_arrays(draw, windows.astype("float32").round(4), targets, test_rows=test_rows)


def _parted(
    draw: Draw, table: pd.DataFrame, targets: list[str], steps: int, history: str, future: str, groups: int = 1
) -> TaskData:
    """A table cut in time. The last value is a trivial rule too: of a series, and of each of several."""
    past, asked = table.iloc[:steps].copy(), table.iloc[steps:].reset_index(drop=True)
    answers = asked[[table.columns[0], *targets]]
    train_answers = past[targets].copy()
    last = answers.copy()
    for target in targets:
        newest = past[target].to_numpy()[-groups:]
        last[target] = np.resize(newest, len(asked))
        past[target] = draw.learnable(past[target].to_numpy())
    return TaskData(
        files={history: csv_file(past), future: csv_file(asked.drop(columns=targets))},
        answers=answers,
        train_answers=train_answers,
        further_trivial=(last,),
    )


def _smooth(draw: Draw, count: int, width: int) -> Array:
    """Noise that changes slowly, with deviation 1."""
    noise = np.convolve(draw.rng.normal(size=count + width - 1), np.ones(width) / width, mode="valid")
    smooth: Array = noise / noise.std()
    return smooth


def _times(start: str, count: int, frequency: str) -> Any:
    form = "%Y-%m-%d" if frequency in ("D", "W", "MS") else "%Y-%m-%d %H:%M"
    return pd.date_range(start, periods=count, freq=frequency).strftime(form)
