# %% [markdown]
# # Several steps ahead by an LSTM encoder-decoder
# An encoder sums up the last steps of all series; a decoder unfolds the summary into the next HORIZON steps, all at
# once. The series are divided by time before windows are cut, so that the test lies in the future of the training.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, root_mean_squared_error
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "series.csv"
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TIME_COLUMN = "date"  # rows are put in its order; "" keeps the file's
TARGETS = ["value"]  # what is forecast
NUMBER_COLUMNS = []  # further series that help; their future is not known
SEQUENCE_LENGTH = 72  # steps that the model looks back on
HORIZON = 24  # steps that it forecasts
SEASON = 24  # steps after which the series repeats itself, for the baseline; 1 for none
LSTM_UNITS = 48
DROPOUT = 0.1
TEST_SPLIT = 0.15
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.002
PATIENCE = 5

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 6)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table():
    """A daily rhythm whose height drifts, and for each further column the same rhythm some hours earlier."""
    hours = max(720, 8 * (SEQUENCE_LENGTH + HORIZON))
    print(f"NO FOLDER {DATA_DIR!r}: these are {hours} made-up hours, not your data.")
    rng = np.random.default_rng(42)
    times = np.arange(hours)
    height = 1 + 0.5 * np.sin(2 * np.pi * times / 131)
    table = pd.DataFrame({TIME_COLUMN or "date": pd.date_range("2024-01-01", periods=hours, freq="h")})
    for number, name in enumerate([*TARGETS, *NUMBER_COLUMNS]):
        wave = 20 + 8 * height * np.sin(2 * np.pi * (times + 3 * number) / max(SEASON, 2))
        table[name] = wave + 0.5 * rng.normal(size=hours)
    return table


def read_table():
    """The rows of TRAIN_FILE in the order of time."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your series lies")
    if path.endswith((".xlsx", ".xlsm")):
        table = pd.read_excel(path, **READ_OPTIONS)
    else:
        table = pd.read_csv(path, **READ_OPTIONS)
    table = table.rename(columns=lambda name: str(name).strip())
    for name in [*TARGETS, *NUMBER_COLUMNS]:
        if name not in table:
            raise SystemExit(f"{TRAIN_FILE} has no column {name!r}; it has {', '.join(table.columns[:20])}")
    if TIME_COLUMN in table:
        times = pd.to_datetime(table[TIME_COLUMN], errors="coerce")
        if times.notna().all():  # where one is no date, the order of the file stands
            table = table.iloc[np.argsort(times.to_numpy(), kind="stable")]
    return table


table = synthetic_table() if SYNTHETIC else read_table()
columns = [*TARGETS, *NUMBER_COLUMNS]
series = table[columns].apply(pd.to_numeric, errors="coerce").interpolate(limit_direction="both").to_numpy("float32")
NUM_FEATURES, NUM_TARGETS = series.shape[1], len(TARGETS)
if np.isnan(series).any() or len(series) * TEST_SPLIT < HORIZON + 1 or len(series) < 3 * (SEQUENCE_LENGTH + HORIZON):
    raise SystemExit(f"{len(series)} steps are too few for SEQUENCE_LENGTH = {SEQUENCE_LENGTH}, HORIZON = {HORIZON}")

# %% Preprocessing
test_start = int((1 - TEST_SPLIT) * len(series))
val_start = int((1 - TEST_SPLIT - VALIDATION_SPLIT) * len(series))

scaler = StandardScaler().fit(series[:val_start])
scaled = scaler.transform(series).astype("float32")


def windows(start, end):
    """Windows whose forecast lies in [start, end): what came before, and the HORIZON steps of the targets."""
    first = max(start, SEQUENCE_LENGTH)
    places = range(first, end - HORIZON + 1)
    x = np.stack([scaled[place - SEQUENCE_LENGTH : place] for place in places])
    y = np.stack([scaled[place : place + HORIZON, :NUM_TARGETS] for place in places])
    return x, y


x_train, y_train = windows(0, val_start)
x_val, y_val = windows(val_start, test_start)
x_test, y_test = windows(test_start, len(series))
print(f"{len(x_train)} training windows of {SEQUENCE_LENGTH} steps and {NUM_FEATURES} series, {HORIZON} steps ahead")


# %% Model
def build_model():
    """An LSTM encoder, its summary repeated for each step to come, an LSTM decoder, and numbers for each step."""
    inputs = keras.Input(shape=(SEQUENCE_LENGTH, NUM_FEATURES))
    encoded = layers.LSTM(LSTM_UNITS)(inputs)
    encoded = layers.Dropout(DROPOUT)(encoded)
    repeated = layers.RepeatVector(HORIZON)(encoded)
    decoded = layers.LSTM(LSTM_UNITS, return_sequences=True)(repeated)
    outputs = layers.TimeDistributed(layers.Dense(NUM_TARGETS))(decoded)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mean_squared_error",
    metrics=["mean_absolute_error"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[early_stopping],
    verbose=2,
)
model.save("model.keras")
joblib.dump(scaler, "scaler.joblib")


# %% Evaluate
def in_units(values):
    """Scaled targets back in their own units."""
    return values * scaler.scale_[:NUM_TARGETS] + scaler.mean_[:NUM_TARGETS]


def predict(past):
    """The next HORIZON steps after each piece of the past: (pieces, SEQUENCE_LENGTH, NUM_FEATURES), in units."""
    scaled_past = (past - scaler.mean_) / scaler.scale_
    return in_units(model.predict(scaled_past.astype("float32"), verbose=0))


forecast, truth = in_units(model.predict(x_test, verbose=0)), in_units(y_test)
# The baseline repeats the last season.
last_season = x_test[:, -SEASON:, :NUM_TARGETS]
naive = in_units(np.concatenate([last_season] * (HORIZON // last_season.shape[1] + 1), axis=1)[:, :HORIZON])
print(f"root mean squared error: {root_mean_squared_error(truth.ravel(), forecast.ravel()):.4f}")
for step in sorted({1, HORIZON // 2 or 1, HORIZON}):
    print(f"mean absolute error {step} steps ahead: {np.abs(truth - forecast)[:, step - 1].mean():.4f}")
print(
    f"held-out mean absolute error: {mean_absolute_error(truth.ravel(), forecast.ravel()):.4f} "
    f"(baseline, the last season again: {mean_absolute_error(truth.ravel(), naive.ravel()):.4f})"
)

future = pd.DataFrame(predict(series[None, -SEQUENCE_LENGTH:])[0], columns=TARGETS)
future.insert(0, "step", np.arange(1, HORIZON + 1))
future.to_csv("predictions.csv", index=False)
print(f"predictions.csv: the next {HORIZON} steps after the last row")

# %% Show
plt.figure(figsize=(10, 4))
past = in_units(x_test[-1, :, :NUM_TARGETS])[:, 0]
steps = np.arange(len(past), len(past) + HORIZON)
plt.plot(past, label="past")
plt.plot(steps, truth[-1, :, 0], label="what came")
plt.plot(steps, forecast[-1, :, 0], label="forecast")
plt.xlabel("step")
plt.ylabel(TARGETS[0])
plt.legend()
plt.tight_layout()
plt.savefig("forecast.png")
plt.show()
