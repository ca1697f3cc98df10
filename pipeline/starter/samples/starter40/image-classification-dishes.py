# %% [markdown]
# # Dishes by transfer learning
# MobileNetV2, trained on ImageNet, already sees shapes and textures. It stays frozen here; only a small head learns
# which dish is on the plate, so a few hundred photos per dish are enough.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
IMAGE_HEIGHT = 160
IMAGE_WIDTH = 160
CHANNELS = 3
NUM_CLASSES = 11
BATCH_SIZE = 64
EPOCHS = 10
LEARNING_RATE = 0.0003

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)
if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: reading the photos
def synthetic_data(count=48):
    """Round plates of food; each class has a tint of its own."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic images.")
    rng = np.random.default_rng(42)
    labels = np.arange(count) % NUM_CLASSES
    tints = rng.uniform(40, 220, (NUM_CLASSES, CHANNELS))
    y, x = np.mgrid[-1 : 1 : IMAGE_HEIGHT * 1j, -1 : 1 : IMAGE_WIDTH * 1j]
    images = np.full((count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), 235.0)
    for image, label in zip(images, labels, strict=True):
        image[np.hypot(x, y) < rng.uniform(0.5, 0.9)] = tints[label]
    images += rng.normal(0, 20, images.shape)
    return images.clip(0, 255).astype("uint8"), labels, [f"class {i}" for i in range(NUM_CLASSES)]


def load_image(path):
    """One photo as an array of the size above."""
    color_mode = "rgb" if CHANNELS == 3 else "grayscale"
    image = keras.utils.load_img(path, color_mode=color_mode, target_size=(IMAGE_HEIGHT, IMAGE_WIDTH))
    return keras.utils.img_to_array(image, dtype="uint8")


def load_data():
    """Images, integer labels and class names from DATA_DIR/<class>/*.jpg (or .png), one folder per class."""
    if SYNTHETIC:
        return synthetic_data()
    folders = sorted(folder for folder in Path(DATA_DIR).iterdir() if folder.is_dir())
    files = [(path, label) for label, folder in enumerate(folders) for path in sorted(folder.glob("[!.]*"))]
    images = np.stack([load_image(path) for path, _ in files])
    labels = np.array([label for _, label in files])
    return images, labels, [folder.name for folder in folders]


images, labels, class_names = load_data()
print("images:", images.shape, "classes:", class_names)


# %% Preprocessing
def scale(image, label):
    """Pixels from 0..255 to -1..1, the range MobileNetV2 was trained on."""
    return tf.cast(image, tf.float32) / 127.5 - 1.0, label


def flip(image, label):
    """A mirrored copy every other time."""
    return tf.image.random_flip_left_right(image), label


def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


def make_dataset(images, labels, training=False):
    """Scaled batches; shuffled and flipped for training."""
    dataset = tf.data.Dataset.from_tensor_slices((images, encode_labels(labels)))
    if training:
        dataset = dataset.shuffle(len(images)).map(flip, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.map(scale, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)


train_images, test_images, train_labels, test_labels = train_test_split(images, labels, test_size=0.2, random_state=42)
train_images, val_images, train_labels, val_labels = train_test_split(
    train_images, train_labels, test_size=0.2, random_state=42
)
train_ds = make_dataset(train_images, train_labels, training=True)
val_ds = make_dataset(val_images, val_labels)
test_ds = make_dataset(test_images, test_labels)


# %% Model
def build_model():
    """A frozen MobileNetV2 and a small head."""
    height, width = max(IMAGE_HEIGHT, 32), max(IMAGE_WIDTH, 32)  # the least MobileNetV2 takes
    backbone = keras.applications.MobileNetV2(
        input_shape=(height, width, 3), include_top=False, weights="imagenet" if not SYNTHETIC else None
    )
    backbone.trainable = False

    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    x = inputs if CHANNELS == 3 else layers.Concatenate()([inputs] * 3)  # grey becomes red, green and blue
    if (height, width) != (IMAGE_HEIGHT, IMAGE_WIDTH):
        x = layers.Resizing(height, width)(x)
    x = backbone(x, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Dense(128, activation="relu")(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
history = model.fit(
    train_ds,
    validation_data=val_ds,
    epochs=EPOCHS,
    callbacks=[early_stopping],
    shuffle=False,  # train_ds shuffles itself
    verbose=2,
)


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


scores = model.evaluate(test_ds, return_dict=True, verbose=0)
print("test:", {name: round(value, 4) for name, value in scores.items()})

predictions = predicted_classes(model.predict(test_ds, verbose=0))
print(
    classification_report(
        test_labels, predictions, labels=range(NUM_CLASSES), target_names=class_names, zero_division=0
    )
)

# %% Show
figure, axes = plt.subplots(2, 4, figsize=(10, 5.5))
for i, ax in enumerate(axes.flat):
    ax.axis("off")
    if i < len(test_images):
        ax.imshow(test_images[i], cmap="gray")
        ax.set_title(f"{class_names[predictions[i]]}\n(true: {class_names[test_labels[i]]})", fontsize=9)
figure.tight_layout()
plt.savefig("predictions.png")
