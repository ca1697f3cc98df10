# %% [markdown]
# # Classes of recordings that a table lists
# The table has a row for each WAV file, with its class. Recordings become logarithmic mel spectrograms of the rate and
# length that most of them have, and a small convolutional network tells their classes apart.

# %% Imports
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from scipy.io import wavfile
from sklearn.metrics import balanced_accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.class_weight import compute_class_weight
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "train.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
SOUNDS = "wavs/*"  # where the recordings lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TARGET = "label"
UNLABELLED = ""  # a table of recordings whose class is wanted
CLASS_NAMES = ["hum", "rattle"]  # of made-up data; real data bring their own
SAMPLE_RATE = 0  # in Hz; 0 takes the rate that most recordings have
CLIP_SECONDS = 0  # 0 takes the length that nine in ten recordings have at most
LONGEST_SECONDS = 10.0
MEL_BANDS = 48
DROPOUT = 0.3
BATCH_SIZE = 16
EPOCHS = 40
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 12)  # a smoke run; the full count is for real data


# %% Data: files
def made_up_folder(count=120, rate=4000):
    """Half a second of a tone in noise, which is switched on and off faster for each further class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up recordings, not your data.")
    rng, folder = np.random.default_rng(42), tempfile.mkdtemp()
    time = np.arange(rate // 2) / rate
    rows = []
    for number in range(count):
        kind = number % len(CLASS_NAMES)
        is_on = np.sin(2 * np.pi * 8 * (kind + 1) * time + rng.uniform(0, 6)) > 0
        sound = is_on * np.sin(2 * np.pi * rng.uniform(400, 600) * time) + 0.1 * rng.normal(size=len(time))
        rows.append({FILE_COLUMN: f"{number}.wav", TARGET: CLASS_NAMES[kind]})
        path = os.path.join(folder, SOUNDS.replace("*", f"{number}.wav"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        wavfile.write(path, rate, (8000 * sound).astype("int16"))
    pd.DataFrame(rows).to_csv(os.path.join(folder, TABLE_FILE), index=False)
    return folder


def listed(name, columns):
    """A table's rows, those left out whose recording is missing or that lack one of the columns' values."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    table = pd.read_csv(path, dtype=str, **({} if SYNTHETIC else READ_OPTIONS))
    absent = set(columns) - set(table.columns)
    if absent:
        raise SystemExit(f"{name} has no column {min(absent)!r}; it has {', '.join(table.columns[:20])}")
    table = table.dropna(subset=columns)
    paths = [os.path.join(folder, SOUNDS.replace("*", cell.strip())) for cell in table[FILE_COLUMN]]
    table = table.assign(path=paths)[[os.path.isfile(path) for path in paths]]
    if table.empty:
        raise SystemExit(f"{folder} has no recording {SOUNDS} as named in column {FILE_COLUMN!r}")
    return table.reset_index(drop=True)


def samples_of(path):
    """Rate, and samples of a WAV file between -1 and 1, its channels mixed."""
    rate, samples = wavfile.read(path)
    if samples.dtype == np.uint8:
        samples = (samples.astype("float32") - 128) / 128
    elif np.issubdtype(samples.dtype, np.integer):
        samples = samples / np.iinfo(samples.dtype).max
    return rate, samples.reshape(len(samples), -1).mean(axis=1)


folder = made_up_folder() if SYNTHETIC else DATA_DIR
table = listed(TABLE_FILE, [FILE_COLUMN, TARGET])
encoder = LabelEncoder()
labels = encoder.fit_transform(table[TARGET].str.strip())
class_names = encoder.classes_
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} of {TABLE_FILE} holds one class; at least two are needed")
sounds = [samples_of(path) for path in table["path"]]
rates = pd.Series([rate for rate, _ in sounds])
sample_rate = SAMPLE_RATE or int(rates.mode()[0])
seconds = CLIP_SECONDS or min(np.quantile([len(samples) / rate for rate, samples in sounds], 0.9), LONGEST_SECONDS)
print(f"{len(table)} recordings of {NUM_CLASSES} classes, read at {sample_rate} Hz, {seconds:.2f} s of each")

# %% Preprocessing
FRAME = 2 ** round(np.log2(0.03 * sample_rate))  # samples: about 30 ms
mel_filters = tf.signal.linear_to_mel_weight_matrix(MEL_BANDS, FRAME // 2 + 1, sample_rate, 20.0, sample_rate / 2)


def spectrogram(rate, samples):
    """The logarithmic mel spectrogram of a recording at the common rate and length: (frames, MEL_BANDS, 1)."""
    length = max(int(seconds * sample_rate), FRAME)
    if rate != sample_rate:
        samples = np.interp(np.arange(0, len(samples), rate / sample_rate), np.arange(len(samples)), samples)
    clip = np.zeros(length, "float32")
    clip[: min(length, len(samples))] = samples[:length]
    power = tf.abs(tf.signal.stft(clip, FRAME, FRAME // 4)) ** 2
    return np.log(power @ mel_filters + 1e-5)[..., None]


images = np.stack([spectrogram(*sound) for sound in sounds])
enough = np.bincount(labels).min() >= 3
rest, test = train_test_split(
    np.arange(len(labels)), test_size=0.2, random_state=42, stratify=labels if enough else None
)
train, val = train_test_split(rest, test_size=0.15, random_state=42, stratify=labels[rest] if enough else None)
weights = dict(enumerate(compute_class_weight("balanced", classes=np.arange(NUM_CLASSES), y=labels)))

# Each band by its own mean and spread over the training recordings: a machine's hum is louder than its faults.
normalize = layers.Normalization(axis=2)
normalize.adapt(images[train])


# %% Model
def build_model():
    """Blocks of convolutions over time and pitch, and the probability of each class."""
    clip = keras.Input(shape=images.shape[1:])
    x = normalize(clip)
    for filters in (16, 32, 64):
        x = layers.Conv2D(filters, 3, padding="same")(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.Activation("relu")(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Dropout(DROPOUT)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(clip, layers.Dense(NUM_CLASSES, activation="softmax")(x))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
history = model.fit(
    images[train],
    labels[train],
    validation_data=(images[val], labels[val]),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    class_weight=weights,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)],
    verbose=2,
)
model.save("model.keras")


# %% Evaluate
def predict(paths):
    """The class of each recording."""
    clips = np.stack([spectrogram(*samples_of(path)) for path in paths])
    return encoder.inverse_transform(model.predict(clips, verbose=0).argmax(axis=-1))


predicted = predict(table["path"][test])
truth = class_names[labels[test]]
print(classification_report(truth, predicted, zero_division=0))
print(
    f"held-out balanced accuracy: {balanced_accuracy_score(truth, predicted):.4f} "
    f"(baseline, always one class: {1 / len(set(truth)):.4f})"
)

if UNLABELLED and not SYNTHETIC:
    new = listed(UNLABELLED, [FILE_COLUMN])
    new[TARGET] = predict(new["path"])
    new.drop(columns="path").to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
figure, axes = plt.subplots(1, 3, figsize=(10, 3))
for axis, number, name in zip(axes, test, predicted, strict=False):
    axis.imshow(images[number, ..., 0].T, origin="lower", aspect="auto")
    axis.set_title(f"{name} ({class_names[labels[number]]})")
plt.suptitle("predicted (true)")
plt.tight_layout()
plt.savefig("spectrograms.png")
plt.show()
