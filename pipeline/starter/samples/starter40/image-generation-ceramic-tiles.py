# %% [markdown]
# # New patterns for ceramic tiles
# A DCGAN invents tile patterns: the generator turns noise into an image, the discriminator tells generated tiles from
# photographed ones, and both learn from each other.

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
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
LATENT_DIM = 100
BATCH_SIZE = 64
EPOCHS = 150
LEARNING_RATE = 0.0002

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data
def synthetic_data(count=48):
    """Made-up tiles: symmetric waves in random colours."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic tiles.")
    rng = np.random.default_rng(42)
    rows = np.linspace(-1, 1, IMAGE_HEIGHT)[:, None]
    columns = np.linspace(-1, 1, IMAGE_WIDTH)
    tiles = np.empty((count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    for tile in tiles:
        waves = np.cos(rng.uniform(3, 12) * rows) + np.cos(rng.uniform(3, 12) * columns)
        tile[:] = 127 + 60 * waves[..., None] * rng.uniform(-1, 1, size=CHANNELS)
    return tiles


def read_tile(path):
    """One photographed tile in the size of the generated ones."""
    image = Image.open(path).convert("RGB" if CHANNELS == 3 else "L").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(image).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


def load_data():
    """All tiles: every .png and .jpg file anywhere under DATA_DIR."""
    if SYNTHETIC:
        return synthetic_data()
    paths = sorted(path for path in Path(DATA_DIR).rglob("*") if path.suffix.lower() in {".png", ".jpg", ".jpeg"})
    return np.stack([read_tile(path) for path in paths])


tiles = load_data()
print("Tiles:", tiles.shape)


# %% [markdown]
# The generator ends in a tanh, so real tiles are scaled to [-1, 1] too. Some are held out to see in the end whether the
# discriminator has merely memorised those it was trained on.


# %% Preprocessing
def scale(tiles):
    """Pixel values in [-1, 1]."""
    return tf.cast(tiles, tf.float32) / 127.5 - 1


def make_dataset(tiles, training=False):
    """Batches of scaled tiles."""
    dataset = tf.data.Dataset.from_tensor_slices(tiles)
    if training:
        dataset = dataset.shuffle(len(tiles))
    return dataset.batch(BATCH_SIZE).map(scale).prefetch(tf.data.AUTOTUNE)


train_tiles, test_tiles = train_test_split(tiles, test_size=0.15, random_state=42)

train_ds = make_dataset(train_tiles, training=True)
test_ds = make_dataset(test_tiles)


# %% [markdown]
# The generator starts at a quarter of the image size, rounded up, doubles it twice and crops what is too much.


# %% Model
def build_generator():
    """From a noise vector to an image."""
    height, width = math.ceil(IMAGE_HEIGHT / 4), math.ceil(IMAGE_WIDTH / 4)
    return keras.Sequential(
        [
            keras.Input(shape=(LATENT_DIM,)),
            layers.Dense(height * width * 128, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Reshape((height, width, 128)),
            layers.Conv2DTranspose(128, (4, 4), strides=(2, 2), padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2DTranspose(64, (4, 4), strides=(2, 2), padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(CHANNELS, (3, 3), padding="same", activation="tanh"),
            layers.CenterCrop(IMAGE_HEIGHT, IMAGE_WIDTH),
        ],
        name="generator",
    )


def build_discriminator():
    """From an image to the probability that it is a real one."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.Conv2D(64, (4, 4), strides=(2, 2), padding="same", use_bias=False),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(0.3),
            layers.Conv2D(128, (4, 4), strides=(2, 2), padding="same", use_bias=False),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="discriminator",
    )


# %% Model
class GAN(keras.Model):
    """A generator and a discriminator, trained in turn on every batch."""

    def __init__(self, generator, discriminator):
        """Keep both networks and a running mean of each one's loss."""
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.generator_loss = keras.metrics.Mean(name="generator_loss")
        self.discriminator_loss = keras.metrics.Mean(name="discriminator_loss")

    def compile(self, optimizer, discriminator_optimizer, **kwargs):
        """Take the generator's optimizer and the discriminator's."""
        super().compile(optimizer=optimizer, **kwargs)
        self.discriminator_optimizer = discriminator_optimizer

    def call(self, noise, training=False):
        """Generate images."""
        return self.generator(noise, training=training)

    def train_step(self, images):
        """One update of the discriminator, then one of the generator."""
        noise = tf.random.normal((tf.shape(images)[0], LATENT_DIM))

        with tf.GradientTape() as tape:
            real = self.discriminator(images, training=True)
            fake = self.discriminator(self.generator(noise, training=True), training=True)
            loss = self.compute_loss(y=tf.ones_like(real), y_pred=real)
            loss += self.compute_loss(y=tf.zeros_like(fake), y_pred=fake)
        variables = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        self.discriminator_loss.update_state(loss)

        with tf.GradientTape() as tape:
            fake = self.discriminator(self.generator(noise, training=True), training=True)
            loss = self.compute_loss(y=tf.ones_like(fake), y_pred=fake)
        variables = self.generator.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        self.generator_loss.update_state(loss)

        return {metric.name: metric.result() for metric in (self.generator_loss, self.discriminator_loss)}


def build_model():
    """The whole GAN."""
    return GAN(build_generator(), build_discriminator())


model = build_model()
model.summary(expand_nested=True)

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE, beta_1=0.5),
    discriminator_optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE, beta_1=0.5),
    loss="binary_crossentropy",
)

# %% Train
history = model.fit(
    train_ds,
    epochs=EPOCHS,
    shuffle=False,  # train_ds shuffles itself
    verbose=2,
)

# %% Evaluate
noise = np.random.default_rng(42).standard_normal((len(test_tiles), LATENT_DIM), dtype="float32")
generated = model.predict(noise, batch_size=BATCH_SIZE, verbose=0)
real_scores = model.discriminator.predict(test_ds, verbose=0)
fake_scores = model.discriminator.predict(generated, batch_size=BATCH_SIZE, verbose=0)
accuracy = np.concatenate([real_scores > 0.5, fake_scores <= 0.5]).mean()
print(f"The discriminator tells held-out from generated tiles with an accuracy of {accuracy:.2f} (0.50 is ideal).")

# %% Show
figure, axes = plt.subplots(2, 4, figsize=(8, 4))
for axis, image in zip(axes.flat, generated, strict=False):
    axis.imshow((image.squeeze() + 1) / 2, cmap="gray", vmin=0, vmax=1)
for axis in axes.flat:
    axis.axis("off")
plt.savefig("generated.png", bbox_inches="tight")
