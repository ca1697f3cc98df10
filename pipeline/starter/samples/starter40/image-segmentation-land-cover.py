# %% [markdown]
# # Land cover from the air
# A light encoder-decoder without skip connections paints aerial tiles with their land cover. Strided convolutions
# shrink the tile to an eighth, upsampling grows it back, and the last step fits the map to the exact size of the tile.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
IMAGE_HEIGHT = 112
IMAGE_WIDTH = 112
CHANNELS = 3
NUM_CLASSES = 6
BATCH_SIZE = 24
EPOCHS = 50
LEARNING_RATE = 0.002

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)
if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: reading images and masks
def synthetic_data(count=48, fields=9):
    """Patchwork landscapes: each pixel takes the class, and the tint, of the nearest of a few random points."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic images.")
    rng = np.random.default_rng(42)
    y, x = np.mgrid[0 : 1 : IMAGE_HEIGHT * 1j, 0 : 1 : IMAGE_WIDTH * 1j]
    masks = np.zeros((count, IMAGE_HEIGHT, IMAGE_WIDTH), "uint8")
    for mask in masks:
        points, classes = rng.uniform(size=(fields, 2)), rng.integers(NUM_CLASSES, size=fields)
        distances = [np.hypot(y - row, x - column) for row, column in points]
        mask[:] = classes[np.argmin(distances, axis=0)]
    tints = rng.uniform(20, 235, (NUM_CLASSES, CHANNELS))
    images = tints[masks] + rng.normal(0, 20, (count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    return images.clip(0, 255).astype("uint8"), masks


def load_image(path, color_mode, interpolation="bilinear"):
    """One tile or mask as an array of the size above."""
    size = (IMAGE_HEIGHT, IMAGE_WIDTH)
    image = keras.utils.load_img(path, color_mode=color_mode, target_size=size, interpolation=interpolation)
    return keras.utils.img_to_array(image, dtype="uint8")


def load_data():
    """Tiles from DATA_DIR/images and masks from DATA_DIR/masks: .png files of the same names.

    A mask is a grey image whose pixel values are class numbers.
    """
    if SYNTHETIC:
        return synthetic_data()
    color_mode = "rgb" if CHANNELS == 3 else "grayscale"
    names = sorted(path.name for path in Path(DATA_DIR, "images").glob("*.png"))
    images = np.stack([load_image(Path(DATA_DIR, "images", name), color_mode) for name in names])
    masks = np.stack([load_image(Path(DATA_DIR, "masks", name), "grayscale", "nearest") for name in names])
    return images, masks[..., 0]


images, masks = load_data()
print("images:", images.shape, "masks:", masks.shape, "classes in the masks:", np.unique(masks))


# %% Preprocessing
def scale(images):
    """Pixels from 0..255 to 0..1."""
    return images.astype("float32") / 255.0


def encode_masks(masks):
    """One-hot pixels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(masks, NUM_CLASSES)


x_train, x_test, train_masks, test_masks = train_test_split(scale(images), masks, test_size=0.2, random_state=42)
x_train, x_val, train_masks, val_masks = train_test_split(x_train, train_masks, test_size=0.2, random_state=42)
y_train, y_val, y_test = encode_masks(train_masks), encode_masks(val_masks), encode_masks(test_masks)


# %% Model
def build_model():
    """Strided convolutions down to an eighth, upsampling back, a softmax per pixel."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.Conv2D(32, (3, 3), strides=(2, 2), padding="same", activation="relu"),
            layers.BatchNormalization(momentum=0.9),
            layers.Conv2D(64, (3, 3), strides=(2, 2), padding="same", activation="relu"),
            layers.BatchNormalization(momentum=0.9),
            layers.Conv2D(128, (3, 3), strides=(2, 2), padding="same", activation="relu"),
            layers.BatchNormalization(momentum=0.9),
            layers.SeparableConv2D(128, (3, 3), padding="same", activation="relu"),
            layers.UpSampling2D((2, 2)),
            layers.SeparableConv2D(64, (3, 3), padding="same", activation="relu"),
            layers.UpSampling2D((2, 2)),
            layers.SeparableConv2D(32, (3, 3), padding="same", activation="relu"),
            layers.Resizing(IMAGE_HEIGHT, IMAGE_WIDTH),
            layers.Conv2D(NUM_CLASSES, (3, 3), padding="same", activation="softmax"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
callbacks = [
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=4),
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True),
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
def predicted_masks(outputs):
    """Class index of every pixel, for one output (sigmoid) or one per class."""
    return (outputs[..., 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


scores = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, return_dict=True, verbose=0)
print("test:", {name: round(value, 4) for name, value in scores.items()})

predictions = predicted_masks(model.predict(x_test, batch_size=BATCH_SIZE, verbose=0))
matrix = confusion_matrix(test_masks.ravel(), predictions.ravel(), labels=range(NUM_CLASSES))
union = matrix.sum(axis=0) + matrix.sum(axis=1) - np.diag(matrix)
for label, iou in enumerate(np.diag(matrix) / np.maximum(union, 1)):
    print(f"class {label}: {matrix[label].sum() / matrix.sum():6.1%} of the area, IoU {iou:.3f}")

# %% Show
shown = min(4, len(x_test))
figure, axes = plt.subplots(shown, 3, figsize=(7, 2.4 * shown), squeeze=False)
for row, image, mask, prediction in zip(axes, x_test, test_masks, predictions, strict=False):
    row[0].imshow(image, cmap="gray")
    row[1].imshow(mask, cmap="tab20", vmin=0, vmax=NUM_CLASSES - 1)
    row[2].imshow(prediction, cmap="tab20", vmin=0, vmax=NUM_CLASSES - 1)
    for ax, title in zip(row, ("image", "mask", "prediction"), strict=True):
        ax.set_title(title, fontsize=9)
        ax.axis("off")
figure.tight_layout()
plt.savefig("predictions.png")
