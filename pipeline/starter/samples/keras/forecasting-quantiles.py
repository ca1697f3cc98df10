# %% [markdown]
# # A forecast with its uncertainty: quantiles
# Instead of one number the network gives several quantiles of what will come: with 0.1, 0.5 and 0.9 the middle one is
# the forecast, and the outer ones hold about 80% of the outcomes between them.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from tensorflow import keras
from tensorflow.keras import layers, ops

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "series.csv"
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TIME_COLUMN = "date"  # rows are put in its order; "" keeps the file's
TARGET = "value"
SEQUENCE_LENGTH = 48  # steps that the model looks back on
HORIZON = 12  # steps that it forecasts
QUANTILES = [0.1, 0.5, 0.9]
GRU_UNITS = 32
HIDDEN_UNITS = [64]
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.003
PATIENCE = 5

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 6)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_series():
    """A wave with noise that is small in its valleys and large on its hills."""
    steps = max(1000, 8 * SEQUENCE_LENGTH, 15 * HORIZON)
    print(f"NO FOLDER {DATA_DIR!r}: these are {steps} made-up steps, not your data.")
    rng = np.random.default_rng(42)
    wave = np.sin(2 * np.pi * np.arange(steps) / 24)
    dates = pd.date_range("2024-01-01", periods=steps, freq="h")
    return pd.DataFrame(
        {TIME_COLUMN or "date": dates, TARGET: 50 + 20 * wave + (3 + 2.5 * wave) * rng.normal(size=steps)}
    )


def read_series():
    """The table of TRAIN_FILE in the order of time."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your series lies")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    table = table.rename(columns=str)
    if TARGET not in table:
        raise SystemExit(f"{TRAIN_FILE} has no column {TARGET!r}; it has {', '.join(table.columns[:20])}")
    if TIME_COLUMN in table:
        times = pd.to_datetime(table[TIME_COLUMN], errors="coerce")
        if times.notna().all():  # where one is no date, the order of the file stands
            table = table.iloc[np.argsort(times.to_numpy(), kind="stable")]
    return table


table = synthetic_series() if SYNTHETIC else read_series()
values = pd.to_numeric(table[TARGET], errors="coerce").ffill().bfill().to_numpy("float32")
if len(values) * min(TEST_SPLIT, VALIDATION_SPLIT) <= HORIZON or len(values) < 4 * (SEQUENCE_LENGTH + HORIZON):
    raise SystemExit(
        f"{len(values)} steps are too few; lower SEQUENCE_LENGTH ({SEQUENCE_LENGTH}) or HORIZON ({HORIZON})"
    )

# %% Preprocessing
test_start = int(len(values) * (1 - TEST_SPLIT))
val_start = int(len(values) * (1 - TEST_SPLIT - VALIDATION_SPLIT))
mean, spread = values[:val_start].mean(), values[:val_start].std() + 1e-6
scaled = (values - mean) / spread


def windows(part):
    """Every run of SEQUENCE_LENGTH steps in a part of the series, and the HORIZON steps that follow it."""
    runs = np.lib.stride_tricks.sliding_window_view(part, SEQUENCE_LENGTH + HORIZON)
    return runs[:, :SEQUENCE_LENGTH, None], runs[:, SEQUENCE_LENGTH:]


# Validation and test look back into what lies before them, but forecast only steps of their own.
x_train, y_train = windows(scaled[:val_start])
x_val, y_val = windows(scaled[val_start - SEQUENCE_LENGTH : test_start])
x_test, y_test = windows(scaled[test_start - SEQUENCE_LENGTH :])
print(f"{len(x_train)} windows for training, {len(x_val)} for validation, {len(x_test)} for the test")


# %% Model
def build_model():
    """A GRU over the past, a dense layer, and for each step ahead one number for each quantile."""
    inputs = keras.Input(shape=(SEQUENCE_LENGTH, 1))
    x = layers.GRU(GRU_UNITS)(inputs)
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(HORIZON * len(QUANTILES))(x))


model = build_model()
model.summary()


# %% Compile
def quantile_loss(truth, outputs):
    """The pinball loss: too low costs a high quantile much, and too high a low one."""
    quantiles = ops.convert_to_tensor(QUANTILES, dtype="float32")
    outputs = ops.reshape(outputs, (-1, HORIZON, len(QUANTILES)))
    error = ops.expand_dims(truth, -1) - outputs
    return ops.mean(ops.maximum(quantiles * error, (quantiles - 1) * error), axis=-1)


model.compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss=quantile_loss)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)
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
np.savez("scaling.npz", mean=mean, spread=spread)


# %% Evaluate
def predict(past):
    """The quantiles of the steps after each piece of the past, in units; sorted, so that they never cross."""
    scaled_past = (np.asarray(past, dtype="float32") - mean) / spread
    outputs = model.predict(scaled_past[..., None], verbose=0).reshape(-1, HORIZON, len(QUANTILES))
    return np.sort(outputs, axis=-1) * spread + mean


def pinball(truth, quantiles):
    """The mean quantile loss over all steps, in units."""
    errors = truth[..., None] - quantiles
    return float(np.mean(np.maximum(np.array(QUANTILES) * errors, (np.array(QUANTILES) - 1) * errors)))


truth = y_test * spread + mean
forecast = predict(x_test[..., 0] * spread + mean)
inside = np.mean((truth >= forecast[..., 0]) & (truth <= forecast[..., -1]))
print(f"{inside:.1%} of the outcomes lie between the outer quantiles; {QUANTILES[-1] - QUANTILES[0]:.0%} are meant to")
# The baseline knows the training values and nothing of the recent past.
always = np.broadcast_to(np.quantile(values[:val_start], QUANTILES), forecast.shape)
print(
    f"held-out quantile error: {pinball(truth, forecast):.4f} "
    f"(baseline, the quantiles of all training values: {pinball(truth, always):.4f})"
)

future = pd.DataFrame(
    predict(values[None, -SEQUENCE_LENGTH:])[0], columns=[f"{TARGET} {share:g}" for share in QUANTILES]
)
future.insert(0, "step", np.arange(1, HORIZON + 1))
future.to_csv("predictions.csv", index=False)
print(f"predictions.csv: the next {HORIZON} steps after the last row")

# %% Show
shown = slice(0, len(truth), HORIZON)  # forecasts that follow each other without overlap
line = forecast[shown].reshape(-1, len(QUANTILES))
plt.figure(figsize=(10, 4))
plt.fill_between(np.arange(len(line)), line[:, 0], line[:, -1], alpha=0.3, label="between the outer quantiles")
plt.plot(line[:, len(QUANTILES) // 2], label="forecast")
plt.plot(truth[shown].ravel(), label="what came", linewidth=1)
plt.xlabel("step of the test part")
plt.ylabel(TARGET)
plt.legend()
plt.tight_layout()
plt.savefig("forecast.png")
plt.show()
