# %% [markdown]
# # New images from a WGAN-GP
# The critic scores images; the difference of its scores estimates how far made images are from real ones (the
# Wasserstein distance). A penalty on its gradients keeps it smooth, and training steady.

# %% Imports
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
ARRAYS_FILE = "images.npz"
IMAGE_ARRAY = "x_train"
IMAGE_HEIGHT = 28
IMAGE_WIDTH = 28
CHANNELS = 1
LATENT_DIM = 128
FILTERS = [64, 128, 256]
CRITIC_STEPS = 5  # of the critic for one of the generator
GRADIENT_PENALTY = 10.0
TEST_SPLIT = 0.1
BATCH_SIZE = 256
EPOCHS = 60
LEARNING_RATE = 0.0002

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    FILTERS = [16, 24]
    EPOCHS = min(EPOCHS, 30)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    CRITIC_STEPS = min(CRITIC_STEPS, 2)
    LEARNING_RATE = max(LEARNING_RATE, 0.001)


# %% Data: arrays
def write_made_up_images(path, count=160):
    """Bright crosses of two widths on a dark ground."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    images = rng.integers(0, 30, size=(count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    for image in images:
        half = rng.integers(1, 3)
        image[IMAGE_HEIGHT // 2 - half : IMAGE_HEIGHT // 2 + half] = 220
        image[:, IMAGE_WIDTH // 2 - half : IMAGE_WIDTH // 2 + half] = 220
    np.savez(path, **{IMAGE_ARRAY: images})


if SYNTHETIC:
    DATA_DIR = tempfile.mkdtemp()
    write_made_up_images(os.path.join(DATA_DIR, ARRAYS_FILE))
path = os.path.join(DATA_DIR, ARRAYS_FILE)
if not os.path.isfile(path):
    raise SystemExit(f"{path}: no such file; set DATA_DIR and ARRAYS_FILE to where your images lie")
with np.load(path) as file:
    if IMAGE_ARRAY not in file:
        raise SystemExit(f"{path} has no array {IMAGE_ARRAY!r}; it has {', '.join(file.files)}")
    images = file[IMAGE_ARRAY]

# %% Preprocessing
images = images[..., None] if images.ndim == 3 else images
lowest, highest = float(images.min()), float(images.max())
images = 2 * (images.astype("float32") - lowest) / max(highest - lowest, 1e-6) - 1  # -1 to 1, as tanh gives
_, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS = images.shape
np.random.default_rng(SEED).shuffle(images)
held_out = max(2, int(TEST_SPLIT * len(images)))
x_test, x_train = images[:held_out], images[held_out:]
print(f"{len(x_train)} images to learn from, {held_out} held out, {IMAGE_HEIGHT}x{IMAGE_WIDTH}x{CHANNELS}")


# %% Model
def build_critic():
    """Strided convolutions down to one score without bounds; no batch normalization, as the penalty is per image."""
    x = inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    for filters in FILTERS:
        x = layers.Conv2D(filters, 5, strides=2, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.Flatten()(x)
    return keras.Model(inputs, layers.Dense(1)(x), name="critic")


def build_generator():
    """Noise becomes a small map that is doubled in size for each of FILTERS, then cut to the image's size."""
    steps = 2 ** len(FILTERS)
    height, width = -(-IMAGE_HEIGHT // steps), -(-IMAGE_WIDTH // steps)  # rounded up
    x = inputs = keras.Input(shape=(LATENT_DIM,))
    x = layers.Dense(height * width * FILTERS[-1], use_bias=False)(x)
    x = layers.LayerNormalization()(x)
    x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.Reshape((height, width, FILTERS[-1]))(x)
    for filters in FILTERS[::-1]:
        x = layers.Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.8)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.Conv2D(CHANNELS, 5, padding="same", activation="tanh")(x)
    outputs = layers.CenterCrop(IMAGE_HEIGHT, IMAGE_WIDTH)(x)
    return keras.Model(inputs, outputs, name="generator")


