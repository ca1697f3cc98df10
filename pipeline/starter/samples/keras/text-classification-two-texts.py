# %% [markdown]
# # Classes from two texts of each row
# A short text and a long one (a title and a body, a subject and a message) are read by an LSTM each; what both have
# understood is joined and classified.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows without classes that predictions are wanted for
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TEXT_COLUMN = "title"
SECOND_TEXT_COLUMN = "text"
TARGET = "label"
CLASS_NAMES = ["real", "fake"]  # of the made-up texts; real classes are found in the file
SEQUENCE_LENGTH = 20  # words of the first text
SECOND_SEQUENCE_LENGTH = 150  # words of the second text
VOCAB_SIZE = 20000
EMBEDDING_DIM = 64
LSTM_UNITS = 32
HIDDEN_UNITS = [32]
DROPOUT = 0.3
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 10
LEARNING_RATE = 0.002
PATIENCE = 3

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data
    SECOND_SEQUENCE_LENGTH = min(SECOND_SEQUENCE_LENGTH, 50)  # the made-up texts are short


# %% Data: files
def synthetic_table(rows=500):
    """Rows whose class shows in one word of one of the two texts, now in the first, now in the second."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(42)
    common = "the report says that people of a town have seen it on their way to work and home again".split()
    made = []
    for _ in range(rows):
        label = str(rng.choice(CLASS_NAMES))
        first, second = list(rng.choice(common, size=6)), list(rng.choice(common, size=rng.integers(20, 40)))
        telling = first if rng.random() < 0.5 else second
        telling[rng.integers(len(telling))] = f"{label}ly"
        made.append((" ".join(first), " ".join(second), label))
    return pd.DataFrame(made, columns=[TEXT_COLUMN, SECOND_TEXT_COLUMN, TARGET])


def read_table(name, columns):
    """A table of DATA_DIR that has to hold the columns."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your texts lie")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    table = table.rename(columns=str)
    absent = [column for column in columns if column not in table]
    if absent:
        raise SystemExit(f"{name} has no column {absent[0]!r}; it has {', '.join(table.columns[:20])}")
    # A missing text is an empty one: the other text may still tell.
    table[[TEXT_COLUMN, SECOND_TEXT_COLUMN]] = table[[TEXT_COLUMN, SECOND_TEXT_COLUMN]].fillna("").astype(str)
    return table


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE, [TEXT_COLUMN, SECOND_TEXT_COLUMN, TARGET])
table = table[table[TARGET].notna()]
class_names = np.sort(table[TARGET].astype(str).unique().astype(str))
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds one class only; at least two are needed")
print(f"{len(table)} rows of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))

# %% Preprocessing
labels = np.searchsorted(class_names, table[TARGET].astype(str))
train, test, train_labels, test_labels = train_test_split(table, labels, test_size=TEST_SPLIT, random_state=42)
train, val, train_labels, val_labels = train_test_split(
    train, train_labels, test_size=VALIDATION_SPLIT, random_state=42
)

# One vocabulary for both texts, since a word means the same in either.
words = layers.TextVectorization(max_tokens=VOCAB_SIZE)
words.adapt(np.concatenate([train[TEXT_COLUMN], train[SECOND_TEXT_COLUMN]]).astype(str))
vocabulary = words.get_vocabulary()
first_words = layers.TextVectorization(vocabulary=vocabulary, output_sequence_length=SEQUENCE_LENGTH)
second_words = layers.TextVectorization(vocabulary=vocabulary, output_sequence_length=SECOND_SEQUENCE_LENGTH)


def inputs_of(table):
    """The word numbers of the first and of the second text of each row."""
    first = np.asarray(first_words(table[TEXT_COLUMN].to_numpy(dtype=str)))
    second = np.asarray(second_words(table[SECOND_TEXT_COLUMN].to_numpy(dtype=str)))
    return [first, second]


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, x_val, x_test = inputs_of(train), inputs_of(val), inputs_of(test)
y_train, y_val = encode_labels(train_labels), encode_labels(val_labels)


# %% Model
def build_model():
    """Shared word vectors, an LSTM for each text, both joined."""
    first = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64", name="first_text")
    second = keras.Input(shape=(SECOND_SEQUENCE_LENGTH,), dtype="int64", name="second_text")
    embed = layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM, mask_zero=True)
    first_read = layers.LSTM(LSTM_UNITS)(embed(first))
    second_read = layers.LSTM(LSTM_UNITS)(embed(second))
    x = layers.Concatenate()([first_read, second_read])
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(DROPOUT)(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model([first, second], outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
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
model.save("model.keras")
joblib.dump((vocabulary, class_names), "vocabulary.joblib")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(table):
    """The class of each row of a table with both texts."""
    return class_names[predicted_classes(model.predict(inputs_of(table), verbose=0))]


predictions = predict(test)
truth = class_names[test_labels]
frequent = class_names[np.bincount(train_labels).argmax()]
print(f"macro F1: {f1_score(truth, predictions, average='macro'):.4f}")
print(
    f"held-out accuracy: {accuracy_score(truth, predictions):.4f} "
    f"(baseline, always {frequent}: {np.mean(truth == frequent):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    unlabelled = read_table(UNLABELLED_FILE, [TEXT_COLUMN, SECOND_TEXT_COLUMN])
    unlabelled.assign(**{TARGET: predict(unlabelled)}).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(unlabelled)} rows")

# %% Show
wrong = test[predictions != truth].assign(predicted=predictions[predictions != truth])
print(f"{len(wrong)} of {len(test)} test rows are wrong")
print(wrong[[TEXT_COLUMN, TARGET, "predicted"]].head().to_string(index=False))
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
