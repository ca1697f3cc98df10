# %% [markdown]
# # Sharper satellite tiles
# An SRCNN enlarges small satellite tiles: a plain upsampling first, then three convolutions that restore the detail.
# Training pairs are made from the sharp tiles themselves by shrinking them.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from PIL import Image
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
SCALE = 2
BATCH_SIZE = 16
EPOCHS = 60
LEARNING_RATE = 0.0005

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data
def synthetic_data(count=32):
    """Made-up tiles: a patchwork of rectangular fields in random colours."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic tiles.")
    rng = np.random.default_rng(42)
    height, width = IMAGE_HEIGHT * SCALE, IMAGE_WIDTH * SCALE
    tiles = np.full((count, height, width, CHANNELS), 90, dtype="uint8")
    for tile in tiles:
        for _ in range(12):
            top, left = rng.integers(height), rng.integers(width)
            bottom, right = top + rng.integers(4, height // 2), left + rng.integers(4, width // 2)
            tile[top:bottom, left:right] = rng.integers(30, 226, size=CHANNELS)
    return tiles


def read_tile(path):
    """One sharp tile, SCALE times the size of the model's input."""
    image = Image.open(path).convert("RGB" if CHANNELS == 3 else "L")
    image = image.resize((IMAGE_WIDTH * SCALE, IMAGE_HEIGHT * SCALE), Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(IMAGE_HEIGHT * SCALE, IMAGE_WIDTH * SCALE, CHANNELS)


def load_data():
    """All sharp tiles: every .png, .jpg and .tif file anywhere under DATA_DIR."""
    if SYNTHETIC:
        return synthetic_data()
    suffixes = {".png", ".jpg", ".jpeg", ".tif", ".tiff"}
    paths = sorted(path for path in Path(DATA_DIR).rglob("*") if path.suffix.lower() in suffixes)
    return np.stack([read_tile(path) for path in paths])


tiles = load_data()
print("Sharp tiles:", tiles.shape)


# %% [markdown]
# The sharp tile is the target; shrunk by area averaging, as a coarser sensor would see it, it is the input.


# %% Preprocessing
def make_pairs(tiles):
    """Small inputs and their sharp originals, both scaled to [0, 1]."""
    targets = tiles.astype("float32") / 255.0
    inputs = tf.image.resize(targets, (IMAGE_HEIGHT, IMAGE_WIDTH), method="area")
    return inputs.numpy(), targets


train_tiles, test_tiles = train_test_split(tiles, test_size=0.2, random_state=42)
train_tiles, val_tiles = train_test_split(train_tiles, test_size=0.2, random_state=42)

x_train, y_train = make_pairs(train_tiles)
x_val, y_val = make_pairs(val_tiles)
x_test, y_test = make_pairs(test_tiles)


# %% Model
def build_model():
    """SRCNN: patch extraction, non-linear mapping and reconstruction on the upsampled tile."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.UpSampling2D((SCALE, SCALE), interpolation="bilinear"),
            layers.Conv2D(64, (9, 9), padding="same", activation="relu"),
            layers.Conv2D(32, (1, 1), padding="same", activation="relu"),
            layers.Conv2D(CHANNELS, (5, 5), padding="same"),
        ]
    )


model = build_model()
model.summary()


# %% Compile
def psnr(y_true, y_pred):
    """Peak signal-to-noise ratio in decibels, for images in [0, 1]."""
    return tf.image.psnr(y_true, y_pred, max_val=1.0)


model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mean_squared_error",
    metrics=[psnr],
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=5)],
    verbose=2,
)

# %% Evaluate
bicubic = tf.image.resize(x_test, (IMAGE_HEIGHT * SCALE, IMAGE_WIDTH * SCALE), method="bicubic").numpy()
test_loss, test_psnr = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, verbose=0)
print(f"Test PSNR: {test_psnr:.2f} dB, plain bicubic: {np.mean(psnr(y_test, bicubic)):.2f} dB")

# %% Show
restored = model.predict(x_test[:1], verbose=0)
figure, axes = plt.subplots(1, 3, figsize=(12, 4))
for axis, title, image in zip(axes, ("bicubic", "SRCNN", "original"), (bicubic, restored, y_test), strict=True):
    axis.imshow(np.clip(image[0], 0, 1).squeeze(), cmap="gray")
    axis.set_title(title)
    axis.axis("off")
plt.savefig("super_resolution.png", bbox_inches="tight")
