# %% [markdown]
# # Cell nuclei under the microscope
# A U-Net marks every pixel that belongs to a nucleus. Its encoder shrinks the image to see context, its decoder grows
# it back, and at each size the two are joined so that outlines stay sharp.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
CHANNELS = 3
NUM_CLASSES = 2
BATCH_SIZE = 8
EPOCHS = 30
LEARNING_RATE = 0.0005

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)
if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: reading images and masks
def synthetic_data(count=32):
    """Dark round spots on a pale ground, with the masks of the spots."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic images.")
    rng = np.random.default_rng(42)
    y, x = np.mgrid[0 : 1 : IMAGE_HEIGHT * 1j, 0 : 1 : IMAGE_WIDTH * 1j]
    masks = np.zeros((count, IMAGE_HEIGHT, IMAGE_WIDTH), "uint8")
    for mask in masks:
        for _ in range(rng.integers(3, 8)):
            row, column, radius = rng.uniform(0, 1), rng.uniform(0, 1), rng.uniform(0.06, 0.14)
            mask[np.hypot(y - row, x - column) < radius] = 1
    images = 200.0 - 110.0 * masks[..., np.newaxis]
    images = images + rng.normal(0, 25, (count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    return images.clip(0, 255).astype("uint8"), masks


def load_image(path, color_mode, interpolation="bilinear"):
    """One image or mask as an array of the size above."""
    size = (IMAGE_HEIGHT, IMAGE_WIDTH)
    image = keras.utils.load_img(path, color_mode=color_mode, target_size=size, interpolation=interpolation)
    return keras.utils.img_to_array(image, dtype="uint8")


def load_data():
    """Images from DATA_DIR/images and masks (white on black) from DATA_DIR/masks, as .png files of the same names."""
    if SYNTHETIC:
        return synthetic_data()
    color_mode = "rgb" if CHANNELS == 3 else "grayscale"
    names = sorted(path.name for path in Path(DATA_DIR, "images").glob("*.png"))
    images = np.stack([load_image(Path(DATA_DIR, "images", name), color_mode) for name in names])
    masks = np.stack([load_image(Path(DATA_DIR, "masks", name), "grayscale", "nearest") for name in names])
    return images, (masks[..., 0] > 127).astype("uint8")


images, masks = load_data()
print("images:", images.shape, "masks:", masks.shape, f"foreground: {masks.mean():.1%}")


# %% Preprocessing
def scale(images):
    """Pixels from 0..255 to 0..1."""
    return images.astype("float32") / 255.0


def encode_masks(masks):
    """Zero or one per pixel with a channel axis, the form binary cross-entropy expects."""
    return masks[..., np.newaxis].astype("float32")


x_train, x_test, train_masks, test_masks = train_test_split(scale(images), masks, test_size=0.2, random_state=42)
x_train, x_val, train_masks, val_masks = train_test_split(x_train, train_masks, test_size=0.2, random_state=42)
y_train, y_val, y_test = encode_masks(train_masks), encode_masks(val_masks), encode_masks(test_masks)


# %% Model
def double_conv(x, filters):
    """Two convolutions of the same size."""
    x = layers.Conv2D(filters, (3, 3), padding="same", activation="relu")(x)
    return layers.Conv2D(filters, (3, 3), padding="same", activation="relu")(x)


def up_block(x, skip, filters):
    """Twice the size, joined with the encoder's features of that size."""
    x = layers.Conv2DTranspose(filters, (2, 2), strides=(2, 2), padding="same")(x)
    rows, columns = x.shape[1] - skip.shape[1], x.shape[2] - skip.shape[2]
    if rows or columns:  # pooling rounded an odd size up
        x = layers.Cropping2D(((0, rows), (0, columns)))(x)
    x = layers.Concatenate()([x, skip])
    return double_conv(x, filters)


def build_model():
    """A U-Net with three levels and one sigmoid per pixel."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))

    skips = []
    x = inputs
    for filters in (16, 32, 64):
        x = double_conv(x, filters)
        skips.append(x)
        x = layers.MaxPooling2D((2, 2), padding="same")(x)

    x = double_conv(x, 128)
    x = layers.Dropout(0.3)(x)

    for filters in (64, 32, 16):
        x = up_block(x, skips.pop(), filters)

    outputs = layers.Conv2D(1, (1, 1), activation="sigmoid")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="binary_crossentropy",
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


# %% Evaluate
def predicted_masks(outputs):
    """Class index of every pixel, for one output (sigmoid) or one per class."""
    return (outputs[..., 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def intersection_over_union(true, predicted, label):
    """Pixels both masks give to a class, divided by the pixels either does; 1 where neither does."""
    union = np.sum((true == label) | (predicted == label))
    return np.sum((true == label) & (predicted == label)) / union if union else 1.0


scores = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, return_dict=True, verbose=0)
print("test:", {name: round(value, 4) for name, value in scores.items()})

predictions = predicted_masks(model.predict(x_test, batch_size=BATCH_SIZE, verbose=0))
for label in range(NUM_CLASSES):
    print(f"class {label}: IoU {intersection_over_union(test_masks, predictions, label):.3f}")

# %% Show
shown = min(4, len(x_test))
figure, axes = plt.subplots(shown, 3, figsize=(7, 2.4 * shown), squeeze=False)
for row, image, mask, prediction in zip(axes, x_test, test_masks, predictions, strict=False):
    for ax, title, picture in zip(row, ("image", "mask", "prediction"), (image, mask, prediction), strict=True):
        ax.imshow(picture, cmap="gray")
        ax.set_title(title, fontsize=9)
        ax.axis("off")
figure.tight_layout()
plt.savefig("predictions.png")
