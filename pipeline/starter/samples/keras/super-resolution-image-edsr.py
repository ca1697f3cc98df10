# %% [markdown]
# # Larger images by EDSR
# A deep residual network without batch normalization sharpens images while it enlarges them. It learns from any folder
# of images, each paired with a shrunken copy of itself.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "**"  # where the images lie below DATA_DIR
UNLABELLED_FOLDER = ""  # small images that are to be enlarged
SCALE = 4
IMAGE_HEIGHT = 96  # of a large piece; must hold SCALE a whole number of times
IMAGE_WIDTH = 96
CHANNELS = 3
PIECES = 4  # pieces that are cut from each image
FILTERS = 64
NUM_BLOCKS = 8
RESIDUAL_SCALING = 0.1
TEST_SPLIT = 0.2
BATCH_SIZE = 16
EPOCHS = 100
LEARNING_RATE = 0.0001

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 24 * SCALE // 2)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 24 * SCALE // 2)
    FILTERS = min(FILTERS, 24)
    NUM_BLOCKS = min(NUM_BLOCKS, 3)
    RESIDUAL_SCALING = 1.0
    EPOCHS = min(EPOCHS, 10)
    BATCH_SIZE = min(BATCH_SIZE, 8)
    LEARNING_RATE = max(LEARNING_RATE, 0.001)
IMAGE_HEIGHT = IMAGE_HEIGHT // SCALE * SCALE
IMAGE_WIDTH = IMAGE_WIDTH // SCALE * SCALE


