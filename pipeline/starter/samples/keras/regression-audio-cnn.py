# %% [markdown]
# # A number from a recording
# A log-mel spectrogram is read by convolutions, whose findings are averaged over time; out comes a number. A table
# lists the WAV files with their numbers.

# %% Imports
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from scipy.io import wavfile
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "train.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
SOUNDS = "wavs/*"  # where the recordings lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TARGET = "value"
UNLABELLED = ""  # a table of recordings whose number is wanted
SAMPLE_RATE = 16000  # at most
CLIP_SECONDS = 3  # at most
MEL_BANDS = 64
FILTERS = [32, 64, 128]
HIDDEN_UNITS = 64
DROPOUT = 0.2
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 16
EPOCHS = 60
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    SAMPLE_RATE = min(SAMPLE_RATE, 4000)
    CLIP_SECONDS = min(CLIP_SECONDS, 1)
    MEL_BANDS = min(MEL_BANDS, 32)
    FILTERS = [min(filters, 24) for filters in FILTERS]
    EPOCHS = min(EPOCHS, 15)
    LEARNING_RATE = max(LEARNING_RATE, 0.003)


# %% Data: files
def made_up_folder(count=200):
    """Beats in noise; the number is how many there are in a second."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up recordings, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    table = pd.DataFrame({FILE_COLUMN: [f"{number}.wav" for number in range(count)]})
    table[TARGET] = rng.uniform(2, 12, size=count).round(2)
    length = int(SAMPLE_RATE * CLIP_SECONDS)
    time = np.arange(length) / SAMPLE_RATE
    for name, beats in zip(table[FILE_COLUMN], table[TARGET], strict=True):
        is_on = (time * beats + rng.uniform()) % 1 < 0.05 * beats  # a beat has the same length at any rate
        sound = is_on * np.sin(2 * np.pi * 0.12 * SAMPLE_RATE * time) + rng.normal(0, 0.05, size=length)
        path = os.path.join(folder, SOUNDS.replace("*", name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        wavfile.write(path, SAMPLE_RATE, (9000 * sound).astype("int16"))
    table.to_csv(os.path.join(folder, TABLE_FILE), index=False)
    return folder


def read_listed(name, needed):
    """The rows of a table that have a recording and no gap in the needed columns, with the recording's path."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    read = pd.read_excel if path.lower().endswith((".xlsx", ".xlsm")) and not SYNTHETIC else pd.read_csv
    table = read(path, dtype={FILE_COLUMN: str}, **({} if SYNTHETIC else READ_OPTIONS))
    if lacking := [column for column in needed if column not in table]:
        raise SystemExit(f"{name} has no column {lacking[0]!r}; it has {', '.join(table.columns[:20])}")
    table = table.dropna(subset=needed)
    table["path"] = [os.path.join(folder, SOUNDS.replace("*", cell.strip())) for cell in table[FILE_COLUMN]]
    table = table[table["path"].map(os.path.isfile)].reset_index(drop=True)
    if table.empty:
        raise SystemExit(f"{folder} has no recording {SOUNDS} as named in column {FILE_COLUMN!r}")
    return table


folder = made_up_folder() if SYNTHETIC else DATA_DIR
table = read_listed(TABLE_FILE, [FILE_COLUMN, TARGET])
numbers = table[TARGET].to_numpy(dtype="float32")
print(f"{len(table)} recordings; {TARGET}: {numbers.min():g} to {numbers.max():g}")

# %% Preprocessing
# Recordings of a lower rate, or all shorter, have nothing to show beyond their own.
recordings = [wavfile.read(path) for path in table["path"]]
SAMPLE_RATE = min(SAMPLE_RATE, max(rate for rate, _ in recordings))
CLIP_SECONDS = min(CLIP_SECONDS, max(len(samples) / rate for rate, samples in recordings))
LENGTH = int(SAMPLE_RATE * CLIP_SECONDS)
FRAME_LENGTH = 2 ** int(np.ceil(np.log2(0.025 * SAMPLE_RATE)))  # at least 25 ms
MEL = tf.signal.linear_to_mel_weight_matrix(MEL_BANDS, FRAME_LENGTH // 2 + 1, SAMPLE_RATE, 20.0, SAMPLE_RATE / 2)


def spectrogram(path):
    """The logarithmic mel spectrogram of a WAV file at one rate and length: (frames, MEL_BANDS, 1)."""
    rate, samples = wavfile.read(path)
    whole = np.issubdtype(samples.dtype, np.integer)
    samples = samples.astype("float32") / (np.iinfo(samples.dtype).max if whole else 1)
    samples = samples.mean(axis=1) if samples.ndim == 2 else samples
    if rate != SAMPLE_RATE:
        times = np.arange(int(len(samples) * SAMPLE_RATE / rate)) * rate / SAMPLE_RATE
        samples = np.interp(times, np.arange(len(samples)), samples)
    samples = np.pad(samples[:LENGTH], (0, max(0, LENGTH - len(samples)))).astype("float32")
    magnitudes = tf.abs(tf.signal.stft(samples, FRAME_LENGTH, FRAME_LENGTH // 2))
    return np.log(magnitudes @ MEL + 1e-3)[..., None]


train, test = train_test_split(np.arange(len(table)), test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
inputs = np.stack([spectrogram(path) for path in table["path"]])
mean, deviation = inputs[train].mean(), inputs[train].std() + 1e-6
inputs = (inputs - mean) / deviation
target_mean, target_deviation = numbers[train].mean(), numbers[train].std() + 1e-6
targets = (numbers - target_mean) / target_deviation
x_train, x_val, x_test = inputs[train], inputs[val], inputs[test]
y_train, y_val, y_test = targets[train], targets[val], targets[test]


# %% Model
def build_model():
    """Convolutions over time and pitch; mean and maximum over both go into a hidden layer and one number."""
    inputs = keras.Input(shape=x_train.shape[1:])
    x = inputs
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    x = layers.Dense(HIDDEN_UNITS, activation="relu")(x)
    x = layers.Dropout(DROPOUT)(x)
    return keras.Model(inputs, layers.Dense(1)(x))


model = build_model()
model.summary()

# %% Compile
model.compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss="mse", metrics=["mae"])

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)],
    verbose=2,
)
model.save("model.keras")
np.savez("scaling.npz", mean=mean, deviation=deviation, target_mean=target_mean, target_deviation=target_deviation)


# %% Evaluate
def predict(paths):
    """The number of each WAV file."""
    spectrograms = (np.stack([spectrogram(path) for path in paths]) - mean) / deviation
    return model.predict(spectrograms, verbose=0)[:, 0] * target_deviation + target_mean


predictions = predict(table["path"][test])
print(
    f"held-out mean absolute error: {np.mean(np.abs(predictions - numbers[test])):.4f} "
    f"(baseline, always the mean: {np.mean(np.abs(target_mean - numbers[test])):.4f})"
)

if UNLABELLED and not SYNTHETIC:
    new = read_listed(UNLABELLED, [FILE_COLUMN])
    new[TARGET] = predict(new["path"])
    new.drop(columns="path").to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
plt.figure(figsize=(5, 5))
plt.scatter(numbers[test], predictions)
plt.axline((target_mean, target_mean), slope=1, color="gray")
plt.xlabel(f"{TARGET}, true")
plt.ylabel(f"{TARGET}, predicted")
plt.tight_layout()
plt.savefig("predictions.png")
plt.show()
