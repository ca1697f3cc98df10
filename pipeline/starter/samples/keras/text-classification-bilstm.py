# %% [markdown]
# # Classes of texts by a bidirectional LSTM
# Words become vectors, an LSTM reads them forwards and another one backwards, and a dense layer decides on the class.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
HELD_OUT_FILE = ""  # rows with their classes that are kept for the test; "" splits them off
UNLABELLED_FILE = ""  # texts without classes that predictions are wanted for
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TEXT_COLUMN = "text"
TARGET = "label"
CLASS_NAMES = ["negative", "positive"]  # of the made-up texts; real classes are found in the file
SEQUENCE_LENGTH = 200
VOCAB_SIZE = 20000
EMBEDDING_DIM = 128
LSTM_UNITS = 64
HIDDEN_UNITS = [64]
DROPOUT = 0.5
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 10
LEARNING_RATE = 0.001
PATIENCE = 3

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 5)  # a smoke run; the full count is for real data
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 30)  # the made-up texts are short


# %% Data: files
def synthetic_table(rows=400):
    """Short texts of words that all classes share and a few that only one of them has."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up texts, not your data.")
    rng = np.random.default_rng(42)
    shared = "the a it is was with for and of very this that one day time place".split()
    texts, labels = [], rng.choice(CLASS_NAMES, size=rows)
    for label in labels:
        own = [f"{label}{number}" for number in range(5)]
        words = [*rng.choice(shared, size=rng.integers(8, 20)), *rng.choice(own, size=2)]
        texts.append(" ".join(rng.permutation(words)))
    return pd.DataFrame({TEXT_COLUMN: texts, TARGET: labels})


def read_table(name, columns):
    """A table of DATA_DIR (CSV, Parquet or Excel) that has to hold the columns."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your texts lie")
    if path.lower().endswith(".parquet"):
        table = pd.read_parquet(path)
    elif path.lower().endswith(".xlsx"):
        table = pd.read_excel(path, **READ_OPTIONS)
    else:
        table = pd.read_csv(path, **READ_OPTIONS)
    table.columns = table.columns.astype(str).str.strip()
    absent = [column for column in columns if column not in table]
    if absent:
        raise SystemExit(f"{name} has no column {absent[0]!r}; it has {', '.join(table.columns[:20])}")
    return table


def labelled(table):
    """The rows that have a class."""
    return table.dropna(subset=[TARGET]).astype({TARGET: str}).reset_index(drop=True)


table = labelled(synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE, [TEXT_COLUMN, TARGET]))
class_names = np.array(sorted(table[TARGET].unique()))
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds {NUM_CLASSES} class; at least two are needed")
print(f"{len(table)} texts of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))


# %% Preprocessing
def split(table, share):
    """Two parts with the classes alike in both, where every class is there often enough."""
    counts = table[TARGET].value_counts()
    stratify = table[TARGET] if counts.min() > 1 and int(share * len(table)) >= len(counts) else None
    return train_test_split(table, test_size=share, random_state=42, stratify=stratify)


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


if HELD_OUT_FILE and not SYNTHETIC:
    train_rows, test_rows = table, labelled(read_table(HELD_OUT_FILE, [TEXT_COLUMN, TARGET]))
    test_rows = test_rows[test_rows[TARGET].isin(class_names)]
else:
    train_rows, test_rows = split(table, TEST_SPLIT)
train_rows, val_rows = split(train_rows, VALIDATION_SPLIT)

# The vocabulary is that of the training texts; all other words are one unknown word.
vectorize = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
vectorize.adapt(train_rows[TEXT_COLUMN].fillna("").astype(str).to_numpy(dtype=str))


def inputs_of(table):
    """The numbers of each text's words, cut or filled up to SEQUENCE_LENGTH."""
    return np.asarray(vectorize(table[TEXT_COLUMN].fillna("").astype(str).to_numpy(dtype=str)))


x_train, x_val, x_test = inputs_of(train_rows), inputs_of(val_rows), inputs_of(test_rows)
train_labels = np.searchsorted(class_names, train_rows[TARGET])
test_labels = np.searchsorted(class_names, test_rows[TARGET])
y_train = encode_labels(train_labels)
y_val = encode_labels(np.searchsorted(class_names, val_rows[TARGET]))


# %% Model
def build_model():
    """Word vectors, an LSTM in both directions, and an output for each class."""
    model = keras.Sequential([keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64")])
    model.add(layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM, mask_zero=True))
    model.add(layers.Bidirectional(layers.LSTM(LSTM_UNITS)))
    for units in HIDDEN_UNITS:
        model.add(layers.Dense(units, activation="relu"))
        model.add(layers.Dropout(DROPOUT))
    model.add(layers.Dense(NUM_CLASSES, activation="softmax"))
    return model


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
joblib.dump((vectorize.get_vocabulary(), class_names), "vocabulary.joblib")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


test_predictions = predicted_classes(model.predict(x_test, verbose=0))
print(classification_report(class_names[test_labels], class_names[test_predictions], zero_division=0))
most_frequent = np.full_like(test_labels, np.bincount(train_labels).argmax())
print(
    f"held-out accuracy: {accuracy_score(test_labels, test_predictions):.4f} "
    f"(baseline, always the most frequent class: {accuracy_score(test_labels, most_frequent):.4f})"
)


# %% Evaluate: new texts
def predict(texts):
    """The class of each text."""
    table = pd.DataFrame({TEXT_COLUMN: list(texts)})
    return class_names[predicted_classes(model.predict(inputs_of(table), verbose=0))]


if UNLABELLED_FILE and not SYNTHETIC:
    unlabelled = read_table(UNLABELLED_FILE, [TEXT_COLUMN])
    unlabelled[TARGET] = predict(unlabelled[TEXT_COLUMN])
    unlabelled.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(unlabelled)} rows")

# %% Show
for text, name in zip(test_rows[TEXT_COLUMN][:5], predict(test_rows[TEXT_COLUMN][:5]), strict=True):
    print(f"{name}: {str(text)[:80]}")
plt.figure(figsize=(6, 4))
plt.plot(history.history["accuracy"], label="training")
plt.plot(history.history["val_accuracy"], label="validation")
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
