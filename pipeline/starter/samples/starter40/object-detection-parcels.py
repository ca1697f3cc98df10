# %% [markdown]
# # Parcels on a belt: an anchor-free detector
# Several parcels of different kinds may lie in one image. The network divides the image into a grid; the cell that
# holds a parcel's centre says so, and gives the parcel's box and class. No anchor boxes are needed.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
CHANNELS = 3
NUM_CLASSES = 3
BATCH_SIZE = 16
EPOCHS = 80
LEARNING_RATE = 0.001

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)
if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)

GRID_ROWS = -(-IMAGE_HEIGHT // 16)  # the network halves the image four times, rounding up
GRID_COLUMNS = -(-IMAGE_WIDTH // 16)
BOX = ["x", "y", "w", "h"]  # centre, width and height, all relative to the image


# %% Data: reading images and annotations
def synthetic_data(count=48):
    """One to three boxes per image on a noisy ground; each class has a tint of its own."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic images.")
    rng = np.random.default_rng(42)
    tints = rng.uniform(130, 255, (NUM_CLASSES, CHANNELS))
    y, x = np.mgrid[0 : 1 : IMAGE_HEIGHT * 1j, 0 : 1 : IMAGE_WIDTH * 1j]
    images = rng.normal(60, 20, (count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    objects = []
    for image in images:
        size = rng.integers(1, 4)
        boxes = rng.uniform([0.1, 0.1, 0.15, 0.15], [0.9, 0.9, 0.35, 0.35], (size, len(BOX)))
        labels = rng.integers(NUM_CLASSES, size=size)
        for (centre_x, centre_y, width, height), label in zip(boxes, labels, strict=True):
            image[(abs(x - centre_x) < width / 2) & (abs(y - centre_y) < height / 2)] = tints[label]
        objects.append((boxes, labels))
    return images.clip(0, 255).astype("uint8"), objects


def load_image(path):
    """One image as an array of the size above."""
    color_mode = "rgb" if CHANNELS == 3 else "grayscale"
    image = keras.utils.load_img(path, color_mode=color_mode, target_size=(IMAGE_HEIGHT, IMAGE_WIDTH))
    return keras.utils.img_to_array(image, dtype="uint8")


def load_data():
    """Images, and for each its boxes and integer labels.

    DATA_DIR/images holds the images; DATA_DIR/annotations.csv has one row per object: file, label, x, y, w, h (0..1).
    """
    if SYNTHETIC:
        return synthetic_data()
    groups = pd.read_csv(os.path.join(DATA_DIR, "annotations.csv")).groupby("file")
    images = np.stack([load_image(os.path.join(DATA_DIR, "images", name)) for name, _ in groups])
    return images, [(group[BOX].to_numpy(), group["label"].to_numpy()) for _, group in groups]


images, objects = load_data()
print("images:", images.shape, "objects:", sum(len(boxes) for boxes, _ in objects))


# %% Preprocessing
def scale(images):
    """Pixels from 0..255 to 0..1."""
    return images.astype("float32") / 255.0


def encode_objects(objects):
    """One grid per image; a cell holds 1, the box and the one-hot class of the object centred in it, or zeros.

    The centre is measured from the cell's own corner in cells, the size in images: all numbers lie in 0..1.
    """
    grids = np.zeros((len(objects), GRID_ROWS, GRID_COLUMNS, 5 + NUM_CLASSES), "float32")
    for grid, (boxes, labels) in zip(grids, objects, strict=True):
        for (x, y, w, h), label in zip(boxes, labels, strict=True):
            column, row = min(int(x * GRID_COLUMNS), GRID_COLUMNS - 1), min(int(y * GRID_ROWS), GRID_ROWS - 1)
            grid[row, column] = 0  # a later object takes the cell over
            grid[row, column, :5] = 1, x * GRID_COLUMNS - column, y * GRID_ROWS - row, w, h
            grid[row, column, 5 + int(label)] = 1
    return grids


x_train, x_test, train_objects, test_objects = train_test_split(scale(images), objects, test_size=0.2, random_state=42)
x_train, x_val, train_objects, val_objects = train_test_split(x_train, train_objects, test_size=0.2, random_state=42)
y_train, y_val, y_test = encode_objects(train_objects), encode_objects(val_objects), encode_objects(test_objects)


# %% Model
def down_block(x, filters):
    """Half the size, then a refining convolution."""
    x = layers.Conv2D(filters, (3, 3), strides=(2, 2), padding="same", activation="relu")(x)
    x = layers.Conv2D(filters, (3, 3), padding="same", activation="relu")(x)
    return layers.BatchNormalization(momentum=0.9)(x)


def build_model():
    """Four halvings down to the grid; each cell gives an object score, a box and class scores."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    x = down_block(inputs, 16)
    x = down_block(x, 32)
    x = down_block(x, 64)
    x = down_block(x, 128)
    x = layers.Conv2D(128, (3, 3), padding="same", activation="relu")(x)
    outputs = layers.Conv2D(5 + NUM_CLASSES, (1, 1), activation="sigmoid")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% [markdown]
# Most cells are empty, so the loss has three parts: every cell learns whether it holds an object; only the cells that
# do learn its box and its class.


# %% Compile
def cross_entropy(true, predicted):
    """Binary cross-entropy of each number, without averaging."""
    predicted = tf.clip_by_value(predicted, 1e-6, 1 - 1e-6)
    return -true * tf.math.log(predicted) - (1 - true) * tf.math.log(1 - predicted)


def detection_loss(y_true, y_pred):
    """Object, box and class errors, each divided by the number of objects."""
    is_object = y_true[..., :1]
    objects = tf.maximum(tf.reduce_sum(is_object), 1.0)
    object_error = tf.reduce_sum(cross_entropy(is_object, y_pred[..., :1]))
    box_error = tf.reduce_sum(is_object * tf.square(y_true[..., 1:5] - y_pred[..., 1:5]))
    class_error = tf.reduce_sum(is_object * cross_entropy(y_true[..., 5:], y_pred[..., 5:]))
    return (object_error + 5.0 * box_error + class_error) / objects


def class_accuracy(y_true, y_pred):
    """Share of the objects whose cell gives them the right class."""
    is_object = y_true[..., 0]
    right = tf.equal(tf.argmax(y_true[..., 5:], axis=-1), tf.argmax(y_pred[..., 5:], axis=-1))
    return tf.reduce_sum(is_object * tf.cast(right, tf.float32)) / tf.maximum(tf.reduce_sum(is_object), 1.0)


model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=LEARNING_RATE),
    loss=detection_loss,
    metrics=[class_accuracy],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=15, restore_best_weights=True)
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[early_stopping],
    verbose=2,
)


