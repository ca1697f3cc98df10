# %% [markdown]
# # Translation by an encoder-decoder with attention
# One GRU reads the source sentence, another writes the target word by word. At each word the decoder looks back at the
# source words and weighs which of them matter now (attention). In training it is handed the true word before each word.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from collections import Counter

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "pairs.tsv"  # a source sentence, a tab, its translation; or a CSV with the columns below
READ_OPTIONS = {}  # how a CSV is written, where that is not plain
SOURCE_COLUMN = "source"
TARGET = "target"
SEQUENCE_LENGTH = 20  # words of a source sentence
TARGET_LENGTH = 20  # words of a translation
VOCAB_SIZE = 10000  # words of each language at most
EMBEDDING_DIM = 64
GRU_UNITS = 128
DROPOUT = 0.2
TEST_SPLIT = 0.1
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 64
EPOCHS = 30
LEARNING_RATE = 0.002
PATIENCE = 3

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 12)  # the made-up sentences are short
    TARGET_LENGTH = min(TARGET_LENGTH, 12)
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_pairs(count=900):
    """Sentences of two made-up languages: the one puts the word for a quality before the thing, the other behind it."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up pairs, not your data.")
    rng = np.random.default_rng(42)
    pairs = []
    for _ in range(count):
        quality, thing, act, other = rng.integers(0, 8, size=4)
        source = f"the qua{quality} thi{thing} act{act} the thi{other}."
        target = f"la cosa{thing} buena{quality} hace{act} la cosa{other}."
        pairs.append((source, target))
    return pd.DataFrame(pairs, columns=[SOURCE_COLUMN, TARGET])


def read_pairs():
    """The pairs of TRAIN_FILE; of a file with tabs and without a header the first two fields of each line."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your pairs lie")
    if path.endswith(".csv"):
        pairs = pd.read_csv(path, **READ_OPTIONS)
    else:
        pairs = pd.read_csv(path, sep="\t", header=None, quoting=3)
        if pairs.shape[1] > 1 and SOURCE_COLUMN not in pairs.iloc[0].tolist():
            pairs = pairs.rename(columns={0: SOURCE_COLUMN, 1: TARGET})
        else:
            pairs = pairs[1:].rename(columns=pairs.iloc[0])
    for column in (SOURCE_COLUMN, TARGET):
        if column not in pairs:
            raise SystemExit(f"{TRAIN_FILE} has no column {column!r}; it has {', '.join(map(str, pairs.columns[:20]))}")
    return pairs[[SOURCE_COLUMN, TARGET]].dropna().astype(str)


# %% Preprocessing
def standardize(text):
    """Lower case, with punctuation as words of its own."""
    text = tf.strings.lower(text)
    return tf.strings.regex_replace(text, r"([^\w\s'])", r" \1 ")


def wrapped(pairs):
    """Translations with a sign where to begin and one where to stop."""
    return ("[start] " + pairs["words"] + " [end]").to_numpy(dtype=str)


pairs = synthetic_pairs() if SYNTHETIC else read_pairs()
tokens = [text.decode() for text in standardize(pairs[TARGET].to_numpy(dtype=str)).numpy()]
pairs["words"] = [" ".join(text.split()) for text in tokens]
# Sentences that occur twice must not stand in two parts.
pairs = pairs.drop_duplicates(SOURCE_COLUMN)
train, test = train_test_split(pairs, test_size=TEST_SPLIT, random_state=42)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=42)

source_words = layers.TextVectorization(
    max_tokens=VOCAB_SIZE, standardize=standardize, output_sequence_length=SEQUENCE_LENGTH
)
target_words = layers.TextVectorization(
    max_tokens=VOCAB_SIZE, standardize=None, output_sequence_length=TARGET_LENGTH + 1
)
source_words.adapt(train[SOURCE_COLUMN].to_numpy(dtype=str))
target_words.adapt(wrapped(train))
vocabulary = target_words.get_vocabulary()
SOURCE_VOCAB_SIZE = len(source_words.get_vocabulary())
TARGET_VOCAB_SIZE = len(vocabulary)
START, END = vocabulary.index("[start]"), vocabulary.index("[end]")


