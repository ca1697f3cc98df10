# %% [markdown]
# # Captions for trail camera photos
# A small CNN reads the photo and an LSTM writes the caption word by word: what the CNN saw becomes the LSTM's first
# state. Each photo may have several captions.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
CHANNELS = 3
SEQUENCE_LENGTH = 16
VOCAB_SIZE = 3000
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.001

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data
def synthetic_data(count=32):
    """Made-up photos: a dark or bright scene with an animal-sized patch, and two captions for each."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic photos.")
    rng = np.random.default_rng(42)
    photos = rng.integers(0, 40, size=(count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    rows = []
    for index, photo in enumerate(photos):
        night, left, deer = rng.integers(2, size=3)
        photo += np.uint8(10 if night else 120)
        columns = slice(0, IMAGE_WIDTH // 2) if left else slice(IMAGE_WIDTH // 2, None)
        photo[IMAGE_HEIGHT // 3 :, columns, 0] = 230 if deer else 80
        animal, side, time = ("deer", "fox")[1 - deer], ("right", "left")[left], ("by day", "at night")[night]
        rows.append((index, f"a {animal} on the {side} {time}"))
        rows.append((index, f"the {animal} walks {time}"))
    return photos, pd.DataFrame(rows, columns=["image", "caption"])


def read_photo(path):
    """One photo in the size of the model's input."""
    image = Image.open(path).convert("RGB" if CHANNELS == 3 else "L").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(image).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


def load_data():
    """Photos from DATA_DIR/images/ and captions.csv: the columns `image` (here the photo's index) and `caption`."""
    if SYNTHETIC:
        return synthetic_data()
    captions = pd.read_csv(Path(DATA_DIR, "captions.csv"))[["image", "caption"]]
    captions["image"], names = pd.factorize(captions["image"])
    return np.stack([read_photo(Path(DATA_DIR, "images", name)) for name in names]), captions


photos, captions = load_data()
print("Photos:", photos.shape, "captions:", len(captions))


# %% [markdown]
# The split is by photo, so no test photo is known from another of its captions. The decoder sees the words so far
# (beginning with `startseq`) and predicts the next one (ending with `endseq`).

# %% Preprocessing
train_photos, test_photos = train_test_split(np.arange(len(photos)), test_size=0.2, random_state=42)
train_photos, val_photos = train_test_split(train_photos, test_size=0.2, random_state=42)

sentences = ("startseq " + captions["caption"].astype(str) + " endseq").to_numpy(dtype=str)
vectorizer = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH + 1)
vectorizer.adapt(sentences[captions["image"].isin(train_photos)])
vocabulary = vectorizer.get_vocabulary()


def make_example(photo, tokens):
    """The model's two inputs and the word that follows each token."""
    return {"image": tf.cast(photo, tf.float32) / 255.0, "tokens": tokens[:-1]}, tokens[1:]


def make_dataset(photo_indices, training=False):
    """Batches of examples from all captions of the given photos."""
    chosen = captions["image"].isin(photo_indices)
    examples = photos[captions.loc[chosen, "image"]], vectorizer(sentences[chosen])
    dataset = tf.data.Dataset.from_tensor_slices(examples)
    if training:
        dataset = dataset.shuffle(int(chosen.sum()))
    return dataset.map(make_example).batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)


train_ds = make_dataset(train_photos, training=True)
val_ds = make_dataset(val_photos)
test_ds = make_dataset(test_photos)


# %% Model
def build_model():
    """A CNN encoder whose features are the first state of an LSTM decoder."""
    image = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), name="image")
    x = layers.Conv2D(32, (3, 3), padding="same", activation="relu")(image)
    x = layers.MaxPooling2D((2, 2))(x)
    x = layers.Conv2D(64, (3, 3), padding="same", activation="relu")(x)
    x = layers.MaxPooling2D((2, 2))(x)
    x = layers.Conv2D(128, (3, 3), padding="same", activation="relu")(x)
    x = layers.MaxPooling2D((2, 2))(x)
    x = layers.GlobalAveragePooling2D()(x)
    hidden_state = layers.Dense(256, activation="tanh")(x)
    cell_state = layers.Dense(256, activation="tanh")(x)

    tokens = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64", name="tokens")
    y = layers.Embedding(VOCAB_SIZE, 128, mask_zero=True)(tokens)
    y = layers.LSTM(256, return_sequences=True)(y, initial_state=[hidden_state, cell_state])
    y = layers.Dropout(0.3)(y)
    words = layers.Dense(VOCAB_SIZE, activation="softmax")(y)
    return keras.Model({"image": image, "tokens": tokens}, words)


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
    train_ds,
    validation_data=val_ds,
    epochs=EPOCHS,
    shuffle=False,  # train_ds shuffles itself
    callbacks=[keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True)],
    verbose=2,
)

# %% Evaluate
test_loss, test_accuracy = model.evaluate(test_ds, verbose=0)
print(f"Test accuracy per word: {test_accuracy:.3f}, perplexity: {np.exp(test_loss):.1f}")


# %% Show
def write_captions(images):
    """Greedy captions for scaled images: at every position the likeliest next word."""
    tokens = np.zeros((len(images), SEQUENCE_LENGTH + 1), dtype="int64")
    tokens[:, 0] = vocabulary.index("startseq")
    for position in range(SEQUENCE_LENGTH):
        outputs = model.predict({"image": images, "tokens": tokens[:, :-1]}, verbose=0)
        tokens[:, position + 1] = outputs[:, position, : len(vocabulary)].argmax(axis=-1)
    sentences = [" ".join(vocabulary[token] for token in row[1:]) for row in tokens]
    return [sentence.split("endseq")[0].strip() for sentence in sentences]


shown = photos[test_photos[:3]]
figure, axes = plt.subplots(1, 3, figsize=(12, 4))
for axis, photo, caption in zip(axes, shown, write_captions(shown.astype("float32") / 255.0), strict=False):
    print("Caption:", caption)
    axis.imshow(photo.squeeze(), cmap="gray")
    axis.set_title(caption, fontsize=8)
for axis in axes:
    axis.axis("off")
plt.savefig("captions.png", bbox_inches="tight")
