# %% [markdown]
# # Classes of recordings by MFCCs and a bidirectional LSTM
# Each short frame of sound becomes a few mel-frequency cepstral coefficients (MFCC), and an LSTM reads the frames
# forwards and backwards. WAV files lie in a folder per class.

# %% Imports
import glob
import os
import tempfile

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

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_SOUNDS = "{class}/*"  # where a recording lies below DATA_DIR; {class} stands for its class
UNLABELLED_FOLDER = ""  # recordings without classes that predictions are wanted for
CLASS_NAMES = ["first", "second", "third", "fourth"]
SAMPLE_RATE = 16000
CLIP_SECONDS = 2
MEL_BANDS = 40
NUM_FEATURES = 13  # coefficients of a frame
LSTM_UNITS = 64
DROPOUT = 0.3
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 16
EPOCHS = 40
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    CLIP_SECONDS = min(CLIP_SECONDS, 1)
    LSTM_UNITS = min(LSTM_UNITS, 32)
    EPOCHS = min(EPOCHS, 12)
    LEARNING_RATE = max(LEARNING_RATE, 0.003)
FRAME_LENGTH = int(0.025 * SAMPLE_RATE)  # 25 ms, as usual for speech
FRAME_STEP = int(0.010 * SAMPLE_RATE)
FFT_LENGTH = 2 ** (FRAME_LENGTH - 1).bit_length()
LENGTH = int(CLIP_SECONDS * SAMPLE_RATE)


# %% Data: files
def write_made_up_sounds(folder, count=120):
    """Two tones one after the other: whether the first is high or low, and the second, makes the class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up recordings, not your data.")
    rng = np.random.default_rng(SEED)
    time = np.arange(LENGTH // 2) / SAMPLE_RATE
    for number in range(count):
        label = number % len(CLASS_NAMES)
        halves = []
        for place in range(2):
            pitch = (0.03, 0.1)[label >> place & 1] * SAMPLE_RATE * (1 + label // 4 * 0.3)
            halves.append(np.sin(2 * np.pi * pitch * rng.uniform(0.9, 1.1) * time))
        sound = np.concatenate(halves) + rng.normal(0, 0.2, size=2 * len(time))
        place = os.path.join(folder, os.path.dirname(TRAIN_SOUNDS.replace("{class}", CLASS_NAMES[label])))
        os.makedirs(place, exist_ok=True)
        wavfile.write(os.path.join(place, f"{number}.wav"), SAMPLE_RATE, (8000 * sound).astype("int16"))


def load_wave(path):
    """Samples from -1 to 1 of a WAV file, its channels mixed, brought to SAMPLE_RATE and to LENGTH."""
    rate, samples = wavfile.read(path)
    if samples.dtype == np.uint8:
        samples = (samples.astype("float32") - 128) / 128
    elif np.issubdtype(samples.dtype, np.integer):
        samples = samples.astype("float32") / np.iinfo(samples.dtype).max
    samples = samples.mean(axis=1) if samples.ndim == 2 else samples
    if rate != SAMPLE_RATE:
        count = int(len(samples) * SAMPLE_RATE / rate)
        samples = np.interp(np.arange(count) * rate / SAMPLE_RATE, np.arange(len(samples)), samples)
    return np.pad(samples[:LENGTH], (0, max(0, LENGTH - len(samples)))).astype("float32")


folder = tempfile.mkdtemp() if SYNTHETIC else DATA_DIR
if SYNTHETIC:
    write_made_up_sounds(folder)
pattern = os.path.join(glob.escape(folder), TRAIN_SOUNDS.replace("{class}", "*"))
paths = [path for path in sorted(glob.glob(pattern, recursive=True)) if path.lower().endswith(".wav")]
if not paths:
    raise SystemExit(f"{pattern}: no WAV recordings (other formats: convert them to WAV)")
names = [os.path.relpath(path, folder).split(os.sep)[TRAIN_SOUNDS.split("/").index("{class}")] for path in paths]
class_names, labels = np.unique(names, return_inverse=True)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds one class, {class_names[0]}; at least two folders with recordings are needed")
print(pd.Series(names).value_counts().to_string())

# %% Preprocessing
MEL = tf.signal.linear_to_mel_weight_matrix(MEL_BANDS, FFT_LENGTH // 2 + 1, SAMPLE_RATE, 20.0, SAMPLE_RATE / 2)


def mfcc(samples):
    """Mel-frequency cepstral coefficients of a recording: (frames, NUM_FEATURES)."""
    spectrum = tf.abs(tf.signal.stft(samples, FRAME_LENGTH, FRAME_STEP, FFT_LENGTH))
    log_mel = tf.math.log(spectrum @ MEL + 1e-6)
    return tf.signal.mfccs_from_log_mel_spectrograms(log_mel)[..., :NUM_FEATURES].numpy()


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


def split(inputs, labels, share):
    """Two parts, with the classes alike in both where every class has recordings enough."""
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    stratify = labels if counts.min() > 1 and int(share * len(labels)) >= NUM_CLASSES else None
    return train_test_split(inputs, labels, test_size=share, random_state=SEED, stratify=stratify)


features = np.stack([mfcc(load_wave(path)) for path in paths])
SEQUENCE_LENGTH = features.shape[1]
x_train, x_test, train_labels, test_labels = split(features, labels, TEST_SPLIT)
x_train, x_val, train_labels, val_labels = split(x_train, train_labels, VALIDATION_SPLIT)
mean, deviation = x_train.mean(axis=(0, 1)), x_train.std(axis=(0, 1)) + 1e-6  # each coefficient has its own scale
x_train, x_val, x_test = (x_train - mean) / deviation, (x_val - mean) / deviation, (x_test - mean) / deviation
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)


# %% Model
def build_model():
    """A convolution that shortens the sequence, two bidirectional LSTMs and an output for each class."""
    return keras.Sequential(
        [
            keras.Input(shape=(SEQUENCE_LENGTH, NUM_FEATURES)),
            layers.Conv1D(LSTM_UNITS, 5, strides=4, padding="same", activation="relu"),
            layers.Bidirectional(layers.LSTM(LSTM_UNITS, return_sequences=True)),
            layers.Bidirectional(layers.LSTM(LSTM_UNITS)),
            layers.Dropout(DROPOUT),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=8, restore_best_weights=True)],
    verbose=2,
)
model.save("model.keras")
np.savez("scaling.npz", mean=mean, deviation=deviation, class_names=class_names)


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(paths):
    """The class of each WAV file."""
    inputs = (np.stack([mfcc(load_wave(path)) for path in paths]) - mean) / deviation
    return class_names[predicted_classes(model.predict(inputs, verbose=0))]


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
    anywhere = os.path.join(glob.escape(os.path.join(folder, UNLABELLED_FOLDER)), "**", "*.wav")
    new = sorted(glob.glob(anywhere, recursive=True))
    pd.DataFrame({"file": new, "class": predict(new)}).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
figure, axes = plt.subplots(1, 3, figsize=(11, 3))
for axis, image, label, truth in zip(axes, x_test, test_predictions, test_labels, strict=False):
    axis.imshow(image.T, origin="lower", aspect="auto")
    axis.set_title(f"{class_names[label]} ({class_names[truth]})")
    axis.set_xlabel("frame")
axes[0].set_ylabel("coefficient")
plt.tight_layout()
plt.savefig("mfcc.png")
plt.show()
