# %% [markdown]
# # Captions for images by a CNN and an LSTM
# The CNN's view of the image and the LSTM's view of the words so far are put together to tell the next word. A table
# lists the image files with a caption each; an image may have several rows.

# %% Imports
import os
import tempfile
from collections import Counter

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image, ImageDraw
from sklearn.model_selection import GroupShuffleSplit
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "captions.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TEXT_COLUMN = "caption"
UNLABELLED = ""  # a table of images that captions are wanted for
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
CHANNELS = 3
SEQUENCE_LENGTH = 20  # words of a caption, its start and end included
VOCAB_SIZE = 5000
FILTERS = [32, 64, 128]
EMBEDDING_DIM = 128
LSTM_UNITS = 256
DROPOUT = 0.3
VALIDATION_SPLIT = 0.1
TEST_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 32)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 32)
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 8)
    FILTERS = [min(filters, 24) for filters in FILTERS]
    EMBEDDING_DIM = min(EMBEDDING_DIM, 32)
    LSTM_UNITS = min(LSTM_UNITS, 48)
    EPOCHS = min(EPOCHS, 15)
    LEARNING_RATE = max(LEARNING_RATE, 0.003)


# %% Data: files
def made_up_folder(count=300, size=32):
    """A large or small shape in one of three colours, and a caption that says so."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    rows = []
    for number in range(count):
        colour, shape, width = rng.choice(["red", "blue", "green"]), rng.choice(["square", "circle"]), rng.integers(2)
        image = Image.new("RGB", (size, size), "white")
        half = 13 if width else 6
        left, top = rng.integers(0, size - 2 * half, size=2)
        draw = ImageDraw.Draw(image)
        box = (int(left), int(top), int(left) + 2 * half, int(top) + 2 * half)
        draw.rectangle(box, fill=colour) if shape == "square" else draw.ellipse(box, fill=colour)
        path = os.path.join(folder, IMAGES.replace("*", f"{number}.png"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        image.save(path, format="PNG")
        rows.append((f"{number}.png", f"A {('small', 'large')[width]} {colour} {shape}."))
    pd.DataFrame(rows, columns=[FILE_COLUMN, TEXT_COLUMN]).to_csv(os.path.join(folder, TABLE_FILE), index=False)
    return folder


def read_table(name, needed):
    """The rows of a table whose image is there, with its path."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    read = pd.read_excel if path.lower().endswith((".xlsx", ".xlsm")) and not SYNTHETIC else pd.read_csv
    table = read(path, dtype=str, **({} if SYNTHETIC else READ_OPTIONS))
    if lacking := [column for column in needed if column not in table]:
        raise SystemExit(f"{name} has no column {lacking[0]!r}; it has {', '.join(table.columns[:20])}")
    table = table.dropna(subset=needed)
    table["path"] = [os.path.join(folder, IMAGES.replace("*", cell.strip())) for cell in table[FILE_COLUMN]]
    table = table[table["path"].map(os.path.isfile)].reset_index(drop=True)
    if table.empty:
        raise SystemExit(f"{folder} has no image {IMAGES} as named in column {FILE_COLUMN!r}")
    return table


