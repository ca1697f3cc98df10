# %% [markdown]
# # Numbers for examples in NumPy arrays
# Plain features, windows or images: whatever their shape, their values are read in a row by dense layers.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
INPUT_FILE = "examples.npz"
INPUT_ARRAY = "x"
TARGET_FILE = "examples.npz"
TARGET_ARRAY = "y"
BATCH_SIZE = 32
EPOCHS = 80
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 10)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_arrays(count=320, features=8):
    """Random features; the number is a sum of some of them."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up examples, not your data.")
    rng = np.random.default_rng(42)
    examples = rng.normal(size=(count, features))
    return examples, 10 * examples[:, 0] - 5 * examples[:, 1] + rng.normal(size=count)


def read_array(file, name, needed=True):
    """An array of an .npz file by its name, or the one of an .npy file; None where it may be missing and is."""
    path = os.path.join(DATA_DIR, file)
    if file.lower().endswith(".npy"):
        # Arrays in files of their own are named after them.
        path = os.path.join(os.path.dirname(path), f"{name}.npy")
        if os.path.isfile(path):
            return np.load(path)
    elif os.path.isfile(path):
        with np.load(path) as arrays:
            if name in arrays:
                return arrays[name]
    if needed:
        raise SystemExit(f"{path}: no array {name!r}; set DATA_DIR, INPUT_ARRAY and TARGET_ARRAY to your arrays")
    return None


examples, targets = (
    synthetic_arrays() if SYNTHETIC else (read_array(INPUT_FILE, INPUT_ARRAY), read_array(TARGET_FILE, TARGET_ARRAY))
)
if len(examples) != len(targets):
    raise SystemExit(f"{len(examples)} examples in {INPUT_ARRAY!r} and {len(targets)} targets in {TARGET_ARRAY!r}")
targets = targets.reshape(len(targets), -1).astype("float64")
complete = np.isfinite(targets).all(axis=1)
examples, targets = examples[complete], targets[complete]
NUM_TARGETS = targets.shape[1]
print(f"{len(examples)} examples of shape {examples.shape[1:]}, {NUM_TARGETS} numbers to predict for each")


# %% Preprocessing
def as_inputs(examples):
    """The values of each example in a row."""
    return np.nan_to_num(examples.reshape(len(examples), -1).astype("float32"))


x_train, train_values = as_inputs(examples), targets
# Where the file holds a test of its own, beside arrays named after the training, that is the test.
x_test = y_held_out = None
if not SYNTHETIC and "train" in INPUT_ARRAY and "train" in TARGET_ARRAY:
    x_test = read_array(INPUT_FILE, INPUT_ARRAY.replace("train", "test"), needed=False)
    y_held_out = read_array(TARGET_FILE, TARGET_ARRAY.replace("train", "test"), needed=False)
if x_test is not None and y_held_out is not None:
    x_test, test_values = as_inputs(x_test), y_held_out.reshape(len(y_held_out), -1)
else:
    x_train, x_test, train_values, test_values = train_test_split(x_train, train_values, test_size=0.2, random_state=42)
x_train, x_val, train_values, val_values = train_test_split(x_train, train_values, test_size=0.15, random_state=42)

scaler, target_scaler = StandardScaler().fit(x_train), StandardScaler().fit(train_values)
x_train, x_val, x_test = scaler.transform(x_train), scaler.transform(x_val), scaler.transform(x_test)
y_train = target_scaler.transform(train_values).astype("float32")
y_val = target_scaler.transform(val_values).astype("float32")
NUM_FEATURES = x_train.shape[1]


# %% Model
def build_model():
    """Two hidden layers and an output for each number."""
    return keras.Sequential(
        [
            keras.Input(shape=(NUM_FEATURES,)),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(64, activation="relu"),
            layers.Dense(NUM_TARGETS),
        ]
    )


model = build_model()
model.summary()
if model.output_shape[-1] != NUM_TARGETS:
    raise SystemExit(f"the model gives {model.output_shape[-1]} numbers and the data hold {NUM_TARGETS}")

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mean_squared_error",
    metrics=["mean_absolute_error"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=12, restore_best_weights=True)

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
joblib.dump((scaler, target_scaler), "scaling.joblib")


# %% Evaluate
def predict(examples):
    """The numbers of each example of a new array, in their own units."""
    return target_scaler.inverse_transform(model.predict(scaler.transform(as_inputs(examples)), verbose=0))


predicted = target_scaler.inverse_transform(model.predict(x_test, verbose=0))
print(f"R2: {r2_score(test_values, predicted):.3f}")
medians = np.broadcast_to(np.median(train_values, axis=0), test_values.shape)
print(
    f"held-out mean absolute error: {mean_absolute_error(test_values, predicted):.4f} "
    f"(baseline, always the median: {mean_absolute_error(test_values, medians):.4f})"
)

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
