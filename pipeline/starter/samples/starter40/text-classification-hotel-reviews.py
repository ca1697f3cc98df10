# %% [markdown]
# # Happy or unhappy hotel guests
# A bidirectional LSTM reads a guest's review and says whether the stay was a good one. The reviews become sequences of
# token ids before training, so the network starts at an embedding.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import textwrap

import numpy as np
import pandas as pd
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

SEQUENCE_LENGTH = 150
VOCAB_SIZE = 12000
NUM_CLASSES = 2
BATCH_SIZE = 32
EPOCHS = 8
LEARNING_RATE = 0.001

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data
def synthetic_data(count=320):
    """Reviews of everyday words, their tone set by adjectives that belong to one class."""
    rng = np.random.default_rng(42)
    everyday = "the room hotel staff breakfast bed view lobby pool lift night stay bathroom street parking".split()
    adjectives = (
        "bad good dirty lovely noisy quiet rude friendly cold warm broken spotless stained elegant overpriced generous "
        "smelly charming cramped spacious awful delicious shabby superb"
    ).split()
    labels = rng.integers(0, NUM_CLASSES, count)
    texts = []
    for label in labels:
        tone = adjectives[label::NUM_CLASSES]
        length = rng.integers(SEQUENCE_LENGTH // 3, SEQUENCE_LENGTH + 1)
        words = np.where(rng.random(length) < 0.25, rng.choice(tone, length), rng.choice(everyday, length))
        texts.append(" ".join(words))
    return texts, labels, adjectives[:NUM_CLASSES]


def load_data():
    """Reviews, integer labels and class names from DATA_DIR/train.csv (columns `text` and `label`)."""
    if SYNTHETIC:
        print(f"No folder {DATA_DIR!r}: using synthetic reviews.")
        return synthetic_data()
    reviews = pd.read_csv(os.path.join(DATA_DIR, "train.csv")).dropna(subset=["text", "label"])
    labels, class_names = pd.factorize(reviews["label"], sort=True)
    return reviews["text"].tolist(), labels, [str(name) for name in class_names]


texts, labels, class_names = load_data()
print(f"{len(texts)} reviews, {np.mean(labels):.0%} of them {class_names[-1]}")

# %% Preprocessing
train_texts, test_texts, train_labels, test_labels = train_test_split(texts, labels, test_size=0.2, random_state=42)
train_texts, val_texts, train_labels, val_labels = train_test_split(
    train_texts, train_labels, test_size=0.2, random_state=42
)

# %% [markdown]
# The vocabulary comes from the training reviews alone. Id 0 is padding, id 1 any word outside the vocabulary.

# %% Preprocessing
vectorizer = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
vectorizer.adapt(train_texts)


def encode_labels(labels):
    """One 0 or 1 per row, the form binary cross-entropy expects."""
    return np.asarray(labels, dtype="float32").reshape(-1, 1)


x_train, y_train = vectorizer(train_texts).numpy(), encode_labels(train_labels)
x_val, y_val = vectorizer(val_texts).numpy(), encode_labels(val_labels)
x_test, y_test = vectorizer(test_texts).numpy(), encode_labels(test_labels)


# %% Model
def build_model():
    """Two bidirectional LSTM layers over masked word embeddings."""
    return keras.Sequential(
        [
            keras.Input(shape=(SEQUENCE_LENGTH,)),
            layers.Embedding(VOCAB_SIZE, 64, mask_zero=True),
            layers.Bidirectional(layers.LSTM(64, return_sequences=True)),
            layers.Bidirectional(layers.LSTM(32)),
            layers.Dropout(0.4),
            layers.Dense(32, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=LEARNING_RATE),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)
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
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


scores = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, verbose=0, return_dict=True)
print("Test:", {name: round(value, 4) for name, value in scores.items()})

predictions = predicted_classes(model.predict(x_test, batch_size=BATCH_SIZE, verbose=0))
print(
    classification_report(
        test_labels, predictions, labels=range(NUM_CLASSES), target_names=class_names, zero_division=0
    )
)

# %% Show
for text, label, prediction in list(zip(test_texts, test_labels, predictions, strict=True))[:5]:
    print(f"{class_names[prediction]:>8} (was {class_names[label]}): {textwrap.shorten(text, 80)}")
