# %% [markdown]
# # Tomorrow's bread sales
# A stacked LSTM reads the daily sales of the last four weeks and forecasts the next day. The result is compared with
# the simplest forecast there is: tomorrow will be like today.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.preprocessing import MinMaxScaler
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
SEQUENCE_LENGTH = 28
NUM_FEATURES = 1
HORIZON = 1
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.001

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_data():
    """Daily sales with a weekly rhythm, a slow swing over the year and noise."""
    days = np.arange(SEQUENCE_LENGTH + 20 * HORIZON + 300)
    print(f"No folder {DATA_DIR!r}: using {len(days)} days of synthetic sales.")
    rng = np.random.default_rng(42)
    shifts = rng.uniform(0, 7, size=NUM_FEATURES)
    weekly = np.sin(2 * np.pi * (days[:, None] + shifts) / 7)
    yearly = np.sin(2 * np.pi * days[:, None] / 365)
    sales = 200 + 40 * weekly + 20 * yearly + rng.normal(scale=5, size=weekly.shape)
    return sales.astype("float32")


def load_data():
    """Read DATA_DIR/sales.csv: a date per row, oldest first, then NUM_FEATURES columns, the sales first."""
    if SYNTHETIC:
        return synthetic_data()
    table = pd.read_csv(os.path.join(DATA_DIR, "sales.csv"), index_col=0)
    return table.ffill().bfill().to_numpy("float32")


series = load_data()

# %% [markdown]
# The split is by time: training windows forecast the oldest days, test windows the latest. A window may look back into
# an earlier part, as it would in use, but no day is a target of two parts.

# %% Preprocessing
usable = len(series) - SEQUENCE_LENGTH
train_end = SEQUENCE_LENGTH + int(0.7 * usable)
val_end = SEQUENCE_LENGTH + int(0.85 * usable)

scaler = MinMaxScaler().fit(series[:train_end])
scaled = scaler.transform(series)


def make_windows(start, stop):
    """Inputs and targets of every forecast that lies between the days start and stop."""
    days = range(start, stop - HORIZON + 1)
    x = np.stack([scaled[day - SEQUENCE_LENGTH : day] for day in days])
    y = np.stack([scaled[day : day + HORIZON, 0] for day in days])
    return x, y


x_train, y_train = make_windows(SEQUENCE_LENGTH, train_end)
x_val, y_val = make_windows(train_end, val_end)
x_test, y_test = make_windows(val_end, len(series))


# %% Model
def build_model():
    """Two LSTM layers and a linear output per day to forecast."""
    return keras.Sequential(
        [
            keras.Input(shape=(SEQUENCE_LENGTH, NUM_FEATURES)),
            layers.LSTM(64, return_sequences=True),
            layers.Dropout(0.2),
            layers.LSTM(32),
            layers.Dense(HORIZON),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mse",
    metrics=["mae"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=6, restore_best_weights=True)

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
def to_units(values):
    """Scaled values of the forecast column as sales again."""
    return (values - scaler.min_[0]) / scaler.scale_[0]


scores = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
print("Test (scaled):", {name: round(value, 4) for name, value in scores.items()})

actual = to_units(y_test)
predicted = to_units(model.predict(x_test, verbose=0))
naive = to_units(x_test[:, -1:, 0])
print(f"Mean absolute error of the network: {np.abs(predicted - actual).mean():.1f}")
print(f"Mean absolute error of repeating today: {np.abs(naive - actual).mean():.1f}")

# %% Show
plt.figure(figsize=(8, 4))
plt.plot(actual[:, 0], label="actual")
plt.plot(predicted[:, 0], label="forecast, one day ahead")
plt.xlabel("test day")
plt.ylabel("sales")
plt.legend()
plt.tight_layout()
plt.savefig("bakery_sales.png")
plt.close()
