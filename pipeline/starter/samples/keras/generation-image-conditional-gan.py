# %% [markdown]
# # New images of a wanted class
# A conditional GAN: generator and discriminator are both told the class, so that images of any class can be ordered.
# Images and labels are arrays in an `.npz` file.

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
ARRAYS_FILE = "mnist.npz"
IMAGE_ARRAY = "x_train"
LABEL_ARRAY = "y_train"
IMAGE_HEIGHT = 28
IMAGE_WIDTH = 28
CHANNELS = 1
NUM_CLASSES = 10
LATENT_DIM = 100
EMBEDDING_DIM = 50
FILTERS = 64
TEST_SPLIT = 0.2
BATCH_SIZE = 128
EPOCHS = 50
LEARNING_RATE = 0.0003

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    NUM_CLASSES = min(NUM_CLASSES, 4)
    FILTERS = min(FILTERS, 24)
    EPOCHS = min(EPOCHS, 30)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    LEARNING_RATE = max(LEARNING_RATE, 0.001)


# %% Data: arrays
def made_up_folder(count=240):
    """An .npz file of bright bands, lower in the image the further the class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    labels = rng.integers(NUM_CLASSES, size=count)
    images = rng.integers(0, 40, size=(count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    for image, label in zip(images, labels, strict=True):
        top = label * IMAGE_HEIGHT // NUM_CLASSES
        image[top : top + IMAGE_HEIGHT // NUM_CLASSES] += rng.integers(150, 210, dtype="uint8")
    folder = tempfile.mkdtemp()
    np.savez(os.path.join(folder, ARRAYS_FILE), **{IMAGE_ARRAY: images, LABEL_ARRAY: labels})
    return folder


def read_arrays(folder):
    """Images of (count, height, width, channels) and the class number of each."""
    path = os.path.join(folder, ARRAYS_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and ARRAYS_FILE to where your arrays lie")
    with np.load(path) as file:
        for name in (IMAGE_ARRAY, LABEL_ARRAY):
            if name not in file:
                raise SystemExit(f"{path} has no array {name!r}; it has {', '.join(file.files)}")
        images, labels = file[IMAGE_ARRAY], file[LABEL_ARRAY].ravel()
    class_names, labels = np.unique(labels, return_inverse=True)
    return images.reshape(*images.shape[:3], -1), labels, class_names


images, labels, class_names = read_arrays(made_up_folder() if SYNTHETIC else DATA_DIR)
IMAGE_HEIGHT = images.shape[1]
IMAGE_WIDTH = images.shape[2]
CHANNELS = images.shape[3]
NUM_CLASSES = len(class_names)
print(f"{len(images)} images of {NUM_CLASSES} classes")

# %% Preprocessing
images = images.astype("float32") / 127.5 - 1.0  # -1 to 1, the range of the generator's tanh
order = np.random.default_rng(SEED).permutation(len(images))
test, train = np.split(order, [max(1, int(TEST_SPLIT * len(order)))])
x_train, x_test = images[train], images[test]
y_train, y_test = labels[train], labels[test]


# %% Model
def build_generator():
    """Noise and the embedded class become a small map, which is doubled in size twice."""
    height, width = -(-IMAGE_HEIGHT // 4), -(-IMAGE_WIDTH // 4)  # rounded up
    noise = keras.Input(shape=(LATENT_DIM,), name="noise")
    label = keras.Input(shape=(), dtype="int32", name="label")
    x = layers.Concatenate()([noise, layers.Embedding(NUM_CLASSES, EMBEDDING_DIM)(label)])
    x = layers.Dense(height * width * FILTERS, activation="relu")(x)
    x = layers.Reshape((height, width, FILTERS))(x)
    for _ in range(2):
        x = layers.UpSampling2D()(x)
        x = layers.Conv2D(FILTERS, 3, padding="same")(x)
        x = layers.BatchNormalization(momentum=0.8)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.CenterCrop(IMAGE_HEIGHT, IMAGE_WIDTH)(x)
    image = layers.Conv2D(CHANNELS, 3, padding="same", activation="tanh")(x)
    return keras.Model([noise, label], image, name="generator")


def build_discriminator():
    """The class is one more channel of the image; the output says how real the image looks for that class."""
    image = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), name="image")
    label = keras.Input(shape=(), dtype="int32", name="label")
    plane = layers.Embedding(NUM_CLASSES, IMAGE_HEIGHT * IMAGE_WIDTH)(label)
    x = layers.Concatenate()([image, layers.Reshape((IMAGE_HEIGHT, IMAGE_WIDTH, 1))(plane)])
    for _ in range(2):
        x = layers.Conv2D(FILTERS, 3, strides=2, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.3)(x)
    return keras.Model([image, label], layers.Dense(1)(x), name="discriminator")


class ConditionalGAN(keras.Model):
    """Trains both networks on images and the labels that go with them."""

    def __init__(self):
        super().__init__()
        self.generator = build_generator()
        self.discriminator = build_discriminator()
        self.crossentropy = keras.losses.BinaryCrossentropy(from_logits=True)

    def compile(self, generator_optimizer, discriminator_optimizer):
        super().compile()
        self.generator_optimizer = generator_optimizer
        self.discriminator_optimizer = discriminator_optimizer

    def call(self, inputs):
        return self.generator(inputs)

    def train_step(self, data):
        real, label = data
        noise = tf.random.normal((tf.shape(real)[0], LATENT_DIM))

        made = self.generator([noise, label], training=True)
        with tf.GradientTape() as tape:
            on_real = self.discriminator([real, label], training=True)
            on_made = self.discriminator([made, label], training=True)
            d_loss = self.crossentropy(tf.ones_like(on_real), on_real)
            d_loss += self.crossentropy(tf.zeros_like(on_made), on_made)
        weights = self.discriminator.trainable_weights
        self.discriminator_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights, strict=True))

        with tf.GradientTape() as tape:
            made = self.generator([noise, label], training=True)
            on_made = self.discriminator([made, label], training=True)
            g_loss = self.crossentropy(tf.ones_like(on_made), on_made)
        weights = self.generator.trainable_weights
        self.generator_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))
        return {"generator_loss": g_loss, "discriminator_loss": d_loss}


model = ConditionalGAN()
model.generator.summary()
model.discriminator.summary()

# %% Compile
model.compile(
    generator_optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE, beta_1=0.5),
    discriminator_optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE, beta_1=0.5),
)

# %% Train
history = model.fit(x_train, y_train, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
model.generator.save("model.keras")


# %% Evaluate
def predict(wanted, seed=SEED):
    """One new image for each wanted class number, pixels from -1 to 1."""
    noise = np.random.default_rng(seed).normal(size=(len(wanted), LATENT_DIM))
    return model.generator.predict([noise, np.asarray(wanted)], verbose=0)


# The mean made image of each class against that of the held-out images of the class.
made = predict(np.repeat(np.arange(NUM_CLASSES), 16)).reshape(NUM_CLASSES, 16, *x_test.shape[1:])
present = [number for number in range(NUM_CLASSES) if np.any(y_test == number)]
real_means = np.stack([x_test[y_test == number].mean(axis=0) for number in present])
error = np.mean((made.mean(axis=1)[present] - real_means) ** 2)
of_all = np.mean((x_train.mean(axis=0) - real_means) ** 2)
print(f"held-out error of the classes' mean images: {error:.4f} (baseline, the mean of all images: {of_all:.4f})")

# %% Show
rows = 4
figure, axes = plt.subplots(rows, NUM_CLASSES, figsize=(NUM_CLASSES, rows), squeeze=False)
for number, row in enumerate(axes):
    for axis, image, name in zip(row, predict(np.arange(NUM_CLASSES), seed=number), class_names, strict=True):
        axis.imshow((image.squeeze() + 1) / 2, cmap="gray" if CHANNELS == 1 else None)
        axis.axis("off")
        if number == 0:
            axis.set_title(name, fontsize=8)
plt.tight_layout()
plt.savefig("samples.png")
plt.show()
