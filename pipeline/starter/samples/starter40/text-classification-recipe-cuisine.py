# %% [markdown]
# # The cuisine of a recipe
# A small Transformer encoder reads the text of a recipe and names the cuisine it belongs to. Self-attention lets
# ingredients far apart in the text speak to each other.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

SEQUENCE_LENGTH = 120
VOCAB_SIZE = 8000
NUM_CLASSES = 9
BATCH_SIZE = 32
EPOCHS = 12
LEARNING_RATE = 0.0005

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data
def synthetic_data(count=300):
    """Recipes of kitchen words, seasoned with spices that belong to one cuisine."""
    rng = np.random.default_rng(42)
    kitchen = "chop stir onion oil salt water pan heat minutes add serve garlic cook bowl mix until simmer".split()
    labels = rng.integers(0, NUM_CLASSES, count)
    texts = []
    for label in labels:
        spices = [f"spice{label}x{number}" for number in range(4)]
        length = rng.integers(SEQUENCE_LENGTH // 2, SEQUENCE_LENGTH + 1)
        words = np.where(rng.random(length) < 0.25, rng.choice(spices, length), rng.choice(kitchen, length))
        texts.append(" ".join(words))
    return texts, labels, [f"cuisine {label}" for label in range(NUM_CLASSES)]


def load_data():
    """Recipes, integer labels and class names from DATA_DIR/train.csv (columns `text` and `label`)."""
    if SYNTHETIC:
        print(f"No folder {DATA_DIR!r}: using synthetic recipes.")
        return synthetic_data()
    recipes = pd.read_csv(os.path.join(DATA_DIR, "train.csv")).dropna(subset=["text", "label"])
    labels, class_names = pd.factorize(recipes["label"], sort=True)
    return recipes["text"].tolist(), labels, [str(name) for name in class_names]


texts, labels, class_names = load_data()
print(f"{len(texts)} recipes from {len(class_names)} cuisines")

# %% Preprocessing
train_texts, test_texts, train_labels, test_labels = train_test_split(texts, labels, test_size=0.2, random_state=42)
train_texts, val_texts, train_labels, val_labels = train_test_split(
    train_texts, train_labels, test_size=0.15, random_state=42
)

vectorizer = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
vectorizer.adapt(train_texts)


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, y_train = vectorizer(train_texts).numpy(), encode_labels(train_labels)
x_val, y_val = vectorizer(val_texts).numpy(), encode_labels(val_labels)
x_test, y_test = vectorizer(test_texts).numpy(), encode_labels(test_labels)

# %% [markdown]
# Attention itself is blind to word order, so every token embedding gets a learned embedding of its position added.


# %% Model
def transformer_encoder(x):
    """Self-attention and a feed-forward pair, each with a residual connection and layer normalisation."""
    attended = layers.MultiHeadAttention(num_heads=2, key_dim=32, dropout=0.1)(x, x)
    x = layers.Add()([x, attended])
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    hidden = layers.Dense(128, activation="relu")(x)
    hidden = layers.Dense(64)(hidden)
    hidden = layers.Dropout(0.1)(hidden)
    x = layers.Add()([x, hidden])
    return layers.LayerNormalization(epsilon=1e-6)(x)


def build_model():
    """Token and position embeddings, one encoder block, average pooling and a classifier."""
    inputs = keras.Input(shape=(SEQUENCE_LENGTH,))
    positions = keras.ops.cumsum(keras.ops.ones_like(inputs), axis=1) - 1
    token_embedding = layers.Embedding(VOCAB_SIZE, 64)(inputs)
    position_embedding = layers.Embedding(SEQUENCE_LENGTH, 64)(positions)
    x = layers.Add()([token_embedding, position_embedding])
    x = transformer_encoder(x)
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dropout(0.3)(x)
    x = layers.Dense(64, activation="relu")(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
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
figure, axis = plt.subplots(figsize=(8, 8))
ConfusionMatrixDisplay.from_predictions(
    test_labels,
    predictions,
    labels=range(NUM_CLASSES),
    display_labels=class_names,
    xticks_rotation="vertical",
    colorbar=False,
    ax=axis,
)
axis.set_title("Which cuisines are taken for which")
figure.savefig("cuisine_confusion.png", bbox_inches="tight")
plt.close(figure)
