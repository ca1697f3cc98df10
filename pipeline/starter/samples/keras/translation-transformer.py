# %% [markdown]
# # Translation by a Transformer
# The encoder lets all source words look at each other; the decoder writes the translation word by word, looking back at
# what it has written (causal attention) and at the source (cross-attention).

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import json
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers, ops

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = (
    "pairs.csv"  # a CSV with the columns below, or two columns with a tab between them and no header (.txt, .tsv)
)
UNLABELLED_FILE = ""  # sentences to translate
READ_OPTIONS = {}  # how a CSV is written, where that is not plain
SOURCE_COLUMN = "source"
TARGET = "target"
SEQUENCE_LENGTH = 24  # words of a sentence, in either language
VOCAB_SIZE = 8000  # words of each language at most
EMBEDDING_DIM = 64
NUM_HEADS = 4
NUM_BLOCKS = 1  # encoder blocks, and as many decoder blocks
FEED_FORWARD_UNITS = 256
DROPOUT = 0.1
TEST_SPLIT = 0.1
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 64
EPOCHS = 30
LEARNING_RATE = 0.001
PATIENCE = 4

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 10)  # a smoke run; the full count is for real data
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 12)  # the made-up sentences are short
    BATCH_SIZE = min(BATCH_SIZE, 32)

PAD, UNKNOWN, START, END = range(4)


# %% Data: files
def synthetic_pairs(count=1500):
    """Lists of three things, which the other language calls by other words, from the last to the first."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up pairs, not your data.")
    rng = np.random.default_rng(42)
    things = rng.integers(12, size=(count, 3))
    source = [f"i see one{a} and two{b} near the three{c}" for a, b, c in things]
    target = [f"nahe drei{c} sehe ich zwei{b} und eins{a}" for a, b, c in things]
    return pd.DataFrame({SOURCE_COLUMN: source, TARGET: target})


def read_table(name, columns):
    """The named columns of a table in DATA_DIR."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your pairs lie")
    if path.endswith((".txt", ".tsv")):
        table = pd.read_csv(path, sep="\t", header=None, quoting=3, usecols=range(len(columns)))
        table.columns = columns
    else:
        table = pd.read_csv(path, **READ_OPTIONS)
    for column in columns:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(map(str, table.columns[:20]))}")
    return table[columns].dropna().astype(str)


# %% Preprocessing
def words_of(text):
    """Words in lower case, signs as words of their own."""
    for sign in '.,;:!?¿¡()"':
        text = text.replace(sign, f" {sign} ")
    return text.lower().split()


def build_vocabulary(texts):
    """The VOCAB_SIZE most frequent words, behind the four signs."""
    counts = Counter(word for text in texts for word in words_of(text))
    return ["", "[unknown]", "[start]", "[end]", *(word for word, _ in counts.most_common(VOCAB_SIZE - 4))]


pairs = synthetic_pairs() if SYNTHETIC else read_table(TRAIN_FILE, [SOURCE_COLUMN, TARGET])
pairs = pairs.drop_duplicates(SOURCE_COLUMN)
train, test = train_test_split(pairs, test_size=TEST_SPLIT, random_state=42)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=42)
source_vocabulary, target_vocabulary = build_vocabulary(train[SOURCE_COLUMN]), build_vocabulary(train[TARGET])
source_codes = {word: code for code, word in enumerate(source_vocabulary)}
target_codes = {word: code for code, word in enumerate(target_vocabulary)}


def encode(texts, codes, length):
    """Word numbers between the signs of start and end, filled up with zeros: (texts, length)."""
    rows = np.full((len(texts), length), PAD, dtype="int32")
    for row, text in zip(rows, texts, strict=True):
        known = [START, *(codes.get(word, UNKNOWN) for word in words_of(text))][: length - 1]
        row[: len(known) + 1] = [*known, END]
    return rows


def examples(pairs):
    """The source, the translation up to each word, the word that follows, and 1 where there is one."""
    source = encode(pairs[SOURCE_COLUMN], source_codes, SEQUENCE_LENGTH)
    target = encode(pairs[TARGET], target_codes, SEQUENCE_LENGTH + 1)
    return [source, target[:, :-1]], target[:, 1:], (target[:, 1:] != PAD).astype("float32")


x_train, y_train, train_weights = examples(train)
print(f"{len(train)} training pairs, {len(source_vocabulary)} source and {len(target_vocabulary)} target words")


