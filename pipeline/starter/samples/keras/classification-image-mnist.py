# %% [markdown]
# # Classes of small images in arrays
# A plain convolutional network on an `.npz` file with x_train, y_train, x_test and y_test, the layout of MNIST and
# Fashion-MNIST.

# %% Imports
import os
import socket
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
DATASET = "mnist"  # of keras.datasets, where there is no folder of your own; "" for none
ARRAYS_FILE = "mnist.npz"  # looked for in DATA_DIR
IMAGE_ARRAY = "x_train"
LABEL_ARRAY = "y_train"
CLASS_NAMES = []  # in the order of the numbers in LABEL_ARRAY; empty: the numbers themselves
IMAGE_HEIGHT = 28
IMAGE_WIDTH = 28
CHANNELS = 1
NUM_CLASSES = 10
DROPOUT = 0.5
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 128
EPOCHS = 12
LEARNING_RATE = 0.001

OWN_FILE = os.path.join(DATA_DIR, ARRAYS_FILE)


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
    EPOCHS = min(EPOCHS, 4)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def made_up_file(count=480):
    """An .npz file of images with a bright spot, whose place on a ring is the class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    labels = rng.integers(NUM_CLASSES, size=count)
    images = rng.integers(0, 80, size=(count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    rows, columns = np.mgrid[-1 : 1 : IMAGE_HEIGHT * 1j, -1 : 1 : IMAGE_WIDTH * 1j]
    for image, angle in zip(images, 2 * np.pi * labels / NUM_CLASSES, strict=True):
        spot = np.hypot(rows - 0.6 * np.sin(angle), columns - 0.6 * np.cos(angle)) < 0.25
        image[spot] += 150
    images = images[..., 0] if CHANNELS == 1 else images
    path = os.path.join(tempfile.mkdtemp(), "made_up.npz")
    arrays = {"x_test": images[: count // 5], "y_test": labels[: count // 5]}
    np.savez(path, **{IMAGE_ARRAY: images[count // 5 :], LABEL_ARRAY: labels[count // 5 :]}, **arrays)
    return path


def read_arrays(path):
    """Images and labels to train with, and those of the file's own test, or None and None where it has none."""
    with np.load(path) as arrays:
        for name in (IMAGE_ARRAY, LABEL_ARRAY):
            if name not in arrays:
                raise SystemExit(f"{path} has no array {name!r}; it has {', '.join(arrays.files)}")
        test_images, test_labels = IMAGE_ARRAY.replace("train", "test"), LABEL_ARRAY.replace("train", "test")
        has_test = "train" in IMAGE_ARRAY and test_images in arrays and test_labels in arrays
        test = (arrays[test_images], arrays[test_labels]) if has_test else (None, None)
        return arrays[IMAGE_ARRAY], arrays[LABEL_ARRAY], *test


if not SYNTHETIC and known is None and not os.path.isfile(OWN_FILE):
    raise SystemExit(f"{OWN_FILE}: no such file; set DATA_DIR and ARRAYS_FILE to where your arrays lie")
images, labels, test_images, test_labels = known or read_arrays(made_up_file() if SYNTHETIC else OWN_FILE)
if test_images is None:
    order = np.random.default_rng(SEED).permutation(len(images))
    images, labels = images[order], labels[order]
    fifth = len(images) // 5
    test_images, test_labels, images, labels = images[:fifth], labels[:fifth], images[fifth:], labels[fifth:]
numbers = np.unique(labels)
class_names = CLASS_NAMES if len(CLASS_NAMES) == len(numbers) else [str(number) for number in numbers]
NUM_CLASSES = len(class_names)
print(f"{len(images)} training and {len(test_images)} test images of {NUM_CLASSES} classes")


# %% Preprocessing
def as_inputs(images):
    """Numbers of 0 to 1 with an axis of channels, from bytes; other numbers are kept as they are."""
    images = images[..., None] if images.ndim == 3 else images
    return images.astype("float32") / 255.0 if images.dtype == np.uint8 else images.astype("float32")


def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


x_train, x_test = as_inputs(images), as_inputs(test_images)
train_labels = np.searchsorted(numbers, labels.ravel())
test_labels = np.searchsorted(numbers, test_labels.ravel())
y_train, y_test = encode_labels(train_labels), encode_labels(test_labels)
IMAGE_HEIGHT = x_train.shape[1]
IMAGE_WIDTH = x_train.shape[2]
CHANNELS = x_train.shape[3]


# %% Model
def build_model():
    """Two convolutions, each followed by pooling, and a dropout before the output."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2), padding="same"),
            layers.Flatten(),
            layers.Dropout(DROPOUT),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
history = model.fit(
    x_train, y_train, batch_size=BATCH_SIZE, epochs=EPOCHS, validation_split=VALIDATION_SPLIT, verbose=2
)
model.save("model.keras")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(images):
    """The class of each image of a new array, as it is in the file."""
    return np.array(class_names)[predicted_classes(model.predict(as_inputs(images), verbose=0))]


test_predictions = predicted_classes(model.predict(x_test, verbose=0))
most_frequent = np.full_like(test_labels, np.bincount(train_labels).argmax())
print("the first test images:", ", ".join(predict(test_images[:10])))
print(
    f"held-out accuracy: {accuracy_score(test_labels, test_predictions):.4f} "
    f"(baseline, always the most frequent class: {accuracy_score(test_labels, most_frequent):.4f})"
)

# %% Show
matrix = ConfusionMatrixDisplay.from_predictions(
    test_labels, test_predictions, labels=range(NUM_CLASSES), display_labels=class_names, xticks_rotation=45
)
matrix.figure_.tight_layout()
plt.savefig("confusion_matrix.png")
plt.show()
