# %% [markdown]
# # Unusual windows of a series by a convolutional autoencoder
# Convolutions along the steps squeeze a window and restore it. The network has seen normal windows alone: what it
# restores worse than nearly all of those is flagged.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "series.csv"  # a row for each moment, in order
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TIME_COLUMN = ""  # "" where the rows lie in order
NUMBER_COLUMNS = []  # the channels; where none is named, all other columns of numbers
TARGET = "anomaly"  # where there is such a column: 1 for unusual moments, which only the test needs
NUM_FEATURES = 3  # channels of made-up data; those of real data are counted
SEQUENCE_LENGTH = 128  # steps of a window
STRIDE = 32  # steps from one window to the next
FILTERS = [32, 16]
KERNEL_SIZE = 7
DROPOUT = 0.1
QUANTILE = 0.99  # the share of normal windows that are not to be flagged
VALIDATION_SPLIT = 0.2
TEST_SPLIT = 0.3
BATCH_SIZE = 32
EPOCHS = 60
LEARNING_RATE = 0.001
PATIENCE = 8

SYNTHETIC = not os.path.isdir(DATA_DIR)
STRIDE = max(1, min(STRIDE, SEQUENCE_LENGTH // 4))

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 12)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)
    LEARNING_RATE = max(LEARNING_RATE, 0.003)


# %% Data: files
def made_up_table():
    """Steady waves; towards the end some stretches lose their rhythm and stay within the usual range."""
    steps = 240 * STRIDE + SEQUENCE_LENGTH
    print(f"NO FOLDER {DATA_DIR!r}: these are {steps} made-up steps, not your data.")
    rng = np.random.default_rng(SEED)
    moments, unusual = np.arange(steps), np.zeros(steps, dtype=int)
    for start in range(int(0.74 * steps), steps - SEQUENCE_LENGTH, 3 * SEQUENCE_LENGTH):
        unusual[start : start + SEQUENCE_LENGTH] = 1
    columns = {}
    for number, name in enumerate(NUMBER_COLUMNS or [f"channel_{count + 1}" for count in range(NUM_FEATURES)]):
        wave = np.sin(moments / 4 + number) + 0.1 * rng.normal(size=steps)
        columns[name] = np.where(unusual, rng.permutation(wave), wave)
    return pd.DataFrame({**columns, TARGET: unusual})


