# %% [markdown]
# # Vectors of images that lie near for what is alike
# The triplet loss teaches a network that an image is nearer to another of its class than to one of any other class. The
# vectors then serve to find the most similar images. Images lie in a folder per class.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_IMAGES = "{class}/*"  # where an image lies below DATA_DIR; {class} stands for its class
UNLABELLED_FOLDER = ""  # images whose nearest known image is wanted
CLASS_NAMES = ["first", "second", "third", "fourth", "fifth"]
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
EMBEDDING_DIM = 64
FILTERS = [32, 64, 128]
MARGIN = 0.3  # how much nearer the same class has to be, in squared distance
NEIGHBOURS = 1
TEST_SPLIT = 0.25
BATCH_SIZE = 64  # large, for a batch is to hold several images of each class
EPOCHS = 40
LEARNING_RATE = 0.001

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    FILTERS = [min(filters, 32) for filters in FILTERS]
    EPOCHS = min(EPOCHS, 12)


# %% Data: files
def write_made_up_images(folder, count=150):
    """Soft spots of a colour of the class's own that mix with spots of other colours, at random places."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    rows, columns = np.mgrid[:IMAGE_HEIGHT, :IMAGE_WIDTH]
    for number in range(count):
        label = number % len(CLASS_NAMES)
        image = rng.uniform(0, 60, size=(IMAGE_HEIGHT, IMAGE_WIDTH, 3))
        for hue in (label / len(CLASS_NAMES), label / len(CLASS_NAMES), rng.uniform()):
            y, x = rng.uniform(0, IMAGE_HEIGHT), rng.uniform(0, IMAGE_WIDTH)
            spot = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (IMAGE_HEIGHT * IMAGE_WIDTH / 40))
            image += 160 * spot[..., None] * np.array(plt.get_cmap("hsv")(hue)[:3])
        target = os.path.join(folder, os.path.dirname(TRAIN_IMAGES.replace("{class}", CLASS_NAMES[label])))
        os.makedirs(target, exist_ok=True)
        Image.fromarray(image.clip(0, 255).astype("uint8")).save(os.path.join(target, f"{number}.png"))


def read_files(pattern):
    """Paths and pixels, from 0 to 1, of the images that lie as the pattern says."""
    everything = sorted(glob.glob(os.path.join(glob.escape(folder), pattern), recursive=True))
    paths = np.array([path for path in everything if path.lower().endswith(ENDINGS)])
    if not len(paths):
        raise SystemExit(f"{os.path.join(folder, pattern)}: no images; set DATA_DIR to the folder of your images")
    pixels = []
    for path in paths:
        with Image.open(path) as image:
            small = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
        pixels.append(np.asarray(small).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    return paths, np.stack(pixels).astype("float32") / 255.0


folder = tempfile.mkdtemp() if SYNTHETIC else DATA_DIR
if SYNTHETIC:
    write_made_up_images(folder)
paths, images = read_files(TRAIN_IMAGES.replace("{class}", "*"))
place = TRAIN_IMAGES.split("/").index("{class}")
names = [os.path.relpath(path, folder).split(os.sep)[place] for path in paths]
class_names, labels = np.unique(names, return_inverse=True)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds one class, {class_names[0]}; at least two folders with images are needed")
print(pd.Series(names).value_counts().to_string())

# %% Preprocessing
train, test = train_test_split(np.arange(len(images)), test_size=TEST_SPLIT, random_state=SEED)
x_train, x_test = images[train], images[test]
y_train, y_test = labels[train], labels[test]


# %% Model
def build_model():
    """Convolutions and a vector of length 1, so that distances lie between 0 and 2."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    x = inputs
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.8)(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(EMBEDDING_DIM)(x)
    return keras.Model(inputs, layers.UnitNormalization()(x))


@keras.utils.register_keras_serializable()
def batch_hard_triplet_loss(labels, vectors):
    """For each image of the batch: its farthest image of the same class has to be nearer, by a margin, than its nearest
    image of another class ("batch hard", Hermans et al. 2017)."""
    labels = tf.reshape(labels, (-1,))
    squares = tf.maximum(2 - 2 * tf.matmul(vectors, vectors, transpose_b=True), 0.0)
    same = tf.equal(labels[:, None], labels[None, :])
    farthest_same = tf.reduce_max(tf.where(same, squares, 0.0), axis=1)
    nearest_other = tf.reduce_min(tf.where(same, 4.0, squares), axis=1)
    return tf.reduce_mean(tf.maximum(farthest_same - nearest_other + MARGIN, 0.0))


model = build_model()
model.summary()

# %% Compile
model.compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss=batch_hard_triplet_loss)

# %% Train
history = model.fit(x_train, y_train, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
model.save("model.keras")

# %% Evaluate
known_vectors = model.predict(x_train, verbose=0)
np.savez("vectors.npz", vectors=known_vectors, files=paths[train], classes=class_names[y_train])
search = KNeighborsClassifier(n_neighbors=min(NEIGHBOURS, len(train))).fit(known_vectors, y_train)


def predict(pattern):
    """For each image file that lies as the pattern says, its class and the most similar known image, as a table."""
    new_paths, new_images = read_files(pattern)
    vectors = model.predict(new_images, verbose=0)
    distances, nearest = search.kneighbors(vectors, n_neighbors=1)
    table = pd.DataFrame({"file": new_paths, "class": class_names[search.predict(vectors)]})
    return table.assign(most_similar=paths[train][nearest[:, 0]], distance=distances[:, 0])


test_vectors = model.predict(x_test, verbose=0)
right = np.mean(search.predict(test_vectors) == y_test)
most_frequent = np.mean(y_test == np.bincount(y_train).argmax())
print(
    f"held-out accuracy of the nearest neighbour: {right:.4f} "
    f"(baseline, always the most frequent class: {most_frequent:.4f})"
)

if UNLABELLED_FOLDER and not SYNTHETIC:
    table = predict(UNLABELLED_FOLDER + "/**")
    table.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(table)} rows")

# %% Show
points = PCA(n_components=2).fit(known_vectors).transform(test_vectors)
plt.figure(figsize=(6, 5))
for number, name in enumerate(class_names):
    plt.scatter(*points[y_test == number].T, label=name)
plt.legend()
plt.title("vectors of held-out images, seen in two dimensions")
plt.tight_layout()
plt.savefig("embeddings.png")
plt.show()
