# %% [markdown]
# # Text from images of single words
# Convolutions turn the image into a sequence of columns, a bidirectional LSTM reads them from both sides, and CTC
# finds which columns belong to which character. A table lists the image files with their texts.

# %% Imports
import os
import string
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "words.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TEXT_COLUMN = "text"
UNLABELLED = ""  # a table of images whose text is wanted
IMAGE_HEIGHT = 32
IMAGE_WIDTH = 128
FILTERS = [32, 64]
LSTM_UNITS = 128
DROPOUT = 0.2
VALIDATION_SPLIT = 0.1
TEST_SPLIT = 0.15
PATIENCE = 10
BATCH_SIZE = 32
EPOCHS = 80
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_WIDTH = min(IMAGE_WIDTH, 64)
    FILTERS = [min(filters, 24) for filters in FILTERS]
    LSTM_UNITS = min(LSTM_UNITS, 48)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    EPOCHS = min(EPOCHS, 18)
    LEARNING_RATE = max(LEARNING_RATE, 0.004)


# %% Data: files
def write_made_up_words(folder, count=500):
    """Dark digits, three to five of them, on light noise."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    font = ImageFont.load_default(size=20)
    rows = []
    for number in range(count):
        text = "".join(rng.choice(list(string.digits), size=rng.integers(3, 6)))
        noise = rng.integers(190, 255, size=(32, 20 * len(text)), dtype="uint8")
        image = Image.fromarray(noise)
        for place, character in enumerate(text):
            ImageDraw.Draw(image).text((20 * place + 4, int(rng.integers(2, 7))), character, fill=10, font=font)
        path = os.path.join(folder, IMAGES.replace("*", f"{number}.png"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        image.save(path, format="PNG")
        rows.append((f"{number}.png", text))
    pd.DataFrame(rows, columns=[FILE_COLUMN, TEXT_COLUMN]).to_csv(os.path.join(folder, TABLE_FILE), index=False)


def read_image(path):
    """A word as gray pixels from 0 to 1, as high as the model's input, with white filled in at the right."""
    with Image.open(path) as image:
        width = min(IMAGE_WIDTH, max(1, round(image.width * IMAGE_HEIGHT / image.height)))
        resized = np.asarray(image.convert("L").resize((width, IMAGE_HEIGHT)), dtype="float32") / 255.0
    return np.pad(resized, ((0, 0), (0, IMAGE_WIDTH - width)), constant_values=1.0)[..., None]


def read_listed(name, needed):
    """Rows of a table whose image is there, and the images."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    read = pd.read_excel if path.lower().endswith((".xlsx", ".xlsm")) and not SYNTHETIC else pd.read_csv
    table = read(path, dtype=str, keep_default_na=False, **({} if SYNTHETIC else READ_OPTIONS))
    if lacking := [column for column in needed if column not in table]:
        raise SystemExit(f"{name} has no column {lacking[0]!r}; it has {', '.join(table.columns[:20])}")
    paths = np.array([os.path.join(folder, IMAGES.replace("*", cell.strip())) for cell in table[FILE_COLUMN]])
    there = np.array([os.path.isfile(path) for path in paths])
    if not there.any():
        raise SystemExit(f"{folder} has no image {IMAGES} as named in column {FILE_COLUMN!r}")
    return table[there].reset_index(drop=True), np.stack([read_image(path) for path in paths[there]])


folder = tempfile.mkdtemp() if SYNTHETIC else DATA_DIR
if SYNTHETIC:
    write_made_up_words(folder)
table, images = read_listed(TABLE_FILE, [FILE_COLUMN, TEXT_COLUMN])
texts = table[TEXT_COLUMN].str.strip()
images, texts = images[(texts != "").to_numpy()], texts[texts != ""].to_numpy()
characters = sorted(set("".join(texts)))
longest = max(map(len, texts))
print(f"{len(images)} words of up to {longest} characters out of {len(characters)}: {''.join(characters)!r}")

# %% Preprocessing
to_numbers = layers.StringLookup(vocabulary=characters, num_oov_indices=0, mask_token="")  # 0 is kept free for CTC
encoded = np.zeros((len(texts), longest), dtype="int32")
for row, text in zip(encoded, texts, strict=True):
    row[: len(text)] = to_numbers(list(text))
train, test = train_test_split(np.arange(len(images)), test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
x_train, x_val, x_test = images[train], images[val], images[test]
y_train, y_val = encoded[train], encoded[val]


# %% Model
def build_model():
    """Convolutions that halve the height more often than the width, then columns as the steps of a sequence."""
    inputs = x = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, 1))
    for number, filters in enumerate(FILTERS):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        # Width is time: halved once or twice, or there would be too few columns for the characters.
        x = layers.MaxPooling2D((2, 2 if number < 2 else 1))(x)
    x = layers.Permute((2, 1, 3))(x)  # (columns, rows, filters)
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
    x = layers.Dense(64, activation="relu")(x)
    x = layers.Dropout(DROPOUT)(x)
    x = layers.Bidirectional(layers.LSTM(LSTM_UNITS, return_sequences=True))(x)
    return keras.Model(inputs, layers.Dense(len(characters) + 1)(x))


model = build_model()
model.summary()
if model.output_shape[1] <= longest:
    raise SystemExit(f"{model.output_shape[1]} columns are too few for {longest} characters; enlarge IMAGE_WIDTH")

# %% Compile
model.compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss=keras.losses.CTC())

# %% Train
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)
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


# %% Evaluate
def predict(images):
    """The text of each image, as `read_image` gives it: the best character of each column, without repetitions."""
    read = []
    for columns in model.predict(images, verbose=0).argmax(axis=-1):
        text, before = "", 0
        for number in columns:
            if number not in (0, before):
                text += characters[number - 1]
            before = number
        read.append(text)
    return np.array(read)


read = predict(x_test)
frequent = pd.Series(texts[train]).mode()[0]
print(
    f"held-out accuracy of whole words: {np.mean(read == texts[test]):.4f} "
    f"(baseline, always the most frequent word: {np.mean(texts[test] == frequent):.4f})"
)

if UNLABELLED and not SYNTHETIC:
    rows, new_images = read_listed(UNLABELLED, [FILE_COLUMN])
    rows[TEXT_COLUMN] = predict(new_images)
    rows.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(rows)} rows")

# %% Show
figure, axes = plt.subplots(4, 2, figsize=(7, 5))
for axis in axes.flat:
    axis.axis("off")
for axis, image, text, truth in zip(axes.flat, x_test, read, texts[test], strict=False):
    axis.imshow(image[..., 0], cmap="gray")
    axis.set_title(f"{text} ({truth})", fontsize=9)
plt.suptitle("read (true)")
plt.tight_layout()
plt.savefig("words.png")
plt.show()
