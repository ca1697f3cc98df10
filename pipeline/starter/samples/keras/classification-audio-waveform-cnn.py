# %% [markdown]
# # Classes of recordings by a 1-D CNN on the waveform
# Convolutions read the samples themselves, without a spectrogram: the first one, long and with large steps, finds its
# own filters of sound. WAV files lie in a folder per class.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.io import wavfile
from sklearn.metrics import ConfusionMatrixDisplay, balanced_accuracy_score
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_SOUNDS = "{class}/*"  # where a recording lies below DATA_DIR; {class} stands for its class
UNLABELLED_FOLDER = ""  # recordings without classes that predictions are wanted for
CLASS_NAMES = ["first", "second", "third"]
SAMPLE_RATE = 8000  # recordings of other rates are brought to it
CLIP_SECONDS = 1  # of each recording that are read; shorter ones are filled up with silence
FILTERS = [32, 64, 128]
DROPOUT = 0.3
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 16
EPOCHS = 50
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 12)  # a smoke run; the full count is for real data
    FILTERS = [min(filters, 32) for filters in FILTERS]
LENGTH = int(SAMPLE_RATE * CLIP_SECONDS)


# %% Data: files
def made_up_folder(count=120):
    """Tones in noise that rise, more in each further class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up recordings, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    time = np.arange(LENGTH) / SAMPLE_RATE
    for number in range(count):
        label = number % len(CLASS_NAMES)
        pitch = SAMPLE_RATE * 0.04 * (1 + label) * rng.uniform(0.9, 1.1)
        tone = np.sin(2 * np.pi * (pitch * time + pitch * label * time**2 / 4)) + rng.normal(0, 0.3, size=LENGTH)
        path = os.path.join(root, TRAIN_SOUNDS.replace("{class}", CLASS_NAMES[label]))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        loudness = rng.uniform(3000, 9000)
        wavfile.write(
            os.path.join(os.path.dirname(path), f"{number}.wav"), SAMPLE_RATE, (loudness * tone).astype("int16")
        )
    return root


def read_sound(path):
    """LENGTH samples of a WAV file at the wanted rate, with mean 0 and deviation 1; None where it cannot be read."""
    try:
        rate, samples = wavfile.read(path)
    except (ValueError, OSError):
        return None
    samples = samples.astype("float32")
    samples = samples.mean(axis=1) if samples.ndim == 2 else samples
    if not len(samples):
        return None
    if rate != SAMPLE_RATE:
        times = np.arange(int(len(samples) * SAMPLE_RATE / rate)) * rate / SAMPLE_RATE
        samples = np.interp(times, np.arange(len(samples)), samples)
    samples = samples[:LENGTH]
    samples = (samples - samples.mean()) / (samples.std() + 1e-6)  # how loud a recording is tells no class
    return np.pad(samples, (0, LENGTH - len(samples))).astype("float32")


def read_sounds(pattern):
    """The WAV files that lie as the pattern says, and their samples."""
    files = sorted(glob.glob(os.path.join(glob.escape(root), pattern), recursive=True))
    sounds = {path: sound for path in files if os.path.isfile(path) and (sound := read_sound(path)) is not None}
    if not sounds:
        raise SystemExit(f"{os.path.join(root, pattern)}: no WAV recordings (other formats: convert them to WAV)")
    return np.array(list(sounds)), np.stack(list(sounds.values()))[..., None]


root = made_up_folder() if SYNTHETIC else DATA_DIR
paths, sounds = read_sounds(TRAIN_SOUNDS.replace("{class}", "*"))
depth = TRAIN_SOUNDS.split("/").index("{class}")
class_names, labels = np.unique(
    [os.path.relpath(path, root).split(os.sep)[depth] for path in paths], return_inverse=True
)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{root} holds one class, {class_names[0]}; at least two folders with recordings are needed")
print(f"{len(sounds)} recordings of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))


# %% Preprocessing
def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


train, test = train_test_split(np.arange(len(sounds)), test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
x_train, x_val, x_test = sounds[train], sounds[val], sounds[test]
train_labels, test_labels = labels[train], labels[test]
y_train, y_val, y_test = encode_labels(labels[train]), encode_labels(labels[val]), encode_labels(labels[test])


# %% Model
def build_model():
    """A long first convolution with steps of 8 samples, then shorter ones; pooling shortens the sequence each time."""
    inputs = keras.Input(shape=(LENGTH, 1))
    x = layers.Conv1D(FILTERS[0], 80, strides=8, padding="same", use_bias=False)(inputs)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.ReLU()(x)
    x = layers.MaxPooling1D(4, padding="same")(x)
    for filters in FILTERS[1:]:
        x = layers.Conv1D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling1D(4, padding="same")(x)
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dropout(DROPOUT)(x)
    return keras.Model(inputs, layers.Dense(NUM_CLASSES, activation="softmax")(x))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
callbacks = [
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=4),
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True),
]
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=callbacks,
    verbose=2,
)
model.save("model.keras")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(pattern):
    """The class of each WAV file that lies as the pattern says, as a table."""
    new_paths, new_sounds = read_sounds(pattern)
    return pd.DataFrame(
        {"file": new_paths, "class": class_names[predicted_classes(model.predict(new_sounds, verbose=0))]}
    )


test_predictions = predicted_classes(model.predict(x_test, verbose=0))
most_frequent = np.full_like(test_labels, np.bincount(train_labels).argmax())
print(
    f"held-out balanced accuracy: {balanced_accuracy_score(test_labels, test_predictions):.4f} "
    f"(baseline, always the most frequent class: {balanced_accuracy_score(test_labels, most_frequent):.4f})"
)

if UNLABELLED_FOLDER and not SYNTHETIC:
    table = predict(UNLABELLED_FOLDER + "/**")
    table.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(table)} rows")

# %% Show
ConfusionMatrixDisplay.from_predictions(
    test_labels, test_predictions, labels=range(NUM_CLASSES), display_labels=class_names
)
plt.tight_layout()
plt.savefig("confusion_matrix.png")
plt.show()
