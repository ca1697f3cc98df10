# %% [markdown]
# # Travel phrases from English to Italian
# An LSTM encoder reads the English phrase, an LSTM decoder writes the Italian one word by word and looks back at the
# English words through attention. In training the decoder sees the right words so far (teacher forcing).

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

SEQUENCE_LENGTH = 16
VOCAB_SIZE = 6000
BATCH_SIZE = 64
EPOCHS = 25
LEARNING_RATE = 0.001

START = "<start>"
END = "<end>"
MAX_SHOWN_WORDS = 20

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data
def synthetic_data(count=400):
    """Phrases put together from the pages of a small phrase book."""
    rng = np.random.default_rng(42)
    openings = {"we are looking for": "cerchiamo", "i would like": "vorrei", "how much is": "quanto costa"}
    things = {
        "the ticket": "il biglietto",
        "the double room": "la camera doppia",
        "the black coffee": "il caffè nero",
        "the city map": "la mappa della città",
        "the train to rome": "il treno per roma",
        "the table outside": "il tavolo fuori",
    }
    endings = {"": "", "please": "per favore", "for today": "per oggi", "for two people": "per due persone"}
    pairs = []
    for _ in range(count):
        chosen = [list(part.items())[rng.integers(len(part))] for part in (openings, things, endings)]
        english, italian = zip(*chosen, strict=True)
        pairs.append((" ".join(english).strip(), " ".join(italian).strip()))
    return pairs


def load_data():
    """Pairs of phrases from DATA_DIR/train.csv (columns `source` and `target`)."""
    if SYNTHETIC:
        print(f"No folder {DATA_DIR!r}: using synthetic phrases.")
        return synthetic_data()
    phrases = pd.read_csv(os.path.join(DATA_DIR, "train.csv"))[["source", "target"]].dropna()
    return list(phrases.itertuples(index=False, name=None))


pairs = load_data()
print(f"{len(pairs)} pairs, for example {pairs[0]}")

# %% Preprocessing
train_pairs, test_pairs = train_test_split(pairs, test_size=0.15, random_state=42)
train_pairs, val_pairs = train_test_split(train_pairs, test_size=0.15, random_state=42)


def with_markers(phrases):
    """Target phrases between a start and an end marker."""
    return [f"{START} {phrase} {END}" for phrase in phrases]


# %% [markdown]
# Lower-casing is the only clean-up: apostrophes and accents carry meaning in Italian, and the markers must survive.

# %% Preprocessing
source_vectorizer = layers.TextVectorization(
    max_tokens=VOCAB_SIZE, standardize="lower", output_sequence_length=SEQUENCE_LENGTH
)
target_vectorizer = layers.TextVectorization(
    max_tokens=VOCAB_SIZE, standardize="lower", output_sequence_length=SEQUENCE_LENGTH + 1
)
source_vectorizer.adapt([source for source, _ in train_pairs])
target_vectorizer.adapt(with_markers(target for _, target in train_pairs))


def encode_pairs(pairs):
    """Inputs (source ids, target ids so far) and the target ids one step ahead."""
    sources, targets = zip(*pairs, strict=True)
    source_ids = source_vectorizer(list(sources)).numpy()
    target_ids = target_vectorizer(with_markers(targets)).numpy()
    return [source_ids, target_ids[:, :-1]], target_ids[:, 1:]


x_train, y_train = encode_pairs(train_pairs)
x_val, y_val = encode_pairs(val_pairs)
x_test, y_test = encode_pairs(test_pairs)


# %% Model
def build_model():
    """An LSTM encoder and an LSTM decoder that attends to every encoder step."""
    source = keras.Input(shape=(SEQUENCE_LENGTH,), name="source")
    x = layers.Embedding(VOCAB_SIZE, 128, mask_zero=True)(source)
    encoded, hidden_state, cell_state = layers.LSTM(128, return_sequences=True, return_state=True)(x)

    target = keras.Input(shape=(SEQUENCE_LENGTH,), name="target")
    x = layers.Embedding(VOCAB_SIZE, 128, mask_zero=True)(target)
    decoded = layers.LSTM(128, return_sequences=True)(x, initial_state=[hidden_state, cell_state])

    context = layers.Attention()([decoded, encoded])
    x = layers.Concatenate()([decoded, context])
    x = layers.Dropout(0.3)(x)
    outputs = layers.Dense(VOCAB_SIZE, activation="softmax")(x)
    return keras.Model([source, target], outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=LEARNING_RATE),
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

# %% [markdown]
# There is no right translation to lean on now: the decoder starts from the start marker and reads its own words.


# %% Show
def translate(phrases):
    """Greedy translations: the most probable word at every step, up to the end marker."""
    vocabulary = target_vectorizer.get_vocabulary()
    source_ids = source_vectorizer(phrases).numpy()
    target_ids = np.zeros_like(source_ids)
    target_ids[:, 0] = vocabulary.index(START)
    for step in range(1, min(SEQUENCE_LENGTH, MAX_SHOWN_WORDS)):
        probabilities = model.predict_on_batch([source_ids, target_ids])
        target_ids[:, step] = probabilities[:, step - 1, : len(vocabulary)].argmax(axis=-1)
    texts = [" ".join(vocabulary[index] for index in row[1:]) for row in target_ids]
    return [text.split(END)[0].strip() for text in texts]


shown_pairs = test_pairs[:4]
translations = translate([source for source, _ in shown_pairs])
for (source, target), translation in zip(shown_pairs, translations, strict=True):
    print(f"{source}\n    expected:   {target}\n    translated: {translation}")
