# %% [markdown]
# # Classes from a table with text
# Texts are read word by word and joined with the other columns of the table, where it has some.

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
TARGET = "label"
CLASS_NAMES = ["bad", "good"]
TEXT_COLUMNS = ["text"]
NUMBER_COLUMNS = []
CATEGORY_COLUMNS = []
IMBALANCE = 3.0  # from this ratio of the largest to the smallest class on, classes are weighted
SEQUENCE_LENGTH = 120
VOCAB_SIZE = 20000
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(rows=400):
    """Rows whose texts have a word that only their class has."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(42)
    common = "the a it was and room food staff we they on in at night day again never always very".split()
    labels = rng.choice(CLASS_NAMES, size=rows)
    table = pd.DataFrame({TARGET: labels})
    for name in TEXT_COLUMNS:
        table[name] = [" ".join([*rng.choice(common, size=15), f"{label}word"]) for label in labels]
    for name in NUMBER_COLUMNS:
        table[name] = rng.normal(size=rows)
    for name in CATEGORY_COLUMNS:
        table[name] = rng.choice(["red", "green"], size=rows)
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
    table = pd.concat(tables, ignore_index=True).rename(columns=lambda column: str(column).strip())
    absent = [column for column in [*TEXT_COLUMNS, *NUMBER_COLUMNS, *CATEGORY_COLUMNS] if column not in table]
    if absent:
        raise SystemExit(f"{name} has no column {absent[0]!r}; it has {', '.join(table.columns[:20])}")
    return table


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
def texts_of(table):
    """The text columns of each row, one after another."""
    return table[TEXT_COLUMNS].fillna("").astype(str).agg(" ".join, axis=1).to_numpy()


def others_of(table):
    """Numbers and categories; what is no number in a column of numbers is missing."""
    features = {name: pd.to_numeric(table[name], errors="coerce") for name in NUMBER_COLUMNS}
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
    train_rows, test_rows = table, held_out[held_out[TARGET].notna()]
else:
    train_rows, test_rows = split(table, 0.2)
train_rows, val_rows = split(train_rows, 0.15)

vectorize = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
vectorize.adapt(texts_of(train_rows))
numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
categories = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=50, sparse_output=False)
preprocess = ColumnTransformer([("numbers", numbers, NUMBER_COLUMNS), ("categories", categories, CATEGORY_COLUMNS)])
preprocess.fit(others_of(train_rows))


def inputs_of(table):
    """What the model is given: word numbers, and the other columns where there are some."""
    words = np.asarray(vectorize(texts_of(table)))
    others = np.asarray(preprocess.transform(others_of(table)), dtype="float32")
    return [words, others] if others.shape[1] else words


x_train, x_val, x_test = inputs_of(train_rows), inputs_of(val_rows), inputs_of(test_rows)
train_labels, val_labels, test_labels = labels_of(train_rows), labels_of(val_rows), labels_of(test_rows)
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)
NUM_FEATURES = x_train[1].shape[1] if isinstance(x_train, list) else 0

counts = np.bincount(train_labels, minlength=NUM_CLASSES)
imbalanced = counts.max() > IMBALANCE * max(counts.min(), 1)
class_weights = None
if imbalanced:
    class_weights = {number: len(train_labels) / (NUM_CLASSES * max(count, 1)) for number, count in enumerate(counts)}


# %% Model
def build_model():
    """The average of word vectors beside the other columns, and an output for each class."""
    words = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64")
    inputs, x = [words], layers.Embedding(VOCAB_SIZE, 64, mask_zero=True)(words)
    x = layers.GlobalAveragePooling1D()(x)
    if NUM_FEATURES:
        others = keras.Input(shape=(NUM_FEATURES,))
        inputs.append(others)
        x = layers.Concatenate()([x, layers.Dense(32, activation="relu")(others)])
    x = layers.Dropout(0.3)(x)
    x = layers.Dense(64, activation="relu")(x)
    x = layers.Dropout(0.3)(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs if NUM_FEATURES else words, outputs)


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
    class_weight=class_weights,
    callbacks=[early_stopping],
    verbose=2,
)
model.save("model.keras")
joblib.dump((preprocess, vectorize.get_vocabulary(), class_names), "preprocessing.joblib")


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
if UNLABELLED_FILE and not SYNTHETIC:
    predictions = read_table(UNLABELLED_FILE)
    predictions[TARGET] = class_names[predicted_classes(model.predict(inputs_of(predictions), verbose=0))]
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
