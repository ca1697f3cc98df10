# %% [markdown]
# # What is going on in a recording? Windows of a long table
# A table with a row for each moment of several recordings is cut into overlapping windows, and an LSTM tells the class
# of each. Recordings, not windows, are divided into training and test: neighbouring windows are nearly the same.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score, classification_report
from sklearn.model_selection import GroupShuffleSplit
from sklearn.preprocessing import LabelEncoder, StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "recordings.csv"
UNLABELLED_FILE = ""  # recordings without classes that predictions are wanted for
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
ID_COLUMN = "recording"  # rows with the same value here are one recording, in the order of the file
TARGET = "label"
NUMBER_COLUMNS = []  # the channels; where none is named, all other columns of numbers
UNUSED_COLUMNS = []  # columns that are no channels, such as the time
SEQUENCE_LENGTH = 50  # rows of a window
STRIDE = 25  # rows from one window to the next
LSTM_UNITS = 32
HIDDEN_UNITS = [32]
DROPOUT = 0.3
TEST_SPLIT = 0.25
VALIDATION_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.003
PATIENCE = 6

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(recordings=24, rows=400):
    """Recordings in which three movements follow each other, each with its own height and speed."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {recordings} made-up recordings, not your data.")
    rng = np.random.default_rng(42)
    names = NUMBER_COLUMNS or ["x", "y", "z"]
    movements = {"still": (0.1, 0.0), "slow": (1.0, 0.25), "fast": (1.2, 0.7)}
    tables = []
    for recording in range(recordings):
        order = rng.permutation(list(movements))
        labels = np.repeat(order, rows // 3 + 1)[:rows]
        height, speed = np.array([movements[label] for label in labels]).T
        phase = np.cumsum(speed) + rng.uniform(0, 6)
        table = pd.DataFrame({ID_COLUMN: recording, TARGET: labels})
        for number, name in enumerate(names):
            table[name] = height * np.sin(phase + number) + 0.3 * rng.normal(size=rows)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def read_table(name):
    """The rows of a CSV or Parquet file in DATA_DIR."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your recordings lie")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    table = table.rename(columns=str)
    for column in [ID_COLUMN, *NUMBER_COLUMNS]:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(table.columns[:20])}")
    return table


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
if TARGET not in table:
    raise SystemExit(f"{TRAIN_FILE} has no column {TARGET!r}; it has {', '.join(table.columns[:20])}")
table = table.dropna(subset=[TARGET])
if not NUMBER_COLUMNS:
    channels = table.drop(columns=[ID_COLUMN, TARGET, *UNUSED_COLUMNS], errors="ignore")
    NUMBER_COLUMNS = channels.select_dtypes("number").columns.tolist()
NUM_FEATURES = len(NUMBER_COLUMNS)
encoder = LabelEncoder().fit(table[TARGET].astype(str))
NUM_CLASSES = len(encoder.classes_)
if NUM_CLASSES < 2 or table[ID_COLUMN].nunique() < 4:
    raise SystemExit(
        f"{NUM_CLASSES} classes in {table[ID_COLUMN].nunique()} recordings: too few to learn from and to test"
    )


# %% Preprocessing
def windows_of(table):
    """Windows of each recording: (windows, SEQUENCE_LENGTH, NUM_FEATURES), and the number of each window's last row."""
    windows, ends = [], []
    for rows in table.groupby(ID_COLUMN, sort=False).indices.values():
        values = table[NUMBER_COLUMNS].iloc[rows].interpolate(limit_direction="both").fillna(0).to_numpy("float32")
        for start in range(0, len(rows) - SEQUENCE_LENGTH + 1, STRIDE):
            windows.append(values[start : start + SEQUENCE_LENGTH])
            ends.append(rows[start + SEQUENCE_LENGTH - 1])
    if not windows:
        raise SystemExit(f"no recording has {SEQUENCE_LENGTH} rows; lower SEQUENCE_LENGTH")
    return np.stack(windows), np.array(ends)


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


windows, ends = windows_of(table)
# A window has the class of its last row, and belongs to its recording.
labels = encoder.transform(table[TARGET].iloc[ends].astype(str))
recordings = table[ID_COLUMN].to_numpy()[ends]


def split(places, share):
    """Two parts of the windows without a recording in common."""
    first, second = next(
        GroupShuffleSplit(1, test_size=share, random_state=42).split(places, groups=recordings[places])
    )
    return places[first], places[second]


train, test = split(np.arange(len(windows)), TEST_SPLIT)
train, val = split(train, VALIDATION_SPLIT)
scaler = StandardScaler().fit(windows[train].reshape(-1, NUM_FEATURES))


def scale(windows):
    """Each channel by its mean and spread in the training windows."""
    return ((windows - scaler.mean_) / scaler.scale_).astype("float32")


x_train, x_val, x_test = scale(windows[train]), scale(windows[val]), scale(windows[test])
y_train, y_val = encode_labels(labels[train]), encode_labels(labels[val])
test_labels = labels[test]
print(f"{len(windows)} windows of {NUM_FEATURES} channels: {len(train)} to learn from, {len(test)} for the test")


# %% Model
def build_model():
    """An LSTM over the window, a dense layer, and an output for each class."""
    model = keras.Sequential([keras.Input(shape=(SEQUENCE_LENGTH, NUM_FEATURES))])
    model.add(layers.LSTM(LSTM_UNITS))
    model.add(layers.Dropout(DROPOUT))
    for units in HIDDEN_UNITS:
        model.add(layers.Dense(units, activation="relu"))
    model.add(layers.Dense(NUM_CLASSES, activation="softmax"))
    return model


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)],
    verbose=2,
)
model.save("model.keras")
joblib.dump((scaler, encoder.classes_, NUMBER_COLUMNS), "preprocessing.joblib")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(table):
    """The class of each window of a table, with its recording and the table's row in which it ends."""
    windows, ends = windows_of(table)
    numbers = predicted_classes(model.predict(scale(windows), verbose=0))
    found = {ID_COLUMN: table[ID_COLUMN].to_numpy()[ends], "last row": ends, TARGET: encoder.classes_[numbers]}
    return pd.DataFrame(found)


predictions = predicted_classes(model.predict(x_test, verbose=0))
print(classification_report(encoder.classes_[test_labels], encoder.classes_[predictions], zero_division=0))
print(
    f"held-out balanced accuracy: {balanced_accuracy_score(test_labels, predictions):.4f} "
    f"(baseline, always one class: {1 / len(np.unique(test_labels)):.4f})"
)

new = read_table(UNLABELLED_FILE) if UNLABELLED_FILE and not SYNTHETIC else table
predict(new).to_csv("predictions.csv", index=False)
print("predictions.csv: the class of every window")

# %% Show
shown = recordings[test] == recordings[test][0]
plt.figure(figsize=(9, 3.5))
plt.step(ends[test][shown], encoder.classes_[test_labels[shown]], label="true")
plt.plot(ends[test][shown], encoder.classes_[predictions[shown]], "x", label="predicted")
plt.xlabel(f"last row of the window, {ID_COLUMN} {recordings[test][0]}")
plt.legend()
plt.tight_layout()
plt.savefig("recording.png")
plt.show()
