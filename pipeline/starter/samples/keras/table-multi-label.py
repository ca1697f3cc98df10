# %% [markdown]
# # Several labels for each row of a table
# A row may have any number of the labels, which are columns of zeros and ones: one sigmoid output for each label. The
# threshold of a label is the one that serves its F1 best on the validation rows, so that rare labels are given too.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import classification_report, f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows whose labels are wanted
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
LABEL_COLUMNS = ["label_a", "label_b", "label_c"]  # each holds 0 or 1
UNUSED_COLUMNS = []  # columns that must not be used
DROPOUT = 0.2
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 80
LEARNING_RATE = 0.002
PATIENCE = 12

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 20)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(rows=900):
    """Six numbers and a category; each label depends on two of the numbers, and one in three rows has it."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(42)
    numbers = rng.normal(size=(rows, 6))
    table = pd.DataFrame(numbers, columns=[f"reading_{number}" for number in range(1, 7)])
    table["plant"] = rng.choice(["north", "south"], size=rows)
    for number, name in enumerate(LABEL_COLUMNS):
        signal = numbers[:, number % 6] + numbers[:, (number + 1) % 6] + 0.3 * rng.normal(size=rows)
        table[name] = (signal > 0.6).astype(int)
    return table


def read_table(name, needed):
    """The rows of a CSV, Excel or Parquet file that have no gap in the needed columns."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    readers = {".xlsx": pd.read_excel, ".parquet": pd.read_parquet}
    reader = readers.get(os.path.splitext(path)[1].lower(), pd.read_csv)
    table = reader(path, **({} if reader is pd.read_parquet else READ_OPTIONS)).rename(columns=str)
    for column in needed:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(table.columns[:20])}")
    return table.dropna(subset=needed).reset_index(drop=True)


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE, LABEL_COLUMNS)
shares = (table[LABEL_COLUMNS].astype(float) > 0).mean()
print(f"{len(table)} rows; share of rows with each label:", ", ".join(f"{n} {s:.2f}" for n, s in shares.items()))

# %% Preprocessing
train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=42)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=42)

inputs = [name for name in table if name not in (*LABEL_COLUMNS, *UNUSED_COLUMNS)]
if not inputs:
    raise SystemExit(f"{TRAIN_FILE} has no column beside the labels")
preprocess = make_column_transformer(
    (
        make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
        make_column_selector(dtype_include=["number", "bool"]),
    ),
    (
        OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=30, sparse_output=False),
        make_column_selector(dtype_exclude=["number", "bool"]),
    ),
)
x_train = preprocess.fit_transform(train[inputs]).astype("float32")
x_val, x_test = (preprocess.transform(part[inputs]).astype("float32") for part in (val, test))
y_train, y_val, y_test = ((part[LABEL_COLUMNS].astype(float) > 0).to_numpy("float32") for part in (train, val, test))
NUM_FEATURES = x_train.shape[1]
NUM_CLASSES = len(LABEL_COLUMNS)


# %% Model
def build_model():
    """Two hidden layers that all labels share, and the probability of each label, which do not exclude each other."""
    row = keras.Input(shape=(NUM_FEATURES,))
    shared = layers.Dense(96, activation="relu")(row)
    shared = layers.Dropout(DROPOUT)(shared)
    shared = layers.Dense(48, activation="relu")(shared)
    return keras.Model(row, layers.Dense(NUM_CLASSES, activation="sigmoid")(shared))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="binary_crossentropy",
    metrics=["binary_accuracy"],
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


# %% Evaluate
def best_threshold(truth, probabilities):
    """The probability from which on giving the label has the best F1."""
    candidates = np.arange(0.1, 0.91, 0.05)
    return max(candidates, key=lambda limit: f1_score(truth, probabilities > limit, zero_division=0))


val_probabilities = model.predict(x_val, verbose=0)
thresholds = np.array([best_threshold(y_val[:, k], val_probabilities[:, k]) for k in range(NUM_CLASSES)])
print("thresholds:", ", ".join(f"{n} {t:.2f}" for n, t in zip(LABEL_COLUMNS, thresholds, strict=True)))


def predict(rows):
    """Zeros and ones, a column for each label."""
    probabilities = model.predict(preprocess.transform(rows[inputs]).astype("float32"), verbose=0)
    return pd.DataFrame((probabilities > thresholds).astype(int), columns=LABEL_COLUMNS, index=rows.index)


test_predictions = predict(test).to_numpy()
print(classification_report(y_test, test_predictions, target_names=LABEL_COLUMNS, zero_division=0))
score = f1_score(y_test, test_predictions, average="macro", zero_division=0)
baseline = f1_score(y_test, np.ones_like(y_test), average="macro", zero_division=0)
print(f"held-out macro F1: {score:.4f} (baseline, every label always: {baseline:.4f})")
model.save("model.keras")
joblib.dump((preprocess, inputs, thresholds), "preprocessing.joblib")

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE, inputs[:0])
    new.drop(columns=LABEL_COLUMNS, errors="ignore").join(predict(new)).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
plt.figure(figsize=(6, 4))
plt.bar(LABEL_COLUMNS, f1_score(y_test, test_predictions, average=None, zero_division=0))
plt.ylabel("F1 on held-out rows")
plt.tight_layout()
plt.savefig("labels.png")
plt.show()
