# %% [markdown]
# # Classes from an image together with a text
# Convolutions look at the image, a bidirectional GRU reads the words that go with it, and the class is told from what
# both have found. A table names the image of each text.

# %% Imports
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "train.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
UNLABELLED_FILE = ""  # images and texts without classes that predictions are wanted for
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TEXT_COLUMN = "text"
TARGET = "label"
CLASS_NAMES = ["class_1", "class_2", "class_3", "class_4"]  # of made-up data; real classes are found in the table
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
CHANNELS = 3
FILTERS = [16, 32, 64]
SEQUENCE_LENGTH = 60  # words of a text that are read
VOCAB_SIZE = 10000
EMBEDDING_DIM = 64
GRU_UNITS = 32
HIDDEN_UNITS = [64]
DROPOUT = 0.3
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.001
PATIENCE = 6

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 48)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 48)
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 20)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    EPOCHS = min(EPOCHS, 8)
    LEARNING_RATE = max(LEARNING_RATE, 0.003)


# %% Data: files
def made_up_folder():
    """An image bright or dark, a text with one of several words: only both together tell the class."""
    count = max(240, 40 * len(CLASS_NAMES))
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images and texts, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    fillers = "this one is as good as new and comes in a box with all that belongs to it".split()
    rows = []
    for number in range(count):
        label = number % len(CLASS_NAMES)
        pixels = rng.integers(0, 110, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8") + 120 * (label % 2)
        path = os.path.join(folder, IMAGES.replace("*", f"{number}.png"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(pixels.astype("uint8").squeeze()).save(path)
        words = rng.permutation([*rng.choice(fillers, size=8), f"word{label // 2}"])
        rows.append({FILE_COLUMN: f"{number}.png", TEXT_COLUMN: " ".join(words), TARGET: CLASS_NAMES[label]})
    pd.DataFrame(rows).to_csv(os.path.join(folder, TABLE_FILE), index=False)
    return folder


def read_rows(name, needed):
    """The rows of a table whose image is there, with its path in a column `path`; a missing text is an empty one."""
    file = os.path.join(folder, name)
    if not os.path.isfile(file):
        raise SystemExit(f"{file}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    rows = pd.read_csv(file, dtype={FILE_COLUMN: str}, **({} if SYNTHETIC else READ_OPTIONS))
    for column in needed:
        if column not in rows:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(map(str, rows.columns[:20]))}")
    paths = [os.path.join(folder, IMAGES.replace("*", str(cell).strip())) for cell in rows[FILE_COLUMN]]
    rows = rows.assign(path=paths).fillna({TEXT_COLUMN: ""})
    rows = rows[rows["path"].map(os.path.isfile)]
    if rows.empty:
        raise SystemExit(f"{folder} has no image {IMAGES} as named in column {FILE_COLUMN!r}")
    return rows


folder = made_up_folder() if SYNTHETIC else DATA_DIR
table = read_rows(TABLE_FILE, [FILE_COLUMN, TEXT_COLUMN, TARGET]).dropna(subset=[TARGET])
class_names = sorted(table[TARGET].astype(str).unique())
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds {NUM_CLASSES} class; at least two are needed")
print(f"{len(table)} images with a text, {NUM_CLASSES} classes: {', '.join(class_names[:20])}")


# %% Preprocessing
def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


def numbers_of(rows):
    """The class number of each row."""
    return np.array([class_names.index(name) for name in rows[TARGET].astype(str)])


def read_image(path):
    """Pixels from 0 to 1 at the wanted size."""
    with Image.open(path) as image:
        resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(resized, dtype="float32").reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS) / 255.0


train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
vectorize = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
vectorize.adapt(train[TEXT_COLUMN].astype(str).tolist())  # the words of the training rows


def inputs_of(rows):
    """Pixels and word numbers of rows."""
    words = vectorize(np.array(rows[TEXT_COLUMN].astype(str).tolist()))
    return {"image": np.stack([read_image(path) for path in rows["path"]]), "text": np.asarray(words)}


x_train, x_val, x_test = inputs_of(train), inputs_of(val), inputs_of(test)
train_labels, test_labels = numbers_of(train), numbers_of(test)
y_train, y_val = encode_labels(train_labels), encode_labels(numbers_of(val))


# %% Model
def build_model():
    """A convolutional branch for the image, a recurrent one for the text, and dense layers on both."""
    image = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), name="image")
    seen = image
    for filters in FILTERS:
        seen = layers.Conv2D(filters, 3, padding="same", activation="relu")(seen)
        seen = layers.MaxPooling2D(2, padding="same")(seen)
    seen = layers.GlobalAveragePooling2D()(seen)

    text = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64", name="text")
    read = layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM, mask_zero=True)(text)
    read = layers.Bidirectional(layers.GRU(GRU_UNITS))(read)

    both = layers.Concatenate()([seen, read])
    for units in HIDDEN_UNITS:
        both = layers.Dropout(DROPOUT)(layers.Dense(units, activation="relu")(both))
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(both)
    return keras.Model({"image": image, "text": text}, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)
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
with open("preprocessing.json", "w", encoding="utf-8") as stream:
    json.dump({"words": vectorize.get_vocabulary(), "classes": class_names}, stream)


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(rows):
    """The class of each row."""
    return np.array(class_names)[predicted_classes(model.predict(inputs_of(rows), verbose=0))]


test_predictions = predicted_classes(model.predict(x_test, verbose=0))
print(
    classification_report(
        test_labels, test_predictions, labels=range(NUM_CLASSES), target_names=class_names, zero_division=0
    )
)
most_frequent = np.bincount(train_labels).argmax()
print(
    f"held-out accuracy: {accuracy_score(test_labels, test_predictions):.4f} "
    f"(baseline, always the most frequent class: {np.mean(test_labels == most_frequent):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_rows(UNLABELLED_FILE, [FILE_COLUMN, TEXT_COLUMN])
    new.assign(**{TARGET: predict(new)}).drop(columns="path").to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
figure, axes = plt.subplots(1, 4, figsize=(12, 3.5))
for axis, (_, row), name in zip(axes, test.iterrows(), predict(test.head(4)), strict=False):
    axis.imshow(read_image(row["path"]).squeeze(), cmap="gray" if CHANNELS == 1 else None, vmin=0, vmax=1)
    axis.set_title(f"{name}\n(true: {row[TARGET]})\n{row[TEXT_COLUMN][:30]}", fontsize=8)
    axis.axis("off")
plt.savefig("predictions.png", bbox_inches="tight")
plt.show()
