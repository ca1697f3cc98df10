# %% [markdown]
# # Gym exercises on video
# A small CNN describes every frame of a clip, an LSTM reads the descriptions in order, and the network names the
# exercise. The CNN's weights are shared by all frames.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

NUM_FRAMES = 12
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
NUM_CLASSES = 8
BATCH_SIZE = 8
EPOCHS = 30
LEARNING_RATE = 0.0003

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data
def synthetic_data(count=32):
    """Clips of a bright disc on a noisy ground; its direction is the class."""
    rng = np.random.default_rng(42)
    labels = rng.integers(0, NUM_CLASSES, count)
    steps = np.linspace(-0.3, 0.3, NUM_FRAMES).reshape(-1, 1, 1)
    rows = np.linspace(0, 1, IMAGE_HEIGHT).reshape(1, -1, 1)
    columns = np.linspace(0, 1, IMAGE_WIDTH).reshape(1, 1, -1)
    clips = []
    for label in labels:
        angle = 2 * np.pi * label / NUM_CLASSES
        distance = np.hypot(rows - 0.5 - steps * np.sin(angle), columns - 0.5 - steps * np.cos(angle))
        noise = rng.integers(0, 60, (NUM_FRAMES, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
        clips.append(noise + 180 * (distance < 0.12)[..., np.newaxis])
    return np.array(clips, dtype="uint8"), labels, [f"exercise {label}" for label in range(NUM_CLASSES)]


def read_frame(path):
    """One frame as an array of shape (IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)."""
    image = Image.open(path).convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(image).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


def load_data():
    """Clips, integer labels and class names from DATA_DIR/<exercise>/<clip>/*.jpg, a file per frame."""
    if SYNTHETIC:
        print(f"No folder {DATA_DIR!r}: using synthetic clips.")
        return synthetic_data()
    class_names = sorted(folder.name for folder in Path(DATA_DIR).iterdir() if folder.is_dir())
    clips, labels = [], []
    for label, name in enumerate(class_names):
        for folder in sorted(Path(DATA_DIR, name).iterdir()):
            paths = sorted(folder.glob("*.jpg"))
            evenly_spaced = np.linspace(0, len(paths) - 1, NUM_FRAMES).astype(int)
            clips.append([read_frame(paths[index]) for index in evenly_spaced])
            labels.append(label)
    return np.array(clips), np.array(labels), class_names


clips, labels, class_names = load_data()
print(f"{len(clips)} clips of shape {clips.shape[1:]}, {len(class_names)} exercises")


# %% Preprocessing
def scale(clips):
    """Pixels from 0..255 to 0..1."""
    return clips.astype("float32") / 255


def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


x_train, x_test, train_labels, test_labels = train_test_split(scale(clips), labels, test_size=0.2, random_state=42)
x_train, x_val, train_labels, val_labels = train_test_split(x_train, train_labels, test_size=0.2, random_state=42)

y_train = encode_labels(train_labels)
y_val = encode_labels(val_labels)
y_test = encode_labels(test_labels)


# %% Model
def build_model():
    """The same CNN on every frame, an LSTM over the frames."""
    return keras.Sequential(
        [
            keras.Input(shape=(NUM_FRAMES, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.TimeDistributed(layers.Conv2D(16, (3, 3), activation="relu", padding="same")),
            layers.TimeDistributed(layers.MaxPooling2D((2, 2), padding="same")),
            layers.TimeDistributed(layers.Conv2D(32, (3, 3), activation="relu", padding="same")),
            layers.TimeDistributed(layers.MaxPooling2D((2, 2), padding="same")),
            layers.TimeDistributed(layers.Conv2D(64, (3, 3), activation="relu", padding="same")),
            layers.TimeDistributed(layers.MaxPooling2D((2, 2), padding="same")),
            layers.TimeDistributed(layers.Flatten()),
            layers.TimeDistributed(layers.Dense(64, activation="relu")),
            layers.LSTM(64),
            layers.Dropout(0.4),
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


scores = model.evaluate(x_test, y_test, batch_size=BATCH_SIZE, verbose=0, return_dict=True)
print("Test:", {name: round(value, 4) for name, value in scores.items()})

predictions = predicted_classes(model.predict(x_test, batch_size=BATCH_SIZE, verbose=0))
print(
    classification_report(
        test_labels, predictions, labels=range(NUM_CLASSES), target_names=class_names, zero_division=0
    )
)

# %% Show
figure, axes = plt.subplots(1, NUM_FRAMES, figsize=(1.5 * NUM_FRAMES, 2))
for axis, frame in zip(axes, x_test[0], strict=True):
    axis.imshow(frame, cmap="gray")  # the colour map only counts for one channel
    axis.axis("off")
figure.suptitle(f"{class_names[test_labels[0]]}, taken for {class_names[predictions[0]]}")
figure.savefig("gym_clip.png", bbox_inches="tight")
plt.close(figure)
