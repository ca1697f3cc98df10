# %% [markdown]
# # Speech to text with CTC
# A spectrogram goes through convolutions and recurrent layers, which say a character, or none, for each frame. The
# CTC loss finds by itself which frames belong to which character. A table lists the WAV files with what is said in
# them.

# %% Imports
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from scipy.io import wavfile
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "transcripts.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
SOUNDS = "wavs/*"  # where the recordings lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TEXT_COLUMN = "text"
UNLABELLED = ""  # a table of recordings that a transcript is wanted for
SAMPLE_RATE = 16000
LONGEST_SECONDS = 10.0
MEL_BANDS = 64
FILTERS = 64
GRU_UNITS = 128
NUM_BLOCKS = 2  # recurrent layers
DROPOUT = 0.2
VALIDATION_SPLIT = 0.1
TEST_SPLIT = 0.15
BATCH_SIZE = 8
EPOCHS = 60
LEARNING_RATE = 0.0005

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    SAMPLE_RATE = 4000
    MEL_BANDS = min(MEL_BANDS, 24)
    FILTERS = min(FILTERS, 32)
    GRU_UNITS = min(GRU_UNITS, 32)
    NUM_BLOCKS = 1
    EPOCHS = min(EPOCHS, 25)
    LEARNING_RATE = max(LEARNING_RATE, 0.005)
FRAME_LENGTH = int(0.025 * SAMPLE_RATE)
FRAME_STEP = int(0.010 * SAMPLE_RATE)
FFT_LENGTH = 2 ** (FRAME_LENGTH - 1).bit_length()


# %% Data: files
def made_up_folder(count=300):
    """Words of a few letters, each letter a tone of its own pitch with a pause behind it."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up recordings, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    rows = []
    for number in range(count):
        text = "".join(rng.choice(list("abcde"), size=rng.integers(2, 5)))
        pieces = []
        for letter in text:
            time = np.arange(int(rng.uniform(0.07, 0.12) * SAMPLE_RATE)) / SAMPLE_RATE
            pitch = SAMPLE_RATE * (0.06 + 0.07 * "abcde".index(letter))
            pieces += [np.sin(2 * np.pi * pitch * time), np.zeros(int(0.05 * SAMPLE_RATE))]
        sound = np.concatenate(pieces)
        sound += rng.normal(0, 0.05, size=len(sound))
        path = os.path.join(folder, SOUNDS.replace("*", f"{number}.wav"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        wavfile.write(path, SAMPLE_RATE, (9000 * sound).astype("int16"))
        rows.append((f"{number}.wav", text))
    pd.DataFrame(rows, columns=[FILE_COLUMN, TEXT_COLUMN]).to_csv(os.path.join(folder, TABLE_FILE), index=False)
    return folder


def read_table(name, needed):
    """The rows of a table whose recording is there, with its path."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    read = pd.read_excel if path.lower().endswith((".xlsx", ".xlsm")) and not SYNTHETIC else pd.read_csv
    table = read(path, dtype=str, **({} if SYNTHETIC else READ_OPTIONS))
    for column in needed:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(table.columns[:20])}")
    table = table.dropna(subset=needed)
    table["path"] = [os.path.join(folder, SOUNDS.replace("*", cell.strip())) for cell in table[FILE_COLUMN]]
    table = table[table["path"].map(os.path.isfile)].reset_index(drop=True)
    if table.empty:
        raise SystemExit(f"{folder} has no recording {SOUNDS} as named in column {FILE_COLUMN!r}")
    return table


folder = made_up_folder() if SYNTHETIC else DATA_DIR
table = read_table(TABLE_FILE, [FILE_COLUMN, TEXT_COLUMN])
texts = table[TEXT_COLUMN].str.strip().str.lower()
characters = sorted(set("".join(texts)))
print(f"{len(table)} recordings, {len(characters)} characters: {''.join(characters)!r}")

