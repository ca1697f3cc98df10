# %% [markdown]
# # Handwritten letters
# Small grey scans of handwritten letters, one per row of a table, are read by a convolutional network. The labels stay
# plain integers (0 for A, 1 for B, ...), so the loss is the sparse form of cross-entropy.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import string

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
IMAGE_HEIGHT = 28
IMAGE_WIDTH = 28
CHANNELS = 1
NUM_CLASSES = 26
BATCH_SIZE = 128
EPOCHS = 30
LEARNING_RATE = 0.05

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)
if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: reading the table
def synthetic_data(count=64):
    """Coarse glyphs, a fixed 7 by 7 pattern per class, with noise."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic images.")
    rng = np.random.default_rng(42)
    labels = np.arange(count) % NUM_CLASSES
    glyphs = rng.integers(2, size=(NUM_CLASSES, 7, 7))
    rows = np.arange(IMAGE_HEIGHT) * 7 // IMAGE_HEIGHT
    columns = np.arange(IMAGE_WIDTH) * 7 // IMAGE_WIDTH
    strokes = 200.0 * glyphs[labels][:, rows][:, :, columns, np.newaxis]
    images = strokes + rng.normal(25, 20, (count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    return images.clip(0, 255).astype("uint8"), labels


def load_data():
    """Images and integer labels from DATA_DIR/train.csv: a column `label`, then one column per pixel (0..255)."""
    if SYNTHETIC:
        return synthetic_data()
    table = pd.read_csv(os.path.join(DATA_DIR, "train.csv"))
    pixels = table.drop(columns="label").to_numpy("uint8")
    return pixels.reshape(-1, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), table["label"].to_numpy()


images, labels = load_data()
print("images:", images.shape, "labels:", labels.min(), "to", labels.max())


# %% Preprocessing
def scale(images):
    """Pixels from 0..255 to 0..1."""
    return images.astype("float32") / 255.0


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, x_test, train_labels, test_labels = train_test_split(scale(images), labels, test_size=0.2, random_state=42)
x_train, x_val, train_labels, val_labels = train_test_split(x_train, train_labels, test_size=0.1, random_state=42)
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)


# %% Model
def build_model():
    """Two double convolution blocks and a dense head."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.Conv2D(32, (3, 3), padding="same", activation="relu"),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Dropout(0.25),
            layers.Conv2D(64, (3, 3), padding="same", activation="relu"),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=LEARNING_RATE, momentum=0.9),
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
    callbacks=[keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=4)],
    verbose=2,
)


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def class_name(label):
    """The letter of a class, or its number where there are more or fewer classes than letters."""
    return string.ascii_uppercase[label] if NUM_CLASSES == len(string.ascii_uppercase) else str(label)


scores = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, return_dict=True, verbose=0)
print("test:", {name: round(value, 4) for name, value in scores.items()})

predictions = predicted_classes(model.predict(x_test, batch_size=BATCH_SIZE, verbose=0))
for label in np.unique(test_labels):
    found = (predictions[test_labels == label] == label).mean()
    print(f"{class_name(label)}: {found:.0%} of its test images recognised")

# %% Show
figure, axes = plt.subplots(3, 8, figsize=(10, 4.5))
for i, ax in enumerate(axes.flat):
    ax.axis("off")
    if i < len(x_test):
        ax.imshow(x_test[i], cmap="gray")
        ax.set_title(f"{class_name(predictions[i])} (true: {class_name(test_labels[i])})", fontsize=8)
figure.tight_layout()
plt.savefig("predictions.png")
