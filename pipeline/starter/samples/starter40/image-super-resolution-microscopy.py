# %% [markdown]
# # Microscope images at three times the resolution
# An ESPCN works at the small size all the way and only at the end rearranges its channels into a larger image
# (sub-pixel convolution), which keeps it fast enough for a live microscope view.

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
IMAGE_HEIGHT = 48
IMAGE_WIDTH = 48
CHANNELS = 1
SCALE = 3
BATCH_SIZE = 32
EPOCHS = 100
LEARNING_RATE = 0.001

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data
def synthetic_data(count=48):
    """Made-up microscope images: bright round cells with a darker nucleus."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic images.")
    rng = np.random.default_rng(42)
    height, width = IMAGE_HEIGHT * SCALE, IMAGE_WIDTH * SCALE
    rows, columns = np.mgrid[:height, :width]
    images = np.full((count, height, width, CHANNELS), 25, dtype="uint8")
    for image in images:
        for _ in range(10):
            distance = np.hypot(rows - rng.integers(height), columns - rng.integers(width))
            radius = rng.uniform(0.05, 0.15) * min(height, width)
            image[distance < radius] = rng.integers(120, 240)
            image[distance < 0.4 * radius] = 60
    return images


def read_image(path):
    """One sharp image, SCALE times the size of the model's input."""
    image = Image.open(path).convert("RGB" if CHANNELS == 3 else "L")
    image = image.resize((IMAGE_WIDTH * SCALE, IMAGE_HEIGHT * SCALE), Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(IMAGE_HEIGHT * SCALE, IMAGE_WIDTH * SCALE, CHANNELS)


def load_data():
    """All sharp images: every .png and .tif file directly in DATA_DIR."""
    if SYNTHETIC:
        return synthetic_data()
    paths = sorted(path for path in Path(DATA_DIR).iterdir() if path.suffix.lower() in {".png", ".tif", ".tiff"})
    return np.stack([read_image(path) for path in paths])


images = load_data()
print("Sharp images:", images.shape)


# %% [markdown]
# A microscope has no preferred direction, so each training image may be mirrored both ways before it is shrunk.


# %% Preprocessing
def scale(image):
    """Pixel values in [0, 1]."""
    return tf.cast(image, tf.float32) / 255.0


def augment(image):
    """The image, mirrored at random."""
    return tf.image.random_flip_up_down(tf.image.random_flip_left_right(image))


def make_pair(image):
    """A shrunken input and the sharp image it came from."""
    return tf.image.resize(image, (IMAGE_HEIGHT, IMAGE_WIDTH), method="area"), image


def make_dataset(images, training=False):
    """Batches of (small, sharp) pairs."""
    dataset = tf.data.Dataset.from_tensor_slices(images).map(scale)
    if training:
        dataset = dataset.shuffle(len(images)).map(augment)
    return dataset.map(make_pair).batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)


train_images, test_images = train_test_split(images, test_size=0.2, random_state=42)
train_images, val_images = train_test_split(train_images, test_size=0.2, random_state=42)

train_ds = make_dataset(train_images, training=True)
val_ds = make_dataset(val_images)
test_ds = make_dataset(test_images)


# %% Model
def build_model():
    """ESPCN: convolutions at the small size, then SCALE * SCALE sub-pixels per channel."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.Conv2D(64, (5, 5), padding="same", activation="tanh"),
            layers.Conv2D(64, (3, 3), padding="same", activation="tanh"),
            layers.Conv2D(32, (3, 3), padding="same", activation="tanh"),
            layers.Conv2D(CHANNELS * SCALE * SCALE, (3, 3), padding="same"),
            layers.Lambda(lambda x: tf.nn.depth_to_space(x, SCALE)),
        ]
    )


model = build_model()
model.summary()


# %% Compile
def psnr(y_true, y_pred):
    """Peak signal-to-noise ratio in decibels, for images in [0, 1]."""
    return tf.image.psnr(y_true, y_pred, max_val=1.0)


model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=LEARNING_RATE),
    loss="mean_absolute_error",
    metrics=[psnr],
)

# %% Train
history = model.fit(
    train_ds,
    validation_data=val_ds,
    epochs=EPOCHS,
    shuffle=False,  # train_ds shuffles itself
    callbacks=[keras.callbacks.EarlyStopping(patience=12, restore_best_weights=True)],
    verbose=2,
)

# %% Evaluate
test_loss, test_psnr = model.evaluate(test_ds, verbose=0)
print(f"Test mean absolute error: {test_loss:.4f}, PSNR: {test_psnr:.2f} dB")

# %% Show
small, sharp = next(iter(test_ds))
restored = model.predict(small[:1], verbose=0)
figure, axes = plt.subplots(1, 3, figsize=(12, 4))
for axis, title, batch in zip(axes, ("input", "ESPCN", "original"), (small, restored, sharp), strict=True):
    axis.imshow(np.clip(batch[0], 0, 1).squeeze(), cmap="gray")
    axis.set_title(title)
    axis.axis("off")
plt.savefig("super_resolution.png", bbox_inches="tight")
