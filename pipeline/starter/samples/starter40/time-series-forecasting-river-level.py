# %% [markdown]
# # River level for the next twelve hours
# Hourly readings of several gauges (the river's own level first, then rain, inflow, temperature and so on) pass through
# convolutions that pick up short patterns and a GRU that follows their course; all hours of the forecast come out at
# once.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
SEQUENCE_LENGTH = 72
NUM_FEATURES = 6
HORIZON = 12
BATCH_SIZE = 64
EPOCHS = 30
LEARNING_RATE = 0.0005

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_data():
    """Hourly gauges that all swing with one slow wave, the river some hours behind the others."""
    hours = np.arange(SEQUENCE_LENGTH + 20 * HORIZON + 300)
    print(f"No folder {DATA_DIR!r}: using {len(hours)} hours of synthetic readings.")
    rng = np.random.default_rng(42)
    delays = np.linspace(6, 0, NUM_FEATURES)
    phases = 2 * np.pi * (hours[:, None] - delays) / 48
    readings = np.sin(phases) + 0.3 * np.sin(3 * phases) + rng.normal(scale=0.1, size=phases.shape)
    return readings.astype("float32")


def load_data():
    """Read DATA_DIR/gauges.csv: a time per row, oldest first, then NUM_FEATURES columns, the river's level first."""
    if SYNTHETIC:
        return synthetic_data()
    table = pd.read_csv(os.path.join(DATA_DIR, "gauges.csv"), index_col=0)
    return table.interpolate(limit_direction="both").to_numpy("float32")


series = load_data()

# %% [markdown]
# The series is cut by time before any window is made, and scaled by its training part alone.

# %% Preprocessing
usable = len(series) - SEQUENCE_LENGTH
train_end = SEQUENCE_LENGTH + int(0.7 * usable)
val_end = SEQUENCE_LENGTH + int(0.85 * usable)

scaler = StandardScaler().fit(series[:train_end])
scaled = scaler.transform(series)


def make_windows(start, stop):
    """Past readings and levels to come, for every forecast that lies between the hours start and stop."""
    x = sliding_window_view(scaled[start - SEQUENCE_LENGTH : stop - HORIZON], SEQUENCE_LENGTH, axis=0)
    y = sliding_window_view(scaled[start:stop, 0], HORIZON)
    return x.transpose(0, 2, 1), y


x_train, y_train = make_windows(SEQUENCE_LENGTH, train_end)
x_val, y_val = make_windows(train_end, val_end)
x_test, y_test = make_windows(val_end, len(series))


# %% Model
def build_model():
    """Causal convolutions, a GRU and one linear output per hour of the forecast."""
    return keras.Sequential(
        [
            keras.Input(shape=(SEQUENCE_LENGTH, NUM_FEATURES)),
            layers.Conv1D(32, 5, padding="causal", activation="relu"),
            layers.Conv1D(64, 3, padding="causal", activation="relu"),
            layers.MaxPooling1D(2),
            layers.GRU(64),
            layers.Dropout(0.2),
            layers.Dense(64, activation="relu"),
            layers.Dense(HORIZON),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Nadam(learning_rate=LEARNING_RATE),
    loss="mae",
    metrics=["mse"],
)

# %% Train
callbacks = [
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=3),
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=7, restore_best_weights=True),
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

actual = y_test * scaler.scale_[0] + scaler.mean_[0]
predicted = model.predict(x_test, verbose=0) * scaler.scale_[0] + scaler.mean_[0]
errors = pd.Series(np.abs(predicted - actual).mean(axis=0), index=range(1, HORIZON + 1), name="mean absolute error")
print(errors.round(3).rename_axis("hours ahead").to_string())

# %% Show
ahead = np.arange(1, HORIZON + 1)
past = series[val_end - SEQUENCE_LENGTH : val_end, 0]

plt.figure(figsize=(8, 4))
plt.plot(np.arange(1 - SEQUENCE_LENGTH, 1), past, color="grey", label="past")
plt.plot(ahead, actual[0], marker="o", label="actual")
plt.plot(ahead, predicted[0], marker="o", label="forecast")
plt.xlabel("hours from now")
plt.ylabel("level")
plt.legend()
plt.tight_layout()
plt.savefig("river_level.png")
plt.close()
