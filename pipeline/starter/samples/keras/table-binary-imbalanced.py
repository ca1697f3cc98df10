# %% [markdown]
# # A rare class in a table
# A dense network for two classes of which one is rare. The rare class weighs more in training, the threshold is chosen
# on the validation rows, and quality is measured by ROC AUC and PR AUC, since accuracy would praise a model that never
# finds the rare class.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import (
    PrecisionRecallDisplay,
    RocCurveDisplay,
    average_precision_score,
    classification_report,
    precision_recall_curve,
    roc_auc_score,
)
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows without classes that predictions are wanted for
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TARGET = "target"
POSITIVE_CLASS = ""  # the class to find; "" takes the rarer one
NUMBER_COLUMNS = []  # where no column is named, they are found by their kind
CATEGORY_COLUMNS = []
UNUSED_COLUMNS = []
HIDDEN_UNITS = [64, 32]
DROPOUT = 0.3
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.2
BATCH_SIZE = 64
EPOCHS = 60
LEARNING_RATE = 0.001
PATIENCE = 8

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 12)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(rows=2500):
    """Rows of which about one in ten is of class `yes`: where a number is high and a category fits."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(42)
    table = pd.DataFrame({name: rng.normal(size=rows) for name in NUMBER_COLUMNS or ["amount", "age", "visits"]})
    for name in CATEGORY_COLUMNS or ["kind", "region"]:
        table[name] = rng.choice(["a", "b", "c"], size=rows)
    chance = table.iloc[:, 0] + 0.8 * (table.iloc[:, -1] == "a") + 0.5 * rng.normal(size=rows)
    table[TARGET] = np.where(chance > chance.quantile(0.9), POSITIVE_CLASS or "yes", "no")
    return table.mask(rng.random(table.shape) < 0.02)


def read_table(name):
    """A table of DATA_DIR: CSV, Parquet or Excel."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    if path.lower().endswith(".parquet"):
        table = pd.read_parquet(path)
    elif path.lower().endswith((".xlsx", ".xlsm")):
        table = pd.read_excel(path, **READ_OPTIONS)
    else:
        table = pd.read_csv(path, **READ_OPTIONS)
    table.columns = table.columns.astype(str).str.strip()
    return table


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
if TARGET not in table:
    raise SystemExit(f"{TRAIN_FILE} has no column {TARGET!r}; it has {', '.join(table.columns[:20])}")
table = table.dropna(subset=[TARGET])
names = table[TARGET].astype(str).str.strip()
counts = names.value_counts()
if len(counts) != 2 or (POSITIVE_CLASS and POSITIVE_CLASS not in counts):
    raise SystemExit(f"column {TARGET!r} holds {', '.join(counts.index[:10])}; two classes are needed")
POSITIVE_CLASS = POSITIVE_CLASS or counts.index[-1]
NEGATIVE_CLASS = next(name for name in counts.index if name != POSITIVE_CLASS)
print(f"{len(table)} rows, {counts[POSITIVE_CLASS] / len(table):.1%} of them {POSITIVE_CLASS}")

# %% Preprocessing
if not (NUMBER_COLUMNS or CATEGORY_COLUMNS):
    inputs = table.drop(columns=[TARGET, *UNUSED_COLUMNS], errors="ignore")
    NUMBER_COLUMNS = inputs.select_dtypes("number").columns.tolist()
    CATEGORY_COLUMNS = [name for name in inputs if name not in NUMBER_COLUMNS and inputs[name].nunique() <= 50]


def features_of(table):
    """The columns that are used: numbers as numbers, categories as text."""
    absent = [name for name in [*NUMBER_COLUMNS, *CATEGORY_COLUMNS] if name not in table]
    if absent:
        raise SystemExit(f"the table has no column {absent[0]!r}; it has {', '.join(table.columns[:20])}")
    numbers = table[NUMBER_COLUMNS].apply(pd.to_numeric, errors="coerce")
    categories = table[CATEGORY_COLUMNS].astype("object").fillna("missing").astype(str)
    return pd.concat([numbers, categories], axis=1)


def encode_labels(labels):
    """Zero or one in a column, the form of a single output."""
    return np.asarray(labels, dtype="float32").reshape(-1, 1)


labels = (names == POSITIVE_CLASS).to_numpy(dtype=int)
train_rows, test_rows, train_labels, test_labels = train_test_split(
    table, labels, test_size=TEST_SPLIT, random_state=42, stratify=labels
)
train_rows, val_rows, train_labels, val_labels = train_test_split(
    train_rows, train_labels, test_size=VALIDATION_SPLIT, random_state=42, stratify=train_labels
)

preprocess = make_column_transformer(
    (make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()), NUMBER_COLUMNS),
    (OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORY_COLUMNS),
)
x_train = preprocess.fit_transform(features_of(train_rows))
x_val, x_test = preprocess.transform(features_of(val_rows)), preprocess.transform(features_of(test_rows))
y_train, y_val = encode_labels(train_labels), encode_labels(val_labels)
NUM_FEATURES = x_train.shape[1]

# Both classes count as much as each other: a rare row weighs more than a frequent one.
share = train_labels.mean()
class_weights = {0: 0.5 / (1 - share), 1: 0.5 / share}


# %% Model
def build_model():
    """Dense layers and one output: the probability of the rare class."""
    inputs = keras.Input(shape=(NUM_FEATURES,))
    x = inputs
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(DROPOUT)(x)
    outputs = layers.Dense(1, activation="sigmoid")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="binary_crossentropy",
    metrics=[keras.metrics.AUC(name="auc"), keras.metrics.AUC(curve="PR", name="pr_auc")],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(
    monitor="val_auc", mode="max", patience=PATIENCE, restore_best_weights=True
)
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

# %% Evaluate
# The threshold with the best F1 on the validation rows; the test rows have no say in it.
precision, recall, thresholds = precision_recall_curve(val_labels, model.predict(x_val, verbose=0)[:, 0])
f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
THRESHOLD = float(thresholds[f1[:-1].argmax()])
joblib.dump((preprocess, THRESHOLD), "preprocessing.joblib")


def predict(table):
    """The class of each row, and how probable the rare one is."""
    probability = model.predict(preprocess.transform(features_of(table)), verbose=0)[:, 0]
    found = np.where(probability >= THRESHOLD, POSITIVE_CLASS, NEGATIVE_CLASS)
    return pd.DataFrame({TARGET: found, f"{TARGET}={POSITIVE_CLASS}": probability}, index=table.index)


predictions = predict(test_rows)
probability = predictions[f"{TARGET}={POSITIVE_CLASS}"]
print(f"threshold {THRESHOLD:.3f}")
print(classification_report(names[test_rows.index], predictions[TARGET], zero_division=0))
print(f"PR AUC: {average_precision_score(test_labels, probability):.4f} (baseline: {test_labels.mean():.4f})")
print(
    f"held-out ROC AUC: {roc_auc_score(test_labels, probability):.4f} "
    f"(baseline, the same score for all: {roc_auc_score(test_labels, np.zeros(len(test_labels))):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    new.drop(columns=TARGET, errors="ignore").join(predict(new)).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
fig, axes = plt.subplots(1, 2, figsize=(11, 4.5))
RocCurveDisplay.from_predictions(test_labels, probability, ax=axes[0], plot_chance_level=True)
PrecisionRecallDisplay.from_predictions(test_labels, probability, ax=axes[1], plot_chance_level=True)
fig.tight_layout()
plt.savefig("curves.png")
plt.show()
