# %% [markdown]
# # Short descriptions of clothes from a product photo
# A pre-trained MobileNet turns the photo into a grid of features, and a Transformer decoder attends to them while it
# writes the description. The backbone stays frozen, so a few thousand described products are enough.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
IMAGE_HEIGHT = 160
IMAGE_WIDTH = 128
CHANNELS = 3
SEQUENCE_LENGTH = 24
VOCAB_SIZE = 5000
BATCH_SIZE = 64
EPOCHS = 25
LEARNING_RATE = 0.0003

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data
def synthetic_data(count=32):
    """Made-up product photos: a long or short patch, plain or striped, described in a few words."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic photos.")
    rng = np.random.default_rng(42)
    photos = np.full((count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), 240, dtype="uint8")
    descriptions = []
    for photo in photos:
        long, striped, dark = rng.integers(2, size=3)
        patch = photo[5 : IMAGE_HEIGHT - 5 if long else IMAGE_HEIGHT // 2, IMAGE_WIDTH // 4 : -IMAGE_WIDTH // 4]
        patch[:] = 40 if dark else 160
        if striped:
            patch[::4] = 230
        shade, pattern = ("light", "dark")[dark], ("plain", "striped")[striped]
        descriptions.append(f"a {shade} {pattern} {('shirt', 'dress')[long]} made of cotton")
    return photos, np.array(descriptions)


def read_photo(path):
    """One photo in the size of the model's input."""
    image = Image.open(path).convert("RGB" if CHANNELS == 3 else "L").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(image).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


def load_data():
    """Photos and descriptions from products.csv in DATA_DIR: columns `image` (a path in DATA_DIR), `description`."""
    if SYNTHETIC:
        return synthetic_data()
    table = pd.read_csv(Path(DATA_DIR, "products.csv"))
    photos = np.stack([read_photo(Path(DATA_DIR, name)) for name in table["image"]])
    return photos, table["description"].to_numpy(dtype=str)


photos, descriptions = load_data()
print("Photos:", photos.shape, "first description:", descriptions[0])


# %% [markdown]
# MobileNet was trained on pixels in [-1, 1]. The decoder sees the words so far (beginning with `startseq`) and
# predicts the next one (ending with `endseq`).

# %% Preprocessing
train_photos, test_photos, train_texts, test_texts = train_test_split(
    photos, descriptions, test_size=0.2, random_state=42
)
train_photos, val_photos, train_texts, val_texts = train_test_split(
    train_photos, train_texts, test_size=0.2, random_state=42
)

vectorizer = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH + 1)
vectorizer.adapt([f"startseq {text} endseq" for text in train_texts])
vocabulary = vectorizer.get_vocabulary()


def scale(photos):
    """Pixel values in [-1, 1]."""
    return tf.cast(photos, tf.float32) / 127.5 - 1


def make_batch(photos, tokens):
    """The model's two inputs and the word that follows each token."""
    return {"image": scale(photos), "tokens": tokens[:, :-1]}, tokens[:, 1:]


def make_dataset(photos, texts, training=False):
    """Batches of scaled photos, words so far and next words."""
    tokens = vectorizer(tf.constant([f"startseq {text} endseq" for text in texts]))
    dataset = tf.data.Dataset.from_tensor_slices((photos, tokens))
    if training:
        dataset = dataset.shuffle(len(photos))
    return dataset.batch(BATCH_SIZE).map(make_batch).prefetch(tf.data.AUTOTUNE)


train_ds = make_dataset(train_photos, train_texts, training=True)
val_ds = make_dataset(val_photos, val_texts)
test_ds = make_dataset(test_photos, test_texts)


# %% Model
def embed_tokens(tokens):
    """The sum of a word embedding and a position embedding, both with padding (0) masked."""
    present = keras.ops.cast(keras.ops.not_equal(tokens, 0), "int32")
    positions = keras.ops.cumsum(present, axis=-1) * present
    words = layers.Embedding(VOCAB_SIZE, 128, mask_zero=True)(tokens)
    places = layers.Embedding(SEQUENCE_LENGTH + 1, 128, mask_zero=True)(positions)
    return layers.Add()([words, places])


def encode_image(image):
    """A frozen MobileNet, cut where its grid has one place for every 16 pixels; 128 numbers per place."""
    mobilenet = keras.applications.MobileNet(
        include_top=False,
        weights="imagenet" if not SYNTHETIC and CHANNELS == 3 else None,
        input_shape=(None, None, CHANNELS),
    )
    backbone = keras.Model(mobilenet.input, mobilenet.get_layer("conv_pw_11_relu").output, name="backbone")
    backbone.trainable = False
    x = backbone(image, training=False)
    x = layers.Reshape((-1, 512))(x)
    return layers.Dense(128, activation="relu")(x)


def decoder_block(x, features):
    """Causal self-attention, attention to the image features and a feed-forward network."""
    attention = layers.MultiHeadAttention(num_heads=4, key_dim=32)(x, x, use_causal_mask=True)
    x = layers.Add()([x, attention])
    x = layers.LayerNormalization()(x)
    attention = layers.MultiHeadAttention(num_heads=4, key_dim=32)(x, features)
    x = layers.Add()([x, attention])
    x = layers.LayerNormalization()(x)
    hidden = layers.Dense(256, activation="relu")(x)
    hidden = layers.Dense(128)(hidden)
    hidden = layers.Dropout(0.2)(hidden)
    x = layers.Add()([x, hidden])
    return layers.LayerNormalization()(x)


def build_model():
    """A frozen CNN encoder and a Transformer decoder of one block."""
    image = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), name="image")
    features = encode_image(image)
    tokens = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64", name="tokens")
    x = embed_tokens(tokens)
    x = decoder_block(x, features)
    words = layers.Dense(VOCAB_SIZE, activation="softmax")(x)
    return keras.Model({"image": image, "tokens": tokens}, words)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
history = model.fit(
    train_ds,
    validation_data=val_ds,
    epochs=EPOCHS,
    shuffle=False,  # train_ds shuffles itself
    callbacks=[keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)],
    verbose=2,
)

# %% Evaluate
test_loss, test_accuracy = model.evaluate(test_ds, verbose=0)
print(f"Test accuracy per word: {test_accuracy:.3f}, perplexity: {np.exp(test_loss):.1f}")


# %% Show
def describe(photos):
    """Greedy descriptions: at every position the likeliest next word."""
    tokens = np.zeros((len(photos), SEQUENCE_LENGTH + 1), dtype="int64")
    tokens[:, 0] = vocabulary.index("startseq")
    for position in range(SEQUENCE_LENGTH):
        outputs = model.predict({"image": scale(photos), "tokens": tokens[:, :-1]}, verbose=0)
        tokens[:, position + 1] = outputs[:, position, : len(vocabulary)].argmax(axis=-1)
    sentences = [" ".join(vocabulary[token] for token in row[1:]) for row in tokens]
    return [sentence.split("endseq")[0].strip() for sentence in sentences]


for text, description in zip(test_texts[:4], describe(test_photos[:4]), strict=True):
    print(f"{description} (in the shop: {text})")
