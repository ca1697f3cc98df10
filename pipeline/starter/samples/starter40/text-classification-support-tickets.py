# %% [markdown]
# # Routing support tickets
# A one-dimensional CNN reads the text of a support ticket and picks the team that should answer it. Three convolutions
# of growing width act as detectors of short phrases.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

SEQUENCE_LENGTH = 100
VOCAB_SIZE = 15000
NUM_CLASSES = 6
BATCH_SIZE = 64
EPOCHS = 15
LEARNING_RATE = 0.0005

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data
def synthetic_data(count=400):
    """Tickets of common words with a few terms that only one team uses."""
    rng = np.random.default_rng(42)
    common = "hello since yesterday my account order please help when trying error still not working thanks".split()
    labels = rng.integers(0, NUM_CLASSES, count)
    texts = []
    for label in labels:
        terms = [f"team{label}term{number}" for number in range(5)]
        length = rng.integers(SEQUENCE_LENGTH // 3, SEQUENCE_LENGTH + 1)
        words = np.where(rng.random(length) < 0.2, rng.choice(terms, length), rng.choice(common, length))
        texts.append(" ".join(words))
    return texts, labels, [f"team {label}" for label in range(NUM_CLASSES)]


def load_data():
    """Tickets, integer labels and class names from DATA_DIR/<team>/*.txt, one ticket per file."""
    if SYNTHETIC:
        print(f"No folder {DATA_DIR!r}: using synthetic tickets.")
        return synthetic_data()
    class_names = sorted(folder.name for folder in Path(DATA_DIR).iterdir() if folder.is_dir())
    texts, labels = [], []
    for label, name in enumerate(class_names):
        for path in sorted(Path(DATA_DIR, name).glob("*.txt")):
            texts.append(path.read_text(encoding="utf-8", errors="replace"))
            labels.append(label)
    return texts, np.array(labels), class_names


texts, labels, class_names = load_data()
print(f"{len(texts)} tickets for {len(class_names)} teams")

# %% Preprocessing
train_texts, test_texts, train_labels, test_labels = train_test_split(texts, labels, test_size=0.2, random_state=42)
train_texts, val_texts, train_labels, val_labels = train_test_split(
    train_texts, train_labels, test_size=0.2, random_state=42
)

vectorizer = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
vectorizer.adapt(train_texts)


def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


x_train, y_train = vectorizer(train_texts).numpy(), encode_labels(train_labels)
x_val, y_val = vectorizer(val_texts).numpy(), encode_labels(val_labels)
x_test, y_test = vectorizer(test_texts).numpy(), encode_labels(test_labels)


# %% Model
def build_model():
    """Stacked convolutions over word embeddings, then the strongest response of each filter."""
    return keras.Sequential(
        [
            keras.Input(shape=(SEQUENCE_LENGTH,)),
            layers.Embedding(VOCAB_SIZE, 128),
            layers.SpatialDropout1D(0.2),
            layers.Conv1D(128, 3, activation="relu", padding="same"),
            layers.MaxPooling1D(2, padding="same"),
            layers.Conv1D(128, 4, activation="relu", padding="same"),
            layers.MaxPooling1D(2, padding="same"),
            layers.Conv1D(128, 5, activation="relu", padding="same"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
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
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.title("Ticket routing")
plt.xlabel("Epoch")
plt.ylabel("Loss")
plt.legend()
plt.savefig("ticket_routing_loss.png", bbox_inches="tight")
plt.close()