# %% Preprocessing
MEL = tf.signal.linear_to_mel_weight_matrix(MEL_BANDS, FFT_LENGTH // 2 + 1, SAMPLE_RATE, 20.0, SAMPLE_RATE / 2)


def spectrogram(path):
    """The logarithmic mel spectrogram of a WAV file, each band with mean 0 and deviation 1: (frames, MEL_BANDS)."""
    rate, samples = wavfile.read(path)
    samples = samples.astype("float32").mean(axis=1) if samples.ndim == 2 else samples.astype("float32")
    if rate != SAMPLE_RATE:
        times = np.arange(int(len(samples) * SAMPLE_RATE / rate)) * rate / SAMPLE_RATE
        samples = np.interp(times, np.arange(len(samples)), samples).astype("float32")
    samples = samples[: int(LONGEST_SECONDS * SAMPLE_RATE)]
    samples = np.pad(samples, (0, max(0, FRAME_LENGTH - len(samples)))) / (np.abs(samples).max() + 1e-6)
    log_mel = np.log(tf.abs(tf.signal.stft(samples, FRAME_LENGTH, FRAME_STEP, FFT_LENGTH)) @ MEL + 1e-3)
    return (log_mel - log_mel.mean(axis=0)) / (log_mel.std(axis=0) + 1e-3)


def padded(spectrograms):
    """All spectrograms at the length of the longest training one, zeros behind."""
    inputs = np.zeros((len(spectrograms), NUM_FRAMES, MEL_BANDS), dtype="float32")
    for row, one in zip(inputs, spectrograms, strict=True):
        row[: len(one)] = one[:NUM_FRAMES]
    return inputs


def encode_texts(texts):
    """Numbers of the characters from 1 on; 0 fills up, and is what CTC says for "no character"."""
    encoded = np.zeros((len(texts), max(map(len, texts))), dtype="int32")
    for row, text in zip(encoded, texts, strict=True):
        row[: len(text)] = [characters.index(character) + 1 for character in text]
    return encoded


spectrograms = [spectrogram(path) for path in table["path"]]
NUM_FRAMES = max(map(len, spectrograms))
train, test = train_test_split(np.arange(len(table)), test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
inputs, targets = padded(spectrograms), encode_texts(texts)
x_train, x_val, x_test = inputs[train], inputs[val], inputs[test]
y_train, y_val, y_test = targets[train], targets[val], targets[test]


# %% Model
def build_model():
    """Two convolutions that halve the number of frames, bidirectional GRUs, and a score for each character."""
    inputs = keras.Input(shape=(NUM_FRAMES, MEL_BANDS))
    x = layers.Conv1D(FILTERS, 5, padding="same", activation="relu")(inputs)
    x = layers.Conv1D(FILTERS, 5, strides=2, padding="same", activation="relu")(x)
    for _ in range(NUM_BLOCKS):
        x = layers.Bidirectional(layers.GRU(GRU_UNITS, return_sequences=True))(x)
        x = layers.Dropout(DROPOUT)(x)
    return keras.Model(inputs, layers.Dense(len(characters) + 1)(x))


model = build_model()
model.summary()
if model.output_shape[1] < 2 * targets.shape[1]:
    print("recordings are short for their texts: CTC needs more frames than characters")

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE, clipnorm=1.0),
    loss=keras.losses.CTC(),  # takes scores, not probabilities
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=10, restore_best_weights=True)],
    verbose=2,
)
model.save("model.keras")


# %% Evaluate
def decode(scores):
    """Greedy decoding: the best character of each frame; repetitions count once, and 0 is left out."""
    decoded = []
    for best in scores.argmax(axis=-1):
        changes = best[np.insert(best[1:] != best[:-1], 0, True)]
        decoded.append("".join(characters[number - 1] for number in changes if number))
    return decoded


def predict(paths):
    """What is said in each WAV file."""
    return decode(model.predict(padded([spectrogram(path) for path in paths]), batch_size=BATCH_SIZE, verbose=0))


def edits(text, other):
    """How many characters have to be added, left out or exchanged to get from one text to the other."""
    row = list(range(len(other) + 1))
    for number, character in enumerate(text, start=1):
        diagonal, row[0] = row[0], number
        for place, wanted in enumerate(other, start=1):
            best = min(row[place] + 1, row[place - 1] + 1, diagonal + (character != wanted))
            diagonal, row[place] = row[place], best
    return row[-1]


def character_error_rate(truths, predictions):
    """Edits per character of the true texts."""
    wrong = sum(edits(text, other) for text, other in zip(truths, predictions, strict=True))
    return wrong / sum(map(len, truths))


truths, heard = list(texts[test]), predict(table["path"][test])
most_frequent = texts[train].mode()[0]
print(
    f"held-out character error rate: {character_error_rate(truths, heard):.4f} "
    f"(baseline, always the most frequent text: {character_error_rate(truths, [most_frequent] * len(truths)):.4f})"
)
for truth, text in list(zip(truths, heard, strict=True))[:5]:
    print(f"{truth!r} was heard as {text!r}")

if UNLABELLED and not SYNTHETIC:
    new = read_table(UNLABELLED, [FILE_COLUMN])
    new[TEXT_COLUMN] = predict(new["path"])
    new.drop(columns="path").to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("CTC loss")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
