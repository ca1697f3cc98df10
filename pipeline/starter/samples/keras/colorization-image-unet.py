# %% [markdown]
# # Colours for grayscale images
# A U-Net sees how bright each pixel is and predicts the two channels of colour (Cb and Cr). Any folder of colour
# images is learned from.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "**"  # where the colour images lie below DATA_DIR
UNLABELLED_FOLDER = ""  # grayscale images that are to be coloured
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
FILTERS = [32, 64, 128]
VALIDATION_SPLIT = 0.1
TEST_SPLIT = 0.2
PATIENCE = 10
BATCH_SIZE = 16
EPOCHS = 80
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 48)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 48)
    FILTERS = [16, 24]
    EPOCHS = min(EPOCHS, 15)
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: files
def write_made_up_images(folder, count=100, size=64):
    """Light blue above, green below, and a red ball: what is where, and its form, tells the colour."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    for number in range(count):
        horizon = int(rng.integers(size // 3, 2 * size // 3))
        image = Image.new("RGB", (size, size), (110, 170, 240))
        draw = ImageDraw.Draw(image)
        draw.rectangle((0, horizon, size, size), fill=(40, int(rng.integers(110, 150)), 50))
        x, y, radius = rng.integers(size), rng.integers(size), rng.integers(6, 14)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(210, 30, 40))
        image.save(os.path.join(folder, f"{number}.png"))


def luminance_and_colours(path):
    """Brightness of an image from 0 to 1, and its two channels of colour from -1 to 1; None for a file without one."""
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT)).convert("YCbCr"))
    except OSError:
        return None
    return pixels[..., :1] / np.float32(255.0), (pixels[..., 1:] - np.float32(128.0)) / 128.0


def find_files(pattern):
    """All files that lie as the pattern says."""
    found = glob.glob(os.path.join(glob.escape(folder), pattern), recursive=True)
    return [path for path in sorted(found) if os.path.isfile(path)]


folder = tempfile.mkdtemp() if SYNTHETIC else DATA_DIR
if SYNTHETIC:
    write_made_up_images(folder)
pairs = [pair for path in find_files("**" if SYNTHETIC else IMAGES) if (pair := luminance_and_colours(path))]
if len(pairs) < 5:
    raise SystemExit(f"{os.path.join(folder, IMAGES)}: {len(pairs)} images; set DATA_DIR to a folder of colour images")

# %% Preprocessing
gray, colours = np.stack([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs])
if np.abs(colours).max() < 0.02:
    raise SystemExit(f"the images in {folder} have no colours to learn from")
x_train, x_test, y_train, y_test = train_test_split(gray, colours, test_size=TEST_SPLIT, random_state=SEED)
print(f"{len(x_train)} images to learn from, {len(x_test)} held out")


# %% Model
def step(x, filters):
    """A convolution that keeps the size."""
    x = layers.Conv2D(filters, 3, padding="same")(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.LeakyReLU(negative_slope=0.1)(x)


def build_model():
    """Down by strided convolutions and up by enlarging, with each size's details handed across."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, 1))
    x, details = inputs, []
    for filters in FILTERS:
        x = step(x, filters)
        details.append(x)
        x = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
    x = step(x, 2 * FILTERS[-1])
    for filters, detail in zip(FILTERS[::-1], details[::-1], strict=True):
        x = layers.UpSampling2D(2, interpolation="bilinear")(x)
        x = layers.CenterCrop(detail.shape[1], detail.shape[2])(x)  # sizes that are odd were rounded up
        x = step(layers.Concatenate()([x, detail]), filters)
    return keras.Model(inputs, layers.Conv2D(2, 1, activation="tanh")(x))


model = build_model()
model.summary()

# %% Compile
model.compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss="mae", metrics=["mse"])

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
def to_image(gray, colours):
    """Brightness and colours put together."""
    channels = np.concatenate([255 * gray, 128 * colours + 128], axis=-1).clip(0, 255).round().astype("uint8")
    return Image.fromarray(channels, mode="YCbCr").convert("RGB")


def predict(path):
    """The image of a file with the colours that the model gives it."""
    gray = luminance_and_colours(path)[0]
    return to_image(gray, model.predict(gray[None], verbose=0)[0])


predicted = model.predict(x_test, batch_size=BATCH_SIZE, verbose=0)
error = np.mean(np.abs(y_test - predicted))
of_mean = np.mean(np.abs(y_test - y_train.mean(axis=(0, 1, 2))))
print(f"held-out error of the colours: {error:.4f} (baseline, the mean colour: {of_mean:.4f})")

if UNLABELLED_FOLDER and not SYNTHETIC:
    os.makedirs("coloured", exist_ok=True)
    for path in find_files(UNLABELLED_FOLDER + "/*"):
        if luminance_and_colours(path):
            name = os.path.splitext(os.path.basename(path))[0]
            predict(path).save(os.path.join("coloured", f"{name}.png"))

# %% Show
shown = min(4, len(x_test))
figure, axes = plt.subplots(shown, 3, figsize=(7, 2.3 * shown), squeeze=False)
for row, gray_one, found, truth in zip(axes, x_test, predicted, y_test, strict=False):
    row[0].imshow(gray_one[..., 0], cmap="gray", vmin=0, vmax=1)
    row[1].imshow(to_image(gray_one, found))
    row[2].imshow(to_image(gray_one, truth))
for axis, title in zip(axes[0], ("grayscale", "predicted", "true"), strict=True):
    axis.set_title(title)
for axis in axes.flat:
    axis.axis("off")
plt.tight_layout()
plt.savefig("coloured.png")
plt.show()
