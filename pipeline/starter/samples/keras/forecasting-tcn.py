# %% [markdown]
# # Forecasts by a temporal convolutional network
# Causal convolutions look back only, and each block looks back twice as far as the one before (dilation): a few blocks
# see a long past, all steps at once, without recurrence. What is predicted is the change from the last known value.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "series.csv"
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TIME_COLUMN = "date"  # rows are put in its order; "" keeps the file's
TARGET = "value"
NUMBER_COLUMNS = []  # further series that help
SEQUENCE_LENGTH = 64  # steps that the model looks back on
HORIZON = 6  # steps that it forecasts
FILTERS = [32, 32, 32, 32]  # one block for each number; the n-th looks back 2 ** n steps at a time
KERNEL_SIZE = 3
DROPOUT = 0.1
TEST_SPLIT = 0.15
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 50
LEARNING_RATE = 0.002
PATIENCE = 6

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table():
    """Two rhythms of different length on a slow trend."""
    steps = max(1200, 8 * (SEQUENCE_LENGTH + HORIZON))
    print(f"NO FOLDER {DATA_DIR!r}: these are {steps} made-up steps, not your data.")
    rng = np.random.default_rng(42)
    times = np.arange(steps)
    table = pd.DataFrame({TIME_COLUMN or "date": pd.date_range("2020-01-01", periods=steps)})
    for number, name in enumerate([TARGET, *NUMBER_COLUMNS]):
        rhythms = 10 * np.sin(times / 4 + number) + 6 * np.sin(times / 11)
        table[name] = 100 + 0.01 * times + rhythms + rng.normal(size=steps)
    return table


def read_table():
    """TRAIN_FILE as a table, from CSV or Excel."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your series lies")
    if path.endswith((".xlsx", ".xlsm")):
        return pd.read_excel(path, **READ_OPTIONS).rename(columns=str)
    return pd.read_csv(path, **READ_OPTIONS).rename(columns=str)


table = synthetic_table() if SYNTHETIC else read_table()
columns = [TARGET, *NUMBER_COLUMNS]
for column in columns:
    if column not in table:
        raise SystemExit(f"{TRAIN_FILE} has no column {column!r}; it has {', '.join(table.columns[:20])}")
if TIME_COLUMN in table:
    times = pd.to_datetime(table[TIME_COLUMN], errors="coerce")
    if times.notna().all():  # where one is no date, the order of the file stands
        table = table.iloc[np.argsort(times.to_numpy(), kind="stable")]
series = table[columns].apply(pd.to_numeric, errors="coerce").ffill().bfill().to_numpy("float32")
NUM_FEATURES = series.shape[1]
if len(series) < 5 * (SEQUENCE_LENGTH + HORIZON):
    raise SystemExit(f"{len(series)} steps are too few for windows of {SEQUENCE_LENGTH} and {HORIZON} steps")

# %% Preprocessing
bounds = [0, int((1 - TEST_SPLIT - VALIDATION_SPLIT) * len(series)), int((1 - TEST_SPLIT) * len(series)), len(series)]
# Windows are seen from their last step on, so that a trend does not lead out of what the network knows.
spread = (series[SEQUENCE_LENGTH : bounds[1]] - series[: bounds[1] - SEQUENCE_LENGTH]).std(axis=0) + 1e-6


def part(start, end):
    """Past windows and future changes, both scaled, and the last known values, for forecasts within [start, end)."""
    ends = np.arange(max(start, SEQUENCE_LENGTH), end - HORIZON + 1)
    past = series[ends[:, None] + np.arange(-SEQUENCE_LENGTH, 0)]
    last = series[ends - 1]
    future = series[ends[:, None] + np.arange(HORIZON), 0]
    return (past - last[:, None]) / spread, (future - last[:, :1]) / spread[0], last[:, :1]


(x_train, y_train, _), (x_val, y_val, _), (x_test, y_test, last_test) = map(part, bounds[:-1], bounds[1:])
print(f"windows: {len(x_train)} for training, {len(x_val)} for validation, {len(x_test)} for the test")


# %% Model
def tcn_block(x, filters, dilation):
    """Two dilated causal convolutions, added to the input of the block."""
    residual = x if x.shape[-1] == filters else layers.Conv1D(filters, 1)(x)
    for _ in range(2):
        x = layers.Conv1D(filters, KERNEL_SIZE, padding="causal", dilation_rate=dilation, activation="relu")(x)
        x = layers.SpatialDropout1D(DROPOUT)(x)
    return layers.Add()([residual, x])


def build_model():
    """Blocks with growing dilation; the last step has seen them all and gives the forecast."""
    inputs = keras.Input(shape=(SEQUENCE_LENGTH, NUM_FEATURES))
    x = inputs
    for number, filters in enumerate(FILTERS):
        x = tcn_block(x, filters, dilation=2**number)
    last_step = x[:, -1, :]
    return keras.Model(inputs, layers.Dense(HORIZON)(last_step), name="tcn")


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="huber",
    metrics=["mean_absolute_error"],
)

# %% Train
callbacks = [
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True),
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=3),
]
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=callbacks,
    verbose=2,
)
model.save("model.keras")
np.save("spread.npy", spread)


# %% Evaluate
def predict(past):
    """The next HORIZON values after pieces of the past of shape (pieces, SEQUENCE_LENGTH, NUM_FEATURES), in units."""
    last = past[:, -1:]
    changes = model.predict((past - last) / spread, verbose=0)
    return changes * spread[0] + last[:, :, 0]


truth = y_test * spread[0] + last_test
forecast = model.predict(x_test, verbose=0) * spread[0] + last_test
print(f"MAPE: {mean_absolute_percentage_error(truth, forecast):.2%}")
print(
    f"held-out mean absolute error: {mean_absolute_error(truth, forecast):.4f} "
    f"(baseline, the last value goes on: {mean_absolute_error(truth, np.repeat(last_test, HORIZON, axis=1)):.4f})"
)

pd.DataFrame({TARGET: predict(series[None, -SEQUENCE_LENGTH:])[0]}).to_csv("predictions.csv", index_label="step")
print(f"predictions.csv: the next {HORIZON} steps after the last row")

# %% Show
plt.figure(figsize=(10, 4))
plt.plot(truth[:, -1], label="what came")
plt.plot(forecast[:, -1], label=f"forecast {HORIZON} steps before")
plt.xlabel("step of the test part")
plt.ylabel(TARGET)
plt.legend()
plt.tight_layout()
plt.savefig("forecast.png")
plt.show()
