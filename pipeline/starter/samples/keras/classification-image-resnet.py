# %% [markdown]
# # Classes of images by a residual network
# Residual blocks written out: each adds what it learns to what it was given, so that deep stacks stay trainable. Images
# lie in a folder per class.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_IMAGES = "{class}/*"  # where an image lies below DATA_DIR; {class} stands for its class
UNLABELLED_FOLDER = ""  # images without classes that predictions are wanted for
CLASS_NAMES = ["first", "second", "third"]
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
FILTERS = [16, 32, 64]
NUM_BLOCKS = 2  # blocks of each width
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.1
MOMENTUM = 0.9
WEIGHT_DECAY = 0.0001

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 6)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: files
def made_up_folder(count=120):
    """A folder per class of noise with a grid, the wider the further the class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    for number in range(count):
        label = number % len(CLASS_NAMES)
        pixels = rng.integers(0, 90, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
        pixels[:: 3 * label + 3] += 80
        pixels[:, :: 3 * label + 3] += 80
        image = Image.fromarray(pixels[..., 0] if CHANNELS == 1 else pixels)
        folder = os.path.join(root, os.path.dirname(TRAIN_IMAGES.replace("{class}", CLASS_NAMES[label])))
        os.makedirs(folder, exist_ok=True)
        image.save(os.path.join(folder, f"{number}.png"))
    return root


def read_image(path):
    """One image as an array of the wanted size; None where it cannot be opened."""
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT)))
    except OSError:
        print(f"{path} cannot be opened and is left out")
        return None
    return pixels.reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


def read_folders():
    """All images that lie as TRAIN_IMAGES says, and the class of each."""
    depth = TRAIN_IMAGES.split("/").index("{class}")
    pattern = os.path.join(glob.escape(root), TRAIN_IMAGES.replace("{class}", "*"))
    images, names = [], []
    for path in sorted(glob.glob(pattern, recursive=True)):
        pixels = read_image(path) if path.lower().endswith(ENDINGS) else None
        if pixels is not None:
            images.append(pixels)
            names.append(os.path.relpath(path, root).split(os.sep)[depth])
    if len(set(names)) < 2:
        raise SystemExit(f"{pattern}: images of {len(set(names))} classes; set DATA_DIR to a folder with two or more")
    return np.stack(images), np.array(names)


root = made_up_folder() if SYNTHETIC else DATA_DIR
images, names = read_folders()
class_names, labels = np.unique(names, return_inverse=True)
NUM_CLASSES = len(class_names)
print(f"{len(images)} images of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))


# %% Preprocessing
def split(images, labels, share):
    """Two parts, with the classes alike in both where every class has images enough."""
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    stratify = labels if counts.min() > 1 and int(share * len(labels)) >= NUM_CLASSES else None
    return train_test_split(images, labels, test_size=share, random_state=SEED, stratify=stratify)


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


def scale(images):
    """Pixels from -1 to 1."""
    return images.astype("float32") / 127.5 - 1.0


x_train, x_test, train_labels, test_labels = split(images, labels, TEST_SPLIT)
x_train, x_val, train_labels, val_labels = split(x_train, train_labels, VALIDATION_SPLIT)
x_train, x_val, x_test = scale(x_train), scale(x_val), scale(x_test)
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)


# %% Model
def convolution(x, filters, kernel_size=3, strides=1):
    """A convolution followed by batch normalization."""
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_regularizer=keras.regularizers.L2(WEIGHT_DECAY),
    )(x)
    return layers.BatchNormalization(momentum=0.9)(x)


def residual_block(x, filters, strides=1):
    """Two convolutions whose result is added to the input; a 1x1 convolution fits the input where shapes differ."""
    shortcut = x
    if strides > 1 or x.shape[-1] != filters:
        shortcut = convolution(x, filters, kernel_size=1, strides=strides)
    x = layers.ReLU()(convolution(x, filters, strides=strides))
    x = convolution(x, filters)
    return layers.ReLU()(layers.Add()([x, shortcut]))


def build_model():
    """A first convolution, NUM_BLOCKS residual blocks of each width, global pooling and the output."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    x = layers.ReLU()(convolution(inputs, FILTERS[0]))
    for stage, filters in enumerate(FILTERS):
        for block in range(NUM_BLOCKS):
            # Each stage after the first begins by halving the image.
            x = residual_block(x, filters, strides=2 if stage and not block else 1)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
# The rate falls from LEARNING_RATE to zero along a cosine.
steps = EPOCHS * int(np.ceil(len(x_train) / BATCH_SIZE))
schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, decay_steps=steps)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=schedule, momentum=MOMENTUM, nesterov=True),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
checkpoint = keras.callbacks.ModelCheckpoint("model.keras", monitor="val_accuracy", save_best_only=True)
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[checkpoint],
    verbose=2,
)
model = keras.models.load_model("model.keras")  # the epoch that was best in validation


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(paths):
    """The class of each image file that opens, as a table."""
    opened = {path: pixels for path in paths if (pixels := read_image(path)) is not None}
    outputs = model.predict(scale(np.stack(list(opened.values()))), verbose=0)
    return pd.DataFrame({"file": list(opened), "class": class_names[predicted_classes(outputs)]})


test_predictions = predicted_classes(model.predict(x_test, verbose=0))
print(
    classification_report(
        test_labels, test_predictions, labels=range(NUM_CLASSES), target_names=class_names, zero_division=0
    )
)
most_frequent = np.full_like(test_labels, np.bincount(train_labels).argmax())
print(
    f"held-out accuracy: {accuracy_score(test_labels, test_predictions):.4f} "
    f"(baseline, always the most frequent class: {accuracy_score(test_labels, most_frequent):.4f})"
)

if UNLABELLED_FOLDER and not SYNTHETIC:
    anywhere = os.path.join(glob.escape(os.path.join(DATA_DIR, UNLABELLED_FOLDER)), "**")
    new = [path for path in sorted(glob.glob(anywhere, recursive=True)) if path.lower().endswith(ENDINGS)]
    table = predict(new)
    table.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(table)} rows")

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["accuracy"], label="training")
plt.plot(history.history["val_accuracy"], label="validation")
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
