# %% [markdown]
# # Classes of images that a table lists
# A small convolutional network on the image files that a column of the table names.

# %% Imports
import glob
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "labels.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
UNLABELLED = ""  # a table or a folder of images without classes that predictions are wanted for
TARGET = "label"
CLASS_NAMES = ["circle", "square"]
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.001

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 5)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: files
def synthetic_images(count=96):
    """Noise with bright columns, the wider apart the further the class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(42)
    labels = rng.integers(len(CLASS_NAMES), size=count)
    images = rng.integers(0, 100, size=(count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    for image, label in zip(images, labels, strict=True):
        image[:, :: 2 * label + 2] += 120
    return images, np.array(CLASS_NAMES)[labels]


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


def read_labelled():
    """All images with a class, and the names of their classes."""
    table = read_table(TABLE_FILE)
    if TARGET not in table:
        raise SystemExit(f"{TABLE_FILE} has no column {TARGET!r}; it has {', '.join(table.columns[:20])}")
    images, rows = read_listed(table[table[TARGET].notna()])
    return images, rows[TARGET].astype(str).str.strip().to_numpy()


images, names = synthetic_images() if SYNTHETIC else read_labelled()
class_names, labels = np.unique(names, return_inverse=True)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds {NUM_CLASSES} class; at least two are needed")
print(f"{len(images)} images of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))


# %% Preprocessing
def split(images, labels, share):
    """Two parts, with the classes alike in both where every class has images enough."""
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    stratify = labels if counts.min() > 1 and int(share * len(labels)) >= NUM_CLASSES else None
    return train_test_split(images, labels, test_size=share, random_state=42, stratify=stratify)


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, x_test, train_labels, test_labels = split(images, labels, 0.2)
x_train, x_val, train_labels, val_labels = split(x_train, train_labels, 0.15)
x_train = x_train.astype("float32") / 255.0
x_val = x_val.astype("float32") / 255.0
x_test = x_test.astype("float32") / 255.0
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)


# %% Model
def build_model():
    """Three blocks of convolutions, a hidden layer, and an output for each class."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()
model.summary()
if model.output_shape[-1] != NUM_CLASSES and (model.output_shape[-1], NUM_CLASSES) != (1, 2):
    raise SystemExit(f"the model tells {model.output_shape[-1]} classes apart and the data hold {NUM_CLASSES}")

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
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


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


test_predictions = predicted_classes(model.predict(x_test, verbose=0))
print(
    classification_report(
        test_labels, test_predictions, labels=range(NUM_CLASSES), target_names=class_names, zero_division=0
    )
)
most_frequent = np.full_like(test_labels, np.bincount(train_labels).argmax())
print(
    f"held-out accuracy: {accuracy_score(test_labels, test_predictions):.4f} "
    f"(baseline, always the most frequent class: {accuracy_score(test_labels, most_frequent):.4f})"
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
    rows[TARGET] = class_names[predicted_classes(model.predict(new.astype("float32") / 255.0, verbose=0))]
    rows.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(rows)} rows")

# %% Show
figure, axes = plt.subplots(2, 4, figsize=(8, 4))
for axis, image, label, truth in zip(axes.flat, x_test, test_predictions, test_labels, strict=False):
    axis.imshow(image[..., 0] if CHANNELS == 1 else image, cmap="gray" if CHANNELS == 1 else None)
    axis.set_title(f"{class_names[label]} ({class_names[truth]})", fontsize=8)
for axis in axes.flat:
    axis.axis("off")
plt.suptitle("predicted (true)")
plt.tight_layout()
plt.savefig("predictions.png")
plt.show()
