# %% [markdown]
# # Classes of texts by stacked GRUs
# Recurrent layers read a text word by word: each but the last hands on what it makes of every word, the last what it
# makes of the whole.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import RocCurveDisplay, balanced_accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # texts without classes that predictions are wanted for
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TEXT_COLUMN = "text"
TARGET = "label"
CLASS_NAMES = ["no", "yes"]  # of the made-up texts; real classes are found in the file
SEQUENCE_LENGTH = 100
VOCAB_SIZE = 10000
EMBEDDING_DIM = 64
GRU_UNITS = 64
NUM_LAYERS = 2
DROPOUT = 0.3
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 12
LEARNING_RATE = 0.001
PATIENCE = 3

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 20)  # the made-up texts are short


# %% Data: files
def synthetic_table(rows=480):
    """Texts of the same words for all classes: their order tells the class, which only a reader of sequences sees."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up texts, not your data.")
    rng = np.random.default_rng(42)
    fillers = "and so then here now while still just quite some more most".split()
    names, texts = [], []
    for _ in range(rows):
        number = int(rng.integers(len(CLASS_NAMES)))
        marks = np.roll([f"mark{other}" for other in range(max(2, len(CLASS_NAMES)))], number)
        words = [word for mark in marks for word in (mark, *rng.choice(fillers, size=rng.integers(1, 4)))]
        names.append(CLASS_NAMES[number])
        texts.append(" ".join(words))
    return pd.DataFrame({TEXT_COLUMN: texts, TARGET: names})


def read_table(name):
    """A table of DATA_DIR with its texts as strings."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your texts lie")
    if path.endswith((".xlsx", ".xlsm")):
        table = pd.read_excel(path, **READ_OPTIONS)
    else:
        table = pd.read_csv(path, **READ_OPTIONS)
    table.columns = [str(column).strip() for column in table.columns]
    if TEXT_COLUMN not in table:
        raise SystemExit(f"{name} has no column {TEXT_COLUMN!r}; it has {', '.join(table.columns[:20])}")
    table[TEXT_COLUMN] = table[TEXT_COLUMN].fillna("").astype(str)
    return table


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
if TARGET not in table:
    raise SystemExit(f"{TRAIN_FILE} has no column {TARGET!r}; it has {', '.join(table.columns[:20])}")
table = table.dropna(subset=[TARGET])
table["class number"], class_names = pd.factorize(table[TARGET].astype(str), sort=True)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds one class only; at least two are needed")

# %% Preprocessing
train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=42)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=42)
print(f"{len(train)} texts for training, {len(val)} for validation, {len(test)} for the test; {NUM_CLASSES} classes")

vectorize = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
vectorize.adapt(train[TEXT_COLUMN].to_numpy(dtype=str))


def tokens_of(texts):
    """The word numbers of texts: (texts, SEQUENCE_LENGTH), 0 for padding and 1 for unknown words."""
    return np.asarray(vectorize(np.asarray(texts, dtype=str)))


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, x_val, x_test = tokens_of(train[TEXT_COLUMN]), tokens_of(val[TEXT_COLUMN]), tokens_of(test[TEXT_COLUMN])
y_train, y_val = encode_labels(train["class number"]), encode_labels(val["class number"])
test_labels = test["class number"].to_numpy()


# %% Model
def build_model():
    """Word vectors, recurrent layers on top of each other, and the output."""
    inputs = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64")
    x = layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM, mask_zero=True)(inputs)
    for _ in range(NUM_LAYERS - 1):
        x = layers.GRU(GRU_UNITS, return_sequences=True)(x)
    x = layers.GRU(GRU_UNITS)(x)
    x = layers.Dropout(DROPOUT)(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
callbacks = [
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=2),
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True),
]
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=callbacks,
    verbose=2,
)
model.save("model.keras")
with open("vocabulary.txt", "w", encoding="utf-8") as stream:
    stream.write("\n".join(vectorize.get_vocabulary()))


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(texts):
    """The class of each text and how sure the model is of it."""
    outputs = model.predict(tokens_of(texts), verbose=0)
    numbers = predicted_classes(outputs)
    sure = np.abs(outputs[:, 0] - 0.5) + 0.5 if outputs.shape[-1] == 1 else outputs.max(axis=-1)
    return pd.DataFrame({TARGET: class_names[numbers], "probability": sure})


test_outputs = model.predict(x_test, verbose=0)
predictions = predicted_classes(test_outputs)
print(classification_report(class_names[test_labels], class_names[predictions], zero_division=0))
print(
    f"held-out balanced accuracy: {balanced_accuracy_score(test_labels, predictions):.4f} "
    f"(baseline, always one class: {1 / len(np.unique(test_labels)):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE).drop(columns=TARGET, errors="ignore")
    new.join(predict(new[TEXT_COLUMN])).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
fig, axes = plt.subplots(1, 2, figsize=(11, 4))
axes[0].plot(history.history["loss"], label="training")
axes[0].plot(history.history["val_loss"], label="validation")
axes[0].set(xlabel="epoch", ylabel="loss")
axes[0].legend()
if NUM_CLASSES == 2 and len(np.unique(test_labels)) == 2:
    RocCurveDisplay.from_predictions(test_labels, test_outputs[:, -1], ax=axes[1])
else:
    axes[1].bar(class_names, [np.mean(predictions[test_labels == n] == n) for n in range(NUM_CLASSES)])
    axes[1].set(ylabel="recall")
fig.tight_layout()
plt.savefig("results.png")
plt.show()
