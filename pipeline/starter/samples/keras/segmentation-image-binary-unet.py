# %% [markdown]
# # One mask of each image by a U-Net
# Each pixel either belongs to what is looked for or to the background: one output channel with a sigmoid, trained by
# binary cross-entropy plus the Dice loss, which does not let a small object drown in the background.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from PIL import Image
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "images/*"  # where the images lie below DATA_DIR
MASKS = "masks/*"  # where their masks lie, by the same names; what is not black is the object
UNLABELLED_FOLDER = ""  # images without masks that predictions are wanted for
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
CHANNELS = 3
FILTERS = [16, 32, 64, 128]  # at full size, at half the size, ...
DROPOUT = 0.1
THRESHOLD = 0.5  # probability from which on a pixel belongs to the object
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 8
EPOCHS = 40
LEARNING_RATE = 0.001
PATIENCE = 8

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 64)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 64)
    FILTERS = [min(filters, 32) for filters in FILTERS[:3]]
    BATCH_SIZE = min(BATCH_SIZE, 4)
    EPOCHS = min(EPOCHS, 8)


# %% Data: files
def made_up_folder(count=64):
    """Noise with a bright ellipse in each image, and its mask."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    rows, columns = np.mgrid[:IMAGE_HEIGHT, :IMAGE_WIDTH]
    for number in range(count):
        middle = rng.uniform(0.3, 0.7, size=2) * (IMAGE_HEIGHT, IMAGE_WIDTH)
        radii = rng.uniform(0.12, 0.3, size=2) * (IMAGE_HEIGHT, IMAGE_WIDTH)
        inside = ((rows - middle[0]) / radii[0]) ** 2 + ((columns - middle[1]) / radii[1]) ** 2 < 1
        image = rng.integers(0, 110, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
        image[inside] += 110
        for pattern, pixels in ((IMAGES, image.squeeze()), (MASKS, 255 * inside.astype("uint8"))):
            path = os.path.join(folder, pattern.replace("*", str(number)) + ("" if "." in pattern else ".png"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            Image.fromarray(pixels).save(path)
    return folder


def files_by_name(pattern):
    """The files that fit a pattern, by their names without ending and without what marks a mask."""
    files = sorted(glob.glob(os.path.join(glob.escape(folder), pattern)))
    stems = [os.path.splitext(os.path.basename(path))[0] for path in files]
    return {stem.removesuffix("_mask").removesuffix("_seg"): path for stem, path in zip(stems, files, strict=True)}


folder = made_up_folder() if SYNTHETIC else DATA_DIR
images, masks = files_by_name(IMAGES), files_by_name(MASKS)
paired = sorted(images.keys() & masks.keys())
if len(paired) < 5:
    raise SystemExit(f"{folder}: {len(paired)} files of {MASKS} are named as one of {IMAGES}; set DATA_DIR")
print(f"{len(paired)} images with a mask")


# %% Preprocessing
def read_image(path):
    """One image with pixels from 0 to 1: (IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)."""
    with Image.open(path) as image:
        resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(resized, dtype="float32").reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS) / 255.0


def read_mask(path):
    """One mask of zeros and ones: (IMAGE_HEIGHT, IMAGE_WIDTH, 1)."""
    with Image.open(path) as image:
        resized = image.convert("L").resize((IMAGE_WIDTH, IMAGE_HEIGHT), Image.NEAREST)
    return (np.asarray(resized)[..., None] > 0).astype("float32")


def arrays_of(names):
    """The images and the masks of some names."""
    return np.stack([read_image(images[name]) for name in names]), np.stack([read_mask(masks[name]) for name in names])


train, test = train_test_split(paired, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
(x_train, y_train), (x_val, y_val), (x_test, y_test) = arrays_of(train), arrays_of(val), arrays_of(test)
print(f"{y_train.mean():.1%} of the training pixels belong to the object")


# %% Model
def convolutions(x, filters):
    """Two convolutions that keep the size."""
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    return x


def build_model():
    """A U-Net: down in halves and up again, with what was seen at each size handed across."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    x, seen = inputs, []
    for filters in FILTERS[:-1]:
        x = convolutions(x, filters)
        seen.append(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Dropout(DROPOUT)(convolutions(x, FILTERS[-1]))
    for filters in reversed(FILTERS[:-1]):
        across = seen.pop()
        x = layers.Conv2DTranspose(filters, 2, strides=2, padding="same")(x)
        x = layers.CenterCrop(across.shape[1], across.shape[2])(x)  # halves are rounded up on the way down
        x = convolutions(layers.Concatenate()([across, x]), filters)
    outputs = layers.Conv2D(1, 1, activation="sigmoid")(x)
    return keras.Model(inputs, outputs, name="unet")


model = build_model()
model.summary()


# %% Compile
def dice_loss(truth, probabilities):
    """One less the overlap of a mask with its prediction, image by image."""
    overlap = tf.reduce_sum(truth * probabilities, axis=(1, 2, 3))
    total = tf.reduce_sum(truth + probabilities, axis=(1, 2, 3))
    return 1.0 - (2.0 * overlap + 1.0) / (total + 1.0)


def segmentation_loss(truth, probabilities):
    """Binary cross-entropy of the pixels plus the Dice loss of the images."""
    crossentropy = keras.losses.binary_crossentropy(truth, probabilities)
    return tf.reduce_mean(crossentropy, axis=(1, 2)) + dice_loss(truth, probabilities)


model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss=segmentation_loss,
    metrics=["accuracy", keras.metrics.BinaryIoU(target_class_ids=[1], threshold=THRESHOLD, name="iou")],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)
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
def iou(truth, predicted):
    """Intersection over union of the object's pixels."""
    union = np.sum((truth > 0) | (predicted > 0))
    return float(np.sum((truth > 0) & (predicted > 0)) / union) if union else 1.0


def predicted_masks(pixels):
    """Masks of zeros and ones for images with pixels from 0 to 1."""
    return (model.predict(pixels, batch_size=BATCH_SIZE, verbose=0) > THRESHOLD).astype("uint8")


def predict(path):
    """The mask of an image file, 255 where the object is."""
    return 255 * predicted_masks(read_image(path)[None])[0, ..., 0]


test_predictions = predicted_masks(x_test)
print(f"validation IoU: {iou(y_val, predicted_masks(x_val)):.4f}")
print(
    f"held-out IoU: {iou(y_test, test_predictions):.4f} "
    f"(baseline, the whole image: {iou(y_test, np.ones_like(test_predictions)):.4f})"
)

if UNLABELLED_FOLDER and not SYNTHETIC:
    os.makedirs("predicted_masks", exist_ok=True)
    for name, path in files_by_name(os.path.join(UNLABELLED_FOLDER, "*")).items():
        Image.fromarray(predict(path)).save(os.path.join("predicted_masks", f"{name}.png"))

# %% Show
figure, axes = plt.subplots(3, 3, figsize=(6, 6))
for row, image, truth, predicted in zip(axes, x_test, y_test, test_predictions, strict=False):
    for axis, picture, title in zip(row, (image, truth, predicted), ("image", "true mask", "predicted"), strict=True):
        axis.imshow(picture.squeeze(), cmap="gray", vmin=0, vmax=1)
        axis.set_title(title, fontsize=8)
        axis.axis("off")
plt.tight_layout()
plt.savefig("masks.png")
plt.show()
