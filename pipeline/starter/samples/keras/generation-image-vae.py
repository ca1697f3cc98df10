# %% [markdown]
# # New images from a variational autoencoder
# The encoder turns an image into a few numbers with an uncertainty, the decoder turns such numbers back into an image.
# The plane of two latent numbers is shown afterwards.

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
ARRAYS_FILE = "mnist.npz"  # looked for in DATA_DIR, then where keras.datasets keeps what it has loaded
IMAGE_ARRAY = "x_train"
LABEL_ARRAY = "y_train"  # only colours the plot; the file may do without
IMAGE_HEIGHT = 28
IMAGE_WIDTH = 28
CHANNELS = 1
LATENT_DIM = 2
FILTERS = [32, 64]
HIDDEN_UNITS = 16
KL_WEIGHT = 1.0
TEST_SPLIT = 0.1
BATCH_SIZE = 128
EPOCHS = 30
LEARNING_RATE = 0.001

KERAS_COPY = os.path.join(os.path.expanduser("~"), ".keras", "datasets", os.path.basename(ARRAYS_FILE))
SYNTHETIC = not os.path.isdir(DATA_DIR) and not os.path.isfile(KERAS_COPY)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 25)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: arrays
def made_up_file(count=400):
    """An .npz file of blurred spots on a ring; the label says where on it."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    angles = rng.uniform(0, 2 * np.pi, size=(count, 1, 1))
    rows, columns = np.mgrid[-1 : 1 : IMAGE_HEIGHT * 1j, -1 : 1 : IMAGE_WIDTH * 1j]
    distances = (rows - 0.5 * np.sin(angles)) ** 2 + (columns - 0.5 * np.cos(angles)) ** 2
    images = 255 * np.repeat(np.exp(-12 * distances)[..., None], CHANNELS, axis=-1)
    path = os.path.join(tempfile.mkdtemp(), "made_up.npz")
    arrays = {IMAGE_ARRAY: images.astype("uint8"), LABEL_ARRAY: (angles.ravel() / (2 * np.pi) * 10).astype(int)}
    np.savez(path, **arrays)
    return path


if SYNTHETIC:
    path = made_up_file()
else:
    path = os.path.join(DATA_DIR, ARRAYS_FILE)
    path = path if os.path.isfile(path) else KERAS_COPY
    if not os.path.isfile(path):
        raise SystemExit(f"{DATA_DIR} has no {ARRAYS_FILE}; set DATA_DIR and ARRAYS_FILE to where your images lie")
with np.load(path) as arrays:
    if IMAGE_ARRAY not in arrays:
        raise SystemExit(f"{path} has no array {IMAGE_ARRAY!r}; it has {', '.join(arrays.files)}")
    images = arrays[IMAGE_ARRAY]
    labels = arrays[LABEL_ARRAY].ravel() if LABEL_ARRAY in arrays else np.zeros(len(images), dtype=int)

# %% Preprocessing
images = images[..., None] if images.ndim == 3 else images
images = images.astype("float32") / max(float(images.max()), 1.0)
IMAGE_HEIGHT = images.shape[1]
IMAGE_WIDTH = images.shape[2]
CHANNELS = images.shape[3]
order = np.random.default_rng(SEED).permutation(len(images))
test, train = np.split(order, [max(1, int(TEST_SPLIT * len(order)))])
x_train, x_test, test_labels = images[train], images[test], labels[test]
print(f"{len(x_train)} training images, {len(x_test)} held out, {IMAGE_HEIGHT}x{IMAGE_WIDTH}x{CHANNELS}")


# %% Model
@keras.utils.register_keras_serializable()
class Sampling(layers.Layer):
    """Draws a point near the mean, as far off as the log of the variance says."""

    def call(self, inputs):
        mean, log_variance = inputs
        return mean + tf.exp(0.5 * log_variance) * tf.random.normal(tf.shape(mean))


def build_encoder():
    """Convolutions that halve the image, then a mean and a log-variance for each latent number."""
    inputs = x = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(HIDDEN_UNITS, activation="relu")(x)
    mean = layers.Dense(LATENT_DIM, name="mean")(x)
    log_variance = layers.Dense(LATENT_DIM, name="log_variance")(x)
    return keras.Model(inputs, [mean, log_variance, Sampling()([mean, log_variance])], name="encoder")


def build_decoder():
    """The way back: transposed convolutions that double the size, then a cut to the image's own."""
    steps = 2 ** len(FILTERS)
    height, width = -(-IMAGE_HEIGHT // steps), -(-IMAGE_WIDTH // steps)  # rounded up
    inputs = keras.Input(shape=(LATENT_DIM,))
    x = layers.Dense(height * width * FILTERS[-1], activation="relu")(inputs)
    x = layers.Reshape((height, width, FILTERS[-1]))(x)
    for filters in reversed(FILTERS):
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.Conv2DTranspose(CHANNELS, 3, padding="same", activation="sigmoid")(x)
    surplus = ((0, height * steps - IMAGE_HEIGHT), (0, width * steps - IMAGE_WIDTH))
    return keras.Model(inputs, layers.Cropping2D(surplus)(x), name="decoder")


class VAE(keras.Model):
    """Encoder and decoder, trained on how well images come back and on how near the latent numbers stay to a normal
    distribution (the Kullback-Leibler divergence)."""

    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.trackers = [keras.metrics.Mean(name=name) for name in ("loss", "reconstruction_loss", "kl_loss")]

    @property
    def metrics(self):
        return self.trackers

    def call(self, images):
        return self.decoder(self.encoder(images)[0])

    def train_step(self, images):
        with tf.GradientTape() as tape:
            mean, log_variance, latent = self.encoder(images, training=True)
            decoded = self.decoder(latent, training=True)
            crossentropy = keras.losses.binary_crossentropy(images, decoded)
            reconstruction = tf.reduce_mean(tf.reduce_sum(crossentropy, axis=(1, 2)))
            divergence = -0.5 * (1 + log_variance - tf.square(mean) - tf.exp(log_variance))
            divergence = tf.reduce_mean(tf.reduce_sum(divergence, axis=1))
            loss = reconstruction + KL_WEIGHT * divergence
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        for tracker, value in zip(self.trackers, (loss, reconstruction, divergence), strict=True):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in self.trackers}


