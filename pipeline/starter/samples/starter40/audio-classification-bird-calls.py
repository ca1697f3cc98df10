# %% [markdown]
# # Birds by their calls
# A two-dimensional CNN looks at log-mel spectrograms of short field recordings, as if they were pictures, and names the
# bird that is calling.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

SAMPLE_RATE = 16000
CLIP_SECONDS = 3
FRAME_LENGTH = 1024
FRAME_STEP = 512
MEL_BANDS = 64
NUM_CLASSES = 10
BATCH_SIZE = 16
EPOCHS = 40
LEARNING_RATE = 0.001

CLIP_SAMPLES = int(SAMPLE_RATE * CLIP_SECONDS)
TIME_STEPS = 1 + (CLIP_SAMPLES - FRAME_LENGTH) // FRAME_STEP

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data
def synthetic_data(count=64):
    """Noisy whistles, each class at a pitch of its own."""
    rng = np.random.default_rng(42)
    labels = rng.integers(0, NUM_CLASSES, count)
    time = np.arange(CLIP_SAMPLES) / SAMPLE_RATE
    pitches = SAMPLE_RATE * (0.02 + 0.4 * labels / NUM_CLASSES)
    waveforms = 0.5 * np.sin(2 * np.pi * pitches[:, np.newaxis] * time) + rng.normal(0, 0.1, (count, CLIP_SAMPLES))
    return waveforms.astype("float32"), labels, [f"bird {label}" for label in range(NUM_CLASSES)]


def read_wav(path):
    """The first channel of a 16-bit WAV file, cut or padded with silence to CLIP_SAMPLES."""
    waveform, _ = tf.audio.decode_wav(tf.io.read_file(str(path)), desired_channels=1, desired_samples=CLIP_SAMPLES)
    return waveform.numpy()[:, 0]


def load_data():
    """Waveforms, integer labels and class names from DATA_DIR/<bird>/*.wav, recorded at SAMPLE_RATE."""
    if SYNTHETIC:
        print(f"No folder {DATA_DIR!r}: using synthetic whistles.")
        return synthetic_data()
    class_names = sorted(folder.name for folder in Path(DATA_DIR).iterdir() if folder.is_dir())
    waveforms, labels = [], []
    for label, name in enumerate(class_names):
        for path in sorted(Path(DATA_DIR, name).glob("*.wav")):
            waveforms.append(read_wav(path))
            labels.append(label)
    return np.stack(waveforms), np.array(labels), class_names


waveforms, labels, class_names = load_data()
print(f"{len(waveforms)} clips of {CLIP_SECONDS} s, {len(class_names)} birds")

# %% [markdown]
# The short-time Fourier transform shows which pitches sound when. The mel scale groups the pitches as the ear does, the
# logarithm brings quiet calls closer to loud ones.

# %% Preprocessing
mel_weights = tf.signal.linear_to_mel_weight_matrix(
    num_mel_bins=MEL_BANDS,
    num_spectrogram_bins=FRAME_LENGTH // 2 + 1,
    sample_rate=SAMPLE_RATE,
    lower_edge_hertz=50.0,
    upper_edge_hertz=SAMPLE_RATE / 2,
)


def log_mel_spectrogram(waveform):
    """A picture of shape (TIME_STEPS, MEL_BANDS, 1) from a waveform."""
    spectrum = tf.signal.stft(waveform, FRAME_LENGTH, FRAME_STEP, fft_length=FRAME_LENGTH)
    mel_energies = tf.matmul(tf.abs(spectrum), mel_weights)
    return np.log(mel_energies.numpy() + 1e-6)[..., np.newaxis]


def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


spectrograms = np.stack([log_mel_spectrogram(waveform) for waveform in waveforms])

x_train, x_test, train_labels, test_labels = train_test_split(spectrograms, labels, test_size=0.2, random_state=42)
x_train, x_val, train_labels, val_labels = train_test_split(x_train, train_labels, test_size=0.2, random_state=42)

mean = x_train.mean()
spread = x_train.std() + 1e-6
x_train, y_train = (x_train - mean) / spread, encode_labels(train_labels)
x_val, y_val = (x_val - mean) / spread, encode_labels(val_labels)
x_test, y_test = (x_test - mean) / spread, encode_labels(test_labels)


# %% Model
def build_model():
    """Three convolutional stages over time and pitch, then a small classifier."""
    return keras.Sequential(
        [
            keras.Input(shape=(TIME_STEPS, MEL_BANDS, 1)),
            layers.Conv2D(16, (3, 3), activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling2D((2, 2), padding="same"),
            layers.Conv2D(32, (3, 3), activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling2D((2, 2), padding="same"),
            layers.Conv2D(64, (3, 3), activation="relu", padding="same"),
            layers.BatchNormalization(),
            layers.MaxPooling2D((2, 2), padding="same"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(64, activation="relu"),
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
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=6, restore_best_weights=True)
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
figure, axes = plt.subplots(1, 3, figsize=(12, 4), sharey=True)
for axis, spectrogram, label, prediction in zip(axes, x_test, test_labels, predictions, strict=False):
    axis.imshow(spectrogram[..., 0].T, origin="lower", aspect="auto", cmap="magma")
    axis.set_title(f"{class_names[label]}, heard as {class_names[prediction]}")
    axis.set_xlabel("Time step")
axes[0].set_ylabel("Mel band")
figure.savefig("bird_calls.png", bbox_inches="tight")
plt.close(figure)
