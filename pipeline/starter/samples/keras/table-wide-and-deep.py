# %% [markdown]
# # Wide and deep
# The wide part is linear: it remembers which single categories and numbers count. The deep part is a network on vectors
# of the categories: it finds what they have in common. Both add up to the score of each class.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows without classes that predictions are wanted for
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TARGET = "target"
CLASS_NAMES = ["no", "yes"]  # of the made-up rows; real classes are found in the file
NUMBER_COLUMNS = []  # where no column is named, they are found by their kind
CATEGORY_COLUMNS = []
UNUSED_COLUMNS = []
EMBEDDING_DIM = 8
HIDDEN_UNITS = [64, 32]
DROPOUT = 0.2
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 64
EPOCHS = 40
LEARNING_RATE = 0.003
PATIENCE = 6

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 10)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(rows=1500):
    """The class hangs on a number, on single categories, and on which two categories meet."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(42)
    numbers, categories = NUMBER_COLUMNS or ["age", "hours"], CATEGORY_COLUMNS or ["job", "place"]
    table = pd.DataFrame({name: rng.normal(40, 10, size=rows).round(1) for name in numbers})
    codes = rng.integers(8, size=(rows, len(categories)))
    for number, name in enumerate(categories):
        table[name] = [f"{name} {code}" for code in codes[:, number]]
    score = (table[numbers[0]] - 40) / 10 + 2.0 * (codes[:, 0] % 2 == codes[:, -1] % 2) + 0.3 * rng.normal(size=rows)
    return table.assign(**{TARGET: pd.qcut(score, len(CLASS_NAMES), labels=CLASS_NAMES).astype(str)})


def read_table(name):
    """A CSV, Parquet or Excel table of DATA_DIR."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    if path.endswith(".parquet"):
        table = pd.read_parquet(path)
    else:
        table = pd.read_excel(path, **READ_OPTIONS) if path.endswith(".xlsx") else pd.read_csv(path, **READ_OPTIONS)
    table.columns = [str(column).strip() for column in table.columns]
    return table


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
if TARGET not in table:
    raise SystemExit(f"{TRAIN_FILE} has no column {TARGET!r}; it has {', '.join(table.columns[:20])}")
table = table.dropna(subset=[TARGET])
table[TARGET] = table[TARGET].astype(str).str.strip()
class_names = sorted(table[TARGET].unique())
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds one class only; at least two are needed")

# %% Preprocessing
if not (NUMBER_COLUMNS or CATEGORY_COLUMNS):
    for name in table.columns.drop([TARGET, *UNUSED_COLUMNS], errors="ignore"):
        if pd.api.types.is_numeric_dtype(table[name]):
            NUMBER_COLUMNS.append(name)
        elif table[name].nunique() <= 200:  # more different values are names or texts
            CATEGORY_COLUMNS.append(name)
print(f"{len(table)} rows, {NUM_CLASSES} classes; numbers: {NUMBER_COLUMNS}; categories: {CATEGORY_COLUMNS}")


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


def inputs_of(table):
    """A column of text for each category, and one block of numbers."""
    inputs = {name: tf.constant(table[[name]].fillna("").astype(str).to_numpy(dtype=str)) for name in CATEGORY_COLUMNS}
    if NUMBER_COLUMNS:
        numbers = table[NUMBER_COLUMNS].apply(pd.to_numeric, errors="coerce")
        inputs["numbers"] = tf.constant(numbers.fillna(medians).to_numpy("float32"))
    return inputs


train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=42)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=42)
medians = train[NUMBER_COLUMNS].apply(pd.to_numeric, errors="coerce").median().fillna(0)

# Layers learn from the training rows which categories there are, and how numbers are scaled.
lookups = {}
for name in CATEGORY_COLUMNS:
    lookups[name] = layers.StringLookup(output_mode="int")
    lookups[name].adapt(train[name].fillna("").astype(str).to_numpy(dtype=str))
normalize = layers.Normalization()
if NUMBER_COLUMNS:
    normalize.adapt(inputs_of(train)["numbers"])


def encode(table):
    """What the network is given: the numbers of the categories, and the scaled numbers."""
    raw = inputs_of(table)
    encoded = {f"category_{number}": lookups[name](raw[name]) for number, name in enumerate(CATEGORY_COLUMNS)}
    return encoded | ({"numbers": normalize(raw["numbers"])} if NUMBER_COLUMNS else {})


x_train, x_val, x_test = encode(train), encode(val), encode(test)
y_train = encode_labels(train[TARGET].map(class_names.index))
y_val = encode_labels(val[TARGET].map(class_names.index))
test_labels = test[TARGET].map(class_names.index).to_numpy()


# %% Model
def build_model():
    """A linear part on one-hot categories and numbers, and a deep one on embeddings and numbers."""
    inputs, wide, deep = {}, [], []
    for number, name in enumerate(CATEGORY_COLUMNS):
        key, size = f"category_{number}", lookups[name].vocabulary_size()
        inputs[key] = keras.Input(shape=(1,), dtype="int64", name=key)
        wide.append(layers.CategoryEncoding(num_tokens=size, output_mode="one_hot")(inputs[key]))
        deep.append(layers.Flatten()(layers.Embedding(size, EMBEDDING_DIM)(inputs[key])))
    if NUMBER_COLUMNS:
        inputs["numbers"] = keras.Input(shape=(len(NUMBER_COLUMNS),), name="numbers")
        wide.append(inputs["numbers"])
        deep.append(inputs["numbers"])
    x = layers.Concatenate()(deep) if len(deep) > 1 else deep[0]
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(DROPOUT)(x)
    joined = layers.Concatenate()([*wide, x])
    return keras.Model(inputs, layers.Dense(NUM_CLASSES, activation="softmax")(joined), name="wide_and_deep")


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


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(table):
    """The class of each row."""
    return [class_names[number] for number in predicted_classes(model.predict(encode(table), verbose=0))]


predictions = predicted_classes(model.predict(x_test, verbose=0))
print(classification_report(test[TARGET], predict(test), zero_division=0))
frequent = np.bincount(y_train.ravel()).argmax() if y_train.ndim == 1 else y_train.sum(axis=0).argmax()
print(
    f"held-out accuracy: {accuracy_score(test_labels, predictions):.4f} "
    f"(baseline, always {class_names[frequent]}: {np.mean(test_labels == frequent):.4f})"
)

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
