# %% [markdown]
# # Recycling material from camera images
# A camera over a conveyor belt sees one piece of waste at a time: which material is it? A deeper network with batch
# normalization learns from images that a tf.data pipeline flips, turns and zooms at random.

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
IMAGE_HEIGHT = 96
IMAGE_WIDTH = 96
CHANNELS = 3
NUM_CLASSES = 6
BATCH_SIZE = 48
EPOCHS = 40
LEARNING_RATE = 0.002

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)
if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: reading the images
def synthetic_data(count=60):
    """Woven textures; the fineness of the weave tells the class."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic images.")
    rng = np.random.default_rng(42)
    labels = np.arange(count) % NUM_CLASSES
    y, x = np.mgrid[0 : 2 * np.pi : IMAGE_HEIGHT * 1j, 0 : 2 * np.pi : IMAGE_WIDTH * 1j]
    waves = (labels[:, np.newaxis, np.newaxis] + 1) / 2
    weave = np.sin(waves * x) * np.sin(waves * y)
    images = 128 + 90 * weave[..., np.newaxis] + rng.normal(0, 25, (count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    return images.clip(0, 255).astype("uint8"), labels, [f"class {i}" for i in range(NUM_CLASSES)]


def load_image(path):
    """One image as an array of the size above."""
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
augmentation = keras.Sequential(
    [
        layers.RandomFlip("horizontal_and_vertical"),
        layers.RandomRotation(0.1, fill_mode="nearest"),
        layers.RandomZoom(0.15, fill_mode="nearest"),
    ],
    name="augmentation",
)


def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


def make_dataset(images, labels, training=False):
    """Batches with pixels in 0..1; shuffled and augmented for training."""
    dataset = tf.data.Dataset.from_tensor_slices((images, encode_labels(labels)))
    if training:
        dataset = dataset.shuffle(len(images))
    dataset = dataset.batch(BATCH_SIZE).map(lambda x, y: (tf.cast(x, tf.float32) / 255.0, y))
    if training:
        dataset = dataset.map(lambda x, y: (augmentation(x, training=True), y), num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.prefetch(tf.data.AUTOTUNE)


train_images, test_images, train_labels, test_labels = train_test_split(images, labels, test_size=0.2, random_state=42)
train_images, val_images, train_labels, val_labels = train_test_split(
    train_images, train_labels, test_size=0.2, random_state=42
)
train_ds = make_dataset(train_images, train_labels, training=True)
val_ds = make_dataset(val_images, val_labels)
test_ds = make_dataset(test_images, test_labels)


# %% Model
def conv_block(x, filters):
    """Convolution without bias, batch normalization, ReLU: twice, then half the size."""
    for _ in range(2):
        x = layers.Conv2D(filters, (3, 3), padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.Activation("relu")(x)
    return layers.MaxPooling2D((2, 2))(x)


def build_model():
    """Four convolution blocks, averaged over the image, and a softmax."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    x = conv_block(inputs, 32)
    x = conv_block(x, 64)
    x = conv_block(x, 96)
    x = conv_block(x, 128)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.4)(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs)


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
    train_ds,
    validation_data=val_ds,
    epochs=EPOCHS,
    callbacks=callbacks,
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
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
for name, values in history.history.items():
    if name.endswith("loss"):
        left.plot(values, label=name)
    elif name.endswith("accuracy"):
        right.plot(values, label=name)
for ax in (left, right):
    ax.set_xlabel("epoch")
    ax.legend()
figure.tight_layout()
plt.savefig("history.png")