# %% Evaluate
def decode_grid(grid, threshold=0.5, limit=20):
    """Boxes (top, left, bottom, right in 0..1), classes and scores of one grid, without overlapping doubles."""
    row, column = np.mgrid[:GRID_ROWS, :GRID_COLUMNS]
    x, y = (column + grid[..., 1]) / GRID_COLUMNS, (row + grid[..., 2]) / GRID_ROWS
    w, h = grid[..., 3], grid[..., 4]
    boxes = np.stack([y - h / 2, x - w / 2, y + h / 2, x + w / 2], axis=-1).reshape(-1, 4).astype("float32")
    scores, classes = grid[..., 0].ravel(), grid[..., 5:].argmax(axis=-1).ravel()
    kept = tf.image.non_max_suppression(boxes, scores, limit, iou_threshold=0.4, score_threshold=threshold).numpy()
    return boxes[kept], classes[kept], scores[kept]


scores = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, return_dict=True, verbose=0)
print("test:", {name: round(value, 4) for name, value in scores.items()})

predictions = model.predict(x_test, batch_size=BATCH_SIZE, verbose=0)
is_object = y_test[..., 0] == 1
centre_error, size_error = np.abs(y_test - predictions)[is_object][:, 1:5].reshape(-1, 2, 2).mean(axis=(0, 2))
print(f"boxes of true objects: centres off by {centre_error:.2f} cells, sizes by {size_error:.2f} of the image")

# %% Show
figure, axes = plt.subplots(2, 3, figsize=(9, 6.2))
for i, ax in enumerate(axes.flat):
    ax.axis("off")
    if i < len(x_test):
        ax.imshow(x_test[i], cmap="gray")
        for grid, color in ((y_test[i], "lime"), (predictions[i], "red")):
            for (top, left, bottom, right), label, _ in zip(*decode_grid(grid), strict=True):
                corner, width, height = (left * IMAGE_WIDTH, top * IMAGE_HEIGHT), right - left, bottom - top
                ax.add_patch(
                    plt.Rectangle(corner, width * IMAGE_WIDTH, height * IMAGE_HEIGHT, fill=False, edgecolor=color)
                )
                ax.text(*corner, f"class {label}", color=color, fontsize=7)
figure.tight_layout()
plt.savefig("detections.png")
