# %% [markdown]
# # Classes of multichannel windows by CNN and LSTM
# Recordings of several channels are cut into windows. Convolutions find short patterns across all channels, an LSTM
# follows how these patterns go on through the window. Any number of steps and channels will do.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
INPUT_FILE = "X_train.npy"  # windows: (examples, steps, channels)
TARGET_FILE = "y_train.npy"  # the class of each window
HELD_OUT_INPUT_FILE = "X_test.npy"  # windows for the test; where the file is missing, they are split off
HELD_OUT_TARGET_FILE = "y_test.npy"
CLASS_NAMES = []  # names of the classes in their order; without them, classes are shown as they stand in the file
SEQUENCE_LENGTH = 128  # steps and channels of made-up windows; of real ones they are counted
NUM_FEATURES = 9
FILTERS = [32, 64]
KERNEL_SIZE = 5
LSTM_UNITS = 64
DROPOUT = 0.4
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 64
EPOCHS = 30
LEARNING_RATE = 0.001
PATIENCE = 5

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 6)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_windows(count=400, classes=4):
    """Each class has a rhythm of its own in every channel; phases and noise differ from window to window."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up windows, not your data.")
    rng = np.random.default_rng(42)
    labels = rng.integers(len(CLASS_NAMES) or classes, size=count)
    rhythms = rng.uniform(2, 12, size=(labels.max() + 1, NUM_FEATURES))
    times = np.linspace(0, 2 * np.pi, SEQUENCE_LENGTH)[None, :, None]
    waves = np.sin(rhythms[labels][:, None, :] * times + rng.uniform(0, 6, size=(count, 1, NUM_FEATURES)))
    return waves + 0.5 * rng.normal(size=waves.shape), labels


def load(file):
    """An array of DATA_DIR: .npy, or a text file with a row an example."""
    path = os.path.join(DATA_DIR, file)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR, INPUT_FILE and TARGET_FILE to your arrays")
    return (
        np.load(path) if path.endswith(".npy") else np.loadtxt(path, delimiter="," if path.endswith(".csv") else None)
    )


def with_channels(windows):
    """Windows as (examples, steps, channels): of two axes only, each row is a series of one channel."""
    windows = np.nan_to_num(np.asarray(windows, dtype="float32"))
    return windows[..., None] if windows.ndim == 2 else windows


windows, targets = synthetic_windows() if SYNTHETIC else (load(INPUT_FILE), load(TARGET_FILE))
windows, targets = with_channels(windows), np.ravel(targets)
if windows.ndim != 3 or len(windows) != len(targets):
    raise SystemExit(
        f"windows of shape {windows.shape} and {len(targets)} classes: (examples, steps, channels) is wanted"
    )
_, SEQUENCE_LENGTH, NUM_FEATURES = windows.shape
values = np.unique(targets)
NUM_CLASSES = len(values)
if NUM_CLASSES < 2:
    raise SystemExit(f"{TARGET_FILE} holds one class only; at least two are needed")
names = np.array(CLASS_NAMES if len(CLASS_NAMES) == NUM_CLASSES else [str(value) for value in values])
print(f"{len(windows)} windows of {SEQUENCE_LENGTH} steps and {NUM_FEATURES} channels, {NUM_CLASSES} classes")


# %% Preprocessing
def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


labels = np.searchsorted(values, targets)
if not SYNTHETIC and os.path.isfile(os.path.join(DATA_DIR, HELD_OUT_INPUT_FILE)):
    train_windows, train_labels = windows, labels
    test_windows, test_targets = with_channels(load(HELD_OUT_INPUT_FILE)), np.ravel(load(HELD_OUT_TARGET_FILE))
    known = np.isin(test_targets, values)
    test_windows, test_labels = test_windows[known], np.searchsorted(values, test_targets[known])
else:
    train_windows, test_windows, train_labels, test_labels = train_test_split(
        windows, labels, test_size=TEST_SPLIT, random_state=42
    )
train_windows, val_windows, train_labels, val_labels = train_test_split(
    train_windows, train_labels, test_size=VALIDATION_SPLIT, random_state=42
)

# Each channel is scaled by its own mean and spread in the training windows.
mean, spread = train_windows.mean(axis=(0, 1)), train_windows.std(axis=(0, 1)) + 1e-6
x_train, x_val, x_test = ((part - mean) / spread for part in (train_windows, val_windows, test_windows))
y_train, y_val = encode_labels(train_labels), encode_labels(val_labels)


# %% Model
def build_model():
    """Convolutions with pooling, an LSTM over what is left of the steps, and an output for each class."""
    inputs = keras.Input(shape=(SEQUENCE_LENGTH, NUM_FEATURES))
    x = inputs
    for filters in FILTERS:
        x = layers.Conv1D(filters, KERNEL_SIZE, padding="same", activation="relu")(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.MaxPooling1D(2, padding="same")(x)
    x = layers.LSTM(LSTM_UNITS)(x)
    x = layers.Dropout(DROPOUT)(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

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
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(windows):
    """The name of each window's class."""
    return names[predicted_classes(model.predict((with_channels(windows) - mean) / spread, verbose=0))]


predictions = predict(test_windows)
truth = names[test_labels]
frequent = names[np.bincount(train_labels).argmax()]
print(classification_report(truth, predictions, zero_division=0))
print(
    f"held-out accuracy: {accuracy_score(truth, predictions):.4f} "
    f"(baseline, always {frequent}: {np.mean(truth == frequent):.4f})"
)
pd.DataFrame({"true": truth, "predicted": predictions}).to_csv("predictions.csv", index=False)

# %% Show
fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4.5))
left.plot(test_windows[0])
left.set(xlabel="step", title=f"a window of {truth[0]}, taken for {predictions[0]}")
ConfusionMatrixDisplay.from_predictions(truth, predictions, ax=right, colorbar=False, xticks_rotation=45)
fig.tight_layout()
plt.savefig("results.png")
plt.show()
