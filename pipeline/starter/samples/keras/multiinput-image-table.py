# %% [markdown]
# # Classes from an image together with columns of a table
# A model with two inputs: convolutions read the image, a dense layer the table's numbers and categories, and what both
# find is put together (Keras' functional API).

# %% Imports
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
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
NUMBER_COLUMNS = []  # where no column is named, they are found by their kind
CATEGORY_COLUMNS = []
UNUSED_COLUMNS = []
TARGET = "label"
UNLABELLED = ""  # a table of images without classes that predictions are wanted for
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
CHANNELS = 3
FILTERS = [16, 32, 64]
HIDDEN_UNITS = [64, 32]
DROPOUT = 0.3
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 48)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 48)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    EPOCHS = min(EPOCHS, 12)


# %% Data: files
def made_up_folder(count=240):
    """Four classes: the image is bright or dark, the first number high or low; only both together tell them apart."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    bright, high = rng.integers(2, size=count), rng.integers(2, size=count)
    table = pd.DataFrame({FILE_COLUMN: [f"{number}.png" for number in range(count)]})
    for column in NUMBER_COLUMNS or ["number_1", "number_2"]:
        table[column] = (rng.normal(50, 10, size=count) + 40 * high).round(1)
    for column in CATEGORY_COLUMNS or ["category"]:
        table[column] = rng.choice(["x", "y", "z"], size=count)
    table[TARGET] = [f"class {2 * first + second}" for first, second in zip(bright, high, strict=True)]
    for name, is_bright in zip(table[FILE_COLUMN], bright, strict=True):
        pixels = rng.integers(0, 120, size=(IMAGE_HEIGHT, IMAGE_WIDTH, 3), dtype="uint8")
        pixels[:: 2 if is_bright else 4] += 130
        path = os.path.join(folder, IMAGES.replace("*", name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(pixels).save(path, format="PNG")
    table.to_csv(os.path.join(folder, TABLE_FILE), index=False)
    return folder


def read_listed(name, needed):
    """The rows of a table whose image is there, and the images."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    read = pd.read_excel if path.lower().endswith((".xlsx", ".xlsm")) and not SYNTHETIC else pd.read_csv
    table = read(path, dtype={FILE_COLUMN: str}, **({} if SYNTHETIC else READ_OPTIONS))
    lacking = [column for column in needed if column not in table]
    if lacking:
        raise SystemExit(f"{name} has no column {lacking[0]!r}; it has {', '.join(table.columns[:20])}")
    paths = table[FILE_COLUMN].map(lambda cell: os.path.join(folder, IMAGES.replace("*", str(cell).strip())))
    there = paths.map(os.path.isfile)
    if not there.any():
        raise SystemExit(f"{folder} has no image {IMAGES} as named in column {FILE_COLUMN!r}")
    return table[there].reset_index(drop=True), np.stack([read_image(path) for path in paths[there]])


def read_image(path):
    """One image at the wanted size."""
    with Image.open(path) as image:
        resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(resized).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


folder = made_up_folder() if SYNTHETIC else DATA_DIR
table, images = read_listed(TABLE_FILE, [FILE_COLUMN, TARGET, *NUMBER_COLUMNS, *CATEGORY_COLUMNS])
if not NUMBER_COLUMNS and not CATEGORY_COLUMNS:
    others = table.drop(columns=[FILE_COLUMN, TARGET, *UNUSED_COLUMNS], errors="ignore")
    NUMBER_COLUMNS = others.select_dtypes("number").columns.tolist()
    CATEGORY_COLUMNS = [name for name in others if name not in NUMBER_COLUMNS and others[name].nunique() <= 50]
COLUMNS = [*NUMBER_COLUMNS, *CATEGORY_COLUMNS]
if not COLUMNS:
    raise SystemExit(f"{TABLE_FILE} has no columns beside the image and the class; name them in NUMBER_COLUMNS")
labelled = table[TARGET].notna().to_numpy()
table, images = table[labelled], images[labelled]
class_names, labels = np.unique(table[TARGET].astype(str), return_inverse=True)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds {NUM_CLASSES} class; at least two are needed")
print(f"{len(table)} rows with an image, {NUM_CLASSES} classes, {len(COLUMNS)} columns beside the image")


# %% Preprocessing
def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
categories = make_pipeline(
    SimpleImputer(strategy="constant", fill_value="missing"),
    OneHotEncoder(handle_unknown="ignore", sparse_output=False),
)
features = make_column_transformer((numbers, NUMBER_COLUMNS), (categories, CATEGORY_COLUMNS))


def as_inputs(images, table):
    """The two inputs: pixels from 0 to 1, and the columns as numbers."""
    columns = table[COLUMNS].astype(dict.fromkeys(CATEGORY_COLUMNS, object))
    return [images.astype("float32") / 255.0, features.transform(columns).astype("float32")]


train, test = train_test_split(np.arange(len(table)), test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
features.fit(table.iloc[train][COLUMNS].astype(dict.fromkeys(CATEGORY_COLUMNS, object)))
x_train, x_val, x_test = (as_inputs(images[rows], table.iloc[rows]) for rows in (train, val, test))
train_labels, test_labels = labels[train], labels[test]
y_train, y_val, y_test = encode_labels(labels[train]), encode_labels(labels[val]), encode_labels(labels[test])
NUM_FEATURES = x_train[1].shape[1]


# %% Model
def build_model():
    """A branch for the image and one for the columns, joined by concatenation."""
    image = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), name="image")
    x = image
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)

    columns = keras.Input(shape=(NUM_FEATURES,), name="columns")
    y = layers.Dense(HIDDEN_UNITS[0], activation="relu")(columns)

    joined = layers.Concatenate()([x, y])
    for units in HIDDEN_UNITS:
        joined = layers.Dense(units, activation="relu")(joined)
    joined = layers.Dropout(DROPOUT)(joined)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(joined)
    return keras.Model([image, columns], outputs)


model = build_model()
model.summary()

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
joblib.dump({"features": features, "class_names": class_names}, "preprocessing.joblib")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(table, images):
    """The class of each row with its image."""
    return class_names[predicted_classes(model.predict(as_inputs(images, table), verbose=0))]


test_predictions = predicted_classes(model.predict(x_test, verbose=0))
most_frequent = np.full_like(test_labels, np.bincount(train_labels).argmax())
print(
    f"held-out accuracy: {accuracy_score(test_labels, test_predictions):.4f} "
    f"(baseline, always the most frequent class: {accuracy_score(test_labels, most_frequent):.4f})"
)

if UNLABELLED and not SYNTHETIC:
    rows, new_images = read_listed(UNLABELLED, [FILE_COLUMN, *COLUMNS])
    rows[TARGET] = predict(rows, new_images)
    rows.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(rows)} rows")

# %% Show
ConfusionMatrixDisplay.from_predictions(
    test_labels, test_predictions, labels=range(NUM_CLASSES), display_labels=class_names, xticks_rotation=45
)
plt.tight_layout()
plt.savefig("confusion_matrix.png")
plt.show()
