# %% [markdown]
# # How long a delivery takes
# Estimates the minutes from order to door out of the order's distance, time of day, weather and the courier's load.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
NUM_FEATURES = 12
NUM_TARGETS = 1
BATCH_SIZE = 32
EPOCHS = 60
LEARNING_RATE = 0.01

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_data(rows=400):
    """Random orders whose duration is a linear mix of the features, plus noise."""
    print(f"No folder {DATA_DIR!r}: using {rows} synthetic deliveries.")
    rng = np.random.default_rng(42)
    features = rng.normal(size=(rows, NUM_FEATURES))
    effects = rng.normal(scale=4, size=(NUM_FEATURES, NUM_TARGETS))
    targets = 35 + features @ effects + rng.normal(size=(rows, NUM_TARGETS))
    return features.astype("float32"), targets.astype("float32")


def load_data():
    """Read DATA_DIR/deliveries.csv: NUM_FEATURES numeric columns, then NUM_TARGETS columns to predict."""
    if SYNTHETIC:
        return synthetic_data()
    values = pd.read_csv(os.path.join(DATA_DIR, "deliveries.csv")).dropna().to_numpy("float32")
    return values[:, :-NUM_TARGETS], values[:, -NUM_TARGETS:]


features, targets = load_data()

# %% [markdown]
# Features and targets are both standardized; the predictions are turned back into minutes for the report.

# %% Preprocessing
x_train, x_test, y_train, y_test = train_test_split(features, targets, test_size=0.2, random_state=42)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.2, random_state=42)

feature_scaler = StandardScaler().fit(x_train)
x_train = feature_scaler.transform(x_train)
x_val = feature_scaler.transform(x_val)
x_test = feature_scaler.transform(x_test)

target_scaler = StandardScaler().fit(y_train)
y_train = target_scaler.transform(y_train)
y_val = target_scaler.transform(y_val)
y_test = target_scaler.transform(y_test)


# %% Model
def build_model():
    """A plain multilayer perceptron with a linear output."""
    return keras.Sequential(
        [
            keras.Input(shape=(NUM_FEATURES,)),
            layers.Dense(48, activation="relu"),
            layers.Dense(24, activation="relu"),
            layers.Dense(NUM_TARGETS),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=LEARNING_RATE),
    loss="mse",
    metrics=["mae"],
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
scores = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
print("Test (standardized):", {name: round(value, 4) for name, value in scores.items()})

actual = target_scaler.inverse_transform(y_test)
predicted = target_scaler.inverse_transform(model.predict(x_test, verbose=0))
print(f"Mean absolute error: {mean_absolute_error(actual, predicted):.2f} minutes")
print(f"R2: {r2_score(actual, predicted):.3f}")

# %% Show
limits = [actual.min(), actual.max()]
plt.figure(figsize=(5, 5))
plt.scatter(actual, predicted, s=12, alpha=0.6)
plt.plot(limits, limits, color="grey", linestyle="--")
plt.xlabel("actual minutes")
plt.ylabel("predicted minutes")
plt.tight_layout()
plt.savefig("delivery_time.png")
plt.close()
