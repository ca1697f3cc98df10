# %% [markdown]
# # Captions for images by a Transformer decoder
# Each place of the image is a vector that the words can attend to; a causal mask keeps each word from seeing those that
# follow it, so that a whole caption is learned at once. A table lists the image files with a caption each.

# %% Imports
import os
import re
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image, ImageDraw
from tensorflow import keras
from tensorflow.keras import layers, ops

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "captions.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TEXT_COLUMN = "caption"
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
SEQUENCE_LENGTH = 24  # words of a caption, its start and end included
VOCAB_SIZE = 8000
FILTERS = [32, 64, 128]
EMBEDDING_DIM = 128
NUM_HEADS = 4
NUM_BLOCKS = 2
HIDDEN_UNITS = 256
DROPOUT = 0.2
TEST_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 50
LEARNING_RATE = 0.0005

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 32)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 32)
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 10)
    FILTERS = [min(filters, 32) for filters in FILTERS]
    EMBEDDING_DIM = min(EMBEDDING_DIM, 32)
    HIDDEN_UNITS = min(HIDDEN_UNITS, 64)
    NUM_BLOCKS = 1
    EPOCHS = min(EPOCHS, 25)
    LEARNING_RATE = max(LEARNING_RATE, 0.003)


# %% Data: files
def write_made_up_data(folder, count=320, size=32):
    """A shape at the left and one at the right, and a caption that names both."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    colours = ("black", "orange", "blue")
    table = []
    for number in range(count):
        pair = rng.integers(3, size=2)
        image = Image.new("RGB", (size, size), "white")
        for colour, left in zip(pair, (2, 18), strict=True):
            top = int(rng.integers(2, 18))
            ImageDraw.Draw(image).rectangle((left, top, left + 11, top + 11), fill=colours[colour])
        path = os.path.join(folder, IMAGES.replace("*", f"{number}.png"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        image.save(path, format="PNG")
        table.append((f"{number}.png", f"{colours[pair[0]]} box beside a {colours[pair[1]]} box"))
    pd.DataFrame(table, columns=[FILE_COLUMN, TEXT_COLUMN]).to_csv(os.path.join(folder, TABLE_FILE), index=False)


def read_image(path):
    """One image at the wanted size, pixels from 0 to 1."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT)), dtype="float32") / 255.0


folder = tempfile.mkdtemp() if SYNTHETIC else DATA_DIR
if SYNTHETIC:
    write_made_up_data(folder)
table_path = os.path.join(folder, TABLE_FILE)
if not os.path.isfile(table_path):
    raise SystemExit(f"{table_path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
read = pd.read_excel if table_path.lower().endswith((".xlsx", ".xlsm")) and not SYNTHETIC else pd.read_csv
table = read(table_path, dtype=str, **({} if SYNTHETIC else READ_OPTIONS))
for column in (FILE_COLUMN, TEXT_COLUMN):
    if column not in table:
        raise SystemExit(f"{TABLE_FILE} has no column {column!r}; it has {', '.join(table.columns[:20])}")
table = table.dropna(subset=[FILE_COLUMN, TEXT_COLUMN])
table["path"] = [os.path.join(folder, IMAGES.replace("*", cell.strip())) for cell in table[FILE_COLUMN]]
table = table[table["path"].map(os.path.isfile)].reset_index(drop=True)
if len(table) < 10:
    raise SystemExit(f"{len(table)} rows of {TABLE_FILE} name an image {IMAGES} in {folder}; ten or more are needed")

# %% Preprocessing
PADDING, START, END, UNKNOWN = 0, 1, 2, 3


def words_of(text):
    """The words of a caption, in lower case and without punctuation."""
    return re.findall(r"\w+", text.lower())[: SEQUENCE_LENGTH - 2]


# All captions of a held-out image are held out.
files = np.random.default_rng(SEED).permutation(table["path"].unique())
is_test = table["path"].isin(files[: max(1, int(TEST_SPLIT * len(files)))]).to_numpy()
counts = pd.Series([word for text in table[TEXT_COLUMN][~is_test] for word in words_of(text)]).value_counts()
vocabulary = ["", "<start>", "<end>", "<unknown>", *counts.index[: VOCAB_SIZE - 4]]
VOCAB_SIZE = len(vocabulary)
number_of = {word: number for number, word in enumerate(vocabulary)}
print(f"{len(files)} images, {len(table)} captions, {VOCAB_SIZE} words known")

tokens = np.full((len(table), SEQUENCE_LENGTH), PADDING)
for row, text in zip(tokens, table[TEXT_COLUMN], strict=True):
    numbers = [START, *(number_of.get(word, UNKNOWN) for word in words_of(text)), END]
    row[: len(numbers)] = numbers
images = np.stack([read_image(path) for path in table["path"]])
# The decoder is given the caption without its end, and is to say it without its start: at each place the next word.
x_train, y_train = [images[~is_test], tokens[~is_test, :-1]], tokens[~is_test, 1:]
x_test, y_test = [images[is_test], tokens[is_test, :-1]], tokens[is_test, 1:]


# %% Model
@keras.utils.register_keras_serializable()
class AddPlaces(layers.Layer):
    """Adds a learned vector for each place of a sequence."""

    def build(self, input_shape):
        self.places = self.add_weight(shape=input_shape[1:], initializer="random_normal", name="places")

    def call(self, inputs):
        return inputs + self.places


def decoder_block(x, seen):
    """Words attend to the words before them, then to the image, then go through a small network."""
    attended = layers.MultiHeadAttention(NUM_HEADS, EMBEDDING_DIM // NUM_HEADS, dropout=DROPOUT)(
        x, x, use_causal_mask=True
    )
    x = layers.LayerNormalization()(layers.Add()([x, attended]))
    attended = layers.MultiHeadAttention(NUM_HEADS, EMBEDDING_DIM // NUM_HEADS, dropout=DROPOUT)(x, seen)
    x = layers.LayerNormalization()(layers.Add()([x, attended]))
    hidden = layers.Dense(HIDDEN_UNITS, activation="gelu")(x)
    hidden = layers.Dropout(DROPOUT)(layers.Dense(EMBEDDING_DIM)(hidden))
    return layers.LayerNormalization()(layers.Add()([x, hidden]))


def build_model():
    """Convolutions give a grid of vectors; the decoder's blocks read words and grid, and score each next word."""
    image = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, 3), name="image")
    grid = image
    for filters in FILTERS:
        grid = layers.Conv2D(filters, 3, padding="same", activation="relu")(grid)
        grid = layers.MaxPooling2D(2, padding="same")(grid)
    seen = layers.Dense(EMBEDDING_DIM)(layers.Reshape((-1, FILTERS[-1]))(grid))
    seen = AddPlaces()(seen)

    caption = keras.Input(shape=(SEQUENCE_LENGTH - 1,), dtype="int32", name="caption")
    x = AddPlaces()(layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM)(caption))
    for _ in range(NUM_BLOCKS):
        x = decoder_block(x, seen)
    return keras.Model([image, caption], layers.Dense(VOCAB_SIZE)(x))


