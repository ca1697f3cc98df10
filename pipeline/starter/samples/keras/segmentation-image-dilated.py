# %% [markdown]
# # A class for each pixel, by dilated convolutions
# Instead of going down and up as a U-Net does, the network stays at a quarter of the size and looks ever farther
# around by convolutions with gaps (as DeepLab does). Masks hold the number of a class for each pixel.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers, ops

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "images/*"  # where the images lie below DATA_DIR
MASKS = "masks/*"  # masks have the names of their images
UNLABELLED_FOLDER = ""  # images without masks that predictions are wanted for
CLASS_NAMES = []  # in the order of the masks' values; empty: the values themselves
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
CHANNELS = 3
FILTERS = 64
DILATIONS = [1, 2, 4, 8]
DICE_WEIGHT = 0.5  # how much the overlap of the classes counts in the loss beside the crossentropy
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 8
EPOCHS = 60
LEARNING_RATE = 0.001

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 48)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 48)
    FILTERS = min(FILTERS, 24)
    EPOCHS = min(EPOCHS, 15)


# %% Data: files
def write_made_up_pairs(root, count=80, size=64):
    """Noise with a bright disc (class 1) and a striped box (class 2) on a dark ground (class 0)."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    rows, columns = np.mgrid[:size, :size]
    for number in range(count):
        mask = np.zeros((size, size), dtype="uint8")
        mask[np.hypot(rows - rng.integers(10, 54), columns - rng.integers(10, 54)) < rng.integers(8, 14)] = 1
        top, left = rng.integers(size - 24, size=2)
        mask[top : top + 20, left : left + 24] = 2
        light = np.choose(mask, (40, 160, np.where(columns % 4 < 2, 220, 60)))
        image = np.repeat((light + rng.normal(0, 12, size=(size, size)))[..., None], 3, axis=-1)
        for pattern, pixels in ((IMAGES, image.clip(0, 255).astype("uint8")), (MASKS, mask)):
            path = os.path.join(root, pattern.replace("*", str(number)))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            Image.fromarray(pixels).save(path if os.path.splitext(path)[1] else path + ".png", format="PNG")


def read_image(path):
    """One image at the wanted size, pixels from 0 to 1."""
    with Image.open(path) as image:
        resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT), Image.BILINEAR)
    return np.asarray(resized, dtype="float32").reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS) / 255.0


def read_mask(path):
    """The values of a mask, unmixed: of an image with a palette the numbers of its colours."""
    with Image.open(path) as image:
        values = image if image.mode in ("P", "L", "1", "I", "I;16") else image.convert("L")
        return np.asarray(values.resize((IMAGE_WIDTH, IMAGE_HEIGHT), Image.NEAREST)).astype("int64")


def files_by_name(pattern):
    """The image files that lie as the pattern says, by what stands for its `*` without ending."""
    before, mark = os.path.splitext(os.path.basename(pattern))[0].split("*")
    files = {}
    for path in sorted(glob.glob(os.path.join(glob.escape(root), pattern))):
        name, ending = os.path.splitext(os.path.basename(path))
        if ending.lower() in ENDINGS and name.endswith(mark):
            files[name.removeprefix(before).removesuffix(mark)] = path
    return files


root = tempfile.mkdtemp() if SYNTHETIC else DATA_DIR
if SYNTHETIC:
    write_made_up_pairs(root)
image_files, mask_files = files_by_name(IMAGES), files_by_name(MASKS)
names = [name for name in image_files if name in mask_files]
if len(names) < 3:
    raise SystemExit(f"{root}: {len(names)} files of {MASKS} are named as one of {IMAGES}; set DATA_DIR")
images = np.stack([read_image(image_files[name]) for name in names])
values, masks = np.unique(np.stack([read_mask(mask_files[name]) for name in names]), return_inverse=True)
masks = masks.reshape(len(images), IMAGE_HEIGHT, IMAGE_WIDTH)
NUM_CLASSES = len(values)
if not 2 <= NUM_CLASSES <= 256:
    raise SystemExit(f"the masks hold {NUM_CLASSES} different values; 2 to 256 classes fit")
class_names = CLASS_NAMES if len(CLASS_NAMES) == NUM_CLASSES else [str(value) for value in values]
print(f"{len(images)} images with masks; share of each class: {(np.bincount(masks.ravel()) / masks.size).round(3)}")


# %% Preprocessing
def encode_masks(masks):
    """Class numbers, the form sparse categorical cross-entropy expects."""
    return np.asarray(masks, dtype="int32")


x_train, x_test, train_masks, test_masks = train_test_split(images, masks, test_size=TEST_SPLIT, random_state=SEED)
x_train, x_val, train_masks, val_masks = train_test_split(
    x_train, train_masks, test_size=VALIDATION_SPLIT, random_state=SEED
)
y_train, y_val, y_test = encode_masks(train_masks), encode_masks(val_masks), encode_masks(test_masks)


# %% Model
def convolution(x, kernel_size=3, strides=1, dilation=1):
    """A convolution with batch normalization; with a dilation its taps lie that far apart."""
    x = layers.Conv2D(FILTERS, kernel_size, strides=strides, dilation_rate=dilation, padding="same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def build_model():
    """Down to a quarter of the size, parallel dilated convolutions and the mean of the whole image, then back up."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    fine = convolution(inputs)
    x = convolution(convolution(fine, strides=2), strides=2)
    views = [convolution(x, dilation=dilation) for dilation in DILATIONS]
    whole = layers.GlobalAveragePooling2D(keepdims=True)(x)
    views.append(layers.UpSampling2D((x.shape[1], x.shape[2]))(layers.Conv2D(FILTERS, 1, activation="relu")(whole)))
    x = convolution(layers.Concatenate()(views), kernel_size=1)
    x = layers.Resizing(IMAGE_HEIGHT, IMAGE_WIDTH)(x)
    x = convolution(layers.Concatenate()([x, fine]))  # the full size's details make edges sharp
    return keras.Model(inputs, layers.Conv2D(NUM_CLASSES, 1, activation="softmax")(x))


