# %% [markdown]
# # Gaits of a horse from a saddle sensor
# A stack of one-dimensional convolutions tells the gait of a horse from a few seconds of accelerometer and gyroscope
# readings taken under the saddle.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

SEQUENCE_LENGTH = 128
NUM_FEATURES = 6
NUM_CLASSES = 4
BATCH_SIZE = 64
EPOCHS = 30
LEARNING_RATE = 0.001

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data
def synthetic_data(count=400):
    """Noisy oscillations whose rhythm grows faster from class to class."""
    rng = np.random.default_rng(42)
    labels = rng.integers(0, NUM_CLASSES, count)
    time = np.linspace(0, 1, SEQUENCE_LENGTH).reshape(1, -1, 1)
    cycles = 2 + 2 * labels.reshape(-1, 1, 1)
    phases = rng.uniform(0, 2 * np.pi, (count, 1, NUM_FEATURES))
    noise = rng.normal(0, 0.3, (count, SEQUENCE_LENGTH, NUM_FEATURES))
    series = np.sin(2 * np.pi * cycles * time + phases) + noise
    return series.astype("float32"), labels, [f"gait {label}" for label in range(NUM_CLASSES)]


def load_data():
    """Windows, integer labels and class names from DATA_DIR/<gait>/*.csv, a row per time step and a column per axis."""
    if SYNTHETIC:
        print(f"No folder {DATA_DIR!r}: using synthetic readings.")
        return synthetic_data()
    class_names = sorted(folder.name for folder in Path(DATA_DIR).iterdir() if folder.is_dir())
    windows, labels = [], []
    for label, name in enumerate(class_names):
        for path in sorted(Path(DATA_DIR, name).glob("*.csv")):
            recording = pd.read_csv(path).to_numpy(dtype="float32")[:, :NUM_FEATURES]
            count = len(recording) // SEQUENCE_LENGTH
            windows.extend(recording[: count * SEQUENCE_LENGTH].reshape(count, SEQUENCE_LENGTH, NUM_FEATURES))
            labels.extend([label] * count)
    return np.stack(windows), np.array(labels), class_names


series, labels, class_names = load_data()
print(f"{len(series)} windows of shape {series.shape[1:]}, {len(class_names)} gaits")

# %% Preprocessing
x_train, x_test, train_labels, test_labels = train_test_split(series, labels, test_size=0.2, random_state=42)
x_train, x_val, train_labels, val_labels = train_test_split(x_train, train_labels, test_size=0.2, random_state=42)

mean = x_train.mean(axis=(0, 1))
spread = x_train.std(axis=(0, 1)) + 1e-6


def scale(windows):
    """Every axis with mean 0 and standard deviation 1, as measured on the training windows."""
    return (windows - mean) / spread


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, y_train = scale(x_train), encode_labels(train_labels)
x_val, y_val = scale(x_val), encode_labels(val_labels)
x_test, y_test = scale(x_test), encode_labels(test_labels)


# %% Model
def build_model():
    """Three convolutions with normalisation, averaged over time."""
    return keras.Sequential(
        [
            keras.Input(shape=(SEQUENCE_LENGTH, NUM_FEATURES)),
            layers.Conv1D(64, 8, activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling1D(2, padding="same"),
            layers.Conv1D(128, 5, activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling1D(2, padding="same"),
            layers.Conv1D(64, 3, activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling1D(),
            layers.Dropout(0.3),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
callbacks = [
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=6, restore_best_weights=True),
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


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


scores = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, verbose=0, return_dict=True)
print("Test:", {name: round(value, 4) for name, value in scores.items()})

predictions = predicted_classes(model.predict(x_test, batch_size=BATCH_SIZE, verbose=0))
print(
    classification_report(
        test_labels, predictions, labels=range(NUM_CLASSES), target_names=class_names, zero_division=0
    )
)

# %% Show
figure, axis = plt.subplots(figsize=(6, 6))
ConfusionMatrixDisplay.from_predictions(
    test_labels,
    predictions,
    labels=range(NUM_CLASSES),
    display_labels=class_names,
    xticks_rotation="vertical",
    colorbar=False,
    ax=axis,
)
axis.set_title("Which gaits are taken for which")
figure.savefig("gait_confusion.png", bbox_inches="tight")
plt.close(figure)
