# %% [markdown]
# # Remaining useful life
# Units run until they fail. From the last steps of a unit's measurements the network predicts how many steps are left.
# Units, not rows, are divided into training and test, and the target is capped: far from the end no wear shows.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, root_mean_squared_error
from sklearn.model_selection import GroupShuffleSplit
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"  # units that ran to failure, a row a step
UNLABELLED_FILE = ""  # units that still run: how long each of them has left is wanted
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
ID_COLUMN = "unit"
TIME_COLUMN = "cycle"
NUMBER_COLUMNS = []  # measurements; where none is named, all other columns of numbers
SEQUENCE_LENGTH = 30  # steps that the model looks back on
MAX_LIFE = 125  # more steps left than this count as this many
FILTERS = [32]
KERNEL_SIZE = 5
LSTM_UNITS = 32
HIDDEN_UNITS = [32]
DROPOUT = 0.2
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 64
EPOCHS = 40
LEARNING_RATE = 0.002
PATIENCE = 5

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(units=24):
    """Units of different life spans; towards the end some measurements drift, faster and faster."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {units} made-up units, not your data.")
    rng = np.random.default_rng(42)
    tables = []
    for unit in range(1, units + 1):
        life = int(rng.integers(80, 160))
        left = np.arange(life)[::-1]
        table = pd.DataFrame({ID_COLUMN: unit, TIME_COLUMN: np.arange(1, life + 1)})
        for number, name in enumerate(NUMBER_COLUMNS or ["sensor_1", "sensor_2", "sensor_3", "sensor_4"]):
            drift = (-1) ** number * 4 * np.exp(-left / 40) if number % 3 < 2 else 0
            table[name] = 10 * (number + 1) + drift + 0.4 * rng.normal(size=life)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def read_table(name):
    """A table of DATA_DIR, the steps of each unit in their order."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    table = pd.read_csv(path, **READ_OPTIONS).rename(columns=str)
    for column in [ID_COLUMN, TIME_COLUMN, *NUMBER_COLUMNS]:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(table.columns[:20])}")
    return table.sort_values([ID_COLUMN, TIME_COLUMN], kind="stable").reset_index(drop=True)


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
if not NUMBER_COLUMNS:
    NUMBER_COLUMNS = [name for name in table.select_dtypes("number") if name not in (ID_COLUMN, TIME_COLUMN)]
NUM_FEATURES = len(NUMBER_COLUMNS)
if table[ID_COLUMN].nunique() < 5 or not NUMBER_COLUMNS:
    raise SystemExit(f"{table[ID_COLUMN].nunique()} units and {NUM_FEATURES} measurements in {TRAIN_FILE}: too few")

# %% Preprocessing
# A unit fails at its last step: what is left is counted from there.
table["left"] = table.groupby(ID_COLUMN).cumcount(ascending=False).clip(upper=MAX_LIFE)


def split_units(table, share):
    """Two parts that have no unit in common."""
    splitter = GroupShuffleSplit(n_splits=1, test_size=share, random_state=42)
    first, second = next(splitter.split(table, groups=table[ID_COLUMN]))
    return table.iloc[first], table.iloc[second]


train, test = split_units(table, TEST_SPLIT)
train, val = split_units(train, VALIDATION_SPLIT)
scaler = StandardScaler().fit(train[NUMBER_COLUMNS].fillna(0))


def windows_of(table, last_only=False):
    """The last SEQUENCE_LENGTH steps before each row of a unit, repeated at its beginning; and the rows themselves."""
    windows, rows = [], []
    for _, unit in table.groupby(ID_COLUMN, sort=False):
        values = scaler.transform(unit[NUMBER_COLUMNS].ffill().fillna(0)).astype("float32")
        padded = np.concatenate([np.repeat(values[:1], SEQUENCE_LENGTH - 1, axis=0), values])
        views = np.lib.stride_tricks.sliding_window_view(padded, SEQUENCE_LENGTH, axis=0).transpose(0, 2, 1)
        windows.append(views[-1:] if last_only else views)
        rows.append(unit[-1:] if last_only else unit)
    return np.concatenate(windows), pd.concat(rows)


(x_train, train), (x_val, val), (x_test, test) = windows_of(train), windows_of(val), windows_of(test)
y_train, y_val, y_test = (part["left"].to_numpy("float32") / MAX_LIFE for part in (train, val, test))
print(
    f"{len(x_train)} windows of {train[ID_COLUMN].nunique()} training units, {test[ID_COLUMN].nunique()} for the test"
)


# %% Model
def build_model():
    """Convolutions that smooth and compare, an LSTM over the window, and one number: the share of MAX_LIFE left."""
    inputs = keras.Input(shape=(SEQUENCE_LENGTH, NUM_FEATURES))
    x = inputs
    for filters in FILTERS:
        x = layers.Conv1D(filters, KERNEL_SIZE, padding="same", activation="relu")(x)
        x = layers.AveragePooling1D(2, padding="same")(x)
    x = layers.LSTM(LSTM_UNITS)(x)
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(DROPOUT)(x)
    return keras.Model(inputs, layers.Dense(1)(x))


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
joblib.dump((scaler, NUMBER_COLUMNS), "scaler.joblib")


# %% Evaluate
def predict(windows):
    """Steps left after each window, between none and MAX_LIFE."""
    return np.clip(model.predict(windows, batch_size=512, verbose=0)[:, 0] * MAX_LIFE, 0, MAX_LIFE)


left, predicted = y_test * MAX_LIFE, predict(x_test)
always = np.full(len(left), train["left"].mean())
near_end = left <= MAX_LIFE / 4
print(f"mean absolute error: {mean_absolute_error(left, predicted):.2f} steps")
print(f"mean absolute error near the end: {mean_absolute_error(left[near_end], predicted[near_end]):.2f} steps")
print(
    f"held-out root mean squared error: {root_mean_squared_error(left, predicted):.4f} "
    f"(baseline, the mean of the training rows: {root_mean_squared_error(left, always):.4f})"
)

running = read_table(UNLABELLED_FILE) if UNLABELLED_FILE and not SYNTHETIC else test
x_running, last_rows = windows_of(running, last_only=True)
remaining = pd.DataFrame({ID_COLUMN: last_rows[ID_COLUMN].to_numpy(), "steps left": predict(x_running).round(1)})
remaining.to_csv("predictions.csv", index=False)
print(f"predictions.csv: how long {len(remaining)} units have left after their last row")

# %% Show
plt.figure(figsize=(9, 4))
for unit in test[ID_COLUMN].unique()[:3]:
    of_unit = (test[ID_COLUMN] == unit).to_numpy()
    (line,) = plt.plot(left[of_unit], linestyle="--")
    plt.plot(predicted[of_unit], color=line.get_color(), label=f"{ID_COLUMN} {unit}")
plt.xlabel(TIME_COLUMN)
plt.ylabel("steps left (dashed: true)")
plt.legend()
plt.tight_layout()
plt.savefig("remaining.png")
plt.show()
