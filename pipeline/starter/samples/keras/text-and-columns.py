# %% [markdown]
# # Classes from a text and the columns beside it
# A GRU in both directions reads the text, a dense branch the numbers and categories of the row; the decision is made on
# both together. How much the text adds is shown by leaving it out.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, log_loss
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
TEXT_COLUMN = "text"
TARGET = "label"
CLASS_NAMES = ["low", "middle", "high"]  # of the made-up rows; real classes are found in the file
NUMBER_COLUMNS = []  # where no column is named, they are found by their kind
CATEGORY_COLUMNS = []
UNUSED_COLUMNS = []
SEQUENCE_LENGTH = 100
VOCAB_SIZE = 20000
EMBEDDING_DIM = 64
GRU_UNITS = 32
HIDDEN_UNITS = [64]
DROPOUT = 0.3
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 20
LEARNING_RATE = 0.002
PATIENCE = 4

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 10)  # a smoke run; the full count is for real data
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 20)  # the made-up texts are short


# %% Data: files
def synthetic_table(rows=700):
    """Rows whose class is decided half by a word of the text and half by a number."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(42)
    table = pd.DataFrame({name: rng.normal(size=rows) for name in NUMBER_COLUMNS or ["price", "weight"]})
    for name in CATEGORY_COLUMNS or ["kind"]:
        table[name] = rng.choice(["new", "used"], size=rows)
    mood = rng.integers(3, size=rows)
    words = np.array(["poor", "fair", "great"])[mood]
    fillers = "this one came on time and looks just as shown in every way".split()
    table[TEXT_COLUMN] = [" ".join(rng.permutation([*rng.choice(fillers, size=10), word])) for word in words]
    score = mood + table.iloc[:, 0] + 0.2 * rng.normal(size=rows)
    return table.assign(**{TARGET: pd.qcut(score, len(CLASS_NAMES), labels=CLASS_NAMES).astype(str)})


def read_table(name):
    """A CSV, Parquet or Excel table of DATA_DIR."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    ending = os.path.splitext(path)[1].lower()
    if ending == ".parquet":
        return pd.read_parquet(path)
    return (pd.read_excel if ending == ".xlsx" else pd.read_csv)(path, **READ_OPTIONS).rename(columns=str)


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
for name in [TEXT_COLUMN, TARGET, *NUMBER_COLUMNS, *CATEGORY_COLUMNS]:
    if name not in table:
        raise SystemExit(f"{TRAIN_FILE} has no column {name!r}; it has {', '.join(table.columns[:20])}")
table = table.dropna(subset=[TARGET])
class_names = np.sort(table[TARGET].astype(str).unique().astype(str))
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds one class only; at least two are needed")

# %% Preprocessing
if not (NUMBER_COLUMNS or CATEGORY_COLUMNS):
    beside = table.drop(columns=[TEXT_COLUMN, TARGET, *UNUSED_COLUMNS], errors="ignore")
    NUMBER_COLUMNS = [name for name in beside if pd.api.types.is_numeric_dtype(beside[name])]
    CATEGORY_COLUMNS = [name for name in beside if name not in NUMBER_COLUMNS and beside[name].nunique() <= 50]
if not (NUMBER_COLUMNS or CATEGORY_COLUMNS):
    raise SystemExit(f"{TRAIN_FILE} has no columns beside {TEXT_COLUMN!r}; name them in NUMBER_COLUMNS")


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=42)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=42)


def texts_of(table):
    """The texts as strings, a missing one empty."""
    return table[TEXT_COLUMN].fillna("").astype(str).to_numpy(dtype=str)


# The vocabulary, the scales and the categories are those of the training rows.
vectorize = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
vectorize.adapt(texts_of(train))
numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
categories = make_pipeline(
    SimpleImputer(strategy="constant", fill_value="missing"),
    OneHotEncoder(handle_unknown="ignore", sparse_output=False),
)
columns = ColumnTransformer([("numbers", numbers, NUMBER_COLUMNS), ("categories", categories, CATEGORY_COLUMNS)])
columns.fit(train)


def inputs_of(table):
    """Word numbers, and the scaled and encoded columns."""
    return {"text": np.asarray(vectorize(texts_of(table))), "columns": columns.transform(table).astype("float32")}


x_train, x_val, x_test = inputs_of(train), inputs_of(val), inputs_of(test)
NUM_FEATURES = x_train["columns"].shape[1]
train_labels, val_labels, test_labels = (
    np.searchsorted(class_names, part[TARGET].astype(str)) for part in (train, val, test)
)
y_train, y_val = encode_labels(train_labels), encode_labels(val_labels)
print(f"{len(train)} training rows, {NUM_FEATURES} features beside the text, {NUM_CLASSES} classes")


# %% Model
def build_model():
    """A recurrent branch for the text, a dense one for the columns, and dense layers on both."""
    text = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64", name="text")
    beside = keras.Input(shape=(NUM_FEATURES,), name="columns")
    read = layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM, mask_zero=True)(text)
    read = layers.Bidirectional(layers.GRU(GRU_UNITS))(read)
    seen = layers.Dense(GRU_UNITS, activation="relu")(beside)
    x = layers.Concatenate()([read, seen])
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(DROPOUT)(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model({"text": text, "columns": beside}, outputs)


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
joblib.dump((columns, vectorize.get_vocabulary(), class_names), "preprocessing.joblib")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(table):
    """The class of each row."""
    return class_names[predicted_classes(model.predict(inputs_of(table), verbose=0))]


outputs = model.predict(x_test, verbose=0)
without_text = model.predict({**x_test, "text": np.zeros_like(x_test["text"])}, verbose=0)
without_columns = model.predict({**x_test, "columns": np.zeros_like(x_test["columns"])}, verbose=0)
for what, given in (("the text", without_text), ("the columns", without_columns)):
    print(f"accuracy without {what}: {accuracy_score(test_labels, predicted_classes(given)):.4f}")
frequent = np.bincount(train_labels).argmax()
print(
    f"held-out accuracy: {accuracy_score(test_labels, predicted_classes(outputs)):.4f} "
    f"(baseline, always {class_names[frequent]}: {np.mean(test_labels == frequent):.4f})"
)
if outputs.shape[-1] == NUM_CLASSES:
    print(f"log loss: {log_loss(test_labels, outputs, labels=range(NUM_CLASSES)):.4f}")

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    new[TARGET] = predict(new)
    new.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

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
