# %% [markdown]
# # Cross-validation on a small table
# With few rows a single test part says little. Here every row is in the test part once: the model is built and trained
# anew for each fold, and what counts is the mean over the folds and how much they differ.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, classification_report, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
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
CLASS_NAMES = ["first", "second", "third"]  # of the made-up rows; real classes are found in the file
UNUSED_COLUMNS = []  # columns that say nothing about the class, such as numbers of rows
NUM_FOLDS = 5
HIDDEN_UNITS = [32, 16]
DROPOUT = 0.1
VALIDATION_SPLIT = 0.15  # of the training part of each fold, for early stopping
BATCH_SIZE = 16
EPOCHS = 100
LEARNING_RATE = 0.005
PATIENCE = 10

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 15)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(rows=180):
    """A cloud of points around a centre for each class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(42)
    numbers = rng.integers(len(CLASS_NAMES), size=rows)
    points = rng.normal(size=(len(CLASS_NAMES), 4))[numbers] * 1.5 + rng.normal(size=(rows, 4))
    table = pd.DataFrame(points, columns=["length", "width", "height", "weight"])
    return table.assign(**{TARGET: np.array(CLASS_NAMES)[numbers]})


def read_table(name):
    """A CSV or Excel table of DATA_DIR, without the columns that are not used."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    read = pd.read_excel if path.endswith((".xlsx", ".xlsm")) else pd.read_csv
    return read(path, **READ_OPTIONS).rename(columns=str).drop(columns=UNUSED_COLUMNS, errors="ignore")


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
if TARGET not in table:
    raise SystemExit(f"{TRAIN_FILE} has no column {TARGET!r}; it has {', '.join(table.columns[:20])}")
table = table.dropna(subset=[TARGET]).reset_index(drop=True)
labels, class_names = pd.factorize(table[TARGET].astype(str), sort=True)
features = table.drop(columns=TARGET)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2 or len(table) < 2 * NUM_FOLDS:
    raise SystemExit(f"{len(table)} rows of {NUM_CLASSES} classes: too little for {NUM_FOLDS} folds")
print(f"{len(table)} rows, {features.shape[1]} columns, {NUM_CLASSES} classes")

# %% Preprocessing
number_columns = [name for name in features if pd.api.types.is_numeric_dtype(features[name])]
category_columns = [name for name in features if name not in number_columns and features[name].nunique() <= 30]


def build_preprocessing():
    """Scaled numbers and one-hot categories, to be fitted on the training part of a fold."""
    numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer([("n", numbers, number_columns), ("c", categories, category_columns)])


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


# Each class is spread over all folds, where it has rows enough.
stratified = np.bincount(labels).min() >= NUM_FOLDS
folds = (StratifiedKFold if stratified else KFold)(NUM_FOLDS, shuffle=True, random_state=42)


# %% Model
def build_model(num_features):
    """A small dense network: little data, few weights."""
    model = keras.Sequential([keras.Input(shape=(num_features,))])
    for units in HIDDEN_UNITS:
        model.add(layers.Dense(units, activation="relu"))
        model.add(layers.Dropout(DROPOUT))
    model.add(layers.Dense(NUM_CLASSES, activation="softmax"))
    return model


# %% Compile
def compile_model(model):
    """The same optimizer and loss for every fold, each with a state of its own."""
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


# %% Train
def train(rows, labels):
    """A model and its preprocessing, trained on some rows; a part of them says when to stop."""
    x_train, x_val, y_train, y_val = train_test_split(
        rows, encode_labels(labels), test_size=VALIDATION_SPLIT, random_state=42
    )
    preprocess = build_preprocessing()
    x_train = preprocess.fit_transform(x_train)
    model = compile_model(build_model(x_train.shape[1]))
    history = model.fit(
        x_train,
        y_train,
        validation_data=(preprocess.transform(x_val), y_val),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        callbacks=[keras.callbacks.EarlyStopping("val_loss", patience=PATIENCE, restore_best_weights=True)],
        verbose=0,
    )
    return model, preprocess, history


def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def area_under_curve(labels, outputs):
    """The ROC AUC of one class against the others; nan where a class is absent."""
    if len(np.unique(labels)) < NUM_CLASSES:
        return np.nan
    return roc_auc_score(labels, outputs[:, -1] if NUM_CLASSES == 2 else outputs, multi_class="ovr")


predictions = np.zeros(len(labels), dtype=int)
scores, areas = [], []
for fold, (train_rows, test_rows) in enumerate(folds.split(features, labels), 1):
    model, preprocess, history = train(features.iloc[train_rows], labels[train_rows])
    outputs = model.predict(preprocess.transform(features.iloc[test_rows]), verbose=0)
    predictions[test_rows] = predicted_classes(outputs)
    scores.append(accuracy_score(labels[test_rows], predictions[test_rows]))
    areas.append(area_under_curve(labels[test_rows], outputs))
    print(f"fold {fold}: accuracy {scores[-1]:.4f}, AUC {areas[-1]:.4f} after {len(history.epoch)} epochs")

# The model to keep learns from all rows: the folds have said how good it will be.
model, preprocess, history = train(features, labels)
model.summary()
model.save("model.keras")
joblib.dump((preprocess, class_names), "preprocessing.joblib")

# %% Evaluate
print(classification_report(class_names[labels], class_names[predictions], zero_division=0))
print(f"accuracy of the folds: {np.mean(scores):.4f} +/- {np.std(scores):.4f}")
print(f"AUC of the folds: {np.nanmean(areas):.4f} +/- {np.nanstd(areas):.4f}")
print(
    f"held-out accuracy: {np.mean(scores):.4f} "
    f"(baseline, always the most frequent class: {np.bincount(labels).max() / len(labels):.4f})"
)


# %% Evaluate: new rows
def predict(table):
    """The class of each row."""
    return class_names[predicted_classes(model.predict(preprocess.transform(table), verbose=0))]


if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    new.assign(**{TARGET: predict(new)}).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
plt.figure(figsize=(6, 4))
plt.bar(np.arange(1, NUM_FOLDS + 1), scores)
plt.axhline(np.mean(scores), color="black", linewidth=1, label="mean")
plt.xlabel("fold")
plt.ylabel("accuracy")
plt.legend()
plt.tight_layout()
plt.savefig("folds.png")
plt.show()
