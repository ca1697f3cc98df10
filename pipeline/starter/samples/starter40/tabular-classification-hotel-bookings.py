# %% [markdown]
# # What becomes of a hotel booking
# Predicts whether a booked guest stays, cancels or does not show up. Every categorical column gets an embedding of its
# own; the vectors are joined with the scaled numeric columns.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
NUM_FEATURES = 9
CATEGORIES = {"country": 40, "channel": 6, "room_type": 8}
EMBEDDING_DIM = 8
NUM_CLASSES = 3
BATCH_SIZE = 256
EPOCHS = 25
LEARNING_RATE = 0.001
TARGET = "outcome"

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% [markdown]
# `NUM_FEATURES` counts the numeric columns; `CATEGORIES` names the categorical ones with the number of values kept.


# %% Data: files
def synthetic_data(rows=500):
    """Random bookings whose numbers and categories both lean towards the outcome."""
    print(f"No folder {DATA_DIR!r}: using {rows} synthetic bookings.")
    rng = np.random.default_rng(42)
    labels = rng.integers(NUM_CLASSES, size=rows)
    centres = rng.normal(size=(NUM_CLASSES, NUM_FEATURES))
    numeric = centres[labels] + rng.normal(size=(rows, NUM_FEATURES))
    codes = [(labels + rng.integers(3, size=rows)) % size for size in CATEGORIES.values()]
    return numeric.astype("float32"), np.column_stack(codes), labels


def category_codes(column, size):
    """Codes by frequency; all values after the size - 1 most frequent ones share the last code."""
    ranks = {value: rank for rank, value in enumerate(column.value_counts().index)}
    return column.map(ranks).fillna(size - 1).clip(upper=size - 1).to_numpy("int64")


def load_data():
    """Read DATA_DIR/bookings.csv: the columns in CATEGORIES, NUM_FEATURES numeric columns and the class in TARGET."""
    if SYNTHETIC:
        return synthetic_data()
    table = pd.read_csv(os.path.join(DATA_DIR, "bookings.csv"))
    labels, _ = pd.factorize(table.pop(TARGET), sort=True)
    codes = [category_codes(table.pop(name), size) for name, size in CATEGORIES.items()]
    return table.fillna(0).to_numpy("float32"), np.column_stack(codes), labels


numeric, codes, labels = load_data()


# %% Preprocessing
def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


train_rows, test_rows = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=42)
train_rows, val_rows = train_test_split(train_rows, test_size=0.2, random_state=42)
scaler = StandardScaler().fit(numeric[train_rows])


def model_inputs(rows):
    """The inputs of some rows by name: the scaled numbers and the codes of each categorical column."""
    inputs = {name: codes[rows, index] for index, name in enumerate(CATEGORIES)}
    inputs["numeric"] = scaler.transform(numeric[rows])
    return inputs


x_train = model_inputs(train_rows)
x_val = model_inputs(val_rows)
x_test = model_inputs(test_rows)

test_labels = labels[test_rows]
y_train = encode_labels(labels[train_rows])
y_val = encode_labels(labels[val_rows])
y_test = encode_labels(test_labels)


# %% Model
def embed_category(name, size):
    """An input for one categorical column and its embedding."""
    category = keras.Input(shape=(), dtype="int32", name=name)
    return category, layers.Embedding(size, EMBEDDING_DIM)(category)


def build_model():
    """Embeddings and numbers side by side, then two dense layers."""
    numbers = keras.Input(shape=(NUM_FEATURES,), name="numeric")
    inputs, parts = [numbers], [numbers]
    for name, size in CATEGORIES.items():
        category, embedding = embed_category(name, size)
        inputs.append(category)
        parts.append(embedding)
    x = layers.Concatenate()(parts)
    x = layers.Dense(96, activation="relu")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Dropout(0.3)(x)
    x = layers.Dense(48, activation="relu")(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Nadam(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
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


scores = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
print("Test:", {name: round(value, 4) for name, value in scores.items()})

test_predictions = predicted_classes(model.predict(x_test, verbose=0))
print(classification_report(test_labels, test_predictions, labels=range(NUM_CLASSES), zero_division=0))

# %% Show
plt.figure(figsize=(6, 4))
plt.hist([test_labels, test_predictions], bins=np.arange(NUM_CLASSES + 1) - 0.5, label=["actual", "predicted"])
plt.xlabel("outcome")
plt.ylabel("bookings")
plt.legend()
plt.tight_layout()
plt.savefig("hotel_bookings.png")
plt.close()
