# %% [markdown]
# # Larger images by sub-pixel convolution
# ESPCN works on the small image and puts the pixels of the large one together in its last layer, which makes it fast.
# Only the brightness is learned; colours are enlarged plainly.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "**"  # where the images lie below DATA_DIR
SCALE = 3
IMAGE_HEIGHT = 300  # of the large images
IMAGE_WIDTH = 300
FILTERS = [64, 64, 32]
VALIDATION_SPLIT = 0.1
TEST_SPLIT = 0.2
PATIENCE = 10
BATCH_SIZE = 8
EPOCHS = 100
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 48)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 48)
    FILTERS = [min(filters, 32) for filters in FILTERS]
    EPOCHS = min(EPOCHS, 20)
SMALL_SIZE = (IMAGE_WIDTH // SCALE, IMAGE_HEIGHT // SCALE)
LARGE_SIZE = (SMALL_SIZE[0] * SCALE, SMALL_SIZE[1] * SCALE)


# %% Data: files
def write_made_up_images(root, count=100):
    """Rings of light and dark around some point, with sharp edges."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    rows, columns = np.mgrid[: LARGE_SIZE[1], : LARGE_SIZE[0]]
    for number in range(count):
        distance = np.hypot(rows - rng.uniform(0, LARGE_SIZE[1]), columns - rng.uniform(0, LARGE_SIZE[0]))
        rings = np.where(np.sin(distance * rng.uniform(0.3, 0.6)) > 0, 230, 30)
        colours = np.stack([rings, rings // 2 + 60, 255 - rings // 2], axis=-1).astype("uint8")
        Image.fromarray(colours).save(os.path.join(root, f"{number}.png"))


def luminance_and_colours(image):
    """The brightness of an image, and its two channels of colour."""
    return image.convert("YCbCr").split()[0], image.convert("YCbCr").split()[1:]


def read_pair(path):
    """The brightness of an image at the small and at the large size; None where the file is no image."""
    try:
        with Image.open(path) as image:
            large = luminance_and_colours(image.convert("RGB").resize(LARGE_SIZE, Image.BICUBIC))[0]
    except OSError:
        return None
    return np.asarray(large.resize(SMALL_SIZE, Image.BICUBIC)), np.asarray(large)


root = tempfile.mkdtemp() if SYNTHETIC else DATA_DIR
if SYNTHETIC:
    write_made_up_images(root)
files = glob.glob(os.path.join(glob.escape(root), "**" if SYNTHETIC else IMAGES), recursive=True)
pairs = [read_pair(path) for path in sorted(files) if os.path.isfile(path)]
pairs = [pair for pair in pairs if pair is not None]
if len(pairs) < 5:
    raise SystemExit(f"{os.path.join(root, IMAGES)}: {len(pairs)} images; set DATA_DIR to a folder with five or more")
print(f"{len(pairs)} images, {SMALL_SIZE} -> {LARGE_SIZE}")

# %% Preprocessing
small = np.stack([pair[0] for pair in pairs])[..., None].astype("float32") / 255.0
large = np.stack([pair[1] for pair in pairs])[..., None].astype("float32") / 255.0
x_train, x_test, y_train, y_test = train_test_split(small, large, test_size=TEST_SPLIT, random_state=SEED)


# %% Model
@keras.utils.register_keras_serializable()
class SubPixels(layers.Layer):
    """Spreads scale x scale channels over as many pixels."""

    def __init__(self, scale, **options):
        super().__init__(**options)
        self.scale = scale

    def call(self, inputs):
        _, height, width, _ = keras.ops.shape(inputs)
        pixels = keras.ops.reshape(inputs, (-1, height, width, self.scale, self.scale))
        pixels = keras.ops.transpose(pixels, (0, 1, 3, 2, 4))
        return keras.ops.reshape(pixels, (-1, height * self.scale, width * self.scale, 1))

    def get_config(self):
        return super().get_config() | {"scale": self.scale}


def build_model():
    """Convolutions at the small size; the last gives SCALE x SCALE values a pixel, which correct the pixel itself."""
    inputs = keras.Input(shape=(SMALL_SIZE[1], SMALL_SIZE[0], 1))
    x = layers.Conv2D(FILTERS[0], 5, padding="same", activation="relu", kernel_initializer="orthogonal")(inputs)
    for filters in FILTERS[1:]:
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="orthogonal")(x)
    x = layers.Conv2D(SCALE**2, 3, padding="same", kernel_initializer="orthogonal")(x)
    x = layers.Add()([x, inputs])  # the same pixel for each of its parts
    return keras.Model(inputs, SubPixels(SCALE)(x))


model = build_model()
model.summary()

# %% Compile
model.compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss="mse", metrics=["mae"])

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_split=VALIDATION_SPLIT,
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)],
    verbose=2,
)
model.save("model.keras")


# %% Evaluate
def predict(path):
    """The image of a file at the large size, in colours, as from a file of the small size."""
    with Image.open(path) as image:
        luminance, colours = luminance_and_colours(image.convert("RGB").resize(SMALL_SIZE, Image.BICUBIC))
    pixels = np.asarray(luminance, dtype="float32")[None, ..., None] / 255.0
    enlarged = (255 * model.predict(pixels, verbose=0)[0, ..., 0].clip(0, 1)).round().astype("uint8")
    channels = [Image.fromarray(enlarged), *(channel.resize(LARGE_SIZE, Image.BICUBIC) for channel in colours)]
    return Image.merge("YCbCr", channels).convert("RGB")


def bicubic(pixels):
    """The plain enlargement of a small image's brightness."""
    image = Image.fromarray((255 * pixels[..., 0]).round().astype("uint8"))
    return np.asarray(image.resize(LARGE_SIZE, Image.BICUBIC))[..., None] / 255.0


def psnr(truth, enlarged):
    """Peak signal-to-noise ratio in decibels, the mean over the images."""
    errors = np.mean((truth - np.clip(enlarged, 0, 1)) ** 2, axis=(1, 2, 3))
    return np.mean(-10 * np.log10(errors + 1e-10))


plain = np.stack([bicubic(pixels) for pixels in x_test])
enlarged = model.predict(x_test, verbose=0)
print(f"held-out PSNR: {psnr(y_test, enlarged):.4f} (baseline, bicubic: {psnr(y_test, plain):.4f})")
example = next(path for path in sorted(files) if os.path.isfile(path) and read_pair(path) is not None)
predict(example).save("enlarged_in_colour.png")

# %% Show
figure, axes = plt.subplots(1, 4, figsize=(12, 3.4))
for axis, image, title in zip(
    axes, (x_test[0], plain[0], enlarged[0], y_test[0]), ("small", "bicubic", "ESPCN", "true"), strict=True
):
    axis.imshow(image[..., 0], cmap="gray", vmin=0, vmax=1)
    axis.set_title(title)
    axis.axis("off")
plt.tight_layout()
plt.savefig("enlarged.png")
plt.show()
