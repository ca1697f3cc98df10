# %% [markdown]
# # Game sprites of a wanted kind
# A class-conditional GAN draws small sprites of the kind it is asked for: potions, swords, shields and so on. Both
# networks see the class, and the least-squares loss keeps their training steady.

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
CHANNELS = 3
NUM_CLASSES = 6
LATENT_DIM = 64
BATCH_SIZE = 32
EPOCHS = 120
LEARNING_RATE = 0.0001

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data
def synthetic_data(count=64):
    """Made-up sprites: a polygon on black whose number of corners tells the class."""
    print(f"No folder {DATA_DIR!r}: using {count} synthetic sprites.")
    rng = np.random.default_rng(42)
    rows = np.linspace(-1, 1, IMAGE_HEIGHT)[:, None]
    columns = np.linspace(-1, 1, IMAGE_WIDTH)
    distance, angle = np.hypot(rows, columns), np.arctan2(rows, columns)
    labels = np.arange(count) % NUM_CLASSES
    sprites = np.zeros((count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    for sprite, label in zip(sprites, labels, strict=True):
        outline = rng.uniform(0.5, 0.7) + 0.2 * np.cos((label + 2) * angle)
        sprite[distance < outline] = rng.integers(120, 256, size=CHANNELS)
    return sprites, labels


def read_sprite(path):
    """One sprite in the size of the generated ones."""
    image = Image.open(path).convert("RGB" if CHANNELS == 3 else "L").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(image).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


def load_data():
    """Sprites and integer labels: DATA_DIR holds one folder of .png files per class, numbered in alphabetical order."""
    if SYNTHETIC:
        return synthetic_data()
    folders = sorted(path for path in Path(DATA_DIR).iterdir() if path.is_dir())[:NUM_CLASSES]
    samples = [(path, label) for label, folder in enumerate(folders) for path in sorted(folder.glob("*.png"))]
    return np.stack([read_sprite(path) for path, _ in samples]), np.array([label for _, label in samples])


sprites, labels = load_data()
print("Sprites:", sprites.shape, "per class:", np.bincount(labels, minlength=NUM_CLASSES))


# %% Preprocessing
def scale(sprites, labels):
    """Pixel values in [-1, 1], the range of the generator's tanh, and the unchanged labels."""
    return tf.cast(sprites, tf.float32) / 127.5 - 1, tf.cast(labels, tf.int32)


def make_dataset(sprites, labels, training=False):
    """Batches of (scaled sprites, labels)."""
    dataset = tf.data.Dataset.from_tensor_slices((sprites, labels))
    if training:
        dataset = dataset.shuffle(len(sprites))
    return dataset.batch(BATCH_SIZE).map(scale).prefetch(tf.data.AUTOTUNE)


train_sprites, test_sprites, train_labels, test_labels = train_test_split(
    sprites, labels, test_size=0.15, random_state=42
)

train_ds = make_dataset(train_sprites, train_labels, training=True)
test_ds = make_dataset(test_sprites, test_labels)


# %% [markdown]
# The class enters the generator as an embedding beside the noise, and the discriminator as one more image channel. The
# generator starts at a quarter of the image size, rounded up, doubles it twice and crops what is too much.


# %% Model
def build_generator():
    """From noise and a class to a sprite."""
    height, width = math.ceil(IMAGE_HEIGHT / 4), math.ceil(IMAGE_WIDTH / 4)
    noise = keras.Input(shape=(LATENT_DIM,))
    label = keras.Input(shape=(), dtype="int32")
    embedded = layers.Embedding(NUM_CLASSES, 16)(label)
    x = layers.Concatenate()([noise, embedded])
    x = layers.Dense(height * width * 96, activation="relu")(x)
    x = layers.Reshape((height, width, 96))(x)
    x = layers.UpSampling2D((2, 2))(x)
    x = layers.Conv2D(96, (3, 3), padding="same", activation="relu")(x)
    x = layers.UpSampling2D((2, 2))(x)
    x = layers.Conv2D(48, (3, 3), padding="same", activation="relu")(x)
    x = layers.Conv2D(CHANNELS, (3, 3), padding="same", activation="tanh")(x)
    x = layers.CenterCrop(IMAGE_HEIGHT, IMAGE_WIDTH)(x)
    return keras.Model([noise, label], x, name="generator")


def build_discriminator():
    """From a sprite and its class to a score: near 1 for a real pair, near 0 for a generated one."""
    sprite = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    label = keras.Input(shape=(), dtype="int32")
    embedded = layers.Embedding(NUM_CLASSES, IMAGE_HEIGHT * IMAGE_WIDTH)(label)
    embedded = layers.Reshape((IMAGE_HEIGHT, IMAGE_WIDTH, 1))(embedded)
    x = layers.Concatenate()([sprite, embedded])
    x = layers.Conv2D(48, (3, 3), strides=(2, 2), padding="same", use_bias=False)(x)
    x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.Conv2D(96, (3, 3), strides=(2, 2), padding="same", use_bias=False)(x)
    x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.4)(x)
    x = layers.Dense(1)(x)
    return keras.Model([sprite, label], x, name="discriminator")


# %% Model
class ConditionalGAN(keras.Model):
    """A generator and a discriminator that both know the class, trained in turn on every batch."""

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

    def train_step(self, data):
        """One update of the discriminator, then one of the generator."""
        sprites, labels = data
        noise = tf.random.normal((tf.shape(sprites)[0], LATENT_DIM))

        with tf.GradientTape() as tape:
            real = self.discriminator([sprites, labels], training=True)
            fake = self.discriminator([self.generator([noise, labels], training=True), labels], training=True)
            loss = self.compute_loss(y=tf.ones_like(real), y_pred=real)
            loss += self.compute_loss(y=tf.zeros_like(fake), y_pred=fake)
        variables = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        self.discriminator_loss.update_state(loss)

        with tf.GradientTape() as tape:
            fake = self.discriminator([self.generator([noise, labels], training=True), labels], training=True)
            loss = self.compute_loss(y=tf.ones_like(fake), y_pred=fake)
        variables = self.generator.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        self.generator_loss.update_state(loss)

        return {metric.name: metric.result() for metric in (self.generator_loss, self.discriminator_loss)}


def build_model():
    """The whole conditional GAN."""
    return ConditionalGAN(build_generator(), build_discriminator())


model = build_model()
model.summary(expand_nested=True)

# %% Compile
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=LEARNING_RATE),
    discriminator_optimizer=keras.optimizers.RMSprop(learning_rate=LEARNING_RATE),
    loss="mean_squared_error",
)

