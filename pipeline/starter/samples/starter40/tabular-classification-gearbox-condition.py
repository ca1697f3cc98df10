# %% [markdown]
# # Gearbox condition from vibration statistics
# Each row holds statistics of one minute of vibration (means, peaks, band energies); the network names the condition of
# the gearbox. The statistics differ in scale by orders of magnitude, hence a logarithm first and batch normalization
# between the layers.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
NUM_FEATURES = 24
NUM_CLASSES = 5
BATCH_SIZE = 128
EPOCHS = 80
LEARNING_RATE = 0.002

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_data(rows=500):
    """Random vibration statistics whose typical size depends on the condition."""
    print(f"No folder {DATA_DIR!r}: using {rows} synthetic measurements.")
    rng = np.random.default_rng(42)
    labels = rng.integers(NUM_CLASSES, size=rows)
    typical = rng.normal(size=(NUM_CLASSES, NUM_FEATURES))
    features = np.exp(typical[labels] + rng.normal(scale=0.5, size=(rows, NUM_FEATURES)))
    return features.astype("float32"), labels


def load_data():
    """Read DATA_DIR/train.csv: NUM_FEATURES columns of statistics and a column `condition` (a name or a number)."""
    if SYNTHETIC:
        return synthetic_data()
    table = pd.read_csv(os.path.join(DATA_DIR, "train.csv")).dropna()
    labels, _ = pd.factorize(table.pop("condition"), sort=True)
    return table.to_numpy("float32"), labels


features, labels = load_data()


# %% Preprocessing
def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


def compress(features):
    """The signed logarithm, which brings small and large statistics to one scale."""
    return np.sign(features) * np.log1p(np.abs(features))


x_train, x_test, train_labels, test_labels = train_test_split(features, labels, test_size=0.2, random_state=42)
x_train, x_val, train_labels, val_labels = train_test_split(x_train, train_labels, test_size=0.2, random_state=42)

scaler = StandardScaler().fit(compress(x_train))
x_train = scaler.transform(compress(x_train))
x_val = scaler.transform(compress(x_val))
x_test = scaler.transform(compress(x_test))

y_train = encode_labels(train_labels)
y_val = encode_labels(val_labels)
y_test = encode_labels(test_labels)


# %% Model
def build_model():
    """Two dense blocks with batch normalization before the activation."""
    return keras.Sequential(
        [
            keras.Input(shape=(NUM_FEATURES,)),
            layers.Dense(128, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Dropout(0.3),
            layers.Dense(64, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
callbacks = [
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=5),
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=12, restore_best_weights=True),
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


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


scores = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
print("Test:", {name: round(value, 4) for name, value in scores.items()})

test_predictions = predicted_classes(model.predict(x_test, verbose=0))
print(classification_report(test_labels, test_predictions, labels=range(NUM_CLASSES), zero_division=0))

# %% Show
examples = pd.DataFrame({"actual": test_labels, "predicted": test_predictions})
print(examples.head(10))
