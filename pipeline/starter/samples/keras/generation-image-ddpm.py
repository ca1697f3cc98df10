# %% [markdown]
# # New images by diffusion
# Noise is added to images in many small steps, and a U-Net learns to tell the noise from the image. From nothing but
# noise, taking it off step by step gives new images (DDPM).

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "**"  # where the images lie below DATA_DIR
IMAGE_HEIGHT = 32
IMAGE_WIDTH = 32
CHANNELS = 3
DIFFUSION_STEPS = 400
FILTERS = [32, 64, 128]
EMBEDDING_DIM = 64
SAMPLES = 16
TEST_SPLIT = 0.1
BATCH_SIZE = 64
EPOCHS = 150
LEARNING_RATE = 0.0005

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 16)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 16)
    DIFFUSION_STEPS = min(DIFFUSION_STEPS, 60)
    FILTERS = [16, 24, 32]
    EPOCHS = min(EPOCHS, 24)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    LEARNING_RATE = max(LEARNING_RATE, 0.002)


# %% Data: files
def made_up_folder(count=240):
    """Two halves of an image in two of four colours."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    colours = np.array([(220, 60, 60), (60, 200, 80), (60, 90, 220), (230, 210, 60)])
    root = tempfile.mkdtemp()
    for number in range(count):
        upper, lower = rng.choice(4, size=2, replace=False)
        image = np.tile(colours[upper], (IMAGE_HEIGHT, IMAGE_WIDTH, 1))
        image[IMAGE_HEIGHT // 2 :] = colours[lower]
        Image.fromarray(image.astype("uint8")).save(os.path.join(root, f"{number}.png"))
    return root


def read_image(path):
    """One image as an array of the wanted size and number of channels."""
    with Image.open(path) as image:
        resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(resized).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


root = made_up_folder() if SYNTHETIC else DATA_DIR
pattern = os.path.join(glob.escape(root), "**" if SYNTHETIC else IMAGES)
paths = [path for path in sorted(glob.glob(pattern, recursive=True)) if path.lower().endswith(ENDINGS)]
if len(paths) < 10:
    raise SystemExit(f"{pattern}: {len(paths)} images; set DATA_DIR to a folder with ten or more")
images = np.stack([read_image(path) for path in paths])

# %% Preprocessing
images = images.astype("float32") / 127.5 - 1.0
order = np.random.default_rng(SEED).permutation(len(images))
test, train = np.split(order, [max(2, int(TEST_SPLIT * len(order)))])
x_train, x_test = images[train], images[test]
train_ds = tf.data.Dataset.from_tensor_slices(x_train).shuffle(len(x_train), seed=SEED).batch(BATCH_SIZE)
print(f"{len(x_train)} images to learn from, {len(x_test)} held out")

# The share of an image that is left after each step falls along a cosine, from nearly all to nearly nothing.
steps = np.arange(DIFFUSION_STEPS + 1) / DIFFUSION_STEPS
image_shares = np.cos((steps + 0.008) / 1.008 * np.pi / 2) ** 2
betas = np.clip(1 - image_shares[1:] / image_shares[:-1], 0, 0.999).astype("float32")
alphas_left = np.cumprod(1 - betas)


# %% Model
@keras.utils.register_keras_serializable()
class StepEmbedding(layers.Layer):
    """The number of a step as sines and cosines of many frequencies."""

    def __init__(self, size, **options):
        super().__init__(**options)
        self.size = size

    def call(self, step):
        frequencies = tf.exp(tf.linspace(0.0, -np.log(10000.0), self.size // 2))
        angles = tf.cast(step, "float32")[:, None] * frequencies
        return tf.concat([tf.sin(angles), tf.cos(angles)], axis=-1)

    def get_config(self):
        return super().get_config() | {"size": self.size}


def block(x, embedding, filters):
    """Two convolutions around which the input is carried; between them they are told the step."""
    shortcut = x if x.shape[-1] == filters else layers.Conv2D(filters, 1)(x)
    x = layers.Conv2D(filters, 3, padding="same")(layers.Activation("swish")(layers.GroupNormalization(8)(x)))
    x = layers.Add()([x, layers.Reshape((1, 1, filters))(layers.Dense(filters)(embedding))])
    x = layers.Conv2D(filters, 3, padding="same")(layers.Activation("swish")(layers.GroupNormalization(8)(x)))
    return layers.Add()([x, shortcut])


def build_model():
    """A U-Net that gives, for a noisy image and the number of its step, the noise in it."""
    noisy = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    step = keras.Input(shape=(), dtype="int32")
    embedding = layers.Dense(EMBEDDING_DIM, activation="swish")(StepEmbedding(EMBEDDING_DIM)(step))
    x = layers.Conv2D(FILTERS[0], 3, padding="same")(noisy)
    details = []
    for filters in FILTERS[:-1]:
        x = block(x, embedding, filters)
        details.append(x)
        x = layers.AveragePooling2D(2, padding="same")(x)
    x = block(x, embedding, FILTERS[-1])
    for filters, detail in zip(FILTERS[-2::-1], details[::-1], strict=True):
        x = layers.UpSampling2D(2)(x)
        x = layers.CenterCrop(detail.shape[1], detail.shape[2])(x)  # sizes that are odd were rounded up
        x = block(layers.Concatenate()([x, detail]), embedding, filters)
    noise = layers.Conv2D(CHANNELS, 3, padding="same", kernel_initializer="zeros")(x)
    return keras.Model([noisy, step], noise)


class Diffusion(keras.Model):
    """Trains a network to find the noise that was added to images."""

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.loss_tracker = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.loss_tracker]

    def call(self, inputs):
        return self.network(inputs)

    def train_step(self, images):
        step = tf.random.uniform((tf.shape(images)[0],), 0, DIFFUSION_STEPS, dtype="int32")
        left = tf.gather(alphas_left, step)[:, None, None, None]
        noise = tf.random.normal(tf.shape(images))
        noisy = tf.sqrt(left) * images + tf.sqrt(1 - left) * noise
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(noise - self.network([noisy, step], training=True)))
        weights = self.network.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}


network = build_model()
network.summary()
model = Diffusion(network)

# %% Compile
model.compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE))

# %% Train
history = model.fit(train_ds, epochs=EPOCHS, verbose=2)
network.save("model.keras")


# %% Evaluate
@tf.function
def without_some_noise(images, step):
    """One step back: what the image may be without its noise, mixed with the present one, and a little fresh noise."""
    found = network([images, tf.fill((tf.shape(images)[0],), step)], training=False)
    beta, left = tf.gather(betas, step), tf.gather(alphas_left, step)
    left_before = tf.gather(tf.concat([[1.0], alphas_left], axis=0), step)
    clean = tf.clip_by_value((images - tf.sqrt(1 - left) * found) / tf.sqrt(left), -1.0, 1.0)
    of_clean = beta * tf.sqrt(left_before) / (1 - left)
    of_images = (1 - left_before) * tf.sqrt(1 - beta) / (1 - left)
    fresh = tf.sqrt(beta * (1 - left_before) / (1 - left)) * tf.random.normal(tf.shape(images))
    return of_clean * clean + of_images * images + fresh


def predict(count):
    """New images, pixels from -1 to 1."""
    images = tf.random.normal((count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    for step in range(DIFFUSION_STEPS - 1, -1, -1):
        images = without_some_noise(images, tf.constant(step))
    return np.clip(images.numpy(), -1, 1)


def distance_to_nearest(images, others):
    """The root mean square distance of each image from the nearest of the others, on average."""
    first, second = images.reshape(len(images), -1), others.reshape(len(others), -1)
    return np.mean([np.sqrt(np.mean((second - one) ** 2, axis=1)).min() for one in first])


made = predict(SAMPLES)
noise = np.random.default_rng(SEED).uniform(-1, 1, size=made.shape)
print(
    f"held-out error of made images (to the nearest held-out one): {distance_to_nearest(made, x_test):.4f} "
    f"(baseline, noise: {distance_to_nearest(noise, x_test):.4f})"
)

# %% Show
columns = int(np.ceil(np.sqrt(SAMPLES)))
figure, axes = plt.subplots(columns, columns, figsize=(6, 6), squeeze=False)
for axis in axes.flat:
    axis.axis("off")
for axis, image in zip(axes.flat, made, strict=False):
    axis.imshow((image.squeeze() + 1) / 2, cmap="gray" if CHANNELS == 1 else None)
plt.tight_layout()
plt.savefig("samples.png")
plt.show()
