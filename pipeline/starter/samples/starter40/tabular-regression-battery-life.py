# %% [markdown]
# # The life of a battery cell
# Predicts how many cycles a cell lasts from measurements of its first hundred cycles. A few cells fail early, so the
# residual network is trained with the Huber loss, which such outliers disturb less than squared errors.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, median_absolute_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import RobustScaler
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
NUM_FEATURES = 20
NUM_TARGETS = 1
BATCH_SIZE = 128
EPOCHS = 150
LEARNING_RATE = 0.003

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_data(rows=360):
    """Random cells whose life follows the features; one cell in twenty fails early."""
    print(f"No folder {DATA_DIR!r}: using {rows} synthetic cells.")
    rng = np.random.default_rng(42)
    features = rng.normal(size=(rows, NUM_FEATURES))
    effects = rng.normal(scale=60, size=(NUM_FEATURES, NUM_TARGETS))
    cycles = 900 + features @ effects + rng.normal(scale=20, size=(rows, NUM_TARGETS))
    cycles[rng.random(rows) < 0.05] *= 0.2
    return features.astype("float32"), cycles.astype("float32")


def load_data():
    """Read DATA_DIR/cells.csv: NUM_FEATURES numeric columns, then NUM_TARGETS columns to predict (cycles)."""
    if SYNTHETIC:
        return synthetic_data()
    values = pd.read_csv(os.path.join(DATA_DIR, "cells.csv")).dropna().to_numpy("float32")
    return values[:, :-NUM_TARGETS], values[:, -NUM_TARGETS:]


features, targets = load_data()

# %% Preprocessing
x_train, x_test, y_train, y_test = train_test_split(features, targets, test_size=0.2, random_state=42)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.2, random_state=42)

feature_scaler = RobustScaler().fit(x_train)
x_train = feature_scaler.transform(x_train)
x_val = feature_scaler.transform(x_val)
x_test = feature_scaler.transform(x_test)

target_scaler = RobustScaler().fit(y_train)
y_train = target_scaler.transform(y_train)
y_val = target_scaler.transform(y_val)
y_test = target_scaler.transform(y_test)


# %% Model
def residual_block(x, units):
    """Two dense layers whose result is added to their input and normalized."""
    y = layers.Dense(units, activation="relu")(x)
    y = layers.Dropout(0.1)(y)
    y = layers.Dense(units)(y)
    x = layers.Add()([x, y])
    return layers.LayerNormalization()(x)


def build_model():
    """A projection, two residual blocks and a linear output."""
    inputs = keras.Input(shape=(NUM_FEATURES,))
    x = layers.Dense(64, activation="relu")(inputs)
    x = residual_block(x, units=64)
    x = residual_block(x, units=64)
    outputs = layers.Dense(NUM_TARGETS)(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=LEARNING_RATE),
    loss="huber",
    metrics=["mae"],
)

# %% Train
callbacks = [
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.3, patience=8),
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=20, restore_best_weights=True),
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
scores = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
print("Test (scaled):", {name: round(value, 4) for name, value in scores.items()})

actual = target_scaler.inverse_transform(y_test)
predicted = target_scaler.inverse_transform(model.predict(x_test, verbose=0))
print(f"Mean absolute error: {mean_absolute_error(actual, predicted):.1f} cycles")
print(f"Median absolute error: {median_absolute_error(actual, predicted):.1f} cycles")

# %% Show
plt.figure(figsize=(6, 4))
plt.hist((predicted - actual).ravel(), bins=30)
plt.axvline(0, color="grey", linestyle="--")
plt.xlabel("predicted minus actual cycles")
plt.ylabel("cells")
plt.tight_layout()
plt.savefig("battery_life_errors.png")
plt.close()
