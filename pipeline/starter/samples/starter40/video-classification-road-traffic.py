# %% [markdown]
# # Traffic on a road camera
# A 3D CNN watches short clips from a motorway camera and tells how well the traffic flows. Its filters reach over time
# as well as space, so motion is seen from the first layer on.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

NUM_FRAMES = 16
IMAGE_HEIGHT = 60
IMAGE_WIDTH = 80
CHANNELS = 1
NUM_CLASSES = 3
BATCH_SIZE = 12
EPOCHS = 25
LEARNING_RATE = 0.0005

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data
def synthetic_data(count=48):
    """Clips of a patchy road that scrolls by, faster from class to class."""
    rng = np.random.default_rng(42)
    labels = rng.integers(0, NUM_CLASSES, count)
    clips = []
    for label in labels:
        road = rng.integers(0, 256, (IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
        clips.append([np.roll(road, frame * label, axis=1) for frame in range(NUM_FRAMES)])
    return np.array(clips, dtype="uint8"), labels, [f"flow {label}" for label in range(NUM_CLASSES)]


def read_clip(path):
    """NUM_FRAMES evenly spaced frames of a .npy clip, in the size and colours the model expects."""
    frames = np.load(path)
    frames = frames[np.linspace(0, len(frames) - 1, NUM_FRAMES).astype(int)]
    if CHANNELS == 1:
        frames = frames.mean(axis=-1, keepdims=True)
    return tf.image.resize(frames, (IMAGE_HEIGHT, IMAGE_WIDTH)).numpy().astype("uint8")


def load_data():
    """Clips, labels and class names from DATA_DIR/<flow>/*.npy, each of shape (frames, height, width, channels)."""
    if SYNTHETIC:
        print(f"No folder {DATA_DIR!r}: using synthetic clips.")
        return synthetic_data()
    class_names = sorted(folder.name for folder in Path(DATA_DIR).iterdir() if folder.is_dir())
    clips, labels = [], []
    for label, name in enumerate(class_names):
        for path in sorted(Path(DATA_DIR, name).glob("*.npy")):
            clips.append(read_clip(path))
            labels.append(label)
    return np.array(clips), np.array(labels), class_names


clips, labels, class_names = load_data()
print(f"{len(clips)} clips of shape {clips.shape[1:]}, {len(class_names)} kinds of traffic")


# %% Preprocessing
def scale(clips):
    """Pixels from 0..255 to -1..1."""
    return clips.astype("float32") / 127.5 - 1


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, x_test, train_labels, test_labels = train_test_split(scale(clips), labels, test_size=0.2, random_state=42)
x_train, x_val, train_labels, val_labels = train_test_split(x_train, train_labels, test_size=0.2, random_state=42)

y_train = encode_labels(train_labels)
y_val = encode_labels(val_labels)
y_test = encode_labels(test_labels)


# %% Model
def build_model():
    """Three stages of 3D convolutions; the first pooling spares time, which is short."""
    return keras.Sequential(
        [
            keras.Input(shape=(NUM_FRAMES, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.Conv3D(16, (3, 3, 3), activation="relu", padding="same"),
            layers.MaxPooling3D((1, 2, 2), padding="same"),
            layers.Conv3D(32, (3, 3, 3), activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling3D((2, 2, 2), padding="same"),
            layers.Conv3D(64, (3, 3, 3), activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling3D((2, 2, 2), padding="same"),
            layers.GlobalAveragePooling3D(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
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
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.title("Traffic flow")
plt.xlabel("Epoch")
plt.ylabel("Loss")
plt.legend()
plt.savefig("traffic_flow_loss.png", bbox_inches="tight")
plt.close()
