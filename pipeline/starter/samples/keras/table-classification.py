# %% [markdown]
# # Classes from the columns of a table
# A dense network on numbers, categories and dates as they stand in the file; missing cells are filled in, rare classes
# are weighted.

# %% Imports
import glob
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, balanced_accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
HELD_OUT_FILE = ""  # rows with their classes that are kept for the test; "" splits them off
UNLABELLED_FILE = ""  # rows without classes that predictions are wanted for
PREDICTION_COLUMNS = []
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TARGET = "target"
CLASS_NAMES = ["low", "middle", "high"]
NUMBER_COLUMNS = []  # where no column is named, they are found by their kind
CATEGORY_COLUMNS = []
DATE_COLUMNS = []
UNUSED_COLUMNS = []
IMBALANCE = 3.0  # from this ratio of the largest to the smallest class on, classes are weighted
BATCH_SIZE = 32
EPOCHS = 100
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 10)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(rows=480):
    """Random rows whose class depends on the first number and the first category."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(42)
    numbers, categories = NUMBER_COLUMNS or ["length", "width"], CATEGORY_COLUMNS or ["colour"]
    table = pd.DataFrame({name: rng.normal(size=rows) for name in numbers})
    for name in categories:
        table[name] = rng.choice(["red", "green", "blue"], size=rows)
    signal = table[numbers[0]] + (table[categories[0]] == "red") + 0.2 * rng.normal(size=rows)
    table[TARGET] = pd.qcut(signal, len(CLASS_NAMES), labels=CLASS_NAMES).astype(str)
    return table


def read_table(name):
    """A table of DATA_DIR: CSV, Parquet or Excel; a `*` in the name stands for files with the same columns."""
    path = os.path.join(DATA_DIR, name)
    paths = [path] if os.path.isfile(path) else sorted(glob.glob(path, recursive=True))
    if not paths:
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    tables = []
    for path in paths:
        if path.lower().endswith((".parquet", ".pq")):
            tables.append(pd.read_parquet(path))
        elif path.lower().endswith((".xlsx", ".xlsm")):
            tables.append(pd.read_excel(path, **READ_OPTIONS))
        else:
            tables.append(pd.read_csv(path, **READ_OPTIONS))
    table = pd.concat(tables, ignore_index=True)
    return table.rename(columns=lambda column: str(column).strip())


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
if TARGET not in table:
    raise SystemExit(f"{TRAIN_FILE} has no column {TARGET!r}; it has {', '.join(table.columns[:20])}")
table = table[table[TARGET].notna()].reset_index(drop=True)
class_names = np.array(sorted(table[TARGET].astype(str).str.strip().unique()))
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds {NUM_CLASSES} class; at least two are needed")
print(f"{len(table)} rows, {NUM_CLASSES} classes:", ", ".join(class_names[:20]))

# %% Preprocessing
if not (NUMBER_COLUMNS or CATEGORY_COLUMNS or DATE_COLUMNS):
    inputs = table.drop(columns=[TARGET, *UNUSED_COLUMNS], errors="ignore")
    NUMBER_COLUMNS = [name for name in inputs if pd.api.types.is_numeric_dtype(inputs[name])]
    CATEGORY_COLUMNS = [name for name in inputs if name not in NUMBER_COLUMNS and inputs[name].nunique() <= 50]


def features_of(table):
    """Numbers, parts of dates and categories, a column each; what is no number in a column of numbers is missing."""
    absent = [name for name in [*NUMBER_COLUMNS, *CATEGORY_COLUMNS, *DATE_COLUMNS] if name not in table]
    if absent:
        raise SystemExit(f"the table has no column {absent[0]!r}; it has {', '.join(table.columns[:20])}")
    features = {name: pd.to_numeric(table[name], errors="coerce") for name in NUMBER_COLUMNS}
    for name in DATE_COLUMNS:
        dates = pd.to_datetime(table[name], errors="coerce")
        features |= {f"{name} year": dates.dt.year, f"{name} month": dates.dt.month, f"{name} day": dates.dt.dayofweek}
    for name in CATEGORY_COLUMNS:
        features[name] = table[name].astype("object").where(table[name].notna(), "missing").astype(str)
    return pd.DataFrame(features, index=table.index)


def labels_of(table):
    """Class numbers; a class that training has not seen is an error."""
    names = table[TARGET].astype(str).str.strip()
    unknown = sorted(set(names) - set(class_names))
    if unknown:
        raise SystemExit(f"column {TARGET!r} holds a class that the training rows lack: {unknown[0]}")
    return np.searchsorted(class_names, names)


def split(table, share):
    """Two parts of a table, with the classes alike in both where every class is there often enough."""
    counts = table[TARGET].value_counts()
    stratify = table[TARGET] if counts.min() > 1 and int(share * len(table)) >= len(counts) else None
    return train_test_split(table, test_size=share, random_state=42, stratify=stratify)


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


if HELD_OUT_FILE and not SYNTHETIC:
    held_out = read_table(HELD_OUT_FILE)
    test_rows = held_out[held_out[TARGET].notna()]
    train_rows = table
else:
    train_rows, test_rows = split(table, 0.2)
train_rows, val_rows = split(train_rows, 0.15)

# Fitted on the training rows alone, so that nothing of the others leaks into the scales.
dates = [f"{name} {part}" for name in DATE_COLUMNS for part in ("year", "month", "day")]
numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
categories = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=50, sparse_output=False)
preprocess = ColumnTransformer(
    [("numbers", numbers, NUMBER_COLUMNS + dates), ("categories", categories, CATEGORY_COLUMNS)]
)
x_train = preprocess.fit_transform(features_of(train_rows)).astype("float32")
x_val = preprocess.transform(features_of(val_rows)).astype("float32")
x_test = preprocess.transform(features_of(test_rows)).astype("float32")
train_labels, val_labels, test_labels = labels_of(train_rows), labels_of(val_rows), labels_of(test_rows)
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)
NUM_FEATURES = x_train.shape[1]

counts = np.bincount(train_labels, minlength=NUM_CLASSES)
imbalanced = counts.max() > IMBALANCE * max(counts.min(), 1)
class_weights = None
if imbalanced:
    class_weights = {number: len(train_labels) / (NUM_CLASSES * max(count, 1)) for number, count in enumerate(counts)}


# %% Model
def build_model():
    """Two hidden layers and an output for each class."""
    return keras.Sequential(
        [
            keras.Input(shape=(NUM_FEATURES,)),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(64, activation="relu"),
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
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=15, restore_best_weights=True)

history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    class_weight=class_weights,
    callbacks=[early_stopping],
    verbose=2,
)
model.save("model.keras")
joblib.dump((preprocess, class_names), "preprocessing.joblib")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


test_predictions = predicted_classes(model.predict(x_test, verbose=0))
print(classification_report(class_names[test_labels], class_names[test_predictions], zero_division=0))
metric, score = ("balanced accuracy", balanced_accuracy_score) if imbalanced else ("accuracy", accuracy_score)
most_frequent = np.full_like(test_labels, counts.argmax())
print(
    f"held-out {metric}: {score(test_labels, test_predictions):.4f} "
    f"(baseline, always the most frequent class: {score(test_labels, most_frequent):.4f})"
)


# %% Evaluate: new rows
def predict(table):
    """The class of each row, and the probability of it where the model has one per class."""
    outputs = model.predict(preprocess.transform(features_of(table)).astype("float32"), verbose=0)
    predictions = pd.DataFrame({TARGET: class_names[predicted_classes(outputs)]}, index=table.index)
    if outputs.shape[-1] == NUM_CLASSES:
        for number, name in enumerate(class_names):
            predictions[f"{TARGET}={name}"] = outputs[:, number]
    return predictions


if UNLABELLED_FILE and not SYNTHETIC:
    unlabelled = read_table(UNLABELLED_FILE)
    predictions = unlabelled.drop(columns=TARGET, errors="ignore").join(predict(unlabelled))
    wanted = [name for name in PREDICTION_COLUMNS if name in predictions]
    predictions[wanted or list(predictions)].to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(predictions)} rows")

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
