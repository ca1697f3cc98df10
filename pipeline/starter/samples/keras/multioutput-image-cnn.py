# %% [markdown]
# # A class and a number from the same image
# One convolutional network with two outputs that are trained together: a class and a number. A table lists the image
# files with both.

# %% Imports
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "labels.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TARGETS = ["label", "value"]  # in any order: the column of numbers with more than a few values is the number
UNLABELLED = ""  # a table of images that predictions are wanted for
IMAGE_HEIGHT = 96
IMAGE_WIDTH = 96
CHANNELS = 3
FILTERS = [32, 64, 128]
HIDDEN_UNITS = 64
NUMBER_WEIGHT = 1.0  # how much the number's loss counts beside the class's
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 6)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def made_up_folder(count=200):
    """Images of stripes: their direction is the class, the brightness of the image the number."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    rows = []
    for number in range(count):
        label, value = rng.integers(2), rng.uniform(18, 80)
        image = rng.uniform(0, 60, size=(IMAGE_HEIGHT, IMAGE_WIDTH, 3)) + 1.5 * value
        stripes = np.sin(np.arange(IMAGE_HEIGHT if label else IMAGE_WIDTH))
        image += 40 * (stripes[:, None, None] if label else stripes[None, :, None])
        path = os.path.join(folder, IMAGES.replace("*", f"{number}.png"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(image.clip(0, 255).astype("uint8")).save(path, format="PNG")
        rows.append((f"{number}.png", "ab"[label], round(value, 1)))
    pd.DataFrame(rows, columns=[FILE_COLUMN, *TARGETS]).to_csv(os.path.join(folder, TABLE_FILE), index=False)
    return folder


def read_image(cell):
    """The image that a cell of FILE_COLUMN names, at the wanted size; None where there is none."""
    path = os.path.join(folder, IMAGES.replace("*", str(cell).strip()))
    if not os.path.isfile(path):
        return None
    with Image.open(path) as image:
        resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(resized).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


def read_listed(file, columns):
    """Rows of a table that have an image and all the columns, and their images with pixels from 0 to 1."""
    path = os.path.join(folder, file)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    read = pd.read_excel if path.lower().endswith((".xlsx", ".xlsm")) and not SYNTHETIC else pd.read_csv
    table = read(path, dtype={FILE_COLUMN: str}, **({} if SYNTHETIC else READ_OPTIONS))
    lacking = sorted({FILE_COLUMN, *columns} - set(table.columns))
    if lacking:
        raise SystemExit(f"{file} has no column {lacking[0]!r}; it has {', '.join(table.columns[:20])}")
    table = table.dropna(subset=[FILE_COLUMN, *columns]).reset_index(drop=True)
    images = [read_image(cell) for cell in table[FILE_COLUMN]]
    there = [image is not None for image in images]
    if not any(there):
        raise SystemExit(f"no row of {file} names an image {IMAGES} in {folder}")
    pixels = np.stack([image for image in images if image is not None]).astype("float32") / 255.0
    return table[there].reset_index(drop=True), pixels


folder = made_up_folder() if SYNTHETIC else DATA_DIR
table, images = read_listed(TABLE_FILE, TARGETS)
# A column of numbers with many different values is a number to predict, the other one names classes.
numeric = [name for name in TARGETS if pd.api.types.is_numeric_dtype(table[name])]
if len(TARGETS) != 2 or not numeric:
    raise SystemExit(f"TARGETS {TARGETS} have to be two columns: one of classes and one of numbers")
NUMBER = max(numeric, key=lambda name: table[name].nunique())
LABEL = next(name for name in TARGETS if name != NUMBER)
class_names, labels = np.unique(table[LABEL].astype(str), return_inverse=True)
numbers = table[NUMBER].to_numpy(dtype="float32")
NUM_CLASSES = len(class_names)
print(f"{len(images)} images; {LABEL}: {NUM_CLASSES} classes; {NUMBER}: {numbers.min():g} to {numbers.max():g}")

# %% Preprocessing
order = np.random.default_rng(SEED).permutation(len(images))
test, rest = np.split(order, [max(1, int(TEST_SPLIT * len(order)))])
val, train = np.split(rest, [max(1, int(VALIDATION_SPLIT * len(rest)))])
x_train, x_val, x_test = images[train], images[val], images[test]

mean, deviation = numbers[train].mean(), numbers[train].std() + 1e-6


def targets_of(rows):
    """What each output is to give: the class number, and the number in deviations from the mean."""
    return {"label": labels[rows], "number": (numbers[rows] - mean) / deviation}


y_train, y_val, y_test = targets_of(train), targets_of(val), targets_of(test)


# %% Model
def build_model():
    """A common trunk of convolutions that ends in two branches."""
    image = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), name="image")
    x = image
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    label = layers.Dense(HIDDEN_UNITS, activation="relu")(x)
    label = layers.Dense(NUM_CLASSES, activation="softmax", name="label")(label)
    number = layers.Dense(HIDDEN_UNITS, activation="relu")(x)
    number = layers.Dense(1, name="number")(number)
    return keras.Model(image, {"label": label, "number": number})


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss={"label": "sparse_categorical_crossentropy", "number": "mse"},
    loss_weights={"label": 1.0, "number": NUMBER_WEIGHT},
    metrics={"label": ["accuracy"], "number": ["mae"]},
)

# %% Train
history = model.fit(x_train, y_train, validation_data=(x_val, y_val), batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
model.save("model.keras")


# %% Evaluate
def predict(images):
    """Class and number of each image (pixels from 0 to 1), as a table in the words of the data."""
    outputs = model.predict(images, verbose=0)
    names = class_names[outputs["label"].argmax(axis=-1)]
    return pd.DataFrame({LABEL: names, NUMBER: outputs["number"][:, 0] * deviation + mean})


predicted = predict(x_test)
truth = table.loc[test, [LABEL, NUMBER]].reset_index(drop=True)
right = (predicted[LABEL] == truth[LABEL].astype(str)).mean()
most_frequent = (labels[test] == np.bincount(labels[train]).argmax()).mean()
error = (predicted[NUMBER] - truth[NUMBER]).abs().mean()
of_mean = (truth[NUMBER] - mean).abs().mean()
print(f"held-out accuracy of {LABEL}: {right:.4f} (baseline, always the most frequent class: {most_frequent:.4f})")
print(f"held-out mean absolute error of {NUMBER}: {error:.4f} (baseline, always the mean: {of_mean:.4f})")

if UNLABELLED and not SYNTHETIC:
    rows, new_images = read_listed(UNLABELLED, [])
    rows[[LABEL, NUMBER]] = predict(new_images)
    rows.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(rows)} rows")

# %% Show
plt.figure(figsize=(5, 5))
for name in class_names:
    of_class = truth[LABEL].astype(str) == name
    plt.scatter(truth[NUMBER][of_class], predicted[NUMBER][of_class], label=f"{LABEL}: {name}")
plt.axline((mean, mean), slope=1, color="gray")
plt.xlabel(f"{NUMBER}, true")
plt.ylabel(f"{NUMBER}, predicted")
plt.legend()
plt.tight_layout()
plt.savefig("predictions.png")
plt.show()
