# %% [markdown]
# # Classes from recordings in a folder per class
# WAV files of any rate and length become logarithmic mel spectrograms of one size, which a small convolutional network
# reads as images. Folders' names are the classes.

# %% Imports
import glob
import os
from collections import Counter

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from scipy.io import wavfile
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_SOUNDS = "{class}/*"  # where a recording lies below DATA_DIR; {class} stands for its class
HELD_OUT_FOLDER = ""  # class folders of their own for the test, where the data have them
UNLABELLED_FOLDER = ""  # recordings without classes that predictions are wanted for
CLASS_NAMES = ["low", "high"]
SAMPLE_RATE = 0  # in Hz; 0 reads all at the rate that most of them have
CLIP_SECONDS = 0  # of each recording; 0 takes as much as 90 % of them last, up to LONGEST_SECONDS
LONGEST_SECONDS = 10.0
MEL_BANDS = 64
BATCH_SIZE = 16
EPOCHS = 30
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 15)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: files
def synthetic_sounds(count=96, seconds=0.5, rate=8000):
    """Tones in noise, higher for each further class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up sounds, not your data.")
    rng = np.random.default_rng(42)
    labels = rng.integers(len(CLASS_NAMES), size=count)
    time = np.arange(int(seconds * rate)) / rate
    pitches = 300 * (labels + 1) * rng.uniform(0.9, 1.1, size=count)
    sounds = [(rate, np.sin(2 * np.pi * pitch * time) + 0.2 * rng.normal(size=len(time))) for pitch in pitches]
    return sounds, np.array(CLASS_NAMES)[labels]


def read_sound(path):
    """Rate and samples in -1 to 1 of a WAV file, its channels mixed; None for a file that cannot be read."""
    try:
        rate, samples = wavfile.read(path)
    except (ValueError, OSError):
        return None
    whole = np.issubdtype(samples.dtype, np.integer)
    if samples.dtype == np.uint8:
        samples = samples.astype("float32") - 128
        whole_range = 128
    else:
        whole_range = np.iinfo(samples.dtype).max if whole else 1
    samples = samples.astype("float32") / whole_range
    return rate, samples if samples.ndim == 1 else samples.mean(axis=1)


def read_sounds(pattern):
    """All recordings that lie as the pattern says, and the class of each."""
    before, _, after = pattern.partition("{class}")
    root = os.path.join(DATA_DIR, before)
    sounds, names, left_out = [], [], 0
    for class_name in sorted(os.listdir(root)) if os.path.isdir(root) else []:
        paths = glob.glob(os.path.join(glob.escape(os.path.join(root, class_name)), after.strip("/")), recursive=True)
        for path in sorted(path for path in paths if os.path.isfile(path)):
            sound = read_sound(path)
            if sound is None or not len(sound[1]):
                left_out += 1
                continue
            sounds.append(sound)
            names.append(class_name)
    if left_out:
        print(f"{left_out} files are no WAV recordings and were left out")
    if not sounds:
        raise SystemExit(f"{os.path.join(DATA_DIR, pattern)}: no WAV recordings (other formats: convert them to WAV)")
    return sounds, np.array(names)


sounds, names = synthetic_sounds() if SYNTHETIC else read_sounds(TRAIN_SOUNDS)
class_names = np.array(sorted(set(names)))
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds one class, {class_names[0]}; at least two folders with recordings are needed")
rate = SAMPLE_RATE or Counter(sound_rate for sound_rate, _ in sounds).most_common(1)[0][0]
usual = float(np.quantile([len(samples) / own for own, samples in sounds], 0.9))
seconds = CLIP_SECONDS or min(usual, LONGEST_SECONDS)
print(f"{len(sounds)} recordings of {NUM_CLASSES} classes, read at {rate} Hz, {seconds:.2f} s of each")

# %% Preprocessing
FRAME = 2 ** int(np.ceil(np.log2(0.025 * rate)))  # samples of about 25 ms, as speech and sounds are usually cut
MEL = tf.signal.linear_to_mel_weight_matrix(MEL_BANDS, FRAME // 2 + 1, rate, 20.0, rate / 2)


def spectrogram(sound):
    """The logarithmic mel spectrogram of a recording, brought to the common rate and length: (frames, bands, 1)."""
    own_rate, samples = sound
    length = max(int(seconds * rate), FRAME)
    if own_rate != rate:
        places = np.arange(int(len(samples) * rate / own_rate)) * own_rate / rate
        samples = np.interp(places, np.arange(len(samples)), samples)
    samples = np.pad(samples[:length], (0, max(0, length - len(samples)))).astype("float32")
    magnitudes = tf.abs(tf.signal.stft(samples, FRAME, FRAME // 2))
    return np.log(magnitudes @ MEL + 1e-3)[..., None]


def labels_of(names):
    """Class numbers; a class that training has not seen is an error."""
    unknown = sorted(set(names) - set(class_names))
    if unknown:
        raise SystemExit(f"there is a class that the training recordings lack: {unknown[0]}")
    return np.searchsorted(class_names, names)


def split(inputs, labels, share):
    """Two parts, with the classes alike in both where every class has recordings enough."""
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    stratify = labels if counts.min() > 1 and int(share * len(labels)) >= NUM_CLASSES else None
    return train_test_split(inputs, labels, test_size=share, random_state=42, stratify=stratify)


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, train_labels = np.stack([spectrogram(sound) for sound in sounds]), labels_of(names)
if HELD_OUT_FOLDER and not SYNTHETIC:
    held_out_pattern = HELD_OUT_FOLDER + ("/*" if "{class}" in HELD_OUT_FOLDER else "/{class}/**")
    test_sounds, test_names = read_sounds(held_out_pattern)
    x_test, test_labels = np.stack([spectrogram(sound) for sound in test_sounds]), labels_of(test_names)
else:
    x_train, x_test, train_labels, test_labels = split(x_train, train_labels, 0.2)
x_train, x_val, train_labels, val_labels = split(x_train, train_labels, 0.15)
mean, scale = x_train.mean(), x_train.std() + 1e-6
x_train, x_val, x_test = (x_train - mean) / scale, (x_val - mean) / scale, (x_test - mean) / scale
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)
FRAMES = x_train.shape[1]


# %% Model
def build_model():
    """Three blocks of convolutions over time and pitch, and an output for each class."""
    return keras.Sequential(
        [
            keras.Input(shape=(FRAMES, MEL_BANDS, 1)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.3),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()
model.summary()
if model.output_shape[-1] != NUM_CLASSES and (model.output_shape[-1], NUM_CLASSES) != (1, 2):
    raise SystemExit(f"the model tells {model.output_shape[-1]} classes apart and the data hold {NUM_CLASSES}")

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=8, restore_best_weights=True)

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
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(paths):
    """The class of each WAV file, as a table; a file that cannot be read is left out."""
    readable = [(path, sound) for path in paths if (sound := read_sound(path)) is not None and len(sound[1])]
    inputs = (np.stack([spectrogram(sound) for _, sound in readable]) - mean) / scale
    files = [os.path.relpath(path, DATA_DIR) for path, _ in readable]
    return pd.DataFrame({"file": files, "class": class_names[predicted_classes(model.predict(inputs, verbose=0))]})


test_predictions = predicted_classes(model.predict(x_test, verbose=0))
print(
    classification_report(
        test_labels, test_predictions, labels=range(NUM_CLASSES), target_names=class_names, zero_division=0
    )
)
most_frequent = np.full_like(test_labels, np.bincount(train_labels).argmax())
print(
    f"held-out accuracy: {accuracy_score(test_labels, test_predictions):.4f} "
    f"(baseline, always the most frequent class: {accuracy_score(test_labels, most_frequent):.4f})"
)

if UNLABELLED_FOLDER and not SYNTHETIC:
    folder = os.path.join(glob.escape(os.path.join(DATA_DIR, UNLABELLED_FOLDER)), "**")
    new = predict([path for path in sorted(glob.glob(folder, recursive=True)) if os.path.isfile(path)])
    new.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
figure, axes = plt.subplots(1, 3, figsize=(10, 3))
for axis, image, label, truth in zip(axes, x_test, test_predictions, test_labels, strict=False):
    axis.imshow(image[..., 0].T, origin="lower", aspect="auto")
    axis.set_title(f"{class_names[label]} ({class_names[truth]})")
plt.suptitle("predicted (true)")
plt.tight_layout()
plt.savefig("spectrograms.png")
plt.show()
