# %% [markdown]
# # A tag for every word by a bidirectional LSTM
# Named entities, parts of speech and the like: the network sees each word with what stands before and after it, and
# gives a tag to every word of a sentence. Entities are compared as wholes, as they are in the literature.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from collections import Counter, defaultdict

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = (
    "train.csv"  # a CSV with a word a row, or a CoNLL file: a word and its tag a line, empty lines between sentences
)
UNLABELLED_FILE = ""  # the same without tags: words that tags are wanted for
READ_OPTIONS = {}  # how a CSV is written, where that is not plain
SENTENCE_COLUMN = "sentence"  # rows with the same value here are one sentence; "" where a row holds a whole sentence
TOKEN_COLUMN = "token"
TARGET = "tag"  # in the BIO format (B-PER, I-PER, O), or plain tags
CLASS_NAMES = ["PER", "LOC"]  # kinds of names in made-up data; real data bring their own
SEQUENCE_LENGTH = 75
EMBEDDING_DIM = 64
LSTM_UNITS = 64
DROPOUT = 0.3
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 15
LEARNING_RATE = 0.003
PATIENCE = 3

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 6)  # a smoke run; the full count is for real data
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 30)  # the made-up sentences are short


# %% Data: files
def synthetic_table(sentences=500):
    """Sentences with names of one or two words; the word before a name tells its kind, for the names are the same."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {sentences} made-up sentences, not your data.")
    rng = np.random.default_rng(42)
    names = [f"Name{number}" for number in range(30)]
    rows = []
    for number in range(sentences):
        for _ in range(rng.integers(1, 4)):
            rows += [(number, word, "O") for word in rng.choice("we saw then again today some more".split(), size=3)]
            number_of_kind = rng.integers(len(CLASS_NAMES))
            before, kind = f"cue{number_of_kind}", CLASS_NAMES[number_of_kind]
            rows += [(number, before, "O"), (number, rng.choice(names), f"B-{kind}")]
            if rng.random() < 0.4:
                rows.append((number, rng.choice(names), f"I-{kind}"))
    return pd.DataFrame(rows, columns=[SENTENCE_COLUMN, TOKEN_COLUMN, TARGET])


def read_conll(path):
    """The first and the last field of each line; an empty line ends a sentence."""
    rows, sentence = [], 0
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            fields = line.split()
            if not fields:
                sentence += 1
            elif fields[0] != "-DOCSTART-" and not line.startswith("# "):
                rows.append((sentence, fields[0], fields[-1]))
    return pd.DataFrame(rows, columns=[SENTENCE_COLUMN, TOKEN_COLUMN, TARGET])


def read_table(name, needed):
    """A row for each word, from a CSV or a CoNLL file."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your sentences lie")
    if not path.lower().endswith((".csv", ".tsv")):
        return read_conll(path)
    table = pd.read_csv(path, keep_default_na=False, na_values=[""], **READ_OPTIONS).rename(columns=str)
    for column in filter(None, needed):
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(table.columns[:20])}")
    if SENTENCE_COLUMN:
        table[SENTENCE_COLUMN] = table[SENTENCE_COLUMN].ffill()  # an empty cell continues the row above
    return table


