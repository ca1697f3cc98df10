# %% [markdown]
# # A small network taught by a large one
# Knowledge distillation: a large network (the teacher) learns the classes, then a small one (the student) learns from
# the labels and from how sure the teacher is of every class. Images lie in a folder per class.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers, ops

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_IMAGES = "{class}/*"  # where an image lies below DATA_DIR; {class} stands for its class
UNLABELLED_FOLDER = ""  # images without classes that predictions are wanted for
CLASS_NAMES = ["first", "second", "third", "fourth"]
IMAGE_HEIGHT = 48
IMAGE_WIDTH = 48
CHANNELS = 3
TEACHER_FILTERS = [64, 128, 256]
STUDENT_FILTERS = [8, 16]
TEMPERATURE = 5.0  # the higher, the more of the teacher's doubts is handed on
TEACHER_SHARE = 0.7  # of the student's loss; the rest is the labels'
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 32)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 32)
    TEACHER_FILTERS = [min(filters, 32) for filters in TEACHER_FILTERS]
    BATCH_SIZE = min(BATCH_SIZE, 16)
    EPOCHS = min(EPOCHS, 10)
    LEARNING_RATE = max(LEARNING_RATE, 0.003)


# %% Data: files
def made_up_folder(count=240):
    """Checkered patterns in noise, coarser from class to class and shifted at random."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    rows, columns = np.mgrid[:IMAGE_HEIGHT, :IMAGE_WIDTH]
    for number in range(count):
        label = number % len(CLASS_NAMES)
        size, shift = 2 + 2 * label, rng.integers(20, size=2)
        checkers = ((rows + shift[0]) // size + (columns + shift[1]) // size) % 2
        pixels = rng.integers(0, 110, size=(IMAGE_HEIGHT, IMAGE_WIDTH, 3)) + 100 * checkers[..., None]
        path = os.path.join(root, TRAIN_IMAGES.replace("{class}", CLASS_NAMES[label]))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(pixels.astype("uint8")).save(os.path.join(os.path.dirname(path), f"{number}.png"))
    return root


def read_image(path):
    """One image at the wanted size with pixels from 0 to 1; None for a file that is no image."""
    try:
        with Image.open(path) as image:
            resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    except OSError:
        return None
    return np.asarray(resized, dtype="float32").reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS) / 255.0


def read_images(pattern):
    """Paths and pixels of all images that lie as the pattern says."""
    files = sorted(glob.glob(os.path.join(glob.escape(root), pattern), recursive=True))
    images = {path: pixels for path in files if os.path.isfile(path) and (pixels := read_image(path)) is not None}
    if not images:
        raise SystemExit(f"{os.path.join(root, pattern)}: no images; set DATA_DIR to the folder of your images")
    return list(images), np.stack(list(images.values()))


root = made_up_folder() if SYNTHETIC else DATA_DIR
paths, images = read_images(TRAIN_IMAGES.replace("{class}", "*"))
depth = TRAIN_IMAGES.split("/").index("{class}")
class_names, labels = np.unique(
    [os.path.relpath(path, root).split(os.sep)[depth] for path in paths], return_inverse=True
)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds one class, {class_names[0]}; at least two folders with images are needed")
print(f"{len(images)} images of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))


# %% Preprocessing
def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, x_test, train_labels, test_labels = train_test_split(images, labels, test_size=TEST_SPLIT, random_state=SEED)
x_train, x_val, train_labels, val_labels = train_test_split(
    x_train, train_labels, test_size=VALIDATION_SPLIT, random_state=SEED
)
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)


# %% Model
def build_model(widths, name):
    """A convolutional network of these widths; its outputs are scores (logits), not yet probabilities."""
    network = keras.Sequential([keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))], name=name)
    for filters in widths:
        network.add(layers.Conv2D(filters, 3, padding="same"))
        network.add(layers.BatchNormalization(momentum=0.9))
        network.add(layers.ReLU())
        network.add(layers.MaxPooling2D(2, padding="same"))
    network.add(layers.GlobalAveragePooling2D())
    network.add(layers.Dense(NUM_CLASSES))
    return network


teacher = build_model(TEACHER_FILTERS, "teacher")
model = build_model(STUDENT_FILTERS, "student")
print(f"teacher: {teacher.count_params():,} weights; student: {model.count_params():,}")


class Distiller(keras.Model):
    """The student, trained against the labels and the teacher's softened answers."""

    def __init__(self, student, teacher):
        super().__init__()
        self.student = student
        self.teacher = teacher
        self.teacher.trainable = False

    def call(self, inputs, training=False):
        return self.student(inputs, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        of_labels = super().compute_loss(x, y, y_pred, sample_weight)
        wanted = ops.softmax(self.teacher(x, training=False) / TEMPERATURE)
        given = ops.log_softmax(y_pred / TEMPERATURE)
        # Softened answers have small gradients; the square of the temperature makes up for it (Hinton et al. 2015).
        of_teacher = -ops.mean(ops.sum(wanted * given, axis=-1)) * TEMPERATURE**2
        return (1 - TEACHER_SHARE) * of_labels + TEACHER_SHARE * of_teacher


# %% Compile
scores_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
teacher.compile(keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss=scores_loss, metrics=["accuracy"])

# %% Train
data = {"x": x_train, "y": y_train, "validation_data": (x_val, y_val), "batch_size": BATCH_SIZE, "verbose": 2}
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=6, restore_best_weights=True)
teacher.fit(**data, epochs=EPOCHS, callbacks=[stop])

distiller = Distiller(model, teacher)
distiller.compile(keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss=scores_loss, metrics=["accuracy"])
history = distiller.fit(**data, epochs=EPOCHS)
model.save("model.keras")


# %% Evaluate
def predicted_classes(outputs):
    """The class of the highest score."""
    return outputs.argmax(axis=-1)


def predict(pattern):
    """The student's class of each image that lies as the pattern says, as a table."""
    new_paths, new_images = read_images(pattern)
    return pd.DataFrame(
        {"file": new_paths, "class": class_names[predicted_classes(model.predict(new_images, verbose=0))]}
    )


right = {
    name: np.mean(predicted_classes(network.predict(x_test, verbose=0)) == test_labels)
    for name, network in (("teacher", teacher), ("student", model))
}
print(f"accuracy of the teacher: {right['teacher']:.4f}")
most_frequent = np.mean(test_labels == np.bincount(train_labels).argmax())
print(
    f"held-out accuracy of the student: {right['student']:.4f} "
    f"(baseline, always the most frequent class: {most_frequent:.4f})"
)

if UNLABELLED_FOLDER and not SYNTHETIC:
    table = predict(UNLABELLED_FOLDER + "/**")
    table.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(table)} rows")

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["val_accuracy"], label="student, validation")
plt.plot(teacher.history.history["val_accuracy"], label="teacher, validation")
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
