# %% [markdown]
# # Any number of labels for each text
# A text may have no label, one or several: each label has an output of its own between 0 and 1, and the threshold from
# which on it counts is chosen on the validation texts.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import classification_report, f1_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MultiLabelBinarizer
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # texts without labels that predictions are wanted for
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TEXT_COLUMN = "text"
TARGET = "labels"  # a column with all labels of a text, or, where LABEL_COLUMNS are named, of no meaning
LABEL_SEPARATOR = ","  # what stands between two labels of a text
LABEL_COLUMNS = []  # columns of 0 and 1, one for each label
CLASS_NAMES = ["first", "second", "third", "fourth"]  # of the made-up texts; real labels are found in the file
SEQUENCE_LENGTH = 150
VOCAB_SIZE = 20000
EMBEDDING_DIM = 64
HIDDEN_UNITS = [128]
DROPOUT = 0.3
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.002
PATIENCE = 4

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 20)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(rows=800):
    """Texts with a word or two for each of their labels."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up texts, not your data.")
    rng = np.random.default_rng(42)
    names = LABEL_COLUMNS or CLASS_NAMES
    has = rng.random((rows, len(names))) < min(0.3, 3 / len(names))
    common = "story about people who go somewhere and find that things are not what they seem".split()
    texts, joined = [], []
    for row in has:
        own = [f"{name}{number}".replace(" ", "") for name in np.array(names)[row] for number in rng.integers(0, 4, 2)]
        texts.append(" ".join(rng.permutation([*own, *rng.choice(common, size=15)])))
        joined.append(LABEL_SEPARATOR.join(np.array(names)[row]))
    table = pd.DataFrame({TEXT_COLUMN: texts, TARGET: joined})
    return table.assign(**dict(zip(names, has.T.astype(int), strict=True))) if LABEL_COLUMNS else table


def read_table(name, columns):
    """A table of DATA_DIR that has to hold the columns; missing cells are empty."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your texts lie")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    table = table.rename(columns=str)
    for column in columns:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(table.columns[:20])}")
    table[TEXT_COLUMN] = table[TEXT_COLUMN].fillna("").astype(str)
    return table


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE, [TEXT_COLUMN, *(LABEL_COLUMNS or [TARGET])])

# %% Preprocessing
binarize = MultiLabelBinarizer()
if LABEL_COLUMNS:
    label_names = list(LABEL_COLUMNS)
    labels = (table[LABEL_COLUMNS].apply(pd.to_numeric, errors="coerce").fillna(0) > 0).to_numpy("float32")
else:
    cells = table[TARGET].fillna("").astype(str).str.strip("[] ").str.split(LABEL_SEPARATOR)
    labels = binarize.fit_transform([[part.strip(" '\"") for part in cell if part.strip(" '\"")] for cell in cells])
    labels, label_names = labels.astype("float32"), list(binarize.classes_)
NUM_CLASSES = len(label_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{TRAIN_FILE} holds {NUM_CLASSES} label; set TARGET and LABEL_SEPARATOR, or LABEL_COLUMNS")
print(f"{len(table)} texts, {NUM_CLASSES} labels, {labels.sum(axis=1).mean():.2f} labels a text")

texts = table[TEXT_COLUMN].to_numpy(dtype=str)
train_texts, test_texts, y_train, y_test = train_test_split(texts, labels, test_size=TEST_SPLIT, random_state=42)
train_texts, val_texts, y_train, y_val = train_test_split(
    train_texts, y_train, test_size=VALIDATION_SPLIT, random_state=42
)
vectorize = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
vectorize.adapt(train_texts)
x_train, x_val, x_test = (np.asarray(vectorize(part)) for part in (train_texts, val_texts, test_texts))


# %% Model
def build_model():
    """The mean and the maximum of the word vectors, a dense network, and a sigmoid for each label."""
    words = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64")
    vectors = layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM)(words)
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(vectors), layers.GlobalMaxPooling1D()(vectors)])
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(DROPOUT)(x)
    return keras.Model(words, layers.Dense(NUM_CLASSES, activation="sigmoid")(x))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="binary_crossentropy",
    metrics=["binary_accuracy"],
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
def micro_f1(truth, chosen):
    """F1 over all labels of all texts together."""
    return f1_score(truth, chosen, average="micro", zero_division=0)


val_outputs = model.predict(x_val, verbose=0)
thresholds = np.linspace(0.1, 0.9, 17)
THRESHOLD = float(max(thresholds, key=lambda threshold: micro_f1(y_val, val_outputs > threshold)))
joblib.dump((vectorize.get_vocabulary(), label_names, THRESHOLD), "labels.joblib")

chosen = model.predict(x_test, verbose=0) > THRESHOLD
print(classification_report(y_test, chosen, target_names=label_names, zero_division=0))
# The baseline gives every text the label that most training texts have.
commonest = np.zeros_like(y_test)
commonest[:, y_train.sum(axis=0).argmax()] = 1
print(
    f"held-out micro F1: {micro_f1(y_test, chosen):.4f} "
    f"(baseline, the commonest label for all: {micro_f1(y_test, commonest):.4f})"
)


# %% Evaluate: new texts
def predict(texts):
    """The labels of each text."""
    outputs = model.predict(np.asarray(vectorize(np.asarray(texts, dtype=str))), verbose=0)
    return [[label_names[number] for number in np.flatnonzero(row > THRESHOLD)] for row in outputs]


if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE, [TEXT_COLUMN])
    new[TARGET] = [LABEL_SEPARATOR.join(found) for found in predict(new[TEXT_COLUMN])]
    new.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
for text, found in zip(test_texts[:3], predict(test_texts[:3]), strict=True):
    print(f"{text[:70]} ... -> {', '.join(found) or 'no label'}")
scores = f1_score(y_test, chosen, average=None, zero_division=0)
plt.figure(figsize=(7, 4))
plt.barh(label_names, scores)
plt.xlabel("F1 of the label")
plt.tight_layout()
plt.savefig("labels.png")
plt.show()
