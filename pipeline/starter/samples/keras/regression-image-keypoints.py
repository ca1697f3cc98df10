# %% [markdown]
# # Points of interest in images
# A convolutional network that gives the x and y of each of several keypoints. A table lists the image files with two
# columns for each point, in pixels.

# %% Imports
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image, ImageDraw
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "keypoints.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
POINT_COLUMNS = ["a_x", "a_y", "b_x", "b_y", "c_x", "c_y"]  # x and y of each point in turn; an empty cell: not seen
UNLABELLED = ""  # a table of images that points are wanted for
IMAGE_HEIGHT = 96
IMAGE_WIDTH = 96
CHANNELS = 1
FILTERS = [32, 64, 128]
HIDDEN_UNITS = 128
DROPOUT = 0.1
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 80
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 48)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 48)
    FILTERS = [min(filters, 32) for filters in FILTERS]
    BATCH_SIZE = min(BATCH_SIZE, 16)
    EPOCHS = min(EPOCHS, 20)


# %% Data: files
def made_up_folder(count=300, size=96):
    """A dark disc whose points lie around its middle; some points are not given."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    angles = 2 * np.pi * np.arange(len(POINT_COLUMNS) // 2) / (len(POINT_COLUMNS) // 2)
    rows = []
    for number in range(count):
        image = Image.fromarray(rng.integers(150, 255, size=(size, size), dtype="uint8"))
        radius = rng.uniform(12, 22)
        x, y = rng.uniform(radius, size - radius, size=2)
        ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=40)
        points = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)
        points[rng.random(len(points)) < 0.05] = np.nan
        path = os.path.join(folder, IMAGES.replace("*", f"{number}.png"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        image.save(path, format="PNG")
        rows.append((f"{number}.png", *points.ravel().round(1)))
    pd.DataFrame(rows, columns=[FILE_COLUMN, *POINT_COLUMNS]).to_csv(os.path.join(folder, TABLE_FILE), index=False)
    return folder


def read_table(name, needed):
    """A table and its images, and the width and height that each image has in its file."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    read = pd.read_excel if path.lower().endswith((".xlsx", ".xlsm")) and not SYNTHETIC else pd.read_csv
    table = read(path, dtype={FILE_COLUMN: str}, **({} if SYNTHETIC else READ_OPTIONS))
    if missing := [column for column in needed if column not in table]:
        raise SystemExit(f"{name} has no column {missing[0]!r}; it has {', '.join(table.columns[:20])}")
    images, sizes, there = [], [], []
    for cell in table[FILE_COLUMN].astype(str):
        path = os.path.join(folder, IMAGES.replace("*", cell.strip()))
        there.append(os.path.isfile(path))
        if there[-1]:
            with Image.open(path) as image:
                sizes.append(image.size)
                resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
            images.append(np.asarray(resized).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    if not images:
        raise SystemExit(f"{folder} has no image {IMAGES} as named in column {FILE_COLUMN!r}")
    return table[there].reset_index(drop=True), np.stack(images), np.array(sizes, dtype="float32")


if len(POINT_COLUMNS) % 2:
    raise SystemExit(f"POINT_COLUMNS names {len(POINT_COLUMNS)} columns; x and y of each point are two")
NUM_POINTS = len(POINT_COLUMNS) // 2
folder = made_up_folder() if SYNTHETIC else DATA_DIR
table, images, sizes = read_table(TABLE_FILE, [FILE_COLUMN, *POINT_COLUMNS])
print(
    f"{len(images)} images with {NUM_POINTS} points each, {table[POINT_COLUMNS].isna().to_numpy().mean():.1%} not seen"
)

# %% Preprocessing
pixels = images.astype("float32") / 255.0
# Points as shares of the image's own width and height; -1 where one is not seen.
points = table[POINT_COLUMNS].to_numpy(dtype="float32") / np.tile(sizes, NUM_POINTS)
points = np.nan_to_num(points, nan=-1.0)
x_train, x_test, y_train, y_test = train_test_split(pixels, points, test_size=TEST_SPLIT, random_state=SEED)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=VALIDATION_SPLIT, random_state=SEED)


# %% Model
def build_model():
    """Convolutions, whose last map keeps the places and is flattened, and two numbers for each point."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    x = inputs
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(HIDDEN_UNITS, activation="relu")(x)
    x = layers.Dropout(DROPOUT)(x)
    return keras.Model(inputs, layers.Dense(2 * NUM_POINTS)(x))


@keras.utils.register_keras_serializable()
def error_of_seen_points(truth, predicted):
    """The mean squared error over the points that are given."""
    seen = keras.ops.cast(truth >= 0, "float32")
    squares = keras.ops.square(truth - predicted) * seen
    return keras.ops.sum(squares) / keras.ops.maximum(keras.ops.sum(seen), 1.0)


model = build_model()
model.summary()

# %% Compile
model.compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss=error_of_seen_points)

# %% Train
halve = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=5)
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[halve],
    verbose=2,
)
model.save("model.keras")


# %% Evaluate
def predict(images, sizes):
    """The points of each image in pixels of its own size, as a table."""
    shares = model.predict(images.astype("float32") / 255.0, verbose=0)
    return pd.DataFrame(shares * np.tile(sizes, NUM_POINTS), columns=POINT_COLUMNS).round(1)


def mean_distance(truth, predicted):
    """How far predicted points are from the true ones that are given, in pixels of the model's input, on average."""
    steps = (truth - predicted).reshape(-1, NUM_POINTS, 2) * (IMAGE_WIDTH, IMAGE_HEIGHT)
    seen = (truth >= 0).reshape(-1, NUM_POINTS, 2).all(axis=-1)
    return np.hypot(steps[..., 0], steps[..., 1])[seen].mean()


test_points = model.predict(x_test, verbose=0)
mean_points = np.tile(np.nanmean(np.where(y_train < 0, np.nan, y_train), axis=0), (len(y_test), 1))
print(
    f"held-out error in pixels: {mean_distance(y_test, test_points):.4f} "
    f"(baseline, always the mean points: {mean_distance(y_test, mean_points):.4f})"
)

if UNLABELLED and not SYNTHETIC:
    rows, new_images, new_sizes = read_table(UNLABELLED, [FILE_COLUMN])
    found = predict(new_images, new_sizes)
    found.insert(0, FILE_COLUMN, rows[FILE_COLUMN])
    found.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(found)} rows")

# %% Show
figure, axes = plt.subplots(2, 4, figsize=(10, 5))
for axis in axes.flat:
    axis.axis("off")
for axis, image, truth, predicted in zip(axes.flat, x_test, y_test, test_points, strict=False):
    axis.imshow(image.squeeze(), cmap="gray" if CHANNELS == 1 else None)
    seen = truth[0::2] >= 0
    axis.scatter(truth[0::2][seen] * IMAGE_WIDTH, truth[1::2][seen] * IMAGE_HEIGHT, c="lime", s=20)
    axis.scatter(predicted[0::2] * IMAGE_WIDTH, predicted[1::2] * IMAGE_HEIGHT, c="red", marker="x", s=20)
plt.suptitle("true points (green) and predicted points (red)")
plt.tight_layout()
plt.savefig("keypoints.png")
plt.show()
