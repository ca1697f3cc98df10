# %% [markdown]
# # A number from an image together with columns of a table
# Two inputs, one output: convolutions read the image, dense layers the row that goes with it, and the number is told
# from both. A table names the image of each row.

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
from sklearn.metrics import mean_absolute_error, r2_score
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
UNLABELLED_FILE = ""  # rows with images but without the number that predictions are wanted for
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TARGET = "target"
NUMBER_COLUMNS = []  # where no column is named, they are found by their kind
CATEGORY_COLUMNS = []
UNUSED_COLUMNS = []
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
CHANNELS = 3
FILTERS = [16, 32, 64]
HIDDEN_UNITS = [64, 32]
DROPOUT = 0.1
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 60
LEARNING_RATE = 0.001
PATIENCE = 10

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 48)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 48)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    EPOCHS = min(EPOCHS, 25)
    LEARNING_RATE = max(LEARNING_RATE, 0.002)


# %% Data: files
def made_up_folder(count=240):
    """The number is a sum: how much of the image is bright, and what the row's first number says."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images and rows, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    rows = []
    for number in range(count):
        bright = rng.uniform(0.1, 0.9)
        pixels = rng.integers(0, 100, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
        pixels[: int(bright * IMAGE_HEIGHT)] += 130
        path = os.path.join(folder, IMAGES.replace("*", f"{number}.png"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(pixels.squeeze()).save(path)
        row = {FILE_COLUMN: f"{number}.png"}
        row |= {name: rng.normal(50, 10) for name in NUMBER_COLUMNS or ["number_1", "number_2"]}
        row |= {name: str(rng.choice(["a", "b", "c"])) for name in CATEGORY_COLUMNS or ["category"]}
        first = next((value for value in row.values() if not isinstance(value, str)), 50.0)
        rows.append({**row, TARGET: 200 * bright + 4 * first + rng.normal(0, 5)})
    pd.DataFrame(rows).to_csv(os.path.join(folder, TABLE_FILE), index=False)
    return folder


def read_rows(name):
    """The rows of a table whose image is there, with its path in a column `path`."""
    file = os.path.join(folder, name)
    if not os.path.isfile(file):
        raise SystemExit(f"{file}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    rows = pd.read_csv(file, dtype={FILE_COLUMN: str}, **({} if SYNTHETIC else READ_OPTIONS))
    if FILE_COLUMN not in rows:
        raise SystemExit(f"{name} has no column {FILE_COLUMN!r}; it has {', '.join(map(str, rows.columns[:20]))}")
    rows["path"] = [os.path.join(folder, IMAGES.replace("*", str(cell).strip())) for cell in rows[FILE_COLUMN]]
    rows = rows[rows["path"].map(os.path.isfile)]
    if rows.empty:
        raise SystemExit(f"{folder} has no image {IMAGES} as named in column {FILE_COLUMN!r}")
    return rows.reset_index(drop=True)


folder = made_up_folder() if SYNTHETIC else DATA_DIR
table = read_rows(TABLE_FILE)
absent = [name for name in (TARGET, *NUMBER_COLUMNS, *CATEGORY_COLUMNS) if name not in table]
if absent:
    raise SystemExit(f"{TABLE_FILE} has no column {absent[0]!r}; it has {', '.join(map(str, table.columns[:20]))}")
table[TARGET] = pd.to_numeric(table[TARGET], errors="coerce")
table = table.dropna(subset=[TARGET])
if not NUMBER_COLUMNS and not CATEGORY_COLUMNS:
    beside = table.drop(columns=[TARGET, FILE_COLUMN, "path", *UNUSED_COLUMNS], errors="ignore")
    NUMBER_COLUMNS = beside.select_dtypes("number").columns.tolist()
    CATEGORY_COLUMNS = [name for name in beside if name not in NUMBER_COLUMNS and beside[name].nunique() <= 50]
COLUMNS = [*NUMBER_COLUMNS, *CATEGORY_COLUMNS]
if not COLUMNS:
    raise SystemExit(f"{TABLE_FILE} has no columns beside {FILE_COLUMN!r} and {TARGET!r} that could be read")
print(f"{len(table)} rows with an image; {TARGET} from images and {', '.join(COLUMNS)}")

# %% Preprocessing
train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)

# Scales and categories are those of the training rows.
numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
features = make_column_transformer((numbers, NUMBER_COLUMNS), (categories, CATEGORY_COLUMNS)).fit(train)
target_scaler = StandardScaler().fit(train[[TARGET]].to_numpy())


def read_image(path):
    """Pixels from 0 to 1 at the wanted size."""
    with Image.open(path) as image:
        resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(resized, dtype="float32").reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS) / 255.0


def inputs_of(rows):
    """The images and the features of rows."""
    return {"image": np.stack([read_image(path) for path in rows["path"]]), "columns": features.transform(rows)}


def scaled(rows):
    """The targets of rows around zero."""
    return target_scaler.transform(rows[[TARGET]].to_numpy())


x_train, x_val, x_test = inputs_of(train), inputs_of(val), inputs_of(test)
y_train, y_val = scaled(train), scaled(val)
NUM_FEATURES = x_train["columns"].shape[1]


# %% Model
def build_model():
    """A branch for the image and one for the columns, joined before the output."""
    image = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), name="image")
    seen = image
    for filters in FILTERS:
        seen = layers.Conv2D(filters, 3, padding="same", activation="relu")(seen)
        seen = layers.MaxPooling2D(2, padding="same")(seen)
    seen = layers.GlobalAveragePooling2D()(seen)

    columns = keras.Input(shape=(NUM_FEATURES,), name="columns")
    told = layers.Dense(HIDDEN_UNITS[0], activation="relu")(columns)

    both = layers.Concatenate()([seen, told])
    for units in HIDDEN_UNITS:
        both = layers.Dense(units, activation="relu")(both)
    outputs = layers.Dense(1)(layers.Dropout(DROPOUT)(both))
    return keras.Model({"image": image, "columns": columns}, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mean_squared_error",
    metrics=["mean_absolute_error"],
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
joblib.dump((features, target_scaler), "preprocessing.joblib")


# %% Evaluate
def predict(rows):
    """The number of each row with its image, in its own unit."""
    return target_scaler.inverse_transform(model.predict(inputs_of(rows), verbose=0))[:, 0]


truth, predicted = test[TARGET].to_numpy(), predict(test)
print(f"R2 {r2_score(truth, predicted):.3f}")
medians = np.full_like(truth, train[TARGET].median())
print(
    f"held-out mean absolute error: {mean_absolute_error(truth, predicted):.4f} "
    f"(baseline, always the median: {mean_absolute_error(truth, medians):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_rows(UNLABELLED_FILE)
    new.assign(**{TARGET: predict(new)}).drop(columns="path").to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
plt.figure(figsize=(5, 5))
plt.scatter(truth, predicted, s=8)
plt.axline((truth.mean(), truth.mean()), slope=1, color="grey")
plt.xlabel(f"{TARGET}, true")
plt.ylabel(f"{TARGET}, predicted")
plt.tight_layout()
plt.savefig("predictions.png")
plt.show()