@keras.utils.register_keras_serializable()
def crossentropy_and_dice(truth, predicted):
    """Crossentropy of the pixels, and one minus the overlap (Dice) of each class, so that small classes count too."""
    crossentropy = ops.mean(keras.losses.sparse_categorical_crossentropy(truth, predicted))
    wanted = ops.one_hot(ops.cast(truth, "int32"), predicted.shape[-1])
    shared = ops.sum(wanted * predicted, axis=(0, 1, 2))
    total = ops.sum(wanted + predicted, axis=(0, 1, 2))
    return crossentropy + DICE_WEIGHT * (1 - ops.mean((2 * shared + 1) / (total + 1)))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss=crossentropy_and_dice, metrics=["accuracy"]
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)],
    verbose=2,
)
model.save("model.keras")


# %% Evaluate
def overlaps(truth, predicted):
    """Intersection over union of each class; nan for one that is nowhere."""
    shared = [np.sum((truth == number) & (predicted == number)) for number in range(NUM_CLASSES)]
    either = [np.sum((truth == number) | (predicted == number)) for number in range(NUM_CLASSES)]
    return np.array([part / whole if whole else np.nan for part, whole in zip(shared, either, strict=True)])


def predict(path):
    """The mask of an image file, with the values that the masks of the data have."""
    return values[model.predict(read_image(path)[None], verbose=0)[0].argmax(axis=-1)]


test_predictions = model.predict(x_test, batch_size=BATCH_SIZE, verbose=0).argmax(axis=-1)
ious = overlaps(test_masks, test_predictions)
for name, iou in zip(class_names, ious, strict=True):
    print(f"IoU of {name}: {iou:.4f}")
constant = np.full_like(test_masks, np.bincount(train_masks.ravel()).argmax())
print(
    f"held-out mean IoU: {np.nanmean(ious):.4f} "
    f"(baseline, always the most frequent class: {np.nanmean(overlaps(test_masks, constant)):.4f})"
)

if UNLABELLED_FOLDER and not SYNTHETIC:
    os.makedirs("predicted_masks", exist_ok=True)
    for name, path in files_by_name(UNLABELLED_FOLDER + "/*").items():
        Image.fromarray(predict(path).astype("uint8")).save(os.path.join("predicted_masks", f"{name}.png"))

# %% Show
shown = min(3, len(x_test))
figure, axes = plt.subplots(shown, 3, figsize=(7, 2.4 * shown), squeeze=False)
for row, image, truth, predicted in zip(axes, x_test, test_masks, test_predictions, strict=False):
    row[0].imshow(image.squeeze(), cmap="gray" if CHANNELS == 1 else None)
    for axis, mask in zip(row[1:], (truth, predicted), strict=True):
        axis.imshow(mask, cmap="tab20", vmin=0, vmax=max(19, NUM_CLASSES - 1), interpolation="nearest")
for axis, title in zip(axes[0], ("image", "true", "predicted"), strict=True):
    axis.set_title(title)
for axis in axes.flat:
    axis.axis("off")
plt.tight_layout()
plt.savefig("masks.png")
plt.show()
