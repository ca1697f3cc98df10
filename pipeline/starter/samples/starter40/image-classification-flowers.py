# %% [markdown]
# # Flower species from photos
# A convolutional network tells flower species apart in colour photos. Three convolution blocks find petals, edges and
# textures; a dense head turns them into one probability per species.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
CHANNELS = 3
NUM_CLASSES = 5
BATCH_SIZE = 32
EPOCHS = 20
LEARNING_RATE = 0.001

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)
if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: reading the photos
def synthetic_data(count=64):
    """Blossoms on a noisy ground; each class has its number of petals and its tint."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic images.")
    rng = np.random.default_rng(42)
    labels = np.arange(count) % NUM_CLASSES
    y, x = np.mgrid[-1 : 1 : IMAGE_HEIGHT * 1j, -1 : 1 : IMAGE_WIDTH * 1j]
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    tints = rng.uniform(120, 255, (NUM_CLASSES, CHANNELS))
    images = rng.normal(70, 20, (count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    for image, label in zip(images, labels, strict=True):
        petals = np.cos((label + 3) * angle + rng.uniform(0, 2 * np.pi))
        image[radius < 0.6 + 0.3 * petals] = tints[label]
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
def scale(images):
    """Pixels from 0..255 to 0..1."""
    return images.astype("float32") / 255.0


def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


x_train, x_test, train_labels, test_labels = train_test_split(scale(images), labels, test_size=0.2, random_state=42)
x_train, x_val, train_labels, val_labels = train_test_split(x_train, train_labels, test_size=0.2, random_state=42)
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)


# %% Model
def build_model():
    """Three convolution blocks and a dense head."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(128, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
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
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


scores = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, return_dict=True, verbose=0)
print("test:", {name: round(value, 4) for name, value in scores.items()})

predictions = predicted_classes(model.predict(x_test, batch_size=BATCH_SIZE, verbose=0))
print(
    classification_report(
        test_labels, predictions, labels=range(NUM_CLASSES), target_names=class_names, zero_division=0
    )
)

# %% Show
figure, axes = plt.subplots(2, 4, figsize=(10, 5.5))
for i, ax in enumerate(axes.flat):
    ax.axis("off")
    if i < len(x_test):
        ax.imshow(x_test[i], cmap="gray")
        ax.set_title(f"{class_names[predictions[i]]}\n(true: {class_names[test_labels[i]]})", fontsize=9)
figure.tight_layout()
plt.savefig("predictions.png")
