# %% [markdown]
# # Noise taken off images
# A convolutional autoencoder learns to give back clean images from copies with noise; it learns from an array of clean
# images.

# %% Imports
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
ARRAYS_FILE = "mnist.npz"  # looked for in DATA_DIR, then where keras.datasets keeps what it has loaded
IMAGE_ARRAY = "x_train"
IMAGE_HEIGHT = 28
IMAGE_WIDTH = 28
CHANNELS = 1
NOISE = 0.4  # standard deviation of the noise, of pixels from 0 to 1
FILTERS = [32, 32]
TEST_SPLIT = 0.1
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 128
EPOCHS = 30
LEARNING_RATE = 0.001

OWN_FILE = os.path.join(DATA_DIR, ARRAYS_FILE)
KERAS_COPY = os.path.join(os.path.expanduser("~"), ".keras", "datasets", os.path.basename(ARRAYS_FILE))
SYNTHETIC = not os.path.isdir(DATA_DIR) and not os.path.isfile(KERAS_COPY)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: arrays
def made_up_file(count=300):
    """An .npz file of bright boxes on a dark ground."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    images = np.zeros((count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    for image in images:
        top, left = rng.integers(IMAGE_HEIGHT // 2), rng.integers(IMAGE_WIDTH // 2)
        bottom = top + rng.integers(4, IMAGE_HEIGHT // 2)
        right = left + rng.integers(4, IMAGE_WIDTH // 2)
        image[top:bottom, left:right] = rng.integers(150, 256, size=CHANNELS)
    path = os.path.join(tempfile.mkdtemp(), "made_up.npz")
    np.savez(path, **{IMAGE_ARRAY: images})
    return path


path = made_up_file() if SYNTHETIC else OWN_FILE if os.path.isfile(OWN_FILE) else KERAS_COPY
if not os.path.isfile(path):
    raise SystemExit(f"{OWN_FILE}: no such file; set DATA_DIR and ARRAYS_FILE to where your images lie")
with np.load(path) as arrays:
    if IMAGE_ARRAY not in arrays:
        raise SystemExit(f"{path} has no array {IMAGE_ARRAY!r}; it has {', '.join(arrays.files)}")
    images = arrays[IMAGE_ARRAY]


# %% Preprocessing
def scale(images):
    """Pixels from 0 to 1, with an axis of channels."""
    images = images[..., None] if images.ndim == 3 else images
    return images.astype("float32") / (255.0 if images.dtype == np.uint8 else 1.0)


def add_noise(images, seed):
    """Copies of the images with normal noise; what leaves 0 to 1 is cut off."""
    noise = np.random.default_rng(seed).normal(0, NOISE, size=images.shape)
    return np.clip(images + noise, 0, 1).astype("float32")


clean = scale(images)[np.random.default_rng(SEED).permutation(len(images))]
held_out = max(1, int(TEST_SPLIT * len(clean)))
y_test, y_train = clean[:held_out], clean[held_out:]
x_test, x_train = add_noise(y_test, SEED), add_noise(y_train, SEED + 1)
IMAGE_HEIGHT = clean.shape[1]
IMAGE_WIDTH = clean.shape[2]
CHANNELS = clean.shape[3]
print(f"{len(x_train)} images to learn from, {held_out} held out, {IMAGE_HEIGHT}x{IMAGE_WIDTH}x{CHANNELS}")


# %% Model
def build_model():
    """Convolutions and pooling down to a small map, transposed convolutions back to the image's size."""
    model = keras.Sequential([keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))])
    for filters in FILTERS:
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2, padding="same"))
    for filters in reversed(FILTERS):
        model.add(layers.Conv2DTranspose(filters, 3, strides=2, padding="same", activation="relu"))
    model.add(layers.Conv2D(CHANNELS, 3, padding="same", activation="sigmoid"))
    model.add(layers.CenterCrop(IMAGE_HEIGHT, IMAGE_WIDTH))  # sizes that are odd were rounded up
    return model


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="binary_crossentropy",
    metrics=["mse"],
)

# %% Train
history = model.fit(
    x_train, y_train, validation_split=VALIDATION_SPLIT, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2
)
model.save("model.keras")


# %% Evaluate
def predict(images):
    """Images without their noise, from an array as it is in the file."""
    return model.predict(scale(images), verbose=0)


def psnr(truth, images):
    """Peak signal-to-noise ratio in decibels, the mean over the images."""
    return np.mean(-10 * np.log10(np.mean((truth - images) ** 2, axis=(1, 2, 3)) + 1e-10))


denoised = predict(x_test)
print(f"held-out PSNR: {psnr(y_test, denoised):.4f} (baseline, the noisy images: {psnr(y_test, x_test):.4f})")

# %% Show
shown = min(8, len(x_test))
figure, axes = plt.subplots(3, shown, figsize=(1.5 * shown, 5), squeeze=False)
for row, pictures, title in zip(axes, (x_test, denoised, y_test), ("noisy", "denoised", "clean"), strict=True):
    for axis, picture in zip(row, pictures, strict=False):
        axis.imshow(picture.squeeze(), cmap="gray" if CHANNELS == 1 else None, vmin=0, vmax=1)
        axis.axis("off")
    row[0].set_title(title, loc="left")
plt.tight_layout()
plt.savefig("denoised.png")
plt.show()
