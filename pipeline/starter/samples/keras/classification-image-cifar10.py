# %% [markdown]
# # Classes of small colour images, with augmentation
# A VGG-like network with batch normalization on images in arrays, the layout of CIFAR-10; training images are flipped
# and shifted anew in each epoch.

# %% Imports
import os
import socket
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
DATASET = "cifar10"  # of keras.datasets, where there is no folder of your own; "" for none
ARRAYS_FILE = "cifar10.npz"  # looked for in DATA_DIR
IMAGE_ARRAY = "x_train"
LABEL_ARRAY = "y_train"
CLASS_NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
IMAGE_HEIGHT = 32
IMAGE_WIDTH = 32
CHANNELS = 3
NUM_CLASSES = 10
FILTERS = [32, 64, 128]
DROPOUT = 0.3
WEIGHT_DECAY = 0.0001
PATIENCE = 8
VALIDATION_SPLIT = 0.1
TEST_SPLIT = 0.2  # where the file has no test of its own
BATCH_SIZE = 64
EPOCHS = 50
LEARNING_RATE = 0.001


# %% Data: well-known sets
def load_known():
    """Images and labels for training and test, as keras.datasets loads and keeps them; None without a network."""
    try:
        socket.setdefaulttimeout(20)
        (images, labels), (test_images, test_labels) = getattr(keras.datasets, DATASET).load_data()
    except Exception as error:
        print(f"{DATASET} cannot be loaded here: {error}")
        return None
    return images, labels, test_images, test_labels


known = load_known() if DATASET and not os.path.isdir(DATA_DIR) else None
SYNTHETIC = not os.path.isdir(DATA_DIR) and known is None

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: arrays
def made_up_arrays(count=400):
    """Stripes in noise: the class decides how they are turned."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    labels = rng.integers(NUM_CLASSES, size=(count, 1))
    rows, columns = np.mgrid[:IMAGE_HEIGHT, :IMAGE_WIDTH]
    angles = np.pi * labels[:, :, None] / NUM_CLASSES
    stripes = np.sin(0.9 * (rows * np.sin(angles) + columns * np.cos(angles)) + rng.uniform(0, 6, (count, 1, 1)))
    noise = rng.normal(0, 30, size=(count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    return {IMAGE_ARRAY: (128 + 60 * stripes[..., None] + noise).clip(0, 255).astype("uint8"), LABEL_ARRAY: labels}


def read_file():
    """The arrays of the .npz file by their names."""
    path = os.path.join(DATA_DIR, ARRAYS_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and ARRAYS_FILE to where your arrays lie")
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


if SYNTHETIC:
    DATA_DIR = tempfile.mkdtemp()
    np.savez(os.path.join(DATA_DIR, ARRAYS_FILE), **made_up_arrays())
if known is None:
    arrays = read_file()
else:
    names = [name.replace("train", part) for part in ("train", "test") for name in (IMAGE_ARRAY, LABEL_ARRAY)]
    arrays = dict(zip(names, known, strict=True))
if IMAGE_ARRAY not in arrays or LABEL_ARRAY not in arrays:
    raise SystemExit(f"{ARRAYS_FILE} lacks {IMAGE_ARRAY!r} or {LABEL_ARRAY!r}; it has {', '.join(arrays)}")
numbers, train_labels = np.unique(arrays[LABEL_ARRAY].ravel(), return_inverse=True)
NUM_CLASSES = len(numbers)
class_names = CLASS_NAMES if len(CLASS_NAMES) == NUM_CLASSES else [str(number) for number in numbers]

# %% Preprocessing
x_train = arrays[IMAGE_ARRAY].reshape(*arrays[IMAGE_ARRAY].shape[:3], -1).astype("float32") / 255.0
if "train" in IMAGE_ARRAY and IMAGE_ARRAY.replace("train", "test") in arrays:
    x_test = arrays[IMAGE_ARRAY.replace("train", "test")].reshape(-1, *x_train.shape[1:]).astype("float32") / 255.0
    test_labels = np.searchsorted(numbers, arrays[LABEL_ARRAY.replace("train", "test")].ravel())
else:
    x_train, x_test, train_labels, test_labels = train_test_split(
        x_train, train_labels, test_size=TEST_SPLIT, random_state=SEED
    )
x_train, x_val, train_labels, val_labels = train_test_split(
    x_train, train_labels, test_size=VALIDATION_SPLIT, random_state=SEED
)
IMAGE_HEIGHT = x_train.shape[1]
IMAGE_WIDTH = x_train.shape[2]
CHANNELS = x_train.shape[3]
mean, deviation = x_train.mean(axis=(0, 1, 2)), x_train.std(axis=(0, 1, 2)) + 1e-6
x_train, x_val, x_test = (x_train - mean) / deviation, (x_val - mean) / deviation, (x_test - mean) / deviation


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)


# %% Model
def convolution(x, filters):
    """A convolution with batch normalization; the bias is the normalization's."""
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.Activation("relu")(x)


def build_model():
    """Blocks of two convolutions, wider as the image gets smaller."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    x = layers.RandomFlip("horizontal")(inputs)
    x = layers.RandomTranslation(0.1, 0.1)(x)
    for filters in FILTERS:
        x = convolution(x, filters)
        x = convolution(x, filters)
        x = layers.MaxPooling2D(2, padding="same")(x)
        x = layers.Dropout(DROPOUT)(x)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=LEARNING_RATE, weight_decay=WEIGHT_DECAY),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
callbacks = [
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=PATIENCE // 2),
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
np.savez("scaling.npz", mean=mean, deviation=deviation)


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(images):
    """The class of each image in an array of pixels from 0 to 255."""
    scaled = (images.reshape(-1, *x_train.shape[1:]) / 255.0 - mean) / deviation
    return np.array(class_names)[predicted_classes(model.predict(scaled, verbose=0))]


outputs = model.predict(x_test, verbose=0)
test_predictions = predicted_classes(outputs)
for number, name in enumerate(class_names):
    of_class = test_labels == number
    if of_class.any():
        print(f"{name:>12}: {np.mean(test_predictions[of_class] == number):.2f} of {of_class.sum()} right")
most_frequent = np.bincount(train_labels).argmax()
print(
    f"held-out accuracy: {np.mean(test_predictions == test_labels):.4f} "
    f"(baseline, always the most frequent class: {np.mean(test_labels == most_frequent):.4f})"
)

# %% Show
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
for axis, name in ((left, "loss"), (right, "accuracy")):
    axis.plot(history.history[name], label="training")
    axis.plot(history.history[f"val_{name}"], label="validation")
    axis.set_xlabel("epoch")
    axis.set_title(name)
    axis.legend()
plt.tight_layout()
plt.savefig("learning_curves.png")
plt.show()
