# %% [markdown]
# # Classes of texts by a Transformer encoder
# Each word gets a vector for what it is and one for where it stands; in every encoder block all words look at each
# other (self-attention) before a small dense network treats each of them by itself.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers, ops

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # texts without classes that predictions are wanted for
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TEXT_COLUMN = "text"
TARGET = "label"
CLASS_NAMES = ["negative", "positive"]  # of the made-up texts; real classes are found in the file
SEQUENCE_LENGTH = 128
VOCAB_SIZE = 20000
EMBEDDING_DIM = 64
NUM_HEADS = 4
NUM_BLOCKS = 2
FEED_FORWARD_UNITS = 128
DROPOUT = 0.1
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 10
LEARNING_RATE = 0.0005
PATIENCE = 3

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 4)  # a smoke run; the full count is for real data
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 40)  # the made-up texts are short


# %% Data: files
def synthetic_texts(count=400):
    """Sentences whose class hangs on one word somewhere among words that all classes share."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up texts, not your data.")
    rng = np.random.default_rng(42)
    common = "it he she they saw heard found said the a new old thing here there then".split()
    names = rng.choice(CLASS_NAMES, size=count)
    texts = []
    for name in names:
        words = list(rng.choice(common, size=rng.integers(10, 30)))
        words.insert(rng.integers(len(words)), f"{name}{rng.integers(3)}")
        texts.append(" ".join(words))
    return np.array(texts), names


def read_texts(name):
    """The texts of a table in DATA_DIR, and the whole table."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your texts lie")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    table = table.rename(columns=str)
    if TEXT_COLUMN not in table:
        raise SystemExit(f"{name} has no column {TEXT_COLUMN!r}; it has {', '.join(table.columns[:20])}")
    return table[TEXT_COLUMN].fillna("").astype(str).to_numpy(dtype=str), table


if SYNTHETIC:
    texts, names = synthetic_texts()
else:
    texts, table = read_texts(TRAIN_FILE)
    if TARGET not in table:
        raise SystemExit(f"{TRAIN_FILE} has no column {TARGET!r}; it has {', '.join(table.columns[:20])}")
    known = table[TARGET].notna().to_numpy()
    texts, names = texts[known], table.loc[known, TARGET].astype(str).to_numpy(dtype=str)
class_names, labels = np.unique(names, return_inverse=True)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds one class only; at least two are needed")
print(f"{len(texts)} texts of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))

# %% Preprocessing
train_texts, test_texts, train_labels, test_labels = train_test_split(
    texts, labels, test_size=TEST_SPLIT, random_state=42
)
train_texts, val_texts, train_labels, val_labels = train_test_split(
    train_texts, train_labels, test_size=VALIDATION_SPLIT, random_state=42
)
vectorize = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
vectorize.adapt(train_texts)


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


def dataset(texts, labels):
    """Batches of word numbers with their labels."""
    pairs = tf.data.Dataset.from_tensor_slices((vectorize(texts), encode_labels(labels)))
    return pairs.batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)


train_ds = dataset(train_texts, train_labels).unbatch().shuffle(10000, seed=42).batch(BATCH_SIZE)
val_ds = dataset(val_texts, val_labels)


# %% Model
@keras.utils.register_keras_serializable()
class TokenAndPositionEmbedding(layers.Layer):
    """The sum of a vector for each word and one for each place; place 0 of the vocabulary is padding."""

    def __init__(self, length, vocabulary, units, **kwargs):
        super().__init__(**kwargs)
        self.sizes = {"length": length, "vocabulary": vocabulary, "units": units}
        self.words = layers.Embedding(vocabulary, units, mask_zero=True)
        self.places = layers.Embedding(length, units)

    def call(self, tokens):
        return self.words(tokens) + self.places(ops.arange(self.sizes["length"]))

    def compute_mask(self, tokens, mask=None):
        return self.words.compute_mask(tokens)

    def get_config(self):
        return {**super().get_config(), **self.sizes}


def encoder_block(x):
    """Self-attention and a dense network for each word, both with a skip connection and layer normalisation."""
    attended = layers.MultiHeadAttention(NUM_HEADS, EMBEDDING_DIM // NUM_HEADS, dropout=DROPOUT)(x, x)
    x = layers.LayerNormalization()(layers.Add()([x, attended]))
    hidden = layers.Dense(FEED_FORWARD_UNITS, activation="relu")(x)
    hidden = layers.Dense(EMBEDDING_DIM)(hidden)
    hidden = layers.Dropout(DROPOUT)(hidden)
    return layers.LayerNormalization()(layers.Add()([x, hidden]))


def build_model():
    """Embeddings, NUM_BLOCKS encoder blocks, the mean over the words, and an output for each class."""
    tokens = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64")
    x = TokenAndPositionEmbedding(SEQUENCE_LENGTH, VOCAB_SIZE, EMBEDDING_DIM)(tokens)
    for _ in range(NUM_BLOCKS):
        x = encoder_block(x)
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dropout(DROPOUT)(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(tokens, outputs)


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
history = model.fit(train_ds, validation_data=val_ds, epochs=EPOCHS, callbacks=[early_stopping], verbose=2)
model.save("model.keras")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(texts):
    """The class of each text."""
    return class_names[predicted_classes(model.predict(vectorize(texts), verbose=0))]


test_predictions = predict(test_texts)
truth = class_names[test_labels]
most_frequent = class_names[np.bincount(train_labels).argmax()]
print(
    f"held-out accuracy: {accuracy_score(truth, test_predictions):.4f} "
    f"(baseline, always {most_frequent}: {np.mean(truth == most_frequent):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new_texts, new_table = read_texts(UNLABELLED_FILE)
    new_table[TARGET] = predict(new_texts)
    new_table.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new_table)} rows")

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["accuracy"], label="training")
plt.plot(history.history["val_accuracy"], label="validation")
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