encoder, decoder = build_encoder(), build_decoder()
encoder.summary()
decoder.summary()
model = VAE(encoder, decoder)

# %% Compile
model.compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE))

# %% Train
history = model.fit(x_train, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
encoder.save("encoder.keras")
decoder.save("model.keras")  # all that new images take

# %% Evaluate
latent = encoder.predict(x_test, verbose=0)[0]
decoded = decoder.predict(latent, verbose=0)
error = np.mean((x_test - decoded) ** 2)
of_mean = np.mean((x_test - x_train.mean(axis=0)) ** 2)
print(f"held-out reconstruction error: {error:.4f} (baseline, the mean image: {of_mean:.4f})")


def predict(count):
    """New images from random latent numbers, pixels from 0 to 1."""
    return decoder.predict(np.random.default_rng(SEED).normal(size=(count, LATENT_DIM)), verbose=0)


# %% Show
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5.5))
points = left.scatter(latent[:, 0], latent[:, min(1, LATENT_DIM - 1)], c=test_labels, cmap="tab10", s=12)
figure.colorbar(points, ax=left, label=LABEL_ARRAY)
left.set_title("latent space of held-out images")
left.set_xlabel("first latent number")
left.set_ylabel("second latent number")

# A walk over the first two latent numbers; any others stay at zero.
side = 10
grid = np.zeros((side * side, LATENT_DIM))
across, down = np.meshgrid(np.linspace(-2, 2, side), np.linspace(2, -2, side))
grid[:, 0] = across.ravel()
grid[:, min(1, LATENT_DIM - 1)] = down.ravel()
tiles = decoder.predict(grid, verbose=0).reshape(side, side, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)
picture = tiles.transpose(0, 2, 1, 3, 4).reshape(side * IMAGE_HEIGHT, side * IMAGE_WIDTH, CHANNELS)
right.imshow(picture.squeeze(), cmap="gray" if CHANNELS == 1 else None, extent=(-2, 2, -2, 2))
right.set_title("what the decoder makes of the latent plane")
plt.tight_layout()
plt.savefig("latent_space.png")
plt.show()
