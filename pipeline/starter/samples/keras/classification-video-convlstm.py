# %% [markdown]
# # Classes of video clips by a ConvLSTM
# An LSTM whose inner products are convolutions walks through the frames and keeps what it remembers as a map. Clips
# are an array of (clips, frames, height, width, channels) in an `.npz` file.

# %% Imports
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
CLIPS_FILE = "clips.npz"
CLIP_ARRAY = "x"
LABEL_ARRAY = "y"
NUM_FRAMES = 16
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 1
NUM_CLASSES = 2
FILTERS = [16, 32]
KERNEL_SIZE = 3
DROPOUT = 0.3
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 8
EPOCHS = 30
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    NUM_FRAMES = min(NUM_FRAMES, 8)
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 24)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 24)
    FILTERS = [min(filters, 12) for filters in FILTERS]
    EPOCHS = min(EPOCHS, 8)
    LEARNING_RATE = max(LEARNING_RATE, 0.003)


# %% Data: arrays
def write_made_up_clips(path, count=160):
    """A bar that gets wider, keeps its width, or gets narrower, as the class says; its first frames tell nothing."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up clips, not your data.")
    rng = np.random.default_rng(SEED)
    labels = rng.integers(NUM_CLASSES, size=count)
    clips = rng.integers(0, 60, size=(count, NUM_FRAMES, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    growth = np.linspace(1, -1, NUM_CLASSES) * IMAGE_WIDTH / 3
    for clip, label in zip(clips, labels, strict=True):
        for frame, share in zip(clip, np.linspace(0, 1, NUM_FRAMES), strict=True):
            half = max(1, int((IMAGE_WIDTH / 2 + share * growth[label]) / 2))
            frame[:, IMAGE_WIDTH // 2 - half : IMAGE_WIDTH // 2 + half] += 150
    np.savez(path, **{CLIP_ARRAY: clips, LABEL_ARRAY: labels})


def read_array(name):
    """An array of the file; exits with the names of those that are there where it is not."""
    path = os.path.join(DATA_DIR, CLIPS_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and CLIPS_FILE to where your clips lie")
    with np.load(path) as arrays:
        if name not in arrays:
            raise SystemExit(f"{CLIPS_FILE} has no array {name!r}; it has {', '.join(arrays.files)}")
        return arrays[name]


if SYNTHETIC:
    DATA_DIR = tempfile.mkdtemp()
    write_made_up_clips(os.path.join(DATA_DIR, CLIPS_FILE))
clips = read_array(CLIP_ARRAY)
clips = clips[..., None] if clips.ndim == 4 else clips  # gray clips may come without an axis of channels
if clips.ndim != 5:
    raise SystemExit(f"{CLIP_ARRAY!r} has the shape {clips.shape}; wanted is (clips, frames, height, width, channels)")
numbers, labels = np.unique(read_array(LABEL_ARRAY).ravel(), return_inverse=True)
class_names = [str(number) for number in numbers]
_, NUM_FRAMES, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS = clips.shape
NUM_CLASSES = len(class_names)
print(f"{len(clips)} clips of {NUM_CLASSES} classes: {NUM_FRAMES} frames of {IMAGE_HEIGHT}x{IMAGE_WIDTH}x{CHANNELS}")


# %% Preprocessing
def scale(clips):
    """Pixels from 0 to 1, from bytes; other numbers are kept as they are."""
    return clips.astype("float32") / (255.0 if clips.dtype == np.uint8 else 1.0)


def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


x_train, x_test, train_labels, test_labels = train_test_split(
    scale(clips), labels, test_size=TEST_SPLIT, random_state=SEED
)
x_train, x_val, train_labels, val_labels = train_test_split(
    x_train, train_labels, test_size=VALIDATION_SPLIT, random_state=SEED
)
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)


# %% Model
def build_model():
    """ConvLSTM layers with pooling of the frames between them; of the last one only what it knows at the end counts."""
    inputs = keras.Input(shape=(NUM_FRAMES, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    x = layers.MaxPooling3D((1, 2, 2), padding="same")(inputs)
    for filters in FILTERS[:-1]:
        x = layers.ConvLSTM2D(filters, KERNEL_SIZE, padding="same", return_sequences=True)(x)
        x = layers.LayerNormalization()(x)
        x = layers.MaxPooling3D((1, 2, 2), padding="same")(x)
    x = layers.ConvLSTM2D(FILTERS[-1], KERNEL_SIZE, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(DROPOUT)(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE, clipnorm=1.0),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
history = model.fit(x_train, y_train, validation_data=(x_val, y_val), batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
model.save("model.keras")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(clips):
    """The class of each clip of a new array, as it is in the file."""
    outputs = model.predict(scale(clips.reshape(-1, *x_train.shape[1:])), batch_size=BATCH_SIZE, verbose=0)
    return numbers[predicted_classes(outputs)]


test_predictions = predicted_classes(model.predict(x_test, batch_size=BATCH_SIZE, verbose=0))
right = np.mean(test_predictions == test_labels)
most_frequent = np.mean(test_labels == np.bincount(train_labels).argmax())
print(f"held-out accuracy: {right:.4f} (baseline, always the most frequent class: {most_frequent:.4f})")

# %% Show
ConfusionMatrixDisplay.from_predictions(
    test_labels, test_predictions, labels=range(NUM_CLASSES), display_labels=class_names
)
plt.tight_layout()
plt.savefig("confusion_matrix.png")
plt.show()