def examples(pairs):
    """Source words and the target words so far, the target words that follow, and which of these are no padding."""
    source = np.asarray(source_words(pairs[SOURCE_COLUMN].to_numpy(dtype=str)))
    target = np.asarray(target_words(wrapped(pairs)))
    return [source, target[:, :-1]], target[:, 1:], (target[:, 1:] > 0).astype("float32")


x_train, y_train, train_weights = examples(train)
print(f"{len(train)} training pairs, {SOURCE_VOCAB_SIZE} and {TARGET_VOCAB_SIZE} words")


# %% Model
def build_model():
    """A bidirectional encoder, a decoder that starts from its last state, and attention between the two."""
    source = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64", name="source")
    target = keras.Input(shape=(TARGET_LENGTH,), dtype="int64", name="target")

    x = layers.Embedding(SOURCE_VOCAB_SIZE, EMBEDDING_DIM, mask_zero=True)(source)
    encoded, forward, backward = layers.Bidirectional(
        layers.GRU(GRU_UNITS // 2, return_sequences=True, return_state=True), name="encoder"
    )(x)
    state = layers.Concatenate()([forward, backward])

    y = layers.Embedding(TARGET_VOCAB_SIZE, EMBEDDING_DIM, mask_zero=True)(target)
    decoded = layers.GRU(2 * (GRU_UNITS // 2), return_sequences=True, name="decoder")(y, initial_state=state)
    context = layers.AdditiveAttention()([decoded, encoded])
    y = layers.Concatenate()([decoded, context])
    y = layers.Dropout(DROPOUT)(y)
    return keras.Model([source, target], layers.Dense(TARGET_VOCAB_SIZE, activation="softmax")(y))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    weighted_metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)
history = model.fit(
    x_train,
    y_train,
    sample_weight=train_weights,
    validation_data=examples(val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[early_stopping],
    verbose=2,
)
model.save("model.keras")
joblib.dump((source_words.get_vocabulary(), vocabulary), "vocabulary.joblib")


# %% Evaluate
def predict(sentences):
    """Translations, one likeliest word after the other (greedy decoding)."""
    source = np.asarray(source_words(np.asarray(sentences, dtype=str)))
    written = np.zeros((len(source), TARGET_LENGTH), dtype="int64")
    written[:, 0] = START
    for place in range(TARGET_LENGTH - 1):
        outputs = model.predict([source, written], verbose=0)[:, place]
        outputs[:, [0, 1, START]] = 0  # no padding, no unknown word, no second beginning
        written[:, place + 1] = outputs.argmax(axis=-1)
        if (written == END).any(axis=1).all():
            break
    words = [[vocabulary[code] for code in row[1:] if code] for row in written]
    return [" ".join(row[: row.index("[end]")] if "[end]" in row else row) for row in words]


def bleu(references, candidates):
    """Corpus BLEU: the geometric mean of how many runs of one to four words are right, less for what is too short."""
    right, total = np.full(4, 1e-9), np.full(4, 1e-9)
    for reference, candidate in zip(references, candidates, strict=True):
        true, given = reference.split(), candidate.split()
        for size in range(1, 5):
            runs = Counter(" ".join(given[start : start + size]) for start in range(len(given) - size + 1))
            known = Counter(" ".join(true[start : start + size]) for start in range(len(true) - size + 1))
            right[size - 1] += (runs & known).total()
            total[size - 1] += runs.total()
    lengths = [sum(len(text.split()) for text in texts) for texts in (references, candidates)]
    brevity = min(0, 1 - lengths[0] / max(lengths[1], 1))
    return float(np.exp(np.log(right / total).mean() + brevity))


references = test["words"].tolist()
translations = predict(test[SOURCE_COLUMN])
usual = train["words"].mode()[0]
print(
    f"held-out BLEU: {bleu(references, translations):.4f} "
    f"(baseline, the most frequent translation: {bleu(references, [usual] * len(references)):.4f})"
)

# %% Show
shown = pd.DataFrame({SOURCE_COLUMN: test[SOURCE_COLUMN].tolist(), TARGET: references, "predicted": translations})
shown.to_csv("predictions.csv", index=False)
print(shown.head(5).to_string(index=False))
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
