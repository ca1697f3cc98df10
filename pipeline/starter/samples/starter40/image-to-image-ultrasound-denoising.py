# %% [markdown]
# # Quieter ultrasound frames
# A convolutional autoencoder learns to remove speckle. It is trained on clean frames to which the noise is added here,
# so no noisy and clean pairs have to be recorded.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
IMAGE_HEIGHT = 96
IMAGE_WIDTH = 128
CHANNELS = 1
NOISE_LEVEL = 0.25
BATCH_SIZE = 24
EPOCHS = 40
LEARNING_RATE = 0.002

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data
def synthetic_data(count=48):
    """Made-up clean frames: layers of tissue with a dark, round vessel."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic frames.")
    rng = np.random.default_rng(42)
    rows = np.linspace(0, 1, IMAGE_HEIGHT)[:, None]
    columns = np.linspace(0, 1, IMAGE_WIDTH)
    frames = np.empty((count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    for frame in frames:
        bend = 0.1 * np.sin(2 * np.pi * (columns + rng.uniform()))
        tissue = 140 + 80 * np.sin(rng.uniform(10, 25) * (rows + bend))
        vessel = np.hypot(rows - rng.uniform(0.3, 0.7), columns - rng.uniform(0.3, 0.7)) < rng.uniform(0.1, 0.2)
        frame[:] = np.where(vessel, 15, tissue)[..., None]
    return frames


def read_frame(path):
    """One clean frame in the size of the model's input."""
    image = Image.open(path).convert("RGB" if CHANNELS == 3 else "L").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(image).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


def load_data():
    """All clean frames: every .png and .jpg file anywhere under DATA_DIR."""
    if SYNTHETIC:
        return synthetic_data()
    paths = sorted(path for path in Path(DATA_DIR).rglob("*") if path.suffix.lower() in {".png", ".jpg", ".jpeg"})
    return np.stack([read_frame(path) for path in paths])


frames = load_data()
print("Clean frames:", frames.shape)


# %% [markdown]
# Speckle is multiplicative: bright tissue is disturbed more than dark fluid.


# %% Preprocessing
def add_speckle(clean, seed):
    """The frames with speckle noise, clipped to [0, 1]."""
    noise = np.random.default_rng(seed).standard_normal(clean.shape, dtype="float32")
    return np.clip(clean * (1 + NOISE_LEVEL * noise), 0, 1)


clean = frames.astype("float32") / 255.0
y_train, y_test = train_test_split(clean, test_size=0.2, random_state=42)
y_train, y_val = train_test_split(y_train, test_size=0.2, random_state=42)

x_train = add_speckle(y_train, seed=1)
x_val = add_speckle(y_val, seed=2)
x_test = add_speckle(y_test, seed=3)


# %% [markdown]
# Pooling rounds odd sizes up, so the decoder may end a few pixels too large; the last layer crops it back.


# %% Model
def build_model():
    """A convolutional autoencoder: two poolings down, two upsamplings back."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.Conv2D(32, (3, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2), padding="same"),
            layers.Conv2D(64, (3, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2), padding="same"),
            layers.Conv2D(64, (3, 3), padding="same", activation="relu"),
            layers.UpSampling2D((2, 2)),
            layers.Conv2D(32, (3, 3), padding="same", activation="relu"),
            layers.UpSampling2D((2, 2)),
            layers.Conv2D(CHANNELS, (3, 3), padding="same", activation="sigmoid"),
            layers.CenterCrop(IMAGE_HEIGHT, IMAGE_WIDTH),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Nadam(learning_rate=LEARNING_RATE),
    loss="mean_squared_error",
    metrics=["mean_absolute_error"],
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(patience=6, restore_best_weights=True)],
    verbose=2,
)

# %% Evaluate
test_loss, test_error = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, verbose=0)
print(f"Mean absolute error: {test_error:.4f} denoised, {np.abs(x_test - y_test).mean():.4f} as recorded")

# %% Show
denoised = model.predict(x_test[:3], verbose=0)
figure, axes = plt.subplots(len(denoised), 3, figsize=(9, 3 * len(denoised)))
for row, pictures in zip(axes, zip(x_test, denoised, y_test, strict=False), strict=False):
    for axis, title, picture in zip(row, ("noisy", "denoised", "clean"), pictures, strict=True):
        axis.imshow(picture.squeeze(), cmap="gray", vmin=0, vmax=1)
        axis.set_title(title)
        axis.axis("off")
plt.savefig("denoised.png", bbox_inches="tight")
