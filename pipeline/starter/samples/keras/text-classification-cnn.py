# %% [markdown]
# # Classes of texts by a one-dimensional CNN
# Filters slide over the word vectors and react to short phrases; the strongest reaction of each filter in the whole
# text is what the dense layers see. Rare classes weigh more, and the best weights of all epochs are kept on disk.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import ConfusionMatrixDisplay, f1_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder
from sklearn.utils.class_weight import compute_class_weight
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
CLASS_NAMES = ["first", "second", "third"]  # of the made-up texts; real classes are found in the file
SEQUENCE_LENGTH = 100
VOCAB_SIZE = 10000
EMBEDDING_DIM = 100
FILTERS = [128]
KERNEL_SIZE = 5
HIDDEN_UNITS = [64]
DROPOUT = 0.4
TEST_SPLIT = 0.15
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 15
LEARNING_RATE = 0.001
PATIENCE = 3

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_rows(rows=600):
    """Texts in which a phrase of two words tells the class; the single words do not."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up texts, not your data.")
    rng = np.random.default_rng(42)
    words = np.array([f"word{number}" for number in range(60)])
    numbers = rng.integers(0, len(CLASS_NAMES), size=rows)
    texts = []
    for number in numbers:
        text = list(rng.choice(words, size=rng.integers(10, 25)))
        text[4:6] = "key", f"turn{number}"
        texts.append(" ".join(text))
    return pd.DataFrame({TEXT_COLUMN: texts, TARGET: np.array(CLASS_NAMES)[numbers]})


def read_rows(name):
    """The rows of a CSV or Parquet file in DATA_DIR; texts that are missing are empty."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your texts lie")
    rows = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    rows = rows.rename(columns=str)
    if TEXT_COLUMN not in rows:
        raise SystemExit(f"{name} has no column {TEXT_COLUMN!r}; it has {', '.join(rows.columns[:20])}")
    rows[TEXT_COLUMN] = rows[TEXT_COLUMN].fillna("").astype(str)
    return rows


rows = synthetic_rows() if SYNTHETIC else read_rows(TRAIN_FILE)
if TARGET not in rows:
    raise SystemExit(f"{TRAIN_FILE} has no column {TARGET!r}; it has {', '.join(rows.columns[:20])}")
rows = rows[rows[TARGET].notna()]
texts = rows[TEXT_COLUMN].to_numpy(dtype=str)
encoder = LabelEncoder().fit(rows[TARGET].astype(str))
labels = encoder.transform(rows[TARGET].astype(str))
NUM_CLASSES = len(encoder.classes_)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds one class only; at least two are needed")
print(pd.Series(encoder.classes_[labels]).value_counts().head(20).to_string())

# %% Preprocessing
# Classes with a single text cannot be divided; then the split is left to chance.
stratify = labels if np.bincount(labels).min() > 2 and len(labels) > 20 * NUM_CLASSES else None
train_texts, other_texts, train_labels, other_labels = train_test_split(
    texts, labels, test_size=TEST_SPLIT + VALIDATION_SPLIT, random_state=42, stratify=stratify
)
val_texts, test_texts, val_labels, test_labels = train_test_split(
    other_texts, other_labels, test_size=TEST_SPLIT / (TEST_SPLIT + VALIDATION_SPLIT), random_state=42
)

vectorize = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
vectorize.adapt(train_texts)


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, x_val, x_test = (np.asarray(vectorize(part)) for part in (train_texts, val_texts, test_texts))
y_train, y_val = encode_labels(train_labels), encode_labels(val_labels)

present = np.unique(train_labels)
weights = compute_class_weight("balanced", classes=present, y=train_labels)
class_weights = dict(zip(present.tolist(), weights, strict=True))


# %% Model
def build_model():
    """Convolutions over word vectors, the strongest response of each filter, and dense layers."""
    inputs = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64")
    x = layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM)(inputs)
    for filters in FILTERS:
        x = layers.Conv1D(filters, KERNEL_SIZE, padding="same", activation="relu")(x)
    x = layers.GlobalMaxPooling1D()(x)
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu")(x)
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
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True),
    keras.callbacks.ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True),
]
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    class_weight=class_weights,
    callbacks=callbacks,
    verbose=2,
)
model.save("model.keras")
pd.Series(vectorize.get_vocabulary()).to_csv("vocabulary.csv", index=False)


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(texts):
    """The class number of each text."""
    return predicted_classes(model.predict(np.asarray(vectorize(np.asarray(texts, dtype=str))), verbose=0))


predictions = predict(test_texts)
commonest = np.full(len(test_labels), np.bincount(train_labels).argmax())
print(
    f"held-out macro F1: {f1_score(test_labels, predictions, average='macro'):.4f} "
    f"(baseline, always the commonest class: {f1_score(test_labels, commonest, average='macro'):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_rows(UNLABELLED_FILE)
    new[TARGET] = encoder.classes_[predict(new[TEXT_COLUMN])]
    new.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
left.plot(history.history["loss"], label="training")
left.plot(history.history["val_loss"], label="validation")
left.set(xlabel="epoch", ylabel="loss")
left.legend()
ConfusionMatrixDisplay.from_predictions(
    encoder.classes_[test_labels], encoder.classes_[predictions], ax=right, colorbar=False, xticks_rotation=45
)
fig.tight_layout()
plt.savefig("results.png")
plt.show()
