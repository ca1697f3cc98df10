# %% [markdown]
# # Text written word by word
# LSTM layers read the words so far and give the probability of each next word. New text is drawn from the likeliest
# words only (top-k), with a temperature.

# %% Imports
import os
import re

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "text.txt"
SEQUENCE_LENGTH = 20  # words that the network looks back on
VOCAB_SIZE = 10000
EMBEDDING_DIM = 100
LSTM_UNITS = 128
NUM_LAYERS = 2
DROPOUT = 0.2
TEMPERATURE = 0.8
TOP_K = 20
GENERATED_LENGTH = 60  # words to write
BEGINNING = ""  # the words to go on from; "" takes some of the text
TEST_SPLIT = 0.1
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 64
EPOCHS = 20
LEARNING_RATE = 0.002
PATIENCE = 3

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 5)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_text(sentences=250):
    """Sentences after one pattern: who does what to whom, and how it ends."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {sentences} made-up sentences, not your text.")
    rng = np.random.default_rng(42)
    who = "king queen miller fox wolf raven".split()
    acts = {"asks": "answers", "seeks": "hides", "calls": "comes"}
    text = []
    for _ in range(sentences):
        act = str(rng.choice(list(acts)))
        first, second = rng.choice(who, size=2, replace=False)
        text.append(f"The {first} {act} the {second}, and the {second} {acts[act]}.")
    return " ".join(text)


def read_text():
    """The text of TRAIN_FILE."""
    path = Path(DATA_DIR, TRAIN_FILE)
    if not path.is_file():
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to your text")
    return path.read_text(encoding="utf-8", errors="replace")


# %% Preprocessing
words = re.findall(r"\w+(?:'\w+)?|[^\w\s]", (synthetic_text() if SYNTHETIC else read_text()).lower())
if len(words) < 20 * SEQUENCE_LENGTH:
    raise SystemExit(f"{len(words)} words are too few to learn from; {20 * SEQUENCE_LENGTH} are the least")
test_start = int((1 - TEST_SPLIT) * len(words))
val_start = int((1 - TEST_SPLIT - VALIDATION_SPLIT) * len(words))

# Number 0 is any word outside the vocabulary, which the training part alone decides on.
vocabulary = ["", *(word for word, _ in Counter(words[:val_start]).most_common(VOCAB_SIZE - 1))]
numbers = {word: number for number, word in enumerate(vocabulary)}
VOCAB_SIZE = len(vocabulary)
codes = np.array([numbers.get(word, 0) for word in words])
print(f"{len(words)} words, {VOCAB_SIZE - 1} of them different")


def windows(codes):
    """Runs of SEQUENCE_LENGTH words and the word after each."""
    runs = np.lib.stride_tricks.sliding_window_view(codes, SEQUENCE_LENGTH + 1)
    return runs[:, :-1], runs[:, -1]


x_train, y_train = windows(codes[:val_start])
x_val, y_val = windows(codes[val_start:test_start])
x_test, y_test = windows(codes[test_start:])


# %% Model
def build_model():
    """Word vectors, LSTM layers on top of each other, and the probability of each next word."""
    model = keras.Sequential()
    model.add(keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64"))
    model.add(layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM))
    for _ in range(NUM_LAYERS - 1):
        model.add(layers.LSTM(LSTM_UNITS, return_sequences=True))
    model.add(layers.LSTM(LSTM_UNITS))
    model.add(layers.Dropout(DROPOUT))
    model.add(layers.Dense(VOCAB_SIZE, activation="softmax"))
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
    callbacks=callbacks,
    verbose=2,
)
model.save("model.keras")
Path("vocabulary.txt").write_text("\n".join(vocabulary), encoding="utf-8")

# %% Evaluate
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
perplexity = float(np.exp(loss))
most_frequent = np.bincount(y_train).argmax()
print(f"perplexity: {perplexity:.2f}")
print(
    f"held-out accuracy of the next word: {accuracy:.4f} "
    f"(baseline, always {vocabulary[most_frequent]!r}: {np.mean(y_test == most_frequent):.4f})"
)


# %% Evaluate: new text
def generate(beginning, count=GENERATED_LENGTH):
    """The beginning and `count` further words."""
    rng = np.random.default_rng(42)
    written = re.findall(r"\w+(?:'\w+)?|[^\w\s]", beginning.lower())
    for _ in range(count):
        known = [numbers.get(word, 0) for word in written[-SEQUENCE_LENGTH:]]
        window = np.array([[0] * (SEQUENCE_LENGTH - len(known)) + known])
        probabilities = model.predict_on_batch(window)[0]
        probabilities[0] = 0  # only words that exist
        best = probabilities.argsort()[-TOP_K:]
        weights = probabilities[best] ** (1 / TEMPERATURE)
        written.append(vocabulary[rng.choice(best, p=weights / weights.sum())])
    return re.sub(r" ([.,;:!?)])", r"\1", " ".join(written))


text = generate(BEGINNING or " ".join(words[:5]))
Path("generated.txt").write_text(text, encoding="utf-8")
print(text)

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(np.exp(history.history["loss"]), label="training")
plt.plot(np.exp(history.history["val_loss"]), label="validation")
plt.xlabel("epoch")
plt.ylabel("perplexity")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
