# %% [markdown]
# # The next values of a series
# A recurrent network looks back at a window of one or several series and predicts how the target goes on from its last
# value, so that a trend leads nowhere it has not been. The series is divided by time before windows are cut.

# %% Imports
import glob
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "series.csv"
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TARGETS = ["value"]
TIME_COLUMN = "date"  # rows are put in its order; "" keeps the file's
SERIES_COLUMNS = []  # further series that the network sees; their future is not known to it
SEQUENCE_LENGTH = 24
HORIZON = 1
BATCH_SIZE = 32
EPOCHS = 60
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 5)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table():
    """Waves with noise, one for each series."""
    rows = max(600, 8 * (SEQUENCE_LENGTH + HORIZON))
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up steps, not your data.")
    rng = np.random.default_rng(42)
    steps = np.arange(rows)
    waves = {
        name: np.sin(steps / (3 + number)) + 0.1 * rng.normal(size=rows)
        for number, name in enumerate([*TARGETS, *SERIES_COLUMNS])
    }
    return pd.DataFrame(waves)


def read_table(name):
    """A table of DATA_DIR: CSV, Parquet or Excel; a `*` in the name stands for files that continue each other."""
    path = os.path.join(DATA_DIR, name)
    paths = [path] if os.path.isfile(path) else sorted(glob.glob(path, recursive=True))
    if not paths:
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    tables = []
    for path in paths:
        if path.lower().endswith((".parquet", ".pq")):
            tables.append(pd.read_parquet(path))
        elif path.lower().endswith((".xlsx", ".xlsm")):
            tables.append(pd.read_excel(path, **READ_OPTIONS))
        else:
            tables.append(pd.read_csv(path, **READ_OPTIONS))
    table = pd.concat(tables, ignore_index=True)
    return table.rename(columns=lambda column: str(column).strip())


def in_order(table):
    """The rows in the order of time, where the column of time can be read as dates or numbers."""
    if TIME_COLUMN not in table:
        return table
    times = table[TIME_COLUMN]
    if not pd.api.types.is_numeric_dtype(times):
        times = pd.to_datetime(times, errors="coerce")
    return table if times.isna().any() else table.iloc[np.argsort(times.to_numpy(), kind="stable")]


table = in_order(synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE))
absent = [name for name in [*TARGETS, *SERIES_COLUMNS] if name not in table]
if absent:
    raise SystemExit(f"{TRAIN_FILE} has no column {absent[0]!r}; it has {', '.join(table.columns[:20])}")
# The target's own past stands first among the inputs. Gaps are filled in with the last value before them.
names = [*TARGETS, *SERIES_COLUMNS]
series = table[names].apply(pd.to_numeric, errors="coerce").ffill().bfill().to_numpy("float32")
NUM_FEATURES = series.shape[1]
NUM_TARGETS = len(TARGETS)
# A window needs room in each part of the series: a short series gets shorter windows.
SEQUENCE_LENGTH = max(2, min(SEQUENCE_LENGTH, len(series) // 10))
if len(series) < 10 * (HORIZON + 1) or np.isnan(series).any():
    raise SystemExit(f"{len(series)} steps, or a column without numbers: too little to forecast {HORIZON} steps")
print(f"{len(series)} steps of {NUM_FEATURES} series: {', '.join(names)}")

# %% Preprocessing
train_end, val_end = int(0.7 * len(series)), int(0.85 * len(series))


def windows(start, end):
    """Windows whose future lies in [start, end): their steps and the HORIZON steps of each target that follow, both
    from the last step on, and that last step."""
    x, y, last = [], [], []
    for step in range(max(start, SEQUENCE_LENGTH), end - HORIZON + 1):
        base = series[step - 1]
        x.append(series[step - SEQUENCE_LENGTH : step] - base)
        y.append((series[step : step + HORIZON, :NUM_TARGETS] - base[:NUM_TARGETS]).ravel())
        last.append(base[:NUM_TARGETS])
    return np.stack(x), np.stack(y), np.stack(last)


x_train, y_train, _ = windows(0, train_end)
x_val, y_val, _ = windows(train_end, val_end)
x_test, y_test, last_test = windows(val_end, len(series))

# Measured on the training part alone, so that nothing of the future leaks into the scales.
x_scale, y_scale = x_train.std(axis=(0, 1)) + 1e-6, y_train.std(axis=0) + 1e-6
x_train, x_val, x_test = x_train / x_scale, x_val / x_scale, x_test / x_scale
y_train, y_val, y_test = y_train / y_scale, y_val / y_scale, y_test / y_scale


# %% Model
def build_model():
    """A recurrent layer over the window, and an output for each step and target."""
    return keras.Sequential(
        [
            keras.Input(shape=(SEQUENCE_LENGTH, NUM_FEATURES)),
            layers.GRU(48),
            layers.Dense(32, activation="relu"),
            layers.Dense(HORIZON * NUM_TARGETS),
        ]
    )


model = build_model()
model.summary()
if model.output_shape[-1] != HORIZON * NUM_TARGETS:
    raise SystemExit(f"the model gives {model.output_shape[-1]} numbers; wanted are {HORIZON * NUM_TARGETS}")

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mean_squared_error",
    metrics=["mean_absolute_error"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)

history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[early_stopping],
    verbose=2,
)
model.save("model.keras")
np.savez("scaling.npz", x_scale=x_scale, y_scale=y_scale)


# %% Evaluate
def in_units(changes, last):
    """Scaled changes as values in the targets' own units: (windows, HORIZON, targets)."""
    return (changes * y_scale).reshape(-1, HORIZON, NUM_TARGETS) + last[:, None, :]


truth = in_units(y_test, last_test)
predicted = in_units(model.predict(x_test, verbose=0), last_test)
last = np.broadcast_to(last_test[:, None, :], truth.shape)
print(
    f"held-out mean absolute error: {mean_absolute_error(truth.ravel(), predicted.ravel()):.4f} "
    f"(baseline, the last value goes on: {mean_absolute_error(truth.ravel(), last.ravel()):.4f})"
)

# %% Evaluate: what comes next
window = (series[-SEQUENCE_LENGTH:] - series[-1]) / x_scale
future = in_units(model.predict(window[None], verbose=0), series[None, -1, :NUM_TARGETS])[0]
forecast = pd.DataFrame(future, columns=TARGETS)
forecast.insert(0, "step", np.arange(1, HORIZON + 1))
forecast.to_csv("predictions.csv", index=False)
print(f"predictions.csv: the next {HORIZON} steps after the last row")

# %% Show
plt.figure(figsize=(9, 4))
plt.plot(truth[:, 0, 0], label="true")
plt.plot(predicted[:, 0, 0], label="predicted, one step ahead")
plt.xlabel("step of the test part")
plt.ylabel(TARGETS[0])
plt.legend()
plt.tight_layout()
plt.savefig("forecast.png")
plt.show()
