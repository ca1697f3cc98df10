# %% [markdown]
# # Classes of images by transfer from MobileNetV2
# A MobileNetV2 that has seen ImageNet is kept frozen while a new output layer learns; then its last layers are
# fine-tuned at a low rate. Images lie in a folder per class.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
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
HELD_OUT_FOLDER = ""  # class folders of their own for the test, where the data have them
UNLABELLED_FOLDER = ""  # images without classes that predictions are wanted for
CLASS_NAMES = ["first", "second", "third"]
IMAGE_HEIGHT = 160
IMAGE_WIDTH = 160
BACKBONE_WEIGHTS = "imagenet"
FINE_TUNED_LAYERS = 30
DROPOUT = 0.2
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 10
FINE_TUNE_EPOCHS = 5
LEARNING_RATE = 0.001
FINE_TUNE_LEARNING_RATE = 0.00001

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif")  # what TensorFlow decodes
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts, and trained weights, are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 64)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 64)
    BATCH_SIZE = min(BATCH_SIZE, 8)
    EPOCHS = min(EPOCHS, 5)
    FINE_TUNE_EPOCHS = min(FINE_TUNE_EPOCHS, 1)
    BACKBONE_WEIGHTS = None


# %% Data: files
def made_up_folder(count=60):
    """A folder per class of images in a colour of the class's own, with a little noise."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    for number in range(count):
        label = number % len(CLASS_NAMES)
        colour = 245 * np.array(plt.get_cmap("hsv")(label / len(CLASS_NAMES))[:3])
        pixels = rng.uniform(0, 10, size=(IMAGE_HEIGHT, IMAGE_WIDTH, 3)) + colour
        folder = os.path.join(root, os.path.dirname(TRAIN_IMAGES.replace("{class}", CLASS_NAMES[label])))
        os.makedirs(folder, exist_ok=True)
        Image.fromarray(pixels.astype("uint8")).save(os.path.join(folder, f"{number}.png"))
    return root


def is_readable(path):
    """Whether a file is an image that opens."""
    try:
        with Image.open(path) as image:
            image.verify()
    except (OSError, SyntaxError):
        return False
    return True


def list_images(pattern):
    """The image files that lie as the pattern says, and the class of each: its folder's name."""
    depth = pattern.split("/").index("{class}")
    everywhere = os.path.join(glob.escape(root), pattern.replace("{class}", "*"))
    found = [path for path in sorted(glob.glob(everywhere, recursive=True)) if path.lower().endswith(ENDINGS)]
    paths = [path for path in found if is_readable(path)]
    if not paths:
        raise SystemExit(f"{os.path.join(root, pattern)}: no images; set DATA_DIR to the folder of your images")
    if len(paths) < len(found):
        print(f"{len(found) - len(paths)} images could not be opened and were left out")
    return np.array(paths), np.array([os.path.relpath(path, root).split(os.sep)[depth] for path in paths])


root = made_up_folder() if SYNTHETIC else DATA_DIR
paths, names = list_images(TRAIN_IMAGES)
class_names = np.array(sorted(set(names)))
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds one class, {class_names[0]}; at least two folders with images are needed")
print(f"{len(paths)} images of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))


# %% Preprocessing
def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


def split(paths, labels, share):
    """Two parts, with the classes alike in both where every class has images enough."""
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    stratify = labels if counts.min() > 1 and int(share * len(labels)) >= NUM_CLASSES else None
    return train_test_split(paths, labels, test_size=share, random_state=SEED, stratify=stratify)


def load_image(path):
    """One image, its pixels from -1 to 1 as MobileNetV2 was trained on; grayscale is repeated for three channels."""
    pixels = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
    pixels = tf.image.resize(pixels, (IMAGE_HEIGHT, IMAGE_WIDTH))
    return keras.applications.mobilenet_v2.preprocess_input(pixels)


def batches(paths, labels, shuffle=False):
    """Batches of images with their labels, read from disk as they are needed."""
    dataset = tf.data.Dataset.from_tensor_slices((paths, encode_labels(labels)))
    if shuffle:
        dataset = dataset.shuffle(len(paths), seed=SEED)
    dataset = dataset.map(lambda path, label: (load_image(path), label), num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)


train_paths, train_labels = paths, np.searchsorted(class_names, names)
if HELD_OUT_FOLDER and not SYNTHETIC:
    test_paths, test_names = list_images(HELD_OUT_FOLDER + ("/*" if "{class}" in HELD_OUT_FOLDER else "/{class}/**"))
    known = np.isin(test_names, class_names)  # a class that was not trained cannot be told
    test_paths, test_labels = test_paths[known], np.searchsorted(class_names, test_names[known])
else:
    train_paths, test_paths, train_labels, test_labels = split(train_paths, train_labels, TEST_SPLIT)
train_paths, val_paths, train_labels, val_labels = split(train_paths, train_labels, VALIDATION_SPLIT)

train_ds = batches(train_paths, train_labels, shuffle=True)
val_ds, test_ds = batches(val_paths, val_labels), batches(test_paths, test_labels)


# %% Model
def load_backbone():
    """MobileNetV2 without its top; random weights where the trained ones cannot be fetched."""
    shape = (IMAGE_HEIGHT, IMAGE_WIDTH, 3)
    try:
        return keras.applications.MobileNetV2(include_top=False, weights=BACKBONE_WEIGHTS, input_shape=shape)
    except Exception as error:
        print(f"NO TRAINED WEIGHTS, the backbone starts from random ones ({error})")
        return keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=shape)


def build_model():
    """The frozen backbone below a new output layer; flips and turns are active in training only."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, 3))
    x = layers.RandomFlip("horizontal")(inputs)
    x = layers.RandomRotation(0.05)(x)
    x = backbone(x, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(DROPOUT)(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs)


backbone = load_backbone()
if BACKBONE_WEIGHTS is None:
    # Random weights come without statistics for batch normalization: they are taken from some images.
    for layer in backbone.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.0
    backbone(tf.stack([load_image(path) for path in train_paths[:32]]), training=True)
backbone.trainable = False
model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
history = model.fit(train_ds, validation_data=val_ds, epochs=EPOCHS, verbose=2)

# %% Train: fine-tuning
# Now the last layers of the backbone learn as well, slowly, so that what they know is not lost.
backbone.trainable = True
for place, layer in enumerate(backbone.layers, start=-len(backbone.layers)):
    # Batch normalization stays frozen: trained on, it would change to the statistics of a few small batches.
    layer.trainable = place >= -FINE_TUNED_LAYERS and not isinstance(layer, layers.BatchNormalization)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=FINE_TUNE_LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
fine_tuning = model.fit(train_ds, validation_data=val_ds, epochs=FINE_TUNE_EPOCHS, verbose=2)
model.save("model.keras")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(paths):
    """The class of each image file, as a table."""
    classes = class_names[predicted_classes(model.predict(batches(paths, np.zeros(len(paths))), verbose=0))]
    return pd.DataFrame({"file": [os.path.relpath(path, root) for path in paths], "class": classes})


test_predictions = predicted_classes(model.predict(test_ds, verbose=0))
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
    folder = os.path.join(glob.escape(os.path.join(root, UNLABELLED_FOLDER)), "**")
    new = [path for path in sorted(glob.glob(folder, recursive=True)) if path.lower().endswith(ENDINGS)]
    predict(new).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["val_accuracy"] + fine_tuning.history["val_accuracy"], label="validation")
plt.plot(history.history["accuracy"] + fine_tuning.history["accuracy"], label="training")
plt.axvline(EPOCHS - 0.5, linestyle="--", color="gray", label="fine-tuning begins")
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