def sentences_of(table, column):
    """What the column holds, a list for each sentence; words or tags of one cell stand between blanks."""
    if SENTENCE_COLUMN not in table:
        return [cell.split() for cell in table[column].fillna("").astype(str)]
    return [list(cells.astype(str)) for _, cells in table.groupby(SENTENCE_COLUMN, sort=False)[column]]


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE, [SENTENCE_COLUMN, TOKEN_COLUMN, TARGET])
words, tags = sentences_of(table, TOKEN_COLUMN), sentences_of(table, TARGET)
tag_names = sorted({tag for sentence in tags for tag in sentence})
NUM_CLASSES = len(tag_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{TRAIN_FILE} holds {NUM_CLASSES} tag; set TARGET to the column of tags")
print(f"{len(words)} sentences, {NUM_CLASSES} tags:", ", ".join(tag_names[:20]))

# %% Preprocessing
words, test_words, tags, test_tags = train_test_split(words, tags, test_size=TEST_SPLIT, random_state=42)
train_words, val_words, train_tags, val_tags = train_test_split(
    words, tags, test_size=VALIDATION_SPLIT, random_state=42
)

# 0 is padding, 1 an unknown word. Words seen once count as unknown, so that the network learns what to do with those.
counts = Counter(word for sentence in train_words for word in sentence)
vocabulary = {word: number for number, word in enumerate((word for word in counts if counts[word] > 1), 2)}
tag_numbers = {tag: number for number, tag in enumerate(tag_names)}
VOCAB_SIZE = len(vocabulary) + 2


def padded(sentences, numbers, unknown):
    """Numbers of words or tags: (sentences, SEQUENCE_LENGTH), filled up with zeros behind."""
    rows = np.zeros((len(sentences), SEQUENCE_LENGTH), dtype="int32")
    for row, sentence in enumerate(sentences):
        codes = [numbers.get(item, unknown) for item in sentence[:SEQUENCE_LENGTH]]
        rows[row, : len(codes)] = codes
    return rows


x_train, x_val = padded(train_words, vocabulary, 1), padded(val_words, vocabulary, 1)
y_train, y_val = padded(train_tags, tag_numbers, 0), padded(val_tags, tag_numbers, 0)


# %% Model
def build_model():
    """Word vectors, an LSTM in both directions, and the probability of each tag at each word."""
    return keras.Sequential(
        [
            keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int32"),
            layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM, mask_zero=True),
            layers.Bidirectional(layers.LSTM(LSTM_UNITS, return_sequences=True)),
            layers.Dropout(DROPOUT),
            layers.TimeDistributed(layers.Dense(NUM_CLASSES, activation="softmax")),
        ]
    )


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
    sample_weight=(x_train > 0).astype("float32"),  # padding does not count
    validation_data=(x_val, y_val, (x_val > 0).astype("float32")),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[early_stopping],
    verbose=2,
)
model.save("model.keras")
joblib.dump((vocabulary, tag_names), "vocabulary.joblib")


# %% Evaluate
def predict(sentences):
    """A tag for each word of each sentence; words beyond SEQUENCE_LENGTH get the tag O."""
    numbers = model.predict(padded(sentences, vocabulary, 1), verbose=0).argmax(axis=-1)
    return [
        [tag_names[number] for number in row[: len(sentence)]] + ["O"] * (len(sentence) - SEQUENCE_LENGTH)
        for row, sentence in zip(numbers, sentences, strict=True)
    ]


def entities(sentences):
    """Each entity as (sentence, first word, last word, kind). A plain tag is an entity of one word."""
    found = set()
    for number, sentence in enumerate(sentences):
        start, kind = 0, ""
        for place, tag in enumerate([*sentence, "O"]):
            prefix, _, name = tag.partition("-")
            if kind and (prefix != "I" or name != kind):
                found.add((number, start, place - 1, kind))
                kind = ""
            if tag != "O" and not kind:
                start, kind = place, name or tag
    return found


def f1(truth, predicted):
    """F1 of whole entities: right where the words and the kind are."""
    true, given = entities(truth), entities(predicted)
    return 2 * len(true & given) / max(len(true) + len(given), 1)


# The baseline knows no context: each word gets the tag that it has most often.
usual = defaultdict(Counter)
for word, tag in zip(sum(train_words, []), sum(train_tags, []), strict=True):
    usual[word][tag] += 1
by_word = [[usual[word].most_common(1)[0][0] if word in usual else "O" for word in row] for row in test_words]
predicted = predict(test_words)
print(
    f"held-out entity F1: {f1(test_tags, predicted):.4f} "
    f"(baseline, each word's most frequent tag: {f1(test_tags, by_word):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE, [SENTENCE_COLUMN, TOKEN_COLUMN])
    rows = predict(sentences_of(new, TOKEN_COLUMN))
    new[TARGET] = [tag for row in rows for tag in row] if SENTENCE_COLUMN in new else [" ".join(row) for row in rows]
    new.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
for sentence, row in zip(test_words[:3], predicted[:3], strict=True):
    print(" ".join(word if tag == "O" else f"[{word} {tag}]" for word, tag in zip(sentence, row, strict=True)))
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
