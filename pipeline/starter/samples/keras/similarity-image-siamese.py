# %% [markdown]
# # Whether two images show the same, by a Siamese network
# The same small network turns both images of a pair into vectors; the contrastive loss draws vectors of one class
# together and pushes others apart. Images lie in a folder per class.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from tensorflow import keras
from tensorflow.keras import layers, ops

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_IMAGES = "{class}/*"  # where an image lies below DATA_DIR; {class} stands for its class
CLASS_NAMES = ["first", "second", "third", "fourth"]
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 1
EMBEDDING_DIM = 32
FILTERS = [16, 32, 64]
MARGIN = 1.0  # distance from which images of two classes count as far enough apart
PAIRS = 20  # pairs an image is part of in an epoch
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.25
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.001

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full counts are for real data.
    PAIRS = min(PAIRS, 6)
    EPOCHS = min(EPOCHS, 6)
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def made_up_folder(count=120):
    """Stripes that start anywhere, more of them from class to class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    for number in range(count):
        class_number = number % len(CLASS_NAMES)
        phase = np.arange(IMAGE_WIDTH) * 2 * np.pi * 2 * (class_number + 1) / IMAGE_WIDTH + rng.uniform(0, 6)
        image = 128 + 80 * np.sin(phase)[None, :] + rng.normal(0, 20, size=(IMAGE_HEIGHT, IMAGE_WIDTH))
        path = os.path.join(root, TRAIN_IMAGES.replace("{class}", CLASS_NAMES[class_number]))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        image = Image.fromarray(image.clip(0, 255).astype("uint8"))
        image.save(os.path.join(os.path.dirname(path), f"{number}.png"))
    return root


def read_image(path):
    """One image at the wanted size, pixels from 0 to 1."""
    with Image.open(path) as image:
        resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(resized, dtype="float32").reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS) / 255.0


root = made_up_folder() if SYNTHETIC else DATA_DIR
depth = TRAIN_IMAGES.split("/").index("{class}")
found = glob.glob(os.path.join(glob.escape(root), TRAIN_IMAGES.replace("{class}", "*")), recursive=True)
paths = np.array([path for path in sorted(found) if path.lower().endswith(ENDINGS)])
class_names, labels = np.unique(
    [os.path.relpath(path, root).split(os.sep)[depth] for path in paths], return_inverse=True
)
if len(class_names) < 2:
    raise SystemExit(f"{root} holds images of {len(class_names)} classes; set DATA_DIR to a folder with two or more")
images = np.stack([read_image(path) for path in paths])
print(f"{len(images)} images of {len(class_names)} classes")

# %% Preprocessing
# Images are split before they are paired: no image of the test is in a pair that is trained on.
order = np.random.default_rng(SEED).permutation(len(images))
test, rest = np.split(order, [max(4, int(TEST_SPLIT * len(order)))])
val, train = np.split(rest, [max(4, int(VALIDATION_SPLIT * len(rest)))])


def make_pairs(numbers, seed):
    """Pairs of images, as many of the same class as of two, and 1 for the same and 0 for two."""
    rng = np.random.default_rng(seed)
    first, second, same = [], [], []
    for number in np.repeat(numbers, PAIRS):
        alike = numbers[(labels[numbers] == labels[number]) & (numbers != number)]
        others = numbers[labels[numbers] != labels[number]]
        wanted = alike if len(same) % 2 else others
        # A small part may hold one class alone, or one image of a class.
        partner = rng.choice(wanted if len(wanted) else np.setdiff1d(numbers, [number]))
        first.append(number)
        second.append(partner)
        same.append(labels[partner] == labels[number])
    return [images[first], images[second]], np.array(same, dtype="float32")


x_train, y_train = make_pairs(train, SEED)
x_val, y_val = make_pairs(val, SEED + 1)
x_test, y_test = make_pairs(test, SEED + 2)
print(f"{len(y_train)} training pairs, {y_train.mean():.0%} of the same class")


# %% Model
def build_embedding():
    """The network that both images go through: convolutions, then a vector of length 1."""
    model = keras.Sequential([keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))], name="embedding")
    for filters in FILTERS:
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2, padding="same"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(EMBEDDING_DIM))
    model.add(layers.UnitNormalization())
    return model


@keras.utils.register_keras_serializable()
class Distance(layers.Layer):
    """The Euclidean distance of two vectors."""

    def call(self, first, second):
        squares = ops.sum(ops.square(first - second), axis=-1, keepdims=True)
        return ops.sqrt(ops.maximum(squares, 1e-7))  # the root has no gradient at zero


def build_model():
    """Two images in, their distance out; one set of weights serves both."""
    shared_encoder = build_embedding()
    first = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    second = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    return keras.Model([first, second], Distance()(shared_encoder(first), shared_encoder(second)))


@keras.utils.register_keras_serializable()
def contrastive_loss(same, distance):
    """Same class: the squared distance. Two classes: how far the distance falls short of the margin, squared."""
    shortfall = ops.maximum(MARGIN - distance, 0.0)
    return ops.mean(same * ops.square(distance) + (1 - same) * ops.square(shortfall))


model = build_model()
model.summary()

# %% Compile
model.compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss=contrastive_loss)

# %% Train
y_train, y_val, y_test = y_train[:, None], y_val[:, None], y_test[:, None]
history = model.fit(x_train, y_train, validation_data=(x_val, y_val), batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
model.save("model.keras")

# %% Evaluate
# The distance below which two images count as the same: the best one on the validation pairs.
distances = model.predict(x_val, verbose=0)
candidates = np.quantile(distances, np.linspace(0.05, 0.95, 50))
threshold = max(candidates, key=lambda distance: np.mean((distances < distance) == y_val))


def predict(path, other):
    """The distance of two image files, and whether they count as the same."""
    distance = model.predict([read_image(path)[None], read_image(other)[None]], verbose=0)[0, 0]
    return float(distance), bool(distance < threshold)


print(f"threshold: {threshold:.3f};", "two images of one folder:", predict(paths[0], paths[1]))
same = model.predict(x_test, verbose=0) < threshold
always = max(y_test.mean(), 1 - y_test.mean())
print(f"held-out accuracy of pairs: {np.mean(same == y_test):.4f} (baseline, the same answer for all: {always:.4f})")

# %% Show
figure, axes = plt.subplots(2, 5, figsize=(10, 4.4))
for column, distance in enumerate(model.predict([one[:5] for one in x_test], verbose=0)[:, 0]):
    for axis, pictures in zip(axes[:, column], x_test, strict=True):
        axis.imshow(pictures[column].squeeze(), cmap="gray" if CHANNELS == 1 else None)
        axis.axis("off")
    truth = "same" if y_test[column, 0] else "different"
    axes[0, column].set_title(f"{distance:.2f} ({truth})", fontsize=9)
plt.tight_layout()
plt.savefig("pairs.png")
plt.show()