# %% Train
history = model.fit(
    train_ds,
    epochs=EPOCHS,
    shuffle=False,  # train_ds shuffles itself
    verbose=2,
)


# %% Evaluate
def generate(labels):
    """One sprite in [-1, 1] for each of the wanted classes."""
    noise = np.random.default_rng(42).standard_normal((len(labels), LATENT_DIM), dtype="float32")
    return model.generator.predict([noise, labels], batch_size=BATCH_SIZE, verbose=0)


def mean_score(sprites, labels):
    """How real the discriminator finds the sprites on average."""
    return model.discriminator.predict([sprites, labels], batch_size=BATCH_SIZE, verbose=0).mean()


x_test, y_test = scale(test_sprites, test_labels)
x_test, y_test = x_test.numpy(), y_test.numpy()
print(f"Discriminator score of held-out sprites: {mean_score(x_test, y_test):.3f}")
print(f"Discriminator score of generated sprites: {mean_score(generate(y_test), y_test):.3f}")

# %% Show
kinds = np.arange(NUM_CLASSES, dtype="int32")
figure, axes = plt.subplots(1, NUM_CLASSES, figsize=(1.5 * NUM_CLASSES, 2))
for axis, kind, sprite in zip(axes, kinds, generate(kinds), strict=True):
    axis.imshow((sprite.squeeze() + 1) / 2, cmap="gray", vmin=0, vmax=1)
    axis.set_title(f"class {kind}")
    axis.axis("off")
plt.savefig("generated.png", bbox_inches="tight")
