# %% [markdown]
# # Anomalies in a series by an LSTM autoencoder
# An encoder squeezes a window of the series into a few numbers, a decoder restores the window from them. Trained on a
# stretch without anomalies it restores what is usual; where the error is above the threshold, something is not.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "series.csv"
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TIME_COLUMN = "date"  # rows are put in its order; "" keeps the file's
NUMBER_COLUMNS = []  # the series to watch; where none is named, all columns of numbers
TARGET = "anomaly"  # 1 for rows that are known to be anomalies; the test uses it where the column is there
SEQUENCE_LENGTH = 24  # steps of a window
LSTM_UNITS = 32
LATENT_DIM = 8
QUANTILE = 0.99  # the share of validation windows that are not to be flagged
TRAIN_SHARE = 0.5  # the first part of the series, taken for normal
VALIDATION_SPLIT = 0.2  # of that part, at its end
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.005
PATIENCE = 5

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table():
    """Waves; in the second half some stretches lose their rhythm without leaving the usual range."""
    steps = max(1200, 14 * SEQUENCE_LENGTH)
    print(f"NO FOLDER {DATA_DIR!r}: these are {steps} made-up steps, not your data.")
    rng = np.random.default_rng(42)
    times, odd = np.arange(steps), np.zeros(steps, dtype=int)
    for start in rng.integers(int(0.6 * steps), steps - 30, size=6):
        odd[start : start + 20] = 1
    table = pd.DataFrame({TIME_COLUMN or "date": pd.date_range("2024-01-01", periods=steps, freq="h")})
    for number, name in enumerate(NUMBER_COLUMNS or ["sensor_1", "sensor_2"]):
        wave = np.sin(2 * np.pi * (times + 3 * number) / 24)
        table[name] = np.where(odd, rng.uniform(-1, 1, size=steps), wave) + 0.1 * rng.normal(size=steps)
    return table.assign(**{TARGET: odd})


