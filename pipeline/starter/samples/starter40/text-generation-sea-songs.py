# %% [markdown]
# # New verses from old sailors' songs
# A character-level GRU learns to guess the next letter of a collection of songs. Feeding its guesses back to it, one
# letter at a time, makes it write verses of its own.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

SEQUENCE_LENGTH = 60
VOCAB_SIZE = 64
WINDOW_STEP = 4
BATCH_SIZE = 128
EPOCHS = 30
LEARNING_RATE = 0.002

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data
def synthetic_data(length=4000):
    """Verses put together at random from the words of the sea."""
    rng = np.random.default_rng(42)
    people = ["the captain", "our old cook", "the cabin boy", "a grey gull", "the pilot"]
    deeds = ["sings to", "waits for", "hauls in", "remembers", "steers by"]
    things = ["the morning tide", "a harbour light", "the northern wind", "his heavy rope", "the evening star"]
    text = ""
    while len(text) < length + SEQUENCE_LENGTH:
        text += f"{rng.choice(people)} {rng.choice(deeds)} {rng.choice(things)},\n"
    return text


def load_data():
    """All text files DATA_DIR/*.txt joined into one long text."""
    if SYNTHETIC:
        print(f"No folder {DATA_DIR!r}: using synthetic verses.")
        return synthetic_data()
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(Path(DATA_DIR).glob("*.txt")))


text = load_data()
print(f"{len(text)} characters, beginning with: {text[:60]!r}")

# %% [markdown]
# A window slides over the text: `SEQUENCE_LENGTH` characters are the input, the character that follows is the target.
# The split keeps the order of the text, so the test windows come from songs the model has not read.

# %% Preprocessing
vectorizer = layers.TextVectorization(max_tokens=VOCAB_SIZE, standardize="lower", split="character")
vectorizer.adapt([text])
vocabulary = vectorizer.get_vocabulary()

ids = vectorizer([text]).numpy()[0].astype("int32")
windows = np.lib.stride_tricks.sliding_window_view(ids, SEQUENCE_LENGTH + 1)[::WINDOW_STEP]

x_train, x_test, y_train, y_test = train_test_split(windows[:, :-1], windows[:, -1], test_size=0.1, shuffle=False)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.1, shuffle=False)
print(f"{len(x_train)} training windows, {len(vocabulary)} different characters")


# %% Model
def build_model():
    """Character embeddings, two GRU layers and a probability for every character."""
    return keras.Sequential(
        [
            keras.Input(shape=(SEQUENCE_LENGTH,)),
            layers.Embedding(VOCAB_SIZE, 32),
            layers.GRU(128, return_sequences=True),
            layers.Dropout(0.2),
            layers.GRU(128),
            layers.Dropout(0.2),
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
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[early_stopping],
    verbose=2,
)

# %% Evaluate
scores = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, verbose=0, return_dict=True)
print("Test:", {name: round(value, 4) for name, value in scores.items()})
print(f"Perplexity per character: {np.exp(scores['loss']):.2f}")

# %% [markdown]
# The temperature sets how daring the writing is: below 1 the likely letters win more often, above 1 the rare ones do.


# %% Show
def sample_id(probabilities, temperature):
    """A random character id; padding (0) and unknown characters (1) are never drawn."""
    logits = np.log(probabilities[2 : len(vocabulary)] + 1e-9) / temperature
    weights = np.exp(logits - logits.max())
    return 2 + np.random.choice(len(weights), p=weights / weights.sum())


def generate(window, length=80, temperature=0.7):
    """The continuation of a window of character ids, as text."""
    window = list(window)
    for _ in range(length):
        inputs = np.array([window[-SEQUENCE_LENGTH:]])
        window.append(sample_id(model.predict_on_batch(inputs)[0], temperature))
    return "".join(vocabulary[index] for index in window[SEQUENCE_LENGTH:])


for temperature in (0.4, 1.0):
    print(f"--- temperature {temperature}")
    print(generate(x_test[0], temperature=temperature))