@keras.utils.register_keras_serializable()
def loss_of_words(truth, scores):
    """Crossentropy of the words; what only fills up does not count."""
    losses = keras.losses.sparse_categorical_crossentropy(truth, scores, from_logits=True)
    is_word = ops.cast(ops.not_equal(truth, PADDING), losses.dtype)
    return ops.sum(losses * is_word) / ops.maximum(ops.sum(is_word), 1.0)


model = build_model()
model.summary()

# %% Compile
steps = EPOCHS * -(-len(y_train) // BATCH_SIZE)
schedule = keras.optimizers.schedules.CosineDecay(
    0.0, decay_steps=steps, warmup_target=LEARNING_RATE, warmup_steps=max(1, steps // 10)
)
model.compile(optimizer=keras.optimizers.Adam(learning_rate=schedule), loss=loss_of_words)

# %% Train
history = model.fit(x_train, y_train, validation_split=0.1, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
model.save("model.keras")


# %% Evaluate
def predict(pictures):
    """A caption for each image (pixels from 0 to 1), word for word the likeliest."""
    said = np.full((len(pictures), SEQUENCE_LENGTH), PADDING)
    said[:, 0] = START
    for place in range(SEQUENCE_LENGTH - 1):
        scores = model.predict([pictures, said[:, :-1]], verbose=0)[:, place]
        scores[:, [PADDING, START, UNKNOWN]] = -np.inf
        said[:, place + 1] = np.where(np.isin(said[:, place], (END, PADDING)), PADDING, scores.argmax(axis=-1))
    return [" ".join(vocabulary[token] for token in row if token > UNKNOWN) for row in said]


def word_f1(truths, captions):
    """The harmonic mean of how many said words are wanted and how many wanted words are said."""
    scores = []
    for truth, caption in zip(truths, captions, strict=True):
        wanted, said = words_of(truth), words_of(caption)
        shared = sum(min(wanted.count(word), said.count(word)) for word in set(said))
        scores.append(2 * shared / max(len(wanted) + len(said), 1))
    return np.mean(scores)


truths = list(table[TEXT_COLUMN][is_test])
captions = predict(x_test[0])
frequent = table[TEXT_COLUMN][~is_test].mode()[0]
exact = np.mean([words_of(truth) == words_of(caption) for truth, caption in zip(truths, captions, strict=True)])
print(f"captions that are right in every word: {exact:.4f}")
print(
    f"held-out word F1: {word_f1(truths, captions):.4f} "
    f"(baseline, always the most frequent caption: {word_f1(truths, [frequent] * len(truths)):.4f})"
)

# %% Show
figure, axes = plt.subplots(2, 3, figsize=(10, 7))
for axis in axes.flat:
    axis.axis("off")
for axis, picture, caption in zip(axes.flat, x_test[0], captions, strict=False):
    axis.imshow(picture)
    axis.set_title(caption, fontsize=9)
plt.tight_layout()
plt.savefig("captions.png")
plt.show()
