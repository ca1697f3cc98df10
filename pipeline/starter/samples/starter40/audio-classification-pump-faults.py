# %% [markdown]
# # Listening to a water pump
# Convolutions with long strides shorten the raw waveform of a pump until a GRU can follow it, and the network tells how
# the pump is doing from the sound alone.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import wave
from pathlib import Path

import numpy as np
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

SAMPLE_RATE = 8000
CLIP_SECONDS = 2
NUM_CLASSES = 4
BATCH_SIZE = 32
EPOCHS = 50
LEARNING_RATE = 0.05

CLIP_SAMPLES = int(SAMPLE_RATE * CLIP_SECONDS)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data
def synthetic_data(count=64):
    """A hum whose pitch and loudness of rattling depend on the class."""
    rng = np.random.default_rng(42)
    labels = rng.integers(0, NUM_CLASSES, count)
    time = np.arange(CLIP_SAMPLES) / SAMPLE_RATE
    waveforms = []
    for label in labels:
        hum = np.sin(2 * np.pi * 50 * (1 + label) * time + rng.uniform(0, 2 * np.pi))
        rattle = rng.normal(0, 0.1 + 0.5 * label / NUM_CLASSES, CLIP_SAMPLES)
        waveforms.append(0.3 * (hum + rattle))
    return np.array(waveforms, dtype="float32"), labels, [f"state {label}" for label in range(NUM_CLASSES)]


def read_wav(path):
    """A 16-bit WAV file as one channel in [-1, 1], at SAMPLE_RATE, cut or padded with silence to CLIP_SAMPLES."""
    with wave.open(str(path), "rb") as clip:
        rate, channels = clip.getframerate(), clip.getnchannels()
        samples = np.frombuffer(clip.readframes(clip.getnframes()), dtype="<i2")
    waveform = samples.reshape(-1, channels).mean(axis=1) / 32768
    seconds = np.arange(CLIP_SAMPLES) / SAMPLE_RATE
    return np.interp(seconds, np.arange(len(waveform)) / rate, waveform, right=0)


def load_data():
    """Waveforms, integer labels and class names from DATA_DIR/<state of the pump>/*.wav."""
    if SYNTHETIC:
        print(f"No folder {DATA_DIR!r}: using synthetic pump sounds.")
        return synthetic_data()
    class_names = sorted(folder.name for folder in Path(DATA_DIR).iterdir() if folder.is_dir())
    waveforms, labels = [], []
    for label, name in enumerate(class_names):
        for path in sorted(Path(DATA_DIR, name).glob("*.wav")):
            waveforms.append(read_wav(path))
            labels.append(label)
    return np.array(waveforms, dtype="float32"), np.array(labels), class_names


waveforms, labels, class_names = load_data()
print(f"{len(waveforms)} clips of {CLIP_SECONDS} s, {len(class_names)} states")


# %% Preprocessing
def normalise(waveforms):
    """Clips of equal loudness with a channel axis: microphones stand at different distances."""
    loudness = np.sqrt((waveforms**2).mean(axis=1, keepdims=True)) + 1e-6
    return (waveforms / loudness)[..., np.newaxis]


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, x_test, train_labels, test_labels = train_test_split(
    normalise(waveforms), labels, test_size=0.25, random_state=42
)
x_train, x_val, train_labels, val_labels = train_test_split(x_train, train_labels, test_size=0.2, random_state=42)

y_train = encode_labels(train_labels)
y_val = encode_labels(val_labels)
y_test = encode_labels(test_labels)


# %% Model
def build_model():
    """Strided convolutions over the waveform, a GRU over what is left of time."""
    return keras.Sequential(
        [
            keras.Input(shape=(CLIP_SAMPLES, 1)),
            layers.Conv1D(32, 80, strides=8, activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling1D(4, padding="same"),
            layers.Conv1D(64, 9, activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling1D(4, padding="same"),
            layers.Conv1D(64, 5, activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling1D(2, padding="same"),
            layers.GRU(48),
            layers.Dense(32, activation="relu"),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
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
for label, prediction in list(zip(test_labels, predictions, strict=True))[:6]:
    verdict = "right" if label == prediction else "wrong"
    print(f"{class_names[label]} was heard as {class_names[prediction]} ({verdict})")
