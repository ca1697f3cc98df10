# %% [markdown]
# # Pneumonia on chest X-rays
# A compact convolutional network reads a grey chest X-ray and gives the probability of pneumonia. Sick patients are
# more frequent than healthy ones in such collections, so training weighs both classes evenly.

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
IMAGE_HEIGHT = 150
IMAGE_WIDTH = 150
CHANNELS = 1
NUM_CLASSES = 2
BATCH_SIZE = 16
EPOCHS = 15
LEARNING_RATE = 0.0005

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)
if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: reading the scans
def synthetic_data(count=60):
    """Two dark lungs per image; a bright spot in one of them grows with the class."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic images.")
    rng = np.random.default_rng(42)
    labels = rng.integers(NUM_CLASSES, size=count)
    y, x = np.mgrid[-1 : 1 : IMAGE_HEIGHT * 1j, -1 : 1 : IMAGE_WIDTH * 1j]
    lungs = ((abs(x) - 0.45) / 0.3) ** 2 + (y / 0.7) ** 2 < 1
    images = rng.normal(150, 15, (count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    images[:, lungs] -= 90
    for image, label in zip(images, labels, strict=True):
        side, height = rng.choice([-0.45, 0.45]), rng.uniform(-0.4, 0.4)
        image[np.hypot(x - side, y - height) < 0.25 * label] += 80
    return images.clip(0, 255).astype("uint8"), labels, [f"class {i}" for i in range(NUM_CLASSES)]


def load_image(path):
    """One scan as an array of the size above."""
    color_mode = "rgb" if CHANNELS == 3 else "grayscale"
    image = keras.utils.load_img(path, color_mode=color_mode, target_size=(IMAGE_HEIGHT, IMAGE_WIDTH))
    return keras.utils.img_to_array(image, dtype="uint8")


def load_data():
    """Images, integer labels and class names from DATA_DIR/<class>/*.jpeg (or .png), e.g. normal/ and pneumonia/."""
    if SYNTHETIC:
        return synthetic_data()
    folders = sorted(folder for folder in Path(DATA_DIR).iterdir() if folder.is_dir())
    files = [(path, label) for label, folder in enumerate(folders) for path in sorted(folder.glob("[!.]*"))]
    images = np.stack([load_image(path) for path, _ in files])
    labels = np.array([label for _, label in files])
    return images, labels, [folder.name for folder in folders]


images, labels, class_names = load_data()
print("images:", images.shape, "images per class:", np.bincount(labels, minlength=NUM_CLASSES))


# %% Preprocessing
def scale(images):
    """Pixels from 0..255 to 0..1."""
    return images.astype("float32") / 255.0


def encode_labels(labels):
    """Zero or one in a column, the form binary cross-entropy expects."""
    return np.asarray(labels, dtype="float32").reshape(-1, 1)


x_train, x_test, train_labels, test_labels = train_test_split(scale(images), labels, test_size=0.2, random_state=42)
x_train, x_val, train_labels, val_labels = train_test_split(x_train, train_labels, test_size=0.2, random_state=42)
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)

# %% [markdown]
# A class weighs more the fewer images it has.

# %% Preprocessing: class weights
counts = np.bincount(train_labels, minlength=NUM_CLASSES)
class_weight = {label: len(train_labels) / (NUM_CLASSES * max(count, 1)) for label, count in enumerate(counts)}


# %% Model
def build_model():
    """Four convolution blocks, averaged over the image, and one probability."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.Conv2D(16, (3, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(32, (3, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(128, (3, 3), padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=LEARNING_RATE),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    class_weight=class_weight,
    callbacks=[keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=3)],
    verbose=2,
)


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


scores = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, return_dict=True, verbose=0)
print("test:", {name: round(value, 4) for name, value in scores.items()})

predictions = predicted_classes(model.predict(x_test, batch_size=BATCH_SIZE, verbose=0))
print("rows: true, columns: predicted, in the order", class_names)
print(confusion_matrix(test_labels, predictions, labels=range(NUM_CLASSES)))

# %% Show
figure, axes = plt.subplots(2, 4, figsize=(10, 5.5))
for i, ax in enumerate(axes.flat):
    ax.axis("off")
    if i < len(x_test):
        ax.imshow(x_test[i], cmap="gray")
        ax.set_title(f"{class_names[predictions[i]]}\n(true: {class_names[test_labels[i]]})", fontsize=9)
figure.tight_layout()
plt.savefig("predictions.png")