# %% Model
@keras.utils.register_keras_serializable()
class PositionalEmbedding(layers.Layer):
    """Word vectors plus a vector for each place."""

    def __init__(self, vocabulary, units, length, **kwargs):
        super().__init__(**kwargs)
        self.config = {"vocabulary": vocabulary, "units": units, "length": length}
        self.tokens = layers.Embedding(vocabulary, units, mask_zero=True)
        self.places = layers.Embedding(length, units)

    def call(self, inputs):
        return self.tokens(inputs) + self.places(ops.arange(self.config["length"]))

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0)

    def get_config(self):
        return {**super().get_config(), **self.config}


def attend(x, memory, causal=False):
    """Attention of x to memory, added to x and normalised."""
    heads = layers.MultiHeadAttention(NUM_HEADS, EMBEDDING_DIM // NUM_HEADS, dropout=DROPOUT)
    return layers.LayerNormalization()(layers.Add()([x, heads(x, memory, use_causal_mask=causal)]))


def feed_forward(x):
    """A dense network for each word, added to it and normalised."""
    hidden = layers.Dense(FEED_FORWARD_UNITS, activation="relu")(x)
    hidden = layers.Dropout(DROPOUT)(layers.Dense(EMBEDDING_DIM)(hidden))
    return layers.LayerNormalization()(layers.Add()([x, hidden]))


def build_model():
    """Encoder and decoder blocks, and the probability of each next word."""
    source = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int32", name="source")
    target = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int32", name="target")
    encoded = PositionalEmbedding(len(source_vocabulary), EMBEDDING_DIM, SEQUENCE_LENGTH)(source)
    for _ in range(NUM_BLOCKS):
        encoded = feed_forward(attend(encoded, encoded))
    decoded = PositionalEmbedding(len(target_vocabulary), EMBEDDING_DIM, SEQUENCE_LENGTH)(target)
    for _ in range(NUM_BLOCKS):
        decoded = attend(decoded, decoded, causal=True)
        decoded = feed_forward(attend(decoded, encoded))
    outputs = layers.Dense(len(target_vocabulary), activation="softmax")(decoded)
    return keras.Model([source, target], outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    weighted_metrics=["accuracy"],
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    sample_weight=train_weights,
    validation_data=examples(val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)],
    verbose=2,
)
model.save("model.keras")
with open("vocabulary.json", "w", encoding="utf-8") as stream:
    json.dump({"source": source_vocabulary, "target": target_vocabulary}, stream, ensure_ascii=False)


# %% Evaluate
def predict(sentences):
    """Translations, always with the likeliest next word."""
    source = encode(sentences, source_codes, SEQUENCE_LENGTH)
    written = np.full_like(source, PAD)
    written[:, 0] = START
    for place in range(1, SEQUENCE_LENGTH):
        outputs = model.predict([source, written], verbose=0)[:, place - 1, END:]
        # Once a translation has ended, only padding follows.
        ended = (written == END).any(axis=1)
        written[:, place] = np.where(ended, PAD, outputs.argmax(axis=-1) + END)
    return [" ".join(target_vocabulary[code] for code in row if code > END) for row in written]


def right_words(truth, translations):
    """The share of the true words that stand at their place."""
    right = total = 0
    for text, translation in zip(truth, translations, strict=True):
        words, given = words_of(text), translation.split()
        total += len(words)
        right += sum(word == other for word, other in zip(words, given, strict=False))
    return right / max(total, 1)


translations = predict(test[SOURCE_COLUMN])
usual = [Counter(column).most_common(1)[0][0] for column in zip(*map(words_of, train[TARGET]), strict=False)]
print(
    f"held-out share of right words: {right_words(test[TARGET], translations):.4f} "
    f"(baseline, each place's most frequent word: {right_words(test[TARGET], [' '.join(usual)] * len(test)):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE, [SOURCE_COLUMN])
    new.assign(**{TARGET: predict(new[SOURCE_COLUMN])}).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
for text, truth, translation in list(zip(test[SOURCE_COLUMN], test[TARGET], translations, strict=True))[:4]:
    print(f"{text}\n  true:    {truth}\n  written: {translation}")
plt.figure(figsize=(6, 4))
plt.plot(history.history["accuracy"], label="training")
plt.plot(history.history["val_accuracy"], label="validation")
plt.xlabel("epoch")
plt.ylabel("accuracy of the next word")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
