# %% [markdown]
# # Text written character by character
# An LSTM reads a text one character at a time and learns which character comes next. To write, it draws a character,
# reads it, and draws the next: bolder at a high temperature, more careful at a low one.

# %% Imports
import glob
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "*.txt"  # the text to learn from; a `*` stands for several files
SEQUENCE_LENGTH = 100
EMBEDDING_DIM = 64
LSTM_UNITS = 256
DROPOUT = 0.2
TEMPERATURE = 0.7
GENERATED_LENGTH = 500  # characters to write
TEST_SPLIT = 0.1
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 64
EPOCHS = 30
LEARNING_RATE = 0.002
PATIENCE = 3

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 6)  # a smoke run; the full count is for real data
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 40)  # the made-up text is short
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_text(sentences=150):
    """Short sentences of a handful of words."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {sentences} made-up sentences, not your text.")
    rng = np.random.default_rng(42)
    who, what = ["the cat", "a bird", "our dog", "my friend"], ["sees", "finds", "likes", "follows"]
    where = ["in the garden", "by the river", "at night", "every day"]
    return "".join(
        f"{rng.choice(who)} {rng.choice(what)} {rng.choice(who)} {rng.choice(where)}.\n" for _ in range(sentences)
    )


def read_text():
    """All texts that TRAIN_FILE names, one after another."""
    paths = sorted(glob.glob(os.path.join(DATA_DIR, TRAIN_FILE)))
    if not paths:
        raise SystemExit(
            f"{os.path.join(DATA_DIR, TRAIN_FILE)}: no such file; set DATA_DIR and TRAIN_FILE to your text"
        )
    texts = []
    for path in paths:
        with open(path, encoding="utf-8", errors="replace") as stream:
            texts.append(stream.read())
    return "\n".join(texts)


text = synthetic_text() if SYNTHETIC else read_text()
if len(text) < 30 * SEQUENCE_LENGTH:
    raise SystemExit(f"{len(text)} characters are too few to learn from; lower SEQUENCE_LENGTH or add text")

# %% Preprocessing
test_start = int((1 - TEST_SPLIT) * len(text))
val_start = int((1 - TEST_SPLIT - VALIDATION_SPLIT) * len(text))

# Number 0 is a character that the training part lacks.
characters = sorted(set(text[:val_start]))
numbers = {character: number for number, character in enumerate(characters, 1)}
VOCAB_SIZE = len(characters) + 1
codes = np.array([numbers.get(character, 0) for character in text], dtype="int32")
print(f"{len(text)} characters, {VOCAB_SIZE - 1} different ones")


def dataset(codes, step, shuffle=False):
    """Batches of windows, and of the same windows one character further on."""
    windows = keras.utils.timeseries_dataset_from_array(
        codes, None, SEQUENCE_LENGTH + 1, sequence_stride=step, batch_size=BATCH_SIZE, shuffle=shuffle, seed=42
    )
    return windows.map(lambda window: (window[:, :-1], window[:, 1:]))


train_ds = dataset(codes[:val_start], step=max(1, SEQUENCE_LENGTH // 2), shuffle=True)
val_ds = dataset(codes[val_start:test_start], step=SEQUENCE_LENGTH // 2)
test_ds = dataset(codes[test_start:], step=SEQUENCE_LENGTH)


# %% Model
def build_model():
    """A vector for each character, an LSTM, and after each character the probability of every next one."""
    return keras.Sequential(
        [
            keras.Input(shape=(None,), dtype="int32"),
            layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM),
            layers.LSTM(LSTM_UNITS, return_sequences=True),
            layers.Dropout(DROPOUT),
            layers.Dense(VOCAB_SIZE, activation="softmax"),
        ]
    )


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
joblib.dump(characters, "characters.joblib")

# %% Evaluate
loss, accuracy = model.evaluate(test_ds, verbose=0)
most_frequent = np.bincount(codes[:val_start]).argmax()
perplexity = np.exp(loss)
print(f"perplexity: {perplexity:.2f} (a guess among all characters: {VOCAB_SIZE - 1})")
print(
    f"held-out accuracy of the next character: {accuracy:.4f} "
    f"(baseline, always the most frequent character: {np.mean(codes[test_start:] == most_frequent):.4f})"
)


# %% Evaluate: new text
def generate(beginning, length=GENERATED_LENGTH, temperature=TEMPERATURE):
    """The beginning and how the model goes on."""
    rng = np.random.default_rng(42)
    written = [numbers.get(character, 0) for character in beginning]
    for _ in range(length):
        window = np.array([written[-SEQUENCE_LENGTH:]])
        probabilities = model.predict_on_batch(window)[0, -1].astype("float64")
        probabilities[0] = 0  # only characters that exist
        scores = np.log(probabilities + 1e-9) / temperature
        scores = np.exp(scores - scores.max())
        written.append(int(rng.choice(VOCAB_SIZE, p=scores / scores.sum())))
    return beginning + "".join(characters[code - 1] for code in written[len(beginning) :])


if SYNTHETIC:
    GENERATED_LENGTH = min(GENERATED_LENGTH, 100)
beginning = text[test_start : test_start + 40]
with open("generated.txt", "w", encoding="utf-8") as stream:
    for temperature in (0.5 * TEMPERATURE, TEMPERATURE, 1.5 * TEMPERATURE):
        written = generate(beginning, GENERATED_LENGTH, temperature)
        print(f"--- temperature {temperature:.2f}\n{written}")
        stream.write(f"--- temperature {temperature:.2f}\n{written}\n\n")

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("cross-entropy of the next character")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
