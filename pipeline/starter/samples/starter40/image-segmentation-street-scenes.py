# %% [markdown]
# # Street scenes, pixel by pixel
# Every pixel of a dash-camera image belongs to one of several classes: road, pavement, sky, car and so on. A U-Net with
# batch normalization predicts the class of each pixel; masks hold plain class numbers, so the loss is the sparse one.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
IMAGE_HEIGHT = 96
IMAGE_WIDTH = 160
CHANNELS = 3
NUM_CLASSES = 8
BATCH_SIZE = 16
EPOCHS = 25
LEARNING_RATE = 0.001

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)
if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: reading images and masks
def synthetic_data(count=32):
    """Wavy bands, one per class from top to bottom, each with a tint of its own."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic images.")
    rng = np.random.default_rng(42)
    rows = np.linspace(0, 1, IMAGE_HEIGHT)[np.newaxis, :, np.newaxis]
    columns = np.linspace(0, 2 * np.pi, IMAGE_WIDTH)[np.newaxis, np.newaxis, :]
    phase, shift = rng.uniform(0, 2 * np.pi, (count, 1, 1)), rng.uniform(-0.1, 0.1, (count, 1, 1))
    height = rows + shift + 0.05 * np.sin(columns + phase)
    masks = np.clip(height * NUM_CLASSES, 0, NUM_CLASSES - 1).astype("uint8")
    tints = rng.uniform(20, 235, (NUM_CLASSES, CHANNELS))
    images = tints[masks] + rng.normal(0, 20, (count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    return images.clip(0, 255).astype("uint8"), masks


def load_image(path, color_mode, interpolation="bilinear"):
    """One image or mask as an array of the size above."""
    size = (IMAGE_HEIGHT, IMAGE_WIDTH)
    image = keras.utils.load_img(path, color_mode=color_mode, target_size=size, interpolation=interpolation)
    return keras.utils.img_to_array(image, dtype="uint8")


def load_data():
    """Images from DATA_DIR/images and masks from DATA_DIR/masks: .png files of the same names.

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
def scale(image, mask):
    """Pixels from 0..255 to 0..1."""
    return tf.cast(image, tf.float32) / 255.0, mask


def mirror(image, mask):
    """Image and mask flipped together, every other time."""
    flipped = tf.random.uniform(()) < 0.5
    return tf.where(flipped, image[:, ::-1], image), tf.where(flipped, mask[:, ::-1], mask)


def encode_masks(masks):
    """Class numbers, the form sparse categorical cross-entropy expects."""
    return np.asarray(masks, dtype="int32")


def make_dataset(images, masks, training=False):
    """Scaled batches; shuffled and mirrored for training."""
    dataset = tf.data.Dataset.from_tensor_slices((images, encode_masks(masks)))
    if training:
        dataset = dataset.shuffle(len(images)).map(mirror, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.map(scale, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)


train_images, test_images, train_masks, test_masks = train_test_split(images, masks, test_size=0.2, random_state=42)
train_images, val_images, train_masks, val_masks = train_test_split(
    train_images, train_masks, test_size=0.2, random_state=42
)
train_ds = make_dataset(train_images, train_masks, training=True)
val_ds = make_dataset(val_images, val_masks)
test_ds = make_dataset(test_images, test_masks)


# %% Model
def conv_block(x, filters):
    """Convolution, batch normalization, ReLU, twice."""
    for _ in range(2):
        x = layers.Conv2D(filters, (3, 3), padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.Activation("relu")(x)
    return x


def up_block(x, skip, filters):
    """Twice the size, joined with the encoder's features of that size."""
    x = layers.UpSampling2D((2, 2), interpolation="bilinear")(x)
    rows, columns = x.shape[1] - skip.shape[1], x.shape[2] - skip.shape[2]
    if rows or columns:  # pooling rounded an odd size up
        x = layers.Cropping2D(((0, rows), (0, columns)))(x)
    x = layers.Concatenate()([x, skip])
    return conv_block(x, filters)


def build_model():
    """A U-Net with three levels and a softmax per pixel."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))

    skips = []
    x = inputs
    for filters in (16, 32, 64):
        x = conv_block(x, filters)
        skips.append(x)
        x = layers.MaxPooling2D((2, 2), padding="same")(x)

    x = conv_block(x, 128)

    for filters in (64, 32, 16):
        x = up_block(x, skips.pop(), filters)

    outputs = layers.Conv2D(NUM_CLASSES, (1, 1), activation="softmax")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
callbacks = [keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=3)]
history = model.fit(
    train_ds,
    validation_data=val_ds,
    epochs=EPOCHS,
    callbacks=callbacks,
    shuffle=False,  # train_ds shuffles itself
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


scores = model.evaluate(test_ds, return_dict=True, verbose=0)
print("test:", {name: round(value, 4) for name, value in scores.items()})

predictions = predicted_masks(model.predict(test_ds, verbose=0))
ious = [intersection_over_union(test_masks, predictions, label) for label in range(NUM_CLASSES)]
print("IoU per class:", np.round(ious, 3), f"mean: {np.mean(ious):.3f}")

# %% Show
shown = min(4, len(test_images))
figure, axes = plt.subplots(shown, 3, figsize=(9, 2.2 * shown), squeeze=False)
for row, image, mask, prediction in zip(axes, test_images, test_masks, predictions, strict=False):
    row[0].imshow(image, cmap="gray")
    row[1].imshow(mask, cmap="tab20", vmin=0, vmax=NUM_CLASSES - 1)
    row[2].imshow(prediction, cmap="tab20", vmin=0, vmax=NUM_CLASSES - 1)
    for ax, title in zip(row, ("image", "mask", "prediction"), strict=True):
        ax.set_title(title, fontsize=9)
        ax.axis("off")
figure.tight_layout()
plt.savefig("predictions.png")
