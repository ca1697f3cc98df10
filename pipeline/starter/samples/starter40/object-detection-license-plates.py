# %% [markdown]
# # Where is the licence plate?
# Each photo shows one car with one plate. A convolutional network with a regression head predicts the plate's box as
# four numbers between 0 and 1: the centre (x, y), the width and the height, relative to the image.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
IMAGE_HEIGHT = 120
IMAGE_WIDTH = 160
CHANNELS = 3
BATCH_SIZE = 20
EPOCHS = 60
LEARNING_RATE = 0.0004

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)
if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)

BOX = ["x", "y", "w", "h"]  # centre, width and height, all relative to the image


# %% Data: reading photos and boxes
def synthetic_data(count=64):
    """One bright plate on a dark noisy ground per image."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic images.")
    rng = np.random.default_rng(42)
    boxes = rng.uniform([0.25, 0.25, 0.2, 0.1], [0.75, 0.75, 0.4, 0.25], size=(count, len(BOX)))
    y, x = np.mgrid[0 : 1 : IMAGE_HEIGHT * 1j, 0 : 1 : IMAGE_WIDTH * 1j]
    images = rng.normal(80, 25, (count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    for image, (centre_x, centre_y, width, height) in zip(images, boxes, strict=True):
        image[(abs(x - centre_x) < width / 2) & (abs(y - centre_y) < height / 2)] += 130
    return images.clip(0, 255).astype("uint8"), boxes


def load_image(path):
    """One photo as an array of the size above."""
    color_mode = "rgb" if CHANNELS == 3 else "grayscale"
    image = keras.utils.load_img(path, color_mode=color_mode, target_size=(IMAGE_HEIGHT, IMAGE_WIDTH))
    return keras.utils.img_to_array(image, dtype="uint8")


def load_data():
    """Photos from DATA_DIR/images and their boxes from DATA_DIR/boxes.csv: columns file, x, y, w, h (0..1)."""
    if SYNTHETIC:
        return synthetic_data()
    table = pd.read_csv(os.path.join(DATA_DIR, "boxes.csv"))
    images = np.stack([load_image(os.path.join(DATA_DIR, "images", name)) for name in table["file"]])
    return images, table[BOX].to_numpy()


images, boxes = load_data()
print("images:", images.shape, "boxes:", boxes.shape)


# %% Preprocessing
def scale(images):
    """Pixels from 0..255 to 0..1."""
    return images.astype("float32") / 255.0


def encode_boxes(boxes):
    """Boxes within the image, as the sigmoid outputs are."""
    return np.clip(boxes, 0, 1).astype("float32")


x_train, x_test, y_train, y_test = train_test_split(scale(images), encode_boxes(boxes), test_size=0.2, random_state=42)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.2, random_state=42)


# %% Model
def build_model():
    """Four convolution blocks; the dense head keeps positions, so the features are flattened, not averaged."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.Conv2D(16, (3, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(32, (3, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(4, activation="sigmoid"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mean_squared_error",
    metrics=["mean_absolute_error"],
)

# %% Train
callbacks = [
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=5),
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=12, restore_best_weights=True),
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


# %% Evaluate
def corners(boxes):
    """Left, top, right and bottom edges of boxes given by centre and size."""
    x, y, w, h = boxes.T
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def intersection_over_union(true, predicted):
    """Overlap of each pair of boxes, from 0 (apart) to 1 (the same)."""
    left, top, right, bottom = corners(true)
    other_left, other_top, other_right, other_bottom = corners(predicted)
    width = np.clip(np.minimum(right, other_right) - np.maximum(left, other_left), 0, None)
    height = np.clip(np.minimum(bottom, other_bottom) - np.maximum(top, other_top), 0, None)
    shared = width * height
    union = true[:, 2] * true[:, 3] + predicted[:, 2] * predicted[:, 3] - shared
    return shared / np.maximum(union, 1e-9)


scores = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, return_dict=True, verbose=0)
print("test:", {name: round(value, 4) for name, value in scores.items()})

predictions = model.predict(x_test, batch_size=BATCH_SIZE, verbose=0)
ious = intersection_over_union(y_test, predictions)
print(f"mean IoU: {ious.mean():.3f}, boxes with an IoU above 0.5: {(ious > 0.5).mean():.0%}")


# %% Show
def draw_box(ax, box, color):
    """One box in pixels on top of an image."""
    x, y, w, h = box * [IMAGE_WIDTH, IMAGE_HEIGHT, IMAGE_WIDTH, IMAGE_HEIGHT]
    ax.add_patch(plt.Rectangle((x - w / 2, y - h / 2), w, h, fill=False, edgecolor=color, linewidth=2))


figure, axes = plt.subplots(2, 3, figsize=(10, 5.5))
for i, ax in enumerate(axes.flat):
    ax.axis("off")
    if i < len(x_test):
        ax.imshow(x_test[i], cmap="gray")
        ax.set_title(f"IoU {ious[i]:.2f}", fontsize=9)
        draw_box(ax, y_test[i], "lime")
        draw_box(ax, predictions[i], "red")
figure.tight_layout()
plt.savefig("predictions.png")