def read_images(paths):
    """The images at the wanted size, pixels from 0 to 1."""
    images = np.zeros((len(paths), IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="float32")
    for row, path in zip(images, paths, strict=True):
        with Image.open(path) as image:
            resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
        row[:] = np.asarray(resized).reshape(row.shape) / 255.0
    return images


folder = made_up_folder() if SYNTHETIC else DATA_DIR
table = read_table(TABLE_FILE, [FILE_COLUMN, TEXT_COLUMN])

# %% Preprocessing
# Captions of the same image stay together: all of them are either trained on or held out.
splitter = GroupShuffleSplit(1, test_size=TEST_SPLIT, random_state=SEED)
train, test = next(splitter.split(table, groups=table["path"]))
splitter = GroupShuffleSplit(1, test_size=VALIDATION_SPLIT, random_state=SEED)
parts = next(splitter.split(train, groups=table["path"].iloc[train]))
train, val = train[parts[0]], train[parts[1]]

vectorize = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
# The marks of start and end are words without punctuation, which the vectorization would take off.
marked = ("startmark " + table[TEXT_COLUMN] + " endmark").to_numpy(dtype=str)
vectorize.adapt(marked[train])
words = vectorize.get_vocabulary()
VOCAB_SIZE = len(words)
START, END = words.index("startmark"), words.index("endmark")
tokens = vectorize(marked).numpy()
print(f"{len(table)} captions, {VOCAB_SIZE} words known")


def steps_of(rows):
    """Each caption taken apart: the image, the words so far (zeros in front), and the word that comes next."""
    owners, beginnings, following = [], [], []
    for row in rows:
        for place in range(1, np.count_nonzero(tokens[row])):
            owners.append(row)
            beginnings.append(np.pad(tokens[row][:place], (SEQUENCE_LENGTH - place, 0)))
            following.append(tokens[row][place])
    return [images[owners], np.array(beginnings)], np.array(following)


images = read_images(table["path"])
x_train, y_train = steps_of(train)
x_val, y_val = steps_of(val)


# %% Model
def build_model():
    """Image and words each become a vector of LSTM_UNITS; their sum tells the next word."""
    image = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), name="image")
    x = image
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(DROPOUT)(x)
    seen = layers.Dense(LSTM_UNITS, activation="relu")(x)

    so_far = keras.Input(shape=(SEQUENCE_LENGTH,), name="words")
    y = layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM, mask_zero=True)(so_far)
    said = layers.LSTM(LSTM_UNITS)(y)

    together = layers.Add()([seen, said])
    together = layers.Dense(LSTM_UNITS, activation="relu")(together)
    return keras.Model([image, so_far], layers.Dense(VOCAB_SIZE, activation="softmax")(together))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[stop],
    verbose=2,
)
model.save("model.keras")
pd.Series(words).to_csv("words.csv", index=False, header=False)


# %% Evaluate
def predict(pictures):
    """A caption for each image (pixels from 0 to 1), always the likeliest next word."""
    so_far = np.zeros((len(pictures), SEQUENCE_LENGTH), dtype="int64")
    so_far[:, -1] = START
    for _ in range(SEQUENCE_LENGTH - 2):
        following = model.predict([pictures, so_far], verbose=0).argmax(axis=-1)
        following[np.isin(so_far[:, -1], (END, 0)) & (so_far[:, -1] != START)] = 0  # what has ended stays so
        so_far = np.concatenate([so_far[:, 1:], following[:, None]], axis=1)
    return [" ".join(words[token] for token in row if token not in (0, START, END)) for row in so_far]


def groups_of_words(text, size):
    """How often each group of as many words occurs in a text."""
    text = text.split()
    return Counter(tuple(text[place : place + size]) for place in range(len(text) - size + 1))


def bleu(truths, captions):
    """BLEU of words and pairs of words over all captions (Papineni et al. 2002), from 0 to 1."""
    precisions = []
    for size in (1, 2):
        right = total = 0
        for truth, caption in zip(truths, captions, strict=True):
            wanted, given = groups_of_words(truth, size), groups_of_words(caption, size)
            right, total = right + (wanted & given).total(), total + given.total()
        precisions.append(right / max(total, 1))
    lengths = sum(len(text.split()) for text in captions), sum(len(text.split()) for text in truths)
    return min(1.0, np.exp(1 - lengths[1] / max(lengths[0], 1))) * np.sqrt(precisions[0] * precisions[1])


truths = [" ".join(words[token] for token in row if token not in (0, START, END)) for row in tokens[test]]
captions = predict(images[test])
frequent = table[TEXT_COLUMN].iloc[train].mode()[0]
frequent = " ".join(words[token] for token in vectorize([frequent]).numpy()[0] if token)
print(
    f"held-out BLEU-2: {bleu(truths, captions):.4f} "
    f"(baseline, always the most frequent caption: {bleu(truths, [frequent] * len(truths)):.4f})"
)

if UNLABELLED and not SYNTHETIC:
    new = read_table(UNLABELLED, [FILE_COLUMN])
    new[TEXT_COLUMN] = predict(read_images(new["path"]))
    new.drop(columns="path").to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
figure, axes = plt.subplots(2, 3, figsize=(10, 7))
for axis in axes.flat:
    axis.axis("off")
for axis, row, caption in zip(axes.flat, test, captions, strict=False):
    axis.imshow(images[row].squeeze(), cmap="gray" if CHANNELS == 1 else None)
    axis.set_title(caption, fontsize=9, wrap=True)
plt.tight_layout()
plt.savefig("captions.png")
plt.show()
