# %% [markdown]
# # Masks from images
# A small U-Net on pairs of images and masks, matched by their names; each value that the masks hold is a class.

# %% Imports
import glob
import os
import re

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "images/*"  # where the images lie below DATA_DIR
MASKS = "masks/*"
UNLABELLED_FOLDER = ""  # images without masks that predictions are wanted for
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
BATCH_SIZE = 8
EPOCHS = 40
LEARNING_RATE = 0.001

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
MOST_CLASSES = 256
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_pairs(count=64):
    """Noise with a bright rectangle, and the mask of the rectangle."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(42)
    images = rng.integers(0, 100, size=(count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    masks = np.zeros((count, IMAGE_HEIGHT, IMAGE_WIDTH), dtype="uint8")
    for image, mask in zip(images, masks, strict=True):
        top, left = rng.integers(IMAGE_HEIGHT // 2), rng.integers(IMAGE_WIDTH // 2)
        bottom, right = top + IMAGE_HEIGHT // 3, left + IMAGE_WIDTH // 3
        image[top:bottom, left:right] += 120
        mask[top:bottom, left:right] = 255
    return images, masks


def read_image(path, mode, how):
    """One image as an array of the wanted size."""
    with Image.open(path) as image:
        return np.asarray(image.convert(mode).resize((IMAGE_WIDTH, IMAGE_HEIGHT), how))


def read_mask(path):
    """The values of a mask, as they are: of an image with a palette the numbers of its colours."""
    with Image.open(path) as image:
        plain = image if image.mode in ("P", "L", "1", "I", "I;16") else image.convert("L")
        return np.asarray(plain.resize((IMAGE_WIDTH, IMAGE_HEIGHT), Image.NEAREST)).astype("int64")


def by_stem(pattern, others=()):
    """The files of a pattern, save the others, by their names without ending and without what marks a mask."""
    stems = {}
    for path in sorted(set(glob.glob(os.path.join(glob.escape(DATA_DIR), pattern))) - set(others)):
        stem = os.path.splitext(os.path.basename(path))[0]
        stems[re.sub(r"[_.-](mask|masks|seg|segmentation|label|labels|gt|target)$", "", stem, flags=re.I)] = path
    return stems


def read_pairs():
    """All images that have a mask, and their masks."""
    masks = by_stem(MASKS)
    images = by_stem(IMAGES, others=masks.values())
    paired = [stem for stem in images if stem in masks]
    if not paired:
        raise SystemExit(f"{DATA_DIR}: no file of {MASKS} is named as one of {IMAGES}; set DATA_DIR")
    print(f"{len(paired)} pairs, {len(images) - len(paired)} images without a mask")
    pixels = [read_image(images[stem], MODES[CHANNELS], Image.BILINEAR) for stem in paired]
    pixels = np.stack(pixels).reshape(-1, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)
    return pixels, np.stack([read_mask(masks[stem]) for stem in paired])


images, mask_values = synthetic_pairs() if SYNTHETIC else read_pairs()
values = np.unique(mask_values)
NUM_CLASSES = len(values)
if not 2 <= NUM_CLASSES <= MOST_CLASSES:
    raise SystemExit(f"the masks hold {NUM_CLASSES} different values; 2 to {MOST_CLASSES} classes fit")
masks = np.searchsorted(values, mask_values)
print(f"{NUM_CLASSES} classes of pixels: {values[:20].tolist()}")


# %% Preprocessing
def encode_masks(masks):
    """Class numbers, the form sparse categorical cross-entropy expects."""
    return np.asarray(masks, dtype="int32")


x_train, x_test, train_masks, test_masks = train_test_split(images, masks, test_size=0.2, random_state=42)
x_train, x_val, train_masks, val_masks = train_test_split(x_train, train_masks, test_size=0.15, random_state=42)
x_train = x_train.astype("float32") / 255.0
x_val = x_val.astype("float32") / 255.0
x_test = x_test.astype("float32") / 255.0
y_train, y_val, y_test = encode_masks(train_masks), encode_masks(val_masks), encode_masks(test_masks)


# %% Model
def double_convolution(x, filters):
    """Two convolutions that keep the size."""
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
    return x


def build_model():
    """A U-Net: three steps down and up, with the details of each step handed across."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    x, details = inputs, []
    for filters in (16, 32, 64):
        x = double_convolution(x, filters)
        details.append(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = double_convolution(x, 128)
    for filters, detail in zip((64, 32, 16), reversed(details), strict=True):
        x = layers.Conv2DTranspose(filters, 2, strides=2, padding="same")(x)
        x = layers.Resizing(detail.shape[1], detail.shape[2])(x)  # a size that is odd was rounded on the way down
        x = double_convolution(layers.Concatenate()([x, detail]), filters)
    outputs = layers.Conv2D(NUM_CLASSES, 1, activation="softmax")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()
if model.output_shape[-1] != NUM_CLASSES and (model.output_shape[-1], NUM_CLASSES) != (1, 2):
    raise SystemExit(f"the model tells {model.output_shape[-1]} classes apart and the masks hold {NUM_CLASSES}")

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)

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
def predicted_masks(outputs):
    """Class numbers from probabilities, for one output channel (sigmoid) or one per class."""
    return (outputs[..., 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def mean_iou(truth, predicted):
    """The overlap of each class with its true pixels (intersection over union), averaged over the classes."""
    overlaps = []
    for number in range(NUM_CLASSES):
        union = np.sum((truth == number) | (predicted == number))
        if union:
            overlaps.append(np.sum((truth == number) & (predicted == number)) / union)
    return float(np.mean(overlaps))


test_predictions = predicted_masks(model.predict(x_test, batch_size=BATCH_SIZE, verbose=0))
most_frequent = np.full_like(test_masks, np.bincount(train_masks.ravel()).argmax())
print(
    f"held-out mean IoU: {mean_iou(test_masks, test_predictions):.4f} "
    f"(baseline, always the most frequent class: {mean_iou(test_masks, most_frequent):.4f})"
)


# %% Evaluate: new images
def predict(path):
    """The mask of an image file, with the values that the masks of the data have."""
    pixels = read_image(path, MODES[CHANNELS], Image.BILINEAR).reshape(1, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)
    outputs = model.predict(pixels.astype("float32") / 255.0, verbose=0)
    return values[predicted_masks(outputs)[0]]


if UNLABELLED_FOLDER and not SYNTHETIC:
    os.makedirs("predicted_masks", exist_ok=True)
    for path in sorted(glob.glob(os.path.join(glob.escape(os.path.join(DATA_DIR, UNLABELLED_FOLDER)), "*"))):
        name = os.path.splitext(os.path.basename(path))[0]
        Image.fromarray(predict(path).astype("uint8")).save(os.path.join("predicted_masks", f"{name}.png"))

# %% Show
figure, axes = plt.subplots(3, 3, figsize=(6, 6))
for row, image, truth, predicted in zip(axes, x_test, test_masks, test_predictions, strict=False):
    row[0].imshow(image[..., 0] if CHANNELS == 1 else image, cmap="gray" if CHANNELS == 1 else None)
    row[1].imshow(truth, vmin=0, vmax=NUM_CLASSES - 1)
    row[2].imshow(predicted, vmin=0, vmax=NUM_CLASSES - 1)
for axis, title in zip(axes[0], ("image", "true mask", "predicted mask"), strict=True):
    axis.set_title(title)
for axis in axes.flat:
    axis.axis("off")
plt.tight_layout()
plt.savefig("masks.png")
plt.show()
