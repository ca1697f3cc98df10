# %% [markdown]
# # Counting ripe strawberries in a photo
# A compact CNN estimates from one photo of a plant how many ripe berries it carries. The count is a regression target:
# the network is trained on standardised numbers and the errors are reported in berries.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
IMAGE_HEIGHT = 112
IMAGE_WIDTH = 112
CHANNELS = 3
NUM_TARGETS = 1
BATCH_SIZE = 16
EPOCHS = 45
LEARNING_RATE = 0.01

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data
def synthetic_data(size=64):
    """Made-up plants: green noise with bright berries, and as many as drawn for each target."""
    print(f"No folder {DATA_DIR!r}: using {size} synthetic photos.")
    rng = np.random.default_rng(42)
    rows, columns = np.mgrid[:IMAGE_HEIGHT, :IMAGE_WIDTH]
    radius = 0.05 * min(IMAGE_HEIGHT, IMAGE_WIDTH)
    photos = rng.integers(0, 80, size=(size, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    targets = rng.integers(0, 16, size=(size, NUM_TARGETS))
    brightness = np.linspace(250, 130, NUM_TARGETS)
    for photo, counts in zip(photos, targets, strict=True):
        for kind, count in enumerate(counts):
            for _ in range(count):
                distance = np.hypot(rows - rng.integers(IMAGE_HEIGHT), columns - rng.integers(IMAGE_WIDTH))
                photo[distance < radius, 0] = brightness[kind]
    return photos, targets.astype("float32")


def read_photo(path):
    """One photo in the size of the model's input."""
    image = Image.open(path).convert("RGB" if CHANNELS == 3 else "L").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(image).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


def load_data():
    """Photos from DATA_DIR/images/ and their numbers from train.csv: a column `image`, then NUM_TARGETS numbers."""
    if SYNTHETIC:
        return synthetic_data()
    table = pd.read_csv(Path(DATA_DIR, "train.csv"))
    photos = np.stack([read_photo(Path(DATA_DIR, "images", name)) for name in table["image"]])
    targets = table.drop(columns="image").iloc[:, :NUM_TARGETS].to_numpy(dtype="float32")
    return photos, targets


photos, targets = load_data()
print("Photos:", photos.shape, "targets:", targets.shape)

# %% Preprocessing
x_train, x_test, train_targets, test_targets = train_test_split(photos, targets, test_size=0.2, random_state=42)
x_train, x_val, train_targets, val_targets = train_test_split(x_train, train_targets, test_size=0.2, random_state=42)

x_train, x_val, x_test = (x.astype("float32") / 255.0 for x in (x_train, x_val, x_test))

scaler = StandardScaler().fit(train_targets)
y_train, y_val, y_test = (scaler.transform(y) for y in (train_targets, val_targets, test_targets))


# %% Model
def conv_block(filters):
    """Convolution, batch normalisation, activation and pooling."""
    return [
        layers.Conv2D(filters, (3, 3), padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.MaxPooling2D((2, 2)),
    ]


def build_model():
    """Three convolution blocks and a small regression head."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            *conv_block(32),
            *conv_block(64),
            *conv_block(128),
            layers.GlobalAveragePooling2D(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(NUM_TARGETS),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=LEARNING_RATE, momentum=0.9),
    loss="huber",
    metrics=["mean_absolute_error"],
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[
        keras.callbacks.ReduceLROnPlateau(factor=0.3, patience=4),
        keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True),
    ],
    verbose=2,
)

# %% Evaluate
model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, verbose=2)
predictions = scaler.inverse_transform(model.predict(x_test, batch_size=BATCH_SIZE, verbose=0))
print(f"Mean absolute error: {mean_absolute_error(test_targets, predictions):.2f} berries")
print(f"R2: {r2_score(test_targets, predictions):.3f}")

# %% Show
figure, axis = plt.subplots(figsize=(5, 5))
axis.scatter(test_targets, predictions, alpha=0.7)
axis.axline((0, 0), slope=1, color="gray", linestyle="--")
axis.set_xlabel("counted by hand")
axis.set_ylabel("predicted")
plt.savefig("predictions.png", bbox_inches="tight")
