# %% [markdown]
# # Summaries by a sequence-to-sequence model
# An LSTM reads a text, a second one writes its summary and attends to what it has read; the summary is written by beam
# search, which keeps the best few beginnings instead of only one.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

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
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # texts without summaries that summaries are wanted for
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TEXT_COLUMN = "text"
TARGET = "summary"
SEQUENCE_LENGTH = 120  # words of a text
SUMMARY_LENGTH = 20  # words of a summary
VOCAB_SIZE = 20000
EMBEDDING_DIM = 96
LSTM_UNITS = 96
DROPOUT = 0.2
BEAM_WIDTH = 3
TEST_SPLIT = 0.1
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 20
LEARNING_RATE = 0.005

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 14)  # a smoke run; the full count is for real data
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 32)  # the made-up texts are short
    SUMMARY_LENGTH = min(SUMMARY_LENGTH, 8)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    VOCAB_SIZE = min(VOCAB_SIZE, 500)  # the made-up texts have few words


# %% Data: files
def synthetic_table(rows=700):
    """Texts of small talk with one sentence that matters; the summary says what it says, in fewer words."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up texts, not your data.")
    rng = np.random.default_rng(42)
    talk = "people were there and it was a day like many others with some sun and a little wind".split()
    made = []
    for _ in range(rows):
        who, where = rng.integers(0, 10, size=2)
        sentences = [" ".join(rng.choice(talk, size=6)) + "." for _ in range(3)]
        sentences.insert(rng.integers(4), f"notably person{who} was seen in place{where}.")
        made.append((" ".join(sentences), f"person{who} in place{where}"))
    return pd.DataFrame(made, columns=[TEXT_COLUMN, TARGET])


def read_table(name, columns):
    """A table of DATA_DIR without the rows that lack a text."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your texts lie")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    for column in columns:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(map(str, table.columns[:20]))}")
    return table.dropna(subset=columns).astype(dict.fromkeys(columns, str))


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE, [TEXT_COLUMN, TARGET])

# %% Preprocessing
train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=42)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=42)


def clean(texts):
    """Lower case without punctuation, words one blank apart."""
    return texts.str.lower().str.replace(r"[^\w\s]", " ", regex=True).str.split().str.join(" ")


# Texts and summaries share one vocabulary: most words of a summary stand in its text.
vectorize = layers.TextVectorization(max_tokens=VOCAB_SIZE, standardize=None, ragged=True)
framed = "[start] " + clean(train[TARGET]) + " [end]"
vectorize.adapt(pd.concat([clean(train[TEXT_COLUMN]), framed]).to_numpy(dtype=str))
vocabulary = np.array(vectorize.get_vocabulary())
VOCAB_SIZE = len(vocabulary)
START, END = np.flatnonzero(vocabulary == "[start]")[0], np.flatnonzero(vocabulary == "[end]")[0]


def codes_of(texts, length):
    """Word numbers, cut or filled up to a length."""
    return vectorize(texts.to_numpy(dtype=str)).to_tensor(shape=(None, length)).numpy()


def dataset(table, training=False):
    """Batches of texts with the summary so far, the summary one word on, and a weight of 0 for padding."""
    texts = codes_of(clean(table[TEXT_COLUMN]), SEQUENCE_LENGTH)
    summaries = codes_of("[start] " + clean(table[TARGET]) + " [end]", SUMMARY_LENGTH + 1)
    y = summaries[:, 1:]
    examples = tf.data.Dataset.from_tensor_slices(((texts, summaries[:, :-1]), y, (y > 0).astype("float32")))
    return (examples.shuffle(10000, seed=42) if training else examples).batch(BATCH_SIZE)


train_ds, val_ds = dataset(train, training=True), dataset(val)
print(f"{len(train)} training texts, {VOCAB_SIZE} words")


# %% Model
def build_model():
    """Encoder, decoder and attention over the words of the text."""
    text = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64", name="text")
    summary = keras.Input(shape=(SUMMARY_LENGTH,), dtype="int64", name="summary")
    embed = layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM, mask_zero=True)
    encoder_outputs, state_h, state_c = layers.LSTM(LSTM_UNITS, return_sequences=True, return_state=True)(embed(text))
    decoder_outputs = layers.LSTM(LSTM_UNITS, return_sequences=True)(embed(summary), initial_state=[state_h, state_c])
    attended = layers.AdditiveAttention()([decoder_outputs, encoder_outputs])
    x = layers.Concatenate()([decoder_outputs, attended])
    x = layers.Dense(EMBEDDING_DIM, activation="tanh")(x)
    x = layers.Dropout(DROPOUT)(x)
    return keras.Model([text, summary], layers.Dense(VOCAB_SIZE, activation="softmax")(x))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    weighted_metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
history = model.fit(train_ds, validation_data=val_ds, epochs=EPOCHS, callbacks=[early_stopping], verbose=2)
model.save("model.keras")


# %% Evaluate
def summarize(codes):
    """The best of BEAM_WIDTH summaries of one text, by the mean log-probability of its words."""
    beams = [([START], 0.0)]
    for _ in range(SUMMARY_LENGTH - 1):
        going = [beam for beam in beams if beam[0][-1] != END]
        if not going:
            break
        so_far = np.zeros((len(going), SUMMARY_LENGTH), dtype="int64")
        for row, (words, _) in zip(so_far, going, strict=True):
            row[: len(words)] = words
        outputs = model.predict_on_batch([np.repeat(codes[None], len(going), axis=0), so_far])
        grown = [beam for beam in beams if beam[0][-1] == END]
        for (words, score), probabilities in zip(going, outputs[:, len(going[0][0]) - 1], strict=True):
            probabilities[[0, 1, START]] = 0  # no padding, no unknown word, no second start
            for word in probabilities.argsort()[-BEAM_WIDTH:]:
                grown.append(([*words, int(word)], score + float(np.log(probabilities[word] + 1e-9))))
        beams = sorted(grown, key=lambda beam: -beam[1] / len(beam[0]))[:BEAM_WIDTH]
    return " ".join(vocabulary[word] for word in beams[0][0][1:] if word != END)


def predict(texts):
    """A summary of each text."""
    return [summarize(codes) for codes in codes_of(clean(texts), SEQUENCE_LENGTH)]


def rouge_1(references, summaries):
    """Mean F1 of the words that a summary and its reference share."""
    scores = []
    for reference, summary in zip(references, summaries, strict=True):
        true, given = set(reference.split()), set(summary.split())
        scores.append(2 * len(true & given) / max(len(true) + len(given), 1))
    return float(np.mean(scores))


test = test[:200]  # beam search takes its time
references = clean(test[TARGET]).tolist()
summaries = predict(test[TEXT_COLUMN])
words_of_summary = int(clean(train[TARGET]).str.split().str.len().mean())
first_words = clean(test[TEXT_COLUMN]).str.split().str[:words_of_summary].str.join(" ").tolist()
print(
    f"held-out ROUGE-1: {rouge_1(references, summaries):.4f} "
    f"(baseline, the first {words_of_summary} words of the text: {rouge_1(references, first_words):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE, [TEXT_COLUMN])
    new.assign(**{TARGET: predict(new[TEXT_COLUMN])}).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
for reference, summary in list(zip(references, summaries, strict=True))[:5]:
    print(f"true: {reference} | written: {summary}")
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
