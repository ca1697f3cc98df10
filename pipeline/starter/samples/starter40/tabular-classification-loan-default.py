# %% [markdown]
# # Loan defaults from application data
# A small dense network reads the numbers of a loan application and returns the probability that the loan defaults.
# Defaults are the rarer class, so each class is weighted against its frequency.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
NUM_FEATURES = 14
NUM_CLASSES = 2
BATCH_SIZE = 64
EPOCHS = 30
LEARNING_RATE = 0.001
TARGET = "defaulted"

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_data(rows=400):
    """Random applications around one centre per class, the first class being the most frequent."""
    print(f"No folder {DATA_DIR!r}: using {rows} synthetic loan applications.")
    rng = np.random.default_rng(42)
    shares = 1 / np.arange(1, NUM_CLASSES + 1)
    labels = rng.choice(NUM_CLASSES, size=rows, p=shares / shares.sum())
    centres = rng.normal(scale=1.5, size=(NUM_CLASSES, NUM_FEATURES))
    features = centres[labels] + rng.normal(size=(rows, NUM_FEATURES))
    return features.astype("float32"), labels


def load_data():
    """Read DATA_DIR/loans.csv: NUM_FEATURES numeric columns (blanks get the median) and the class in column TARGET."""
    if SYNTHETIC:
        return synthetic_data()
    table = pd.read_csv(os.path.join(DATA_DIR, "loans.csv"))
    labels, _ = pd.factorize(table.pop(TARGET), sort=True)
    return table.fillna(table.median()).to_numpy("float32"), labels


features, labels = load_data()


# %% Preprocessing
def encode_labels(labels):
    """A column of zeros and ones, the form binary cross-entropy expects."""
    return np.asarray(labels, dtype="float32").reshape(-1, 1)


x_train, x_test, train_labels, test_labels = train_test_split(features, labels, test_size=0.2, random_state=42)
x_train, x_val, train_labels, val_labels = train_test_split(x_train, train_labels, test_size=0.2, random_state=42)

scaler = StandardScaler().fit(x_train)
x_train = scaler.transform(x_train)
x_val = scaler.transform(x_val)
x_test = scaler.transform(x_test)

y_train = encode_labels(train_labels)
y_val = encode_labels(val_labels)
y_test = encode_labels(test_labels)


# %% Model
def build_model():
    """Two hidden layers with dropout and a sigmoid output."""
    return keras.Sequential(
        [
            keras.Input(shape=(NUM_FEATURES,)),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(32, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)

# %% Train
counts = np.bincount(train_labels, minlength=NUM_CLASSES)
class_weight = {index: len(train_labels) / (NUM_CLASSES * max(count, 1)) for index, count in enumerate(counts)}

history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    class_weight=class_weight,
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
ConfusionMatrixDisplay.from_predictions(test_labels, test_predictions, labels=range(NUM_CLASSES), cmap="Blues")
plt.title("Loan defaults")
plt.tight_layout()
plt.savefig("loan_default_confusion.png")
plt.close()
