# %% [markdown]
# # Classes of examples in NumPy arrays
# Windows of any number of channels, plain features or images: the shape of the array decides which layers read it.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
INPUT_FILE = "windows.npz"
INPUT_ARRAY = "x"
TARGET_FILE = "windows.npz"
TARGET_ARRAY = "y"
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 5)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_arrays(count=240, steps=50, channels=3):
    """Waves in noise; the class is their frequency."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up windows, not your data.")
    rng = np.random.default_rng(42)
    labels = rng.integers(3, size=count)
    phases = rng.uniform(0, 6, size=(count, 1, 1))
    waves = np.sin(0.3 * (1 + labels[:, None, None]) * np.arange(steps)[None, :, None] + phases)
    return waves + 0.3 * rng.normal(size=(count, steps, channels)), labels


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


def class_of(targets):
    """One value for each example: of one-hot rows the place of the one."""
    return targets.argmax(axis=1) if targets.ndim == 2 and targets.shape[1] > 1 else targets.ravel()


examples, targets = (
    synthetic_arrays() if SYNTHETIC else (read_array(INPUT_FILE, INPUT_ARRAY), read_array(TARGET_FILE, TARGET_ARRAY))
)
if len(examples) != len(targets):
    raise SystemExit(f"{len(examples)} examples in {INPUT_ARRAY!r} and {len(targets)} targets in {TARGET_ARRAY!r}")
class_names = np.unique(class_of(targets))
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"array {TARGET_ARRAY!r} holds {NUM_CLASSES} class; at least two are needed")
print(f"{len(examples)} examples of shape {examples.shape[1:]}, {NUM_CLASSES} classes: {class_names[:20]}")


# %% Preprocessing
def as_inputs(examples):
    """Numbers with an axis of channels: grayscale images get one."""
    examples = examples[..., None] if examples.ndim == 3 and examples.dtype == np.uint8 else examples
    return np.nan_to_num(examples.astype("float32"))


def labels_of(targets):
    """Class numbers; a class that training has not seen is an error."""
    unknown = sorted(set(class_of(targets).tolist()) - set(class_names.tolist()))
    if unknown:
        raise SystemExit(f"there is a class that the training examples lack: {unknown[0]}")
    return np.searchsorted(class_names, class_of(targets))


def split(examples, labels, share):
    """Two parts, with the classes alike in both where every class has examples enough."""
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    stratify = labels if counts.min() > 1 and int(share * len(labels)) >= NUM_CLASSES else None
    return train_test_split(examples, labels, test_size=share, random_state=42, stratify=stratify)


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, train_labels = as_inputs(examples), labels_of(targets)
# Where the file holds a test of its own, beside arrays named after the training, that is the test.
x_test = y_held_out = None
if not SYNTHETIC and "train" in INPUT_ARRAY and "train" in TARGET_ARRAY:
    x_test = read_array(INPUT_FILE, INPUT_ARRAY.replace("train", "test"), needed=False)
    y_held_out = read_array(TARGET_FILE, TARGET_ARRAY.replace("train", "test"), needed=False)
if x_test is not None and y_held_out is not None:
    x_test, test_labels = as_inputs(x_test), labels_of(y_held_out)
else:
    x_train, x_test, train_labels, test_labels = split(x_train, train_labels, 0.2)
x_train, x_val, train_labels, val_labels = split(x_train, train_labels, 0.15)

axes = tuple(range(x_train.ndim - 1))  # each channel has its own scale
mean, scale = x_train.mean(axis=axes), x_train.std(axis=axes) + 1e-6
x_train, x_val, x_test = (x_train - mean) / scale, (x_val - mean) / scale, (x_test - mean) / scale
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)


# %% Model
def build_model(shape):
    """Convolutions over windows or images, dense layers over plain features, and an output for each class."""
    inputs = x = keras.Input(shape=shape)
    if len(shape) == 2:
        x = layers.Conv1D(64, 5, padding="same")(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling1D(2, padding="same")(x)
        x = layers.Conv1D(64, 3, padding="same", activation="relu")(x)
        x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    elif len(shape) == 3:
        x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
        x = layers.Conv2D(64, 3, padding="same", activation="relu")(x)
        x = layers.GlobalAveragePooling2D()(x)
    else:
        x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    x = layers.Dropout(0.3)(x)
    x = layers.Dense(64, activation="relu")(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs)


model = build_model(x_train.shape[1:])
model.summary()
if model.output_shape[-1] != NUM_CLASSES and (model.output_shape[-1], NUM_CLASSES) != (1, 2):
    raise SystemExit(f"the model tells {model.output_shape[-1]} classes apart and the data hold {NUM_CLASSES}")

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=8, restore_best_weights=True)

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
np.savez("scaling.npz", mean=mean, scale=scale, class_names=class_names)


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(examples):
    """The class of each example of a new array."""
    return class_names[predicted_classes(model.predict((as_inputs(examples) - mean) / scale, verbose=0))]


test_predictions = predicted_classes(model.predict(x_test, verbose=0))
print(classification_report(test_labels, test_predictions, labels=range(NUM_CLASSES), zero_division=0))
most_frequent = np.full_like(test_labels, np.bincount(train_labels).argmax())
print(
    f"held-out accuracy: {accuracy_score(test_labels, test_predictions):.4f} "
    f"(baseline, always the most frequent class: {accuracy_score(test_labels, most_frequent):.4f})"
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