class WGAN(keras.Model):
    """A step trains the critic CRITIC_STEPS times and the generator once."""

    def __init__(self, critic, generator):
        super().__init__()
        self.critic = critic
        self.generator = generator

    def compile(self, critic_optimizer, generator_optimizer):
        super().compile()
        self.critic_optimizer = critic_optimizer
        self.generator_optimizer = generator_optimizer

    def call(self, noise):
        return self.generator(noise)

    def penalty(self, real, made):
        """How far the critic's gradients between real and made images are from length 1."""
        share = tf.random.uniform((tf.shape(real)[0], 1, 1, 1))
        between = share * real + (1 - share) * made
        with tf.GradientTape() as tape:
            tape.watch(between)
            scores = self.critic(between, training=True)
        squares = tf.square(tape.gradient(scores, between))
        lengths = tf.sqrt(tf.reduce_sum(squares, axis=(1, 2, 3)) + 1e-12)
        return tf.reduce_mean(tf.square(lengths - 1))

    def train_critic(self, real):
        made = self.generator(tf.random.normal((tf.shape(real)[0], LATENT_DIM)), training=True)
        with tf.GradientTape() as tape:
            distance = tf.reduce_mean(self.critic(real, training=True) - self.critic(made, training=True))
            loss = -distance + GRADIENT_PENALTY * self.penalty(real, made)
        weights = self.critic.trainable_weights
        self.critic_optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return distance

    def train_step(self, real):
        for _ in range(CRITIC_STEPS):
            distance = self.train_critic(real)
        with tf.GradientTape() as tape:
            made = self.generator(tf.random.normal((tf.shape(real)[0], LATENT_DIM)), training=True)
            loss = -tf.reduce_mean(self.critic(made, training=True))
        weights = self.generator.trainable_weights
        self.generator_optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"distance": distance, "generator_loss": loss}


critic, generator = build_critic(), build_generator()
critic.summary()
generator.summary()
model = WGAN(critic, generator)

# %% Compile
# Without much momentum (beta_1), as the paper has it: the critic's goal moves with each step.
model.compile(
    critic_optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE, beta_1=0.0, beta_2=0.9),
    generator_optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE, beta_1=0.0, beta_2=0.9),
)

# %% Train
history = model.fit(x_train, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
generator.save("model.keras")


# %% Evaluate
def predict(count):
    """New images, with the values that the data's have."""
    made = generator.predict(np.random.default_rng(SEED).normal(size=(count, LATENT_DIM)), verbose=0)
    return (made + 1) / 2 * (highest - lowest) + lowest


def sliced_wasserstein(images, others, directions=200):
    """The mean distance between two sets of images, as they are sorted along random directions."""
    rng = np.random.default_rng(SEED)
    count = min(len(images), len(others))
    axes = rng.normal(size=(images[0].size, directions))
    axes /= np.linalg.norm(axes, axis=0)
    first = np.sort(images[:count].reshape(count, -1) @ axes, axis=0)
    second = np.sort(others[:count].reshape(count, -1) @ axes, axis=0)
    return np.mean(np.abs(first - second))


made = 2 * (predict(len(x_test)) - lowest) / max(highest - lowest, 1e-6) - 1
noise = np.random.default_rng(SEED).uniform(-1, 1, size=x_test.shape)
print(
    f"held-out sliced Wasserstein error: {sliced_wasserstein(x_test, made):.4f} "
    f"(baseline, noise: {sliced_wasserstein(x_test, noise):.4f})"
)

# %% Show
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5))
left.plot(history.history["distance"])
left.set_xlabel("epoch")
left.set_title("estimated distance of made from real images")
tiles = predict(25).reshape(5, 5, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS).transpose(0, 2, 1, 3, 4)
picture = (tiles.reshape(5 * IMAGE_HEIGHT, 5 * IMAGE_WIDTH, CHANNELS) - lowest) / max(highest - lowest, 1e-6)
right.imshow(picture.squeeze(), cmap="gray" if CHANNELS == 1 else None)
right.axis("off")
right.set_title("made images")
plt.tight_layout()
plt.savefig("samples.png")
plt.show()
