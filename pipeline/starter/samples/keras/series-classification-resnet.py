# %% [markdown]
# # Classes of series by a 1-D ResNet
# A table with a series in each row. Residual blocks of three convolutions each add what they find to what they were
# given, so that the network can be deep and still learn; no recurrence is needed.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"  # a series a row: a column for each step, and one for the class
HELD_OUT_FILE = ""  # the same for the test; "" splits rows off
UNLABELLED_FILE = ""  # series without classes that predictions are wanted for
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TARGET = "label"
UNUSED_COLUMNS = []  # columns that are neither steps nor the class
SEQUENCE_LENGTH = 96  # steps of made-up series; of real ones they are counted
FILTERS = [32, 64, 64]  # one residual block for each number
KERNEL_SIZE = 5
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 50
LEARNING_RATE = 0.001
PATIENCE = 10

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 6)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_table(rows=360):
    """Noise with a bump, a box or a ramp somewhere in it."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up series, not your data.")
    rng = np.random.default_rng(42)
    width = max(4, SEQUENCE_LENGTH // 4)
    shapes = {"bump": np.sin(np.linspace(0, np.pi, width)), "box": np.ones(width), "ramp": np.linspace(0, 1, width)}
    labels = rng.choice(list(shapes), size=rows)
    series = 0.3 * rng.normal(size=(rows, SEQUENCE_LENGTH))
    for row, label in zip(series, labels, strict=True):
        start = rng.integers(SEQUENCE_LENGTH - width)
        row[start : start + width] += 2 * shapes[label]
    return pd.DataFrame(series).rename(columns=str).assign(**{TARGET: labels})


def read_table(name):
    """A table of DATA_DIR; columns without a name are named by their position."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your series lie")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    return table.rename(columns=str).drop(columns=UNUSED_COLUMNS, errors="ignore")


def labelled(table, name):
    """The rows that have a class."""
    if TARGET not in table:
        raise SystemExit(f"{name} has no column {TARGET!r}; it has {', '.join(table.columns[:10])}, ...")
    return table[table[TARGET].notna()]


table = labelled(synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE), TRAIN_FILE)
steps = [name for name in table.columns if name != TARGET and pd.api.types.is_numeric_dtype(table[name])]
class_names = sorted(table[TARGET].unique(), key=str)
SEQUENCE_LENGTH = len(steps)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2 or SEQUENCE_LENGTH < 8:
    raise SystemExit(f"{TRAIN_FILE} holds {NUM_CLASSES} classes and {SEQUENCE_LENGTH} steps: too few; check TARGET")
print(f"{len(table)} series of {SEQUENCE_LENGTH} steps, {NUM_CLASSES} classes: {class_names[:20]}")


# %% Preprocessing
def series_of(table):
    """Each series by itself with mean 0 and spread 1: (series, steps, 1). Gaps are filled in from their neighbours."""
    values = table[steps].interpolate(axis=1, limit_direction="both").fillna(0).to_numpy("float32")
    values = values - values.mean(axis=1, keepdims=True)
    return (values / (values.std(axis=1, keepdims=True) + 1e-6))[..., None]


def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


if HELD_OUT_FILE and not SYNTHETIC:
    train, test = table, labelled(read_table(HELD_OUT_FILE), HELD_OUT_FILE)
    test = test[test[TARGET].isin(class_names)]
else:
    train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=42)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=42)

x_train, x_val, x_test = series_of(train), series_of(val), series_of(test)
train_labels = train[TARGET].map(class_names.index).to_numpy()
test_labels = test[TARGET].map(class_names.index).to_numpy()
y_train, y_val = encode_labels(train_labels), encode_labels(val[TARGET].map(class_names.index))


# %% Model
def residual_block(x, filters):
    """Three convolutions, added to the input of the block; a convolution of width 1 fits the number of filters."""
    shortcut = layers.BatchNormalization(momentum=0.9)(layers.Conv1D(filters, 1, padding="same")(x))
    for kernel_size in (KERNEL_SIZE + 2, KERNEL_SIZE, 3):
        x = layers.Conv1D(filters, kernel_size, padding="same")(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        if kernel_size != 3:
            x = layers.Activation("relu")(x)
    return layers.Activation("relu")(layers.Add()([shortcut, x]))


def build_model():
    """Residual blocks, the mean of each filter over the whole series, and an output for each class."""
    inputs = keras.Input(shape=(SEQUENCE_LENGTH, 1))
    x = inputs
    for filters in FILTERS:
        x = residual_block(x, filters)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(NUM_CLASSES, activation="softmax")(x))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
callbacks = [
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=5, min_lr=0.00005),
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True),
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
model.save("model.keras")
joblib.dump((steps, class_names), "classes.joblib")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(table):
    """The class of the series in each row."""
    return [class_names[number] for number in predicted_classes(model.predict(series_of(table), verbose=0))]


predictions = predicted_classes(model.predict(x_test, verbose=0))
frequent = np.bincount(train_labels).argmax()
print(f"macro F1: {f1_score(test_labels, predictions, average='macro'):.4f}")
print(
    f"held-out accuracy: {accuracy_score(test_labels, predictions):.4f} "
    f"(baseline, always {class_names[frequent]}: {np.mean(test_labels == frequent):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    pd.DataFrame({TARGET: predict(new)}).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
fig, axes = plt.subplots(1, 2, figsize=(12, 4))
for number, name in enumerate(class_names[:6]):
    of_class = x_test[test_labels == number]
    if len(of_class):
        axes[0].plot(of_class[0, :, 0], label=name)
axes[0].set(xlabel="step", title="one series of each class")
axes[0].legend()
axes[1].plot(history.history["loss"], label="training")
axes[1].plot(history.history["val_loss"], label="validation")
axes[1].set(xlabel="epoch", ylabel="loss")
axes[1].legend()
fig.tight_layout()
plt.savefig("results.png")
plt.show()
