# %% [markdown]
# # Forecasts by CNN and LSTM, with the calendar as input
# Convolutions smooth the recent past and find its short patterns, an LSTM follows their course. Hour, weekday and
# month of each step go in as points on a circle, so that midnight lies next to eleven at night.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.preprocessing import MinMaxScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "series.csv"
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TIME_COLUMN = "date"
TARGET = "value"
NUMBER_COLUMNS = []  # further series that help
SEQUENCE_LENGTH = 48  # steps that the model looks back on
HORIZON = 1  # how many steps ahead the forecast value lies
FILTERS = [32, 32]
KERNEL_SIZE = 3
LSTM_UNITS = 32
DROPOUT = 0.1
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.002
PATIENCE = 5

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table():
    """Hourly values with a daily and a weekly rhythm."""
    hours = max(1000, 8 * (SEQUENCE_LENGTH + HORIZON))
    print(f"NO FOLDER {DATA_DIR!r}: these are {hours} made-up hours, not your data.")
    rng = np.random.default_rng(42)
    dates = pd.date_range("2024-03-01", periods=hours, freq="h")
    table = pd.DataFrame({TIME_COLUMN: dates})
    for name in [TARGET, *NUMBER_COLUMNS]:
        day = np.sin(2 * np.pi * dates.hour / 24) + 0.5 * np.sin(4 * np.pi * dates.hour / 24)
        table[name] = 100 + 30 * day - 20 * (dates.dayofweek >= 5) + 3 * rng.normal(size=hours)
    return table


def read_table():
    """TRAIN_FILE with its dates as dates, in their order."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your series lies")
    table = (
        pd.read_csv(path, **READ_OPTIONS) if path.endswith((".csv", ".txt")) else pd.read_excel(path, **READ_OPTIONS)
    )
    table.columns = table.columns.astype(str).str.strip()
    for name in [TIME_COLUMN, TARGET, *NUMBER_COLUMNS]:
        if name not in table:
            raise SystemExit(f"{TRAIN_FILE} has no column {name!r}; it has {', '.join(table.columns[:20])}")
    times = pd.to_datetime(table[TIME_COLUMN], errors="coerce")
    if times.isna().any():
        times = pd.to_datetime(table[TIME_COLUMN], errors="coerce", dayfirst=True)  # 31.12.2024
    table[TIME_COLUMN] = times
    return table.dropna(subset=[TIME_COLUMN]).sort_values(TIME_COLUMN)


table = synthetic_table() if SYNTHETIC else read_table()
if len(table) < 5 * (SEQUENCE_LENGTH + HORIZON):
    raise SystemExit(f"{len(table)} steps with a date are too few for SEQUENCE_LENGTH = {SEQUENCE_LENGTH}")

# %% Preprocessing
dates = table[TIME_COLUMN].dt
calendar = {}
for name, place, length in (("hour", dates.hour, 24), ("weekday", dates.dayofweek, 7), ("month", dates.month - 1, 12)):
    if place.nunique() > 1:  # data by the day have no hours
        calendar[f"{name} sin"], calendar[f"{name} cos"] = (
            np.sin(2 * np.pi * place / length),
            np.cos(2 * np.pi * place / length),
        )
series = table[[TARGET, *NUMBER_COLUMNS]].apply(pd.to_numeric, errors="coerce").ffill().bfill()

val_start = int((1 - TEST_SPLIT - VALIDATION_SPLIT) * len(table))
test_start = int((1 - TEST_SPLIT) * len(table))
scaler = MinMaxScaler().fit(series[:val_start].to_numpy())
inputs = np.column_stack([scaler.transform(series.to_numpy()), pd.DataFrame(calendar).to_numpy()]).astype("float32")
NUM_FEATURES = inputs.shape[1]
print(f"{len(table)} steps; inputs: {', '.join([*series.columns, *calendar])}")


def dataset(start, end, shuffle=False):
    """Batches of windows whose target lies in [start, end)."""
    first = max(start - SEQUENCE_LENGTH - HORIZON + 1, 0)
    targets = inputs[first + SEQUENCE_LENGTH + HORIZON - 1 : end, 0]
    return keras.utils.timeseries_dataset_from_array(
        inputs[first : end - HORIZON], targets, SEQUENCE_LENGTH, batch_size=BATCH_SIZE, shuffle=shuffle, seed=42
    )


train_ds = dataset(0, val_start, shuffle=True)
val_ds, test_ds = dataset(val_start, test_start), dataset(test_start, len(inputs))


# %% Model
def build_model():
    """Causal convolutions, an LSTM, and the value to come."""
    x = window = keras.Input(shape=(SEQUENCE_LENGTH, NUM_FEATURES))
    for filters in FILTERS:
        x = layers.Conv1D(filters, KERNEL_SIZE, padding="causal", activation="relu")(x)
    x = layers.MaxPooling1D(2, padding="same")(x)
    x = layers.LSTM(LSTM_UNITS)(x)
    x = layers.Dropout(DROPOUT)(x)
    return keras.Model(window, layers.Dense(1)(x))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mean_squared_error",
    metrics=["mean_absolute_error"],
)

# %% Train
callbacks = [
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True),
    keras.callbacks.ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True),
]
history = model.fit(train_ds, validation_data=val_ds, epochs=EPOCHS, callbacks=callbacks, verbose=2)
model.save("model.keras")
joblib.dump(scaler, "scaler.joblib")


# %% Evaluate
def in_units(scaled):
    """Scaled values of the target in its own unit."""
    return scaled * scaler.data_range_[0] + scaler.data_min_[0]


def predict(windows):
    """The value HORIZON steps after each window of scaled inputs, in the target's unit."""
    return in_units(model.predict(windows, verbose=0).ravel())


forecast = predict(test_ds.map(lambda window, target: window))
truth = series[TARGET].to_numpy()[test_start:]
before = series[TARGET].to_numpy()[test_start - HORIZON : len(series) - HORIZON]
print(f"R2: {r2_score(truth, forecast):.4f}")
print(
    f"held-out mean absolute error: {mean_absolute_error(truth, forecast):.4f} "
    f"(baseline, the last known value: {mean_absolute_error(truth, before):.4f})"
)
coming = predict(inputs[None, -SEQUENCE_LENGTH:])[0]
print(f"{HORIZON} steps after the last row: {coming:.4f}")
shown = pd.DataFrame({TIME_COLUMN: table[TIME_COLUMN].to_numpy()[test_start:], TARGET: truth, "forecast": forecast})
shown.to_csv("predictions.csv", index=False)

# %% Show
plt.figure(figsize=(10, 4))
plt.plot(shown[TIME_COLUMN], truth, label="what came")
plt.plot(shown[TIME_COLUMN], forecast, label="forecast")
plt.xlabel(TIME_COLUMN)
plt.ylabel(TARGET)
plt.legend()
plt.tight_layout()
plt.savefig("forecast.png")
plt.show()
