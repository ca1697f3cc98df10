# %% [markdown]
# # Numbers for images that a table lists
# A small convolutional network predicts one number or several for each image file that a column of the table names.

# %% Imports
import glob
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
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
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "labels.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
UNLABELLED = ""  # a table or a folder of images without numbers that predictions are wanted for
TARGETS = ["count"]
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.001

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: files
def synthetic_images(count=96):
    """Noise with a bright part from the top down, whose height is the number."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(42)
    heights = rng.integers(1, IMAGE_HEIGHT, size=count)
    images = rng.integers(0, 100, size=(count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    for image, height in zip(images, heights, strict=True):
        image[:height] += 120
    return images, np.repeat(heights[:, None], len(TARGETS), axis=1).astype("float64")


def read_table(name):
    """A table of DATA_DIR: CSV, Parquet or Excel."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    if path.lower().endswith((".parquet", ".pq")):
        table = pd.read_parquet(path)
    elif path.lower().endswith((".xlsx", ".xlsm")):
        table = pd.read_excel(path, dtype={FILE_COLUMN: str}, **READ_OPTIONS)
    else:
        table = pd.read_csv(path, dtype={FILE_COLUMN: str}, **READ_OPTIONS)
    return table.rename(columns=lambda column: str(column).strip())


def read_image(path):
    """One image as an array of the wanted size; a smaller or larger one is scaled to it."""
    with Image.open(path) as image:
        resized = image.convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT), Image.BILINEAR)
    return np.asarray(resized).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


def image_paths():
    """The image files of the data by their path below DATA_DIR, by their name, and by their name without ending."""
    paths = {}
    for path in sorted(glob.glob(os.path.join(glob.escape(DATA_DIR), "**"), recursive=True)):
        if path.lower().endswith(ENDINGS):
            below = os.path.relpath(path, DATA_DIR)
            stem = os.path.splitext(os.path.basename(path))[0]
            paths |= {below: path, os.path.basename(path): path, stem: path}
    return paths


def find_image(cell, paths):
    """The file that a cell of the table names: as the pattern has it, else by its name; None where there is none."""
    cell = str(cell).strip().removeprefix("./")
    return paths.get(IMAGES.replace("*", cell)) or paths.get(cell) or paths.get(os.path.basename(cell))


def read_listed(table):
    """The images that rows of the table name, and those rows; rows without an image are left out and counted."""
    if FILE_COLUMN not in table:
        raise SystemExit(f"the table has no column {FILE_COLUMN!r}; it has {', '.join(table.columns[:20])}")
    paths = image_paths()
    files = [find_image(cell, paths) for cell in table[FILE_COLUMN]]
    there = np.array([file is not None for file in files])
    if not there.any():
        raise SystemExit(f"no image below {DATA_DIR} is named as a cell of column {FILE_COLUMN!r}")
    if not there.all():
        print(f"{(~there).sum()} rows name no image and were left out")
    return np.stack([read_image(file) for file in files if file]), table[there].reset_index(drop=True)


def read_numbered():
    """All images with a number for every target, and these numbers."""
    table = read_table(TABLE_FILE)
    absent = [target for target in TARGETS if target not in table]
    if absent:
        raise SystemExit(f"{TABLE_FILE} has no column {absent[0]!r}; it has {', '.join(table.columns[:20])}")
    table[TARGETS] = table[TARGETS].apply(pd.to_numeric, errors="coerce")
    images, rows = read_listed(table.dropna(subset=TARGETS))
    return images, rows[TARGETS].to_numpy("float64")


images, values = synthetic_images() if SYNTHETIC else read_numbered()
NUM_TARGETS = len(TARGETS)
print(f"{len(images)} images; {', '.join(TARGETS)} from {values.min(axis=0)} to {values.max(axis=0)}")

# %% Preprocessing
x_train, x_test, train_values, test_values = train_test_split(images, values, test_size=0.2, random_state=42)
x_train, x_val, train_values, val_values = train_test_split(x_train, train_values, test_size=0.15, random_state=42)
x_train = x_train.astype("float32") / 255.0
x_val = x_val.astype("float32") / 255.0
x_test = x_test.astype("float32") / 255.0
target_scaler = StandardScaler().fit(train_values)
y_train = target_scaler.transform(train_values).astype("float32")
y_val = target_scaler.transform(val_values).astype("float32")


# %% Model
def build_model():
    """Three blocks of convolutions, a hidden layer, and an output for each target."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(NUM_TARGETS),
        ]
    )


model = build_model()
model.summary()
if model.output_shape[-1] != NUM_TARGETS:
    raise SystemExit(f"the model gives {model.output_shape[-1]} numbers and there are {NUM_TARGETS} targets")

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mean_squared_error",
    metrics=["mean_absolute_error"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=6, restore_best_weights=True)

history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[early_stopping],
    verbose=2,
)
model.save("model.keras")
joblib.dump(target_scaler, "target_scaler.joblib")


# %% Evaluate
def predict(pixels):
    """The targets of each image, in their own units."""
    return target_scaler.inverse_transform(model.predict(pixels, verbose=0))


predicted = predict(x_test)
for number, target in enumerate(TARGETS):
    print(f"{target}: R2 {r2_score(test_values[:, number], predicted[:, number]):.3f}")
medians = np.broadcast_to(np.median(train_values, axis=0), test_values.shape)
print(
    f"held-out mean absolute error: {mean_absolute_error(test_values, predicted):.4f} "
    f"(baseline, always the median: {mean_absolute_error(test_values, medians):.4f})"
)

# %% Evaluate: new images
if UNLABELLED and not SYNTHETIC:
    if os.path.isdir(os.path.join(DATA_DIR, UNLABELLED)):
        folder = os.path.join(glob.escape(os.path.join(DATA_DIR, UNLABELLED)), "**")
        found = [path for path in sorted(glob.glob(folder, recursive=True)) if path.lower().endswith(ENDINGS)]
        rows = pd.DataFrame({FILE_COLUMN: [os.path.relpath(path, DATA_DIR) for path in found]})
        new = np.stack([read_image(path) for path in found])
    else:
        new, rows = read_listed(read_table(UNLABELLED))
    rows[TARGETS] = predict(new.astype("float32") / 255.0)
    rows.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(rows)} rows")

# %% Show
plt.figure(figsize=(5, 5))
plt.scatter(test_values[:, 0], predicted[:, 0], s=8)
plt.axline((test_values[:, 0].mean(), test_values[:, 0].mean()), slope=1, color="grey")
plt.xlabel(f"{TARGETS[0]}, true")
plt.ylabel(f"{TARGETS[0]}, predicted")
plt.tight_layout()
plt.savefig("predictions.png")
plt.show()
