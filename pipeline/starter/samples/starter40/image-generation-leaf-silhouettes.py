# %% [markdown]
# # Drawing new leaf silhouettes
# A convolutional variational autoencoder learns the shapes of leaves as points in a small latent space. Any random
# point of that space can be decoded into the silhouette of a leaf that never grew.

# %% Imports
import math
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from PIL import Image
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
IMAGE_HEIGHT = 32
IMAGE_WIDTH = 32
CHANNELS = 1
LATENT_DIM = 12
BATCH_SIZE = 128
EPOCHS = 80
LEARNING_RATE = 0.001

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data
def synthetic_data(count=64):
    """Made-up leaves: white lobed shapes of random size, lobes and direction on black."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic silhouettes.")
    rng = np.random.default_rng(42)
    rows = np.linspace(-1, 1, IMAGE_HEIGHT)[:, None]
    columns = np.linspace(-1, 1, IMAGE_WIDTH)
    distance, angle = np.hypot(rows, columns), np.arctan2(rows, columns)
    leaves = np.zeros((count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    for leaf in leaves:
        outline = rng.uniform(0.5, 0.7) + 0.2 * np.cos(rng.integers(2, 7) * angle + rng.uniform(0, 2 * np.pi))
        leaf[distance < outline] = 255
    return leaves


def read_leaf(path):
    """One silhouette in the size of the generated ones."""
    image = Image.open(path).convert("RGB" if CHANNELS == 3 else "L").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(image).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


def load_data():
    """All silhouettes: every .png file anywhere under DATA_DIR."""
    if SYNTHETIC:
        return synthetic_data()
    return np.stack([read_leaf(path) for path in sorted(Path(DATA_DIR).rglob("*.png"))])


leaves = load_data()
print("Silhouettes:", leaves.shape)

# %% Preprocessing
scaled = leaves.astype("float32") / 255.0

x_train, x_test = train_test_split(scaled, test_size=0.2, random_state=42)
x_train, x_val = train_test_split(x_train, test_size=0.2, random_state=42)


# %% [markdown]
# The encoder names a mean and a (log) variance for every latent number; the decoder starts at a quarter of the image
# size, rounded up, doubles it twice and crops what is too much.


# %% Model
def build_encoder():
    """From an image to the mean and the log variance of its latent vector."""
    image = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    x = layers.Conv2D(32, (3, 3), strides=(2, 2), padding="same", activation="relu")(image)
    x = layers.Conv2D(64, (3, 3), strides=(2, 2), padding="same", activation="relu")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(64, activation="relu")(x)
    mean = layers.Dense(LATENT_DIM)(x)
    log_variance = layers.Dense(LATENT_DIM)(x)
    return keras.Model(image, [mean, log_variance], name="encoder")


def build_decoder():
    """From a latent vector to an image."""
    height, width = math.ceil(IMAGE_HEIGHT / 4), math.ceil(IMAGE_WIDTH / 4)
    return keras.Sequential(
        [
            keras.Input(shape=(LATENT_DIM,)),
            layers.Dense(height * width * 64, activation="relu"),
            layers.Reshape((height, width, 64)),
            layers.Conv2DTranspose(64, (3, 3), strides=(2, 2), padding="same", activation="relu"),
            layers.Conv2DTranspose(32, (3, 3), strides=(2, 2), padding="same", activation="relu"),
            layers.Conv2D(CHANNELS, (3, 3), padding="same", activation="sigmoid"),
            layers.CenterCrop(IMAGE_HEIGHT, IMAGE_WIDTH),
        ],
        name="decoder",
    )


# %% Model
class VAE(keras.Model):
    """An encoder and a decoder with a random latent vector between them."""

    def __init__(self, encoder, decoder):
        """Keep both networks and a running mean of the loss and its two parts."""
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.total_loss = keras.metrics.Mean(name="loss")
        self.reconstruction_loss = keras.metrics.Mean(name="reconstruction_loss")
        self.divergence = keras.metrics.Mean(name="divergence")

    def call(self, images, training=False):
        """Encode and decode images without noise."""
        mean, _ = self.encoder(images, training=training)
        return self.decoder(mean, training=training)

    def measure(self, images, training):
        """The evidence lower bound per pixel: reconstruction plus divergence from a standard normal distribution."""
        mean, log_variance = self.encoder(images, training=training)
        latent = mean + tf.exp(0.5 * log_variance) * tf.random.normal(tf.shape(mean))
        reconstruction = self.compute_loss(y=images, y_pred=self.decoder(latent, training=training))
        divergence = 0.5 * tf.reduce_sum(tf.square(mean) + tf.exp(log_variance) - 1 - log_variance, axis=-1)
        divergence = tf.reduce_mean(divergence) / (IMAGE_HEIGHT * IMAGE_WIDTH * CHANNELS)
        loss = reconstruction + divergence
        self.total_loss.update_state(loss)
        self.reconstruction_loss.update_state(reconstruction)
        self.divergence.update_state(divergence)
        return loss

    def results(self):
        """The running means by name."""
        return {metric.name: metric.result() for metric in (self.total_loss, self.reconstruction_loss, self.divergence)}

    def train_step(self, images):
        """One update of both networks."""
        with tf.GradientTape() as tape:
            loss = self.measure(images, training=True)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return self.results()

    def test_step(self, images):
        """The loss of one batch without an update."""
        self.measure(images, training=False)
        return self.results()


def build_model():
    """The whole VAE."""
    return VAE(build_encoder(), build_decoder())


model = build_model()
model.summary(expand_nested=True)

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="binary_crossentropy",
)

# %% Train
history = model.fit(
    x_train,
    validation_data=(x_val,),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=8, restore_best_weights=True)],
    verbose=2,
)

# %% Evaluate
results = model.evaluate(x_test, batch_size=BATCH_SIZE, return_dict=True, verbose=0)
for name, value in results.items():
    print(f"Test {name}: {value:.5f}")

# %% Show
latent = np.random.default_rng(42).standard_normal((12, LATENT_DIM), dtype="float32")
figure, axes = plt.subplots(2, 6, figsize=(9, 3))
for axis, image in zip(axes.flat, model.decoder.predict(latent, verbose=0), strict=True):
    axis.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=1)
    axis.axis("off")
plt.savefig("generated.png", bbox_inches="tight")
