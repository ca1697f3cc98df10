# %% [markdown]
# # Several labels for each image
# A convolutional network with one sigmoid output for each label: an image may have none of them, one or many. A table
# lists the image files, with a column of zeros and ones for each label.

# %% Imports
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image, ImageDraw
from sklearn.metrics import classification_report, f1_score
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "train.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
LABEL_COLUMNS = ["first", "second", "third"]
UNLABELLED = ""  # a table of images without labels that predictions are wanted for
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
FILTERS = [32, 64, 128]
HIDDEN_UNITS = 128
DROPOUT = 0.3
THRESHOLD = 0.5  # probability from which a label is given
PATIENCE = 6
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.001

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def write_made_up_data(folder, count=240):
    """Noise with a bar for each label that the image has, the bars side by side."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    labels = rng.integers(2, size=(count, len(LABEL_COLUMNS)))
    files = [f"{number}.png" for number in range(count)]
    step = IMAGE_WIDTH / len(LABEL_COLUMNS)
    for file, row in zip(files, labels, strict=True):
        noise = rng.integers(0, 120, size=(IMAGE_HEIGHT, IMAGE_WIDTH, 3), dtype="uint8")
        image = Image.fromarray(noise)
        for place in np.flatnonzero(row):
            left, top = place * step + step / 4, rng.integers(IMAGE_HEIGHT // 3)
            colour = ("red", "lime", "cyan")[place % 3]
            ImageDraw.Draw(image).rectangle((left, top, left + step / 2, top + IMAGE_HEIGHT // 2), fill=colour)
        path = os.path.join(folder, IMAGES.replace("*", file))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        image.save(path, format="PNG")
    table = pd.DataFrame(labels, columns=LABEL_COLUMNS)
    table.insert(0, FILE_COLUMN, files)
    table.to_csv(os.path.join(folder, TABLE_FILE), index=False)


def read_listed(name, columns):
    """The rows of a table that have an image, and the images."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    read = pd.read_excel if path.lower().endswith((".xlsx", ".xlsm")) and not SYNTHETIC else pd.read_csv
    table = read(path, dtype={FILE_COLUMN: str}, **({} if SYNTHETIC else READ_OPTIONS))
    missing = [column for column in (FILE_COLUMN, *columns) if column not in table]
    if missing:
        raise SystemExit(f"{name} has no column {missing[0]!r}; it has {', '.join(table.columns[:20])}")
    paths = [os.path.join(folder, IMAGES.replace("*", cell.strip())) for cell in table[FILE_COLUMN].astype(str)]
    there = np.array([os.path.isfile(path) for path in paths])
    if not there.any():
        raise SystemExit(f"{folder} has no image {IMAGES} as named in column {FILE_COLUMN!r}")
    if not there.all():
        print(f"{(~there).sum()} rows name no image and were left out")
    return table[there].reset_index(drop=True), np.stack([read_image(path) for path in np.array(paths)[there]])


def read_image(path):
    """One image as an array of the wanted size; a smaller or larger one is scaled to it."""
    with Image.open(path) as image:
        resized = image.convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT), Image.BILINEAR)
    return np.asarray(resized).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


folder = tempfile.mkdtemp() if SYNTHETIC else DATA_DIR
if SYNTHETIC:
    write_made_up_data(folder)
table, images = read_listed(TABLE_FILE, LABEL_COLUMNS)
labels = table[LABEL_COLUMNS].astype("float32").fillna(0).to_numpy()
if not np.isin(labels, (0, 1)).all():
    raise SystemExit(f"the columns {', '.join(LABEL_COLUMNS)} have to hold zeros and ones")
NUM_CLASSES = len(LABEL_COLUMNS)
print(f"{len(images)} images; how often each label is given:")
print(table[LABEL_COLUMNS].mean().round(3).to_string())


# %% Preprocessing
def scale(images):
    """Pixels from 0 to 1."""
    return images.astype("float32") / 255.0


x_train, x_test, y_train, y_test = train_test_split(scale(images), labels, test_size=TEST_SPLIT, random_state=SEED)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=VALIDATION_SPLIT, random_state=SEED)


# %% Model
def build_model():
    """Blocks of convolutions, a hidden layer and a sigmoid for each label, as labels do not exclude each other."""
    model = keras.Sequential([keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))])
    for filters in FILTERS:
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2, padding="same"))
    model.add(layers.Flatten())
    model.add(layers.Dense(HIDDEN_UNITS, activation="relu"))
    model.add(layers.Dropout(DROPOUT))
    model.add(layers.Dense(NUM_CLASSES, activation="sigmoid"))
    return model


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="binary_crossentropy",
    metrics=["binary_accuracy", keras.metrics.AUC(multi_label=True, num_labels=NUM_CLASSES, name="auc")],
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)],
    verbose=2,
)
model.save("model.keras")


# %% Evaluate
def predict(images):
    """Zeros and ones: the labels of each image."""
    return (model.predict(scale(images), verbose=0) > THRESHOLD).astype(int)


test_predictions = (model.predict(x_test, verbose=0) > THRESHOLD).astype(int)
print(classification_report(y_test, test_predictions, target_names=LABEL_COLUMNS, zero_division=0))
# The best that can be done without looking at an image: every label or, if that scores better, the frequent ones.
constant = max(
    f1_score(y_test, np.broadcast_to(row, y_test.shape), average="micro", zero_division=0)
    for row in (np.ones(NUM_CLASSES), y_train.mean(axis=0) > THRESHOLD)
)
micro_f1 = f1_score(y_test, test_predictions, average="micro", zero_division=0)
print(f"held-out micro F1: {micro_f1:.4f} (baseline, the same labels for all: {constant:.4f})")

if UNLABELLED and not SYNTHETIC:
    rows, new_images = read_listed(UNLABELLED, [])
    rows[LABEL_COLUMNS] = predict(new_images)
    rows.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(rows)} rows")

# %% Show
figure, axes = plt.subplots(2, 3, figsize=(9, 6))
for axis in axes.flat:
    axis.axis("off")
for axis, image, given in zip(axes.flat, x_test, test_predictions, strict=False):
    axis.imshow(image.squeeze(), cmap="gray" if CHANNELS == 1 else None)
    axis.set_title(", ".join(np.array(LABEL_COLUMNS)[given == 1]) or "none", fontsize=8)
plt.tight_layout()
plt.savefig("predictions.png")
plt.show()