def read_table():
    """The rows of TRAIN_FILE in the order of time."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your series lies")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    table = table.rename(columns=str)
    if not TIME_COLUMN:
        return table
    if TIME_COLUMN not in table:
        raise SystemExit(f"{TRAIN_FILE} has no column {TIME_COLUMN!r}; it has {', '.join(table.columns[:20])}")
    return table.sort_values(TIME_COLUMN, kind="stable").reset_index(drop=True)


table = made_up_table() if SYNTHETIC else read_table()
known = pd.to_numeric(table[TARGET], errors="coerce").fillna(0).to_numpy() > 0 if TARGET in table else None
if not NUMBER_COLUMNS:
    NUMBER_COLUMNS = [name for name in table.select_dtypes("number") if name not in (TARGET, TIME_COLUMN)]
absent = [name for name in NUMBER_COLUMNS if name not in table]
if absent or not NUMBER_COLUMNS:
    raise SystemExit(f"{TRAIN_FILE} lacks {absent or 'columns of numbers'}; it has {', '.join(table.columns[:20])}")
values = table[NUMBER_COLUMNS].apply(pd.to_numeric, errors="coerce").ffill().bfill().to_numpy("float32")
NUM_FEATURES = values.shape[1]
starts = np.arange(0, len(values) - SEQUENCE_LENGTH + 1, STRIDE)
if len(starts) < 10:
    raise SystemExit(f"{len(values)} rows give {len(starts)} windows of {SEQUENCE_LENGTH}; lower SEQUENCE_LENGTH")

# %% Preprocessing
# The end of the recording is the test; of what comes before it, only normal windows are learned from.
labels = np.zeros(len(starts), dtype=bool)
if known is not None:
    labels = np.array([known[start : start + SEQUENCE_LENGTH].mean() > 0.25 for start in starts])
test_from = int((1 - TEST_SPLIT) * len(starts))
normal = starts[:test_from][~labels[:test_from]]
train_starts, val_starts = np.split(normal, [int((1 - VALIDATION_SPLIT) * len(normal))])
learned = values[: train_starts[-1] + SEQUENCE_LENGTH]
mean, spread = learned.mean(axis=0), learned.std(axis=0) + 1e-6


def windows_at(places):
    """Scaled windows: (windows, SEQUENCE_LENGTH, NUM_FEATURES)."""
    return (np.stack([values[place : place + SEQUENCE_LENGTH] for place in places]) - mean) / spread


x_train, x_val, x_test = windows_at(train_starts), windows_at(val_starts), windows_at(starts[test_from:])
test_labels = labels[test_from:]
print(f"{len(x_train)} normal windows of {NUM_FEATURES} channels to learn from, {len(x_test)} for the test")


# %% Model
def build_model():
    """Convolutions that halve the steps, and transposed ones that double them again."""
    inputs = keras.Input(shape=(SEQUENCE_LENGTH, NUM_FEATURES))
    x = inputs
    for filters in FILTERS:
        x = layers.Conv1D(filters, KERNEL_SIZE, strides=2, padding="same", activation="relu")(x)
    encoded = layers.Dropout(DROPOUT)(x)
    x = encoded
    for filters in reversed(FILTERS):
        x = layers.Conv1DTranspose(filters, KERNEL_SIZE, strides=2, padding="same", activation="relu")(x)
    decoded = layers.Conv1D(NUM_FEATURES, KERNEL_SIZE, padding="same")(x)
    # Halves are rounded up on the way down, so that there may be steps too many.
    outputs = layers.Cropping1D((0, decoded.shape[1] - SEQUENCE_LENGTH))(decoded)
    return keras.Model(inputs, outputs, name="autoencoder")


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mean_squared_error",
    metrics=["mean_absolute_error"],
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
def predict(windows):
    """How badly each window is restored: its mean squared difference."""
    return np.square(windows - model.predict(windows, verbose=0)).mean(axis=(1, 2))


# The threshold comes from normal windows that the model has not learned from.
threshold = float(np.quantile(predict(x_val), QUANTILE))
np.savez("scaling.npz", mean=mean, spread=spread, threshold=threshold)
errors = predict(x_test)
flagged = errors > threshold
print(f"threshold {threshold:.4f}: {flagged.sum()} of {len(flagged)} windows flagged")
if 0 < test_labels.sum() < len(test_labels):
    precision, recall, f1, _ = precision_recall_fscore_support(test_labels, flagged, average="binary", zero_division=0)
    print(f"precision {precision:.4f}, recall {recall:.4f}, F1 {f1:.4f}")
    swings = np.square(x_test).mean(axis=(1, 2))
    print(
        f"held-out area under the ROC curve: {roc_auc_score(test_labels, errors):.4f} "
        f"(baseline, how far a window swings: {roc_auc_score(test_labels, swings):.4f})"
    )
found = pd.DataFrame({"first row": starts[test_from:], "error": errors, "flagged": flagged})
found.to_csv("predictions.csv", index=False)
print(f"predictions.csv: the error of the last {len(found)} windows")

# %% Show
plt.figure(figsize=(10, 3))
plt.plot(found["first row"], found["error"], label="reconstruction error")
plt.axhline(threshold, color="black", linewidth=1, label="threshold")
plt.fill_between(found["first row"], 0, errors.max(), where=test_labels, alpha=0.2, label="known anomaly")
plt.xlabel("first row of the window")
plt.legend()
plt.tight_layout()
plt.savefig("anomalies.png")
plt.show()
