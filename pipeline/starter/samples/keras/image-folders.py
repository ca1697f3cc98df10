# %% [markdown]
# # Classes from images in a folder per class
# A small convolutional network on images of any size and format, read folder by folder; the folders' names are the
# classes.

# %% Imports
import glob
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_IMAGES = "{class}/*"  # where an image lies below DATA_DIR; {class} stands for its class
VALIDATION_FOLDER = ""  # class folders of their own, where the data have such parts
HELD_OUT_FOLDER = ""
UNLABELLED_FOLDER = ""  # images without classes that predictions are wanted for
CLASS_NAMES = ["circle", "square"]
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.001

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 5)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: files
def synthetic_images(count=96):
    """Noise with bright rows, the wider apart the further the class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(42)
    labels = rng.integers(len(CLASS_NAMES), size=count)
    images = rng.integers(0, 100, size=(count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    for image, label in zip(images, labels, strict=True):
        image[:: 2 * label + 2] += 120
    return images, np.array(CLASS_NAMES)[labels]


def read_image(path):
    """One image as an array of the wanted size; a smaller or larger one is scaled to it."""
    with Image.open(path) as image:
        resized = image.convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT), Image.BILINEAR)
    return np.asarray(resized).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


def read_images(pattern):
    """All images that lie as the pattern says, and the class of each; what cannot be opened is left out and counted."""
    before, _, after = pattern.partition("{class}")
    root = os.path.join(DATA_DIR, before)
    images, names, damaged = [], [], 0
    for class_name in sorted(os.listdir(root)) if os.path.isdir(root) else []:
        paths = glob.glob(os.path.join(glob.escape(os.path.join(root, class_name)), after.strip("/")), recursive=True)
        for path in sorted(paths):
            if path.lower().endswith(ENDINGS):
                try:
                    images.append(read_image(path))
                    names.append(class_name)
                except OSError:
                    damaged += 1
    if not images:
        raise SystemExit(f"{os.path.join(DATA_DIR, pattern)}: no images; set DATA_DIR to the folder of your images")
    if damaged:
        print(f"{damaged} images could not be opened and were left out")
    return np.stack(images), np.array(names)


images, names = synthetic_images() if SYNTHETIC else read_images(TRAIN_IMAGES)
class_names = np.array(sorted(set(names)))
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds one class, {class_names[0]}; at least two folders with images are needed")
print(f"{len(images)} images of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))


# %% Preprocessing
def labels_of(names):
    """Class numbers; a class that training has not seen is an error."""
    unknown = sorted(set(names) - set(class_names))
    if unknown:
        raise SystemExit(f"there is a class that the training images lack: {unknown[0]}")
    return np.searchsorted(class_names, names)


def split(images, labels, share):
    """Two parts, with the classes alike in both where every class has images enough."""
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    stratify = labels if counts.min() > 1 and int(share * len(labels)) >= NUM_CLASSES else None
    return train_test_split(images, labels, test_size=share, random_state=42, stratify=stratify)


def pattern_in(folder):
    """The pattern of a part's images: its class folders hold them as the training part's do."""
    return folder + "/*" if "{class}" in folder else folder + "/{class}/**"


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, train_labels = images, labels_of(names)
if HELD_OUT_FOLDER and not SYNTHETIC:
    x_test, test_names = read_images(pattern_in(HELD_OUT_FOLDER))
    test_labels = labels_of(test_names)
else:
    x_train, x_test, train_labels, test_labels = split(x_train, train_labels, 0.2)
if VALIDATION_FOLDER and not SYNTHETIC:
    x_val, val_names = read_images(pattern_in(VALIDATION_FOLDER))
    val_labels = labels_of(val_names)
else:
    x_train, x_val, train_labels, val_labels = split(x_train, train_labels, 0.15)

x_train = x_train.astype("float32") / 255.0
x_val = x_val.astype("float32") / 255.0
x_test = x_test.astype("float32") / 255.0
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)


# %% Model
def build_model():
    """Three blocks of convolutions and an output for each class."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.3),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()
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
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=6, restore_best_weights=True)

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


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


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


# %% Evaluate: new images
def predict(paths):
    """The class of each image file, as a table."""
    pixels = np.stack([read_image(path) for path in paths]).astype("float32") / 255.0
    classes = class_names[predicted_classes(model.predict(pixels, verbose=0))]
    return pd.DataFrame({"file": [os.path.relpath(path, DATA_DIR) for path in paths], "class": classes})


if UNLABELLED_FOLDER and not SYNTHETIC:
    folder = os.path.join(glob.escape(os.path.join(DATA_DIR, UNLABELLED_FOLDER)), "**")
    new = [path for path in sorted(glob.glob(folder, recursive=True)) if path.lower().endswith(ENDINGS)]
    predict(new).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
figure, axes = plt.subplots(2, 4, figsize=(8, 4))
for axis, image, label, truth in zip(axes.flat, x_test, test_predictions, test_labels, strict=False):
    axis.imshow(image[..., 0] if CHANNELS == 1 else image, cmap="gray" if CHANNELS == 1 else None)
    axis.set_title(f"{class_names[label]} ({class_names[truth]})", fontsize=8)
for axis in axes.flat:
    axis.axis("off")
plt.suptitle("predicted (true)")
plt.tight_layout()
plt.savefig("predictions.png")
plt.show()