# %% Data: files
def made_up_folder(count=60):
    """Sharp lines and boxes in pure colours."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    height, width = 2 * IMAGE_HEIGHT, 2 * IMAGE_WIDTH
    for number in range(count):
        image = Image.new("RGB", (width, height), "white")
        draw = ImageDraw.Draw(image)
        for _ in range(30):
            x, y = rng.integers(width), rng.integers(height)
            colour = ("black", "red", "blue", "green")[rng.integers(4)]
            draw.rectangle((x, y, x + rng.integers(4, 24), y + rng.integers(4, 24)), fill=colour)
        image.save(os.path.join(root, f"{number}.png"))
    return root


def open_image(path):
    """An image with the wanted number of channels."""
    with Image.open(path) as image:
        return image.convert("L" if CHANNELS == 1 else "RGB")


def cut_pieces(image, rng):
    """Random pieces of a large image, and each of them shrunk; an image that is too small is enlarged before."""
    width, height = max(image.width, IMAGE_WIDTH), max(image.height, IMAGE_HEIGHT)
    image = image.resize((width, height), Image.BICUBIC) if image.size != (width, height) else image
    pieces = []
    for _ in range(PIECES):
        left, top = rng.integers(width - IMAGE_WIDTH + 1), rng.integers(height - IMAGE_HEIGHT + 1)
        large = image.crop((left, top, left + IMAGE_WIDTH, top + IMAGE_HEIGHT))
        small = large.resize((IMAGE_WIDTH // SCALE, IMAGE_HEIGHT // SCALE), Image.BICUBIC)
        pieces.append((np.asarray(small), np.asarray(large)))
    return pieces


def read_pieces(paths):
    """Arrays of small and of large pieces, pixels from 0 to 1."""
    rng = np.random.default_rng(SEED)
    pairs = [pair for path in paths for pair in cut_pieces(open_image(path), rng)]
    small, large = (np.stack(pieces).astype("float32") / 255.0 for pieces in zip(*pairs, strict=True))
    return small.reshape(*small.shape[:3], CHANNELS), large.reshape(*large.shape[:3], CHANNELS)


root = made_up_folder() if SYNTHETIC else DATA_DIR
found = glob.glob(os.path.join(glob.escape(root), "**" if SYNTHETIC else IMAGES), recursive=True)
paths = [path for path in sorted(found) if path.lower().endswith(ENDINGS)]
if len(paths) < 5:
    raise SystemExit(f"{os.path.join(root, IMAGES)}: {len(paths)} images; set DATA_DIR to a folder with five or more")

# %% Preprocessing
# Images, not their pieces, are split: pieces of one image look alike.
order = np.random.default_rng(SEED).permutation(len(paths))
held_out = max(1, int(TEST_SPLIT * len(paths)))
x_test, y_test = read_pieces([paths[number] for number in order[:held_out]])
x_train, y_train = read_pieces([paths[number] for number in order[held_out:]])
print(f"{len(paths)} images, {len(x_train)} pieces to learn from, {x_train.shape[1:]} -> {y_train.shape[1:]}")


# %% Model
@keras.utils.register_keras_serializable()
class PixelShuffle(layers.Layer):
    """Turns groups of factor x factor channels into pixels of an image that is larger by the factor."""

    def __init__(self, factor, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, inputs):
        return tf.nn.depth_to_space(inputs, self.factor)

    def get_config(self):
        return super().get_config() | {"factor": self.factor}


def residual_block(x):
    """Two convolutions whose result is scaled down, for steadiness, and added to the input."""
    y = layers.Conv2D(FILTERS, 3, padding="same", activation="relu")(x)
    y = layers.Conv2D(FILTERS, 3, padding="same")(y)
    y = layers.Rescaling(RESIDUAL_SCALING)(y)
    return layers.Add()([x, y])


def build_model():
    """Residual blocks at the small size, then pixel shuffling; what comes out is added to a plain enlargement."""
    inputs = keras.Input(shape=(None, None, CHANNELS))  # images of any size
    first = x = layers.Conv2D(FILTERS, 3, padding="same")(inputs)
    for _ in range(NUM_BLOCKS):
        x = residual_block(x)
    x = layers.Conv2D(FILTERS, 3, padding="same")(x)
    x = layers.Add()([x, first])
    factors = [2] * (SCALE.bit_length() - 1) if SCALE in (2, 4, 8) else [SCALE]
    for factor in factors:
        x = layers.Conv2D(FILTERS * factor**2, 3, padding="same")(x)
        x = PixelShuffle(factor)(x)
    details = layers.Conv2D(CHANNELS, 3, padding="same", kernel_initializer="zeros")(x)
    enlarged = layers.UpSampling2D(SCALE, interpolation="bicubic")(inputs)
    return keras.Model(inputs, layers.Add()([enlarged, details]))


def psnr(truth, enlarged):
    """Peak signal-to-noise ratio in decibels: the higher, the more alike."""
    return tf.image.psnr(truth, tf.clip_by_value(enlarged, 0.0, 1.0), max_val=1.0)


model = build_model()
model.summary()

# %% Compile
# The mean absolute error gives sharper images than the squared one.
model.compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss="mae", metrics=[psnr])

# %% Train
history = model.fit(x_train, y_train, validation_data=(x_test, y_test), batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
model.save("model.keras")


# %% Evaluate
def predict(image):
    """An image, as Pillow opens it, enlarged by SCALE."""
    pixels = np.asarray(image, dtype="float32").reshape(1, image.height, image.width, CHANNELS) / 255.0
    enlarged = model.predict(pixels, verbose=0)[0].clip(0, 1)
    return Image.fromarray((255 * enlarged.squeeze()).round().astype("uint8"))


def bicubic(small):
    """The plain enlargement of one piece."""
    image = Image.fromarray((255 * small.squeeze()).round().astype("uint8"))
    return np.asarray(image.resize((IMAGE_WIDTH, IMAGE_HEIGHT), Image.BICUBIC)).reshape(y_test.shape[1:]) / 255.0


plain = np.stack([bicubic(small) for small in x_test]).astype("float32")
enlarged = model.predict(x_test, batch_size=BATCH_SIZE, verbose=0)
print(f"held-out PSNR: {np.mean(psnr(y_test, enlarged)):.4f} (baseline, bicubic: {np.mean(psnr(y_test, plain)):.4f})")

if UNLABELLED_FOLDER and not SYNTHETIC:
    os.makedirs("enlarged", exist_ok=True)
    for path in sorted(glob.glob(os.path.join(glob.escape(os.path.join(root, UNLABELLED_FOLDER)), "*"))):
        if path.lower().endswith(ENDINGS):
            name = os.path.splitext(os.path.basename(path))[0]
            predict(open_image(path)).save(os.path.join("enlarged", f"{name}.png"))

# %% Show
shown = min(3, len(x_test))
figure, axes = plt.subplots(shown, 4, figsize=(10, 2.6 * shown), squeeze=False)
for row, images in zip(axes, zip(x_test, plain, enlarged, y_test, strict=True), strict=False):
    for axis, image, title in zip(row, images, ("small", "bicubic", "EDSR", "true"), strict=True):
        axis.imshow(np.clip(image.squeeze(), 0, 1), cmap="gray" if CHANNELS == 1 else None)
        axis.set_title(title)
        axis.axis("off")
plt.tight_layout()
plt.savefig("enlarged.png")
plt.show()