def read_table():
    """The rows of TRAIN_FILE in the order of time."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your series lies")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    table = table.rename(columns=str)
    if TIME_COLUMN in table:
        times = pd.to_datetime(table[TIME_COLUMN], errors="coerce")
        if times.notna().all():  # where one is no date, the order of the file stands
            table = table.iloc[np.argsort(times.to_numpy(), kind="stable")]
    return table.reset_index(drop=True)


table = synthetic_table() if SYNTHETIC else read_table()
if not NUMBER_COLUMNS:
    NUMBER_COLUMNS = [name for name in table.select_dtypes("number") if name not in (TARGET, TIME_COLUMN)]
absent = [name for name in NUMBER_COLUMNS if name not in table]
if absent or not NUMBER_COLUMNS:
    raise SystemExit(f"{TRAIN_FILE} lacks {absent or 'columns of numbers'}; it has {', '.join(table.columns[:20])}")
values = table[NUMBER_COLUMNS].apply(pd.to_numeric, errors="coerce").ffill().bfill().to_numpy("float32")
NUM_FEATURES = values.shape[1]

# %% Preprocessing
test_start = int(TRAIN_SHARE * len(values))
val_start = int((1 - VALIDATION_SPLIT) * test_start)
if test_start - val_start <= SEQUENCE_LENGTH:
    raise SystemExit(f"{len(values)} steps are too few for windows of {SEQUENCE_LENGTH}; lower SEQUENCE_LENGTH")

is_odd = np.zeros(len(values), dtype=int)
if TARGET in table:
    is_odd = pd.to_numeric(table[TARGET], errors="coerce").fillna(0).to_numpy() > 0
normal = ~is_odd[:val_start].astype(bool)
mean, spread = values[:val_start][normal].mean(axis=0), values[:val_start][normal].std(axis=0) + 1e-6
scaled = (values - mean) / spread


def windows(start, end):
    """All windows within a part: (windows, SEQUENCE_LENGTH, NUM_FEATURES)."""
    views = np.lib.stride_tricks.sliding_window_view(scaled[start:end], SEQUENCE_LENGTH, axis=0)
    return views.transpose(0, 2, 1).copy()


def without_anomalies(start, end):
    """The windows of a part in which no row is a known anomaly."""
    odd = np.lib.stride_tricks.sliding_window_view(is_odd[start:end], SEQUENCE_LENGTH).any(axis=1)
    return windows(start, end)[~odd]


x_train, x_val = without_anomalies(0, val_start), without_anomalies(val_start, test_start)
print(f"{len(x_train)} normal windows of {NUM_FEATURES} series, {is_odd[test_start:].sum()} odd steps in the test")


# %% Model
def build_model():
    """An LSTM encoder down to LATENT_DIM numbers, and an LSTM decoder that restores the window."""
    inputs = keras.Input(shape=(SEQUENCE_LENGTH, NUM_FEATURES))
    x = layers.LSTM(LSTM_UNITS)(inputs)
    encoded = layers.Dense(LATENT_DIM, activation="tanh")(x)
    x = layers.RepeatVector(SEQUENCE_LENGTH)(encoded)
    decoded = layers.LSTM(LSTM_UNITS, return_sequences=True)(x)
    outputs = layers.TimeDistributed(layers.Dense(NUM_FEATURES))(decoded)
    return keras.Model(inputs, outputs, name="autoencoder")


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mean_absolute_error",
    metrics=["mean_squared_error"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)
history = model.fit(
    x_train,
    x_train,
    validation_data=(x_val, x_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[early_stopping],
    verbose=2,
)
model.save("model.keras")


# %% Evaluate
def step_errors(start, end):
    """How badly each step is restored: the mean over all windows that it lies in."""
    x = windows(start, end)
    errors = np.abs(x - model.predict(x, verbose=0)).mean(axis=2)
    total, count = np.zeros(end - start), np.zeros(end - start)
    for place in range(SEQUENCE_LENGTH):
        total[place : place + len(x)] += errors[:, place]
        count[place : place + len(x)] += 1
    return total / count


def predict(start, end):
    """The error of each step of a part, and whether it is flagged."""
    errors = step_errors(start, end)
    return pd.DataFrame({"error": errors, "flagged": errors > THRESHOLD}, index=table.index[start:end])


THRESHOLD = float(np.quantile(step_errors(val_start, test_start), QUANTILE))
np.savez("scaling.npz", mean=mean, spread=spread, threshold=THRESHOLD)
found = predict(test_start, len(values))
truth = is_odd[test_start:]
print(f"threshold {THRESHOLD:.4f}: {found['flagged'].sum()} of {len(found)} steps flagged")
if truth.any():
    print(f"precision {precision_score(truth, found['flagged'], zero_division=0):.4f}, ", end="")
    print(f"recall {recall_score(truth, found['flagged']):.4f}, F1 {f1_score(truth, found['flagged']):.4f}")
    # The baseline sees single values only: how far each lies from the mean.
    distance = np.abs(scaled[test_start:]).mean(axis=1)
    print(
        f"held-out average precision: {average_precision_score(truth, found['error']):.4f} "
        f"(baseline, the distance from the mean: {average_precision_score(truth, distance):.4f})"
    )
table.iloc[test_start:].join(found).to_csv("predictions.csv", index=False)
print(f"predictions.csv: the error of each of the last {len(found)} steps")

# %% Show
fig, axes = plt.subplots(2, 1, figsize=(11, 5), sharex=True)
axes[0].plot(found.index, values[test_start:])
axes[0].set(ylabel="value")
axes[1].plot(found.index, found["error"], label="error")
axes[1].axhline(THRESHOLD, color="black", linewidth=1, label="threshold")
axes[1].fill_between(found.index, 0, found["error"].max(), where=truth, alpha=0.2, label="known anomaly")
axes[1].set(xlabel="step", ylabel="reconstruction error")
axes[1].legend()
fig.tight_layout()
plt.savefig("anomalies.png")
plt.show()
