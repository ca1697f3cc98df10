# %% [markdown]
# # New images from a DCGAN
# A generator makes images from noise, a discriminator learns to tell them from real ones, and each gets better by the
# other. Any folder of images is learned from.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "**"  # where the images lie below DATA_DIR
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
LATENT_DIM = 128
FILTERS = [64, 128, 256]  # of the discriminator; the generator has them in reverse
DROPOUT = 0.2
SAMPLES = 16  # images that are made at the end
TEST_SPLIT = 0.2
BATCH_SIZE = 64
EPOCHS = 100
LEARNING_RATE = 0.0002

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 32)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 32)
    FILTERS = [min(filters, 32) for filters in FILTERS]
    EPOCHS = min(EPOCHS, 25)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    LEARNING_RATE = max(LEARNING_RATE, 0.001)


# %% Data: files
def made_up_folder(count=160):
    """Warm discs of some size on a dark ground."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    for number in range(count):
        image = Image.new("RGB", (IMAGE_WIDTH, IMAGE_HEIGHT), (20, 20, 60))
        radius = min(IMAGE_HEIGHT, IMAGE_WIDTH) * rng.uniform(0.25, 0.45)
        x, y = IMAGE_WIDTH / 2, IMAGE_HEIGHT / 2
        colour = (230, int(rng.integers(80, 200)), 60)
        ImageDraw.Draw(image).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        image.save(os.path.join(root, f"{number}.png"))
    return root


def read_images(pattern):
    """All images that lie as the pattern says, at the wanted size; what cannot be opened is left out."""
    images = []
    for path in sorted(glob.glob(os.path.join(glob.escape(root), pattern), recursive=True)):
        if not path.lower().endswith(ENDINGS):
            continue
        try:
            with Image.open(path) as image:
                resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
        except OSError:
            print(f"{path} cannot be opened and is left out")
            continue
        images.append(np.asarray(resized).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    if len(images) < 2:
        raise SystemExit(f"{os.path.join(root, pattern)}: fewer than two images; set DATA_DIR to your folder of images")
    return np.stack(images)


root = made_up_folder() if SYNTHETIC else DATA_DIR
images = read_images("**" if SYNTHETIC else IMAGES)

# %% Preprocessing
images = images.astype("float32") / 127.5 - 1.0  # -1 to 1, the range of the generator's tanh
order = np.random.default_rng(SEED).permutation(len(images))
test, train = np.split(order, [max(1, int(TEST_SPLIT * len(order)))])
x_train, x_test = images[train], images[test]
print(f"{len(x_train)} images to learn from, {len(x_test)} held out")


# %% Model
def build_discriminator():
    """Strided convolutions down to one number: how real an image looks."""
    model = keras.Sequential([keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))], name="discriminator")
    for filters in FILTERS:
        model.add(layers.Conv2D(filters, 4, strides=2, padding="same"))
        model.add(layers.LeakyReLU(negative_slope=0.2))
        model.add(layers.Dropout(DROPOUT))
    model.add(layers.Flatten())
    model.add(layers.Dense(1))
    return model


def build_generator():
    """From noise to an image: each transposed convolution doubles its size."""
    steps = 2 ** len(FILTERS)
    height, width = -(-IMAGE_HEIGHT // steps), -(-IMAGE_WIDTH // steps)  # rounded up
    model = keras.Sequential([keras.Input(shape=(LATENT_DIM,))], name="generator")
    model.add(layers.Dense(height * width * FILTERS[-1], use_bias=False))
    model.add(layers.Reshape((height, width, FILTERS[-1])))
    for filters in reversed(FILTERS):
        model.add(layers.BatchNormalization(momentum=0.8))
        model.add(layers.ReLU())
        model.add(layers.Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=False))
    model.add(layers.BatchNormalization(momentum=0.8))
    model.add(layers.ReLU())
    model.add(layers.Conv2D(CHANNELS, 5, padding="same", activation="tanh"))
    model.add(layers.CenterCrop(IMAGE_HEIGHT, IMAGE_WIDTH))
    return model


class DCGAN(keras.Model):
    """Both networks; a step trains the discriminator on real and made images, then the generator to deceive it."""

    def __init__(self, discriminator, generator):
        super().__init__()
        self.discriminator, self.generator = discriminator, generator
        self.d_tracker = keras.metrics.Mean(name="d_loss")
        self.g_tracker = keras.metrics.Mean(name="g_loss")

    def compile(self, d_optimizer, g_optimizer, loss):
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_function = d_optimizer, g_optimizer, loss

    @property
    def metrics(self):
        return [self.d_tracker, self.g_tracker]

    def call(self, noise):
        return self.generator(noise)

    def train_step(self, real):
        noise = tf.random.normal((tf.shape(real)[0], LATENT_DIM))
        with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
            made = self.generator(noise, training=True)
            on_real = self.discriminator(real, training=True)
            on_made = self.discriminator(made, training=True)
            # Real images are to get 0.9 rather than 1, so that the discriminator is never too sure.
            d_loss = self.loss_function(0.9 * tf.ones_like(on_real), on_real)
            d_loss += self.loss_function(tf.zeros_like(on_made), on_made)
            g_loss = self.loss_function(tf.ones_like(on_made), on_made)
        d_weights, g_weights = self.discriminator.trainable_weights, self.generator.trainable_weights
        self.d_optimizer.apply_gradients(zip(d_tape.gradient(d_loss, d_weights), d_weights, strict=True))
        self.g_optimizer.apply_gradients(zip(g_tape.gradient(g_loss, g_weights), g_weights, strict=True))
        self.d_tracker.update_state(d_loss)
        self.g_tracker.update_state(g_loss)
        return {"d_loss": self.d_tracker.result(), "g_loss": self.g_tracker.result()}


discriminator, generator = build_discriminator(), build_generator()
discriminator.summary()
generator.summary()
model = DCGAN(discriminator, generator)

# %% Compile
model.compile(
    d_optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE, beta_1=0.5),
    g_optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE, beta_1=0.5),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)

# %% Train
history = model.fit(x_train, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
generator.save("model.keras")


# %% Evaluate
def predict(count):
    """New images, pixels from -1 to 1."""
    noise = np.random.default_rng(SEED).normal(size=(count, LATENT_DIM))
    return generator.predict(noise, batch_size=BATCH_SIZE, verbose=0)


def thumbnails(images):
    """Images shrunk to 8x8, as rows of numbers."""
    return tf.image.resize(images, (8, 8), method="area").numpy().reshape(len(images), -1)


def frechet_distance(images, others):
    """How far apart the means and covariances of two sets of images are (of their thumbnails; FID takes the features
    of an Inception network instead)."""
    first, second = thumbnails(images), thumbnails(others)
    cov_1, cov_2 = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    roots = np.sqrt(np.linalg.eigvals(cov_1 @ cov_2).astype(complex)).real.sum()
    return np.sum((first.mean(axis=0) - second.mean(axis=0)) ** 2) + np.trace(cov_1 + cov_2) - 2 * roots


made = predict(max(len(x_test), 64))
noise = np.random.default_rng(SEED).uniform(-1, 1, size=made.shape)
print(
    f"held-out Frechet error: {frechet_distance(x_test, made):.4f} "
    f"(baseline, noise: {frechet_distance(x_test, noise):.4f})"
)

# %% Show
side = int(np.ceil(np.sqrt(SAMPLES)))
figure, axes = plt.subplots(side, side, figsize=(6, 6), squeeze=False)
for axis in axes.flat:
    axis.axis("off")
for axis, image in zip(axes.flat, predict(SAMPLES), strict=False):
    axis.imshow((image.squeeze() + 1) / 2, cmap="gray" if CHANNELS == 1 else None)
plt.tight_layout()
plt.savefig("samples.png")
plt.show()
