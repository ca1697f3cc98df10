# %% [markdown]
# # Classes of images by a Vision Transformer
# The image is cut into patches; a Transformer reads them as a sentence of words, with their places added. Trained from
# scratch on images in a folder per class.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_IMAGES = "{class}/*"  # where an image lies below DATA_DIR; {class} stands for its class
UNLABELLED_FOLDER = ""  # images without classes that predictions are wanted for
CLASS_NAMES = ["first", "second", "third", "fourth"]
IMAGE_HEIGHT = 72
IMAGE_WIDTH = 72
CHANNELS = 3
PATCH_SIZE = 6
EMBEDDING_DIM = 64
NUM_HEADS = 4
NUM_BLOCKS = 4
HIDDEN_UNITS = [128]
DROPOUT = 0.1
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 64
EPOCHS = 60
LEARNING_RATE = 0.001
WEIGHT_DECAY = 0.0001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 6)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def write_made_up_images(root, count=160):
    """Noise with a bright square, the classes' squares on a ring around the middle."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    for number in range(count):
        label = number % len(CLASS_NAMES)
        angle = 2 * np.pi * label / len(CLASS_NAMES)
        top = int(IMAGE_HEIGHT * (0.375 + 0.3 * np.sin(angle)))
        left = int(IMAGE_WIDTH * (0.375 + 0.3 * np.cos(angle)))
        pixels = rng.integers(0, 100, size=(IMAGE_HEIGHT, IMAGE_WIDTH, 3), dtype="uint8")
        pixels[top : top + IMAGE_HEIGHT // 4, left : left + IMAGE_WIDTH // 4] += 130
        place = os.path.join(root, TRAIN_IMAGES.replace("{class}", CLASS_NAMES[label]))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        Image.fromarray(pixels).save(os.path.join(os.path.dirname(place), f"{number}.png"))


def read_image(path):
    """One image as an array of the wanted size and number of channels."""
    with Image.open(path) as image:
        resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(resized).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


def find_images(pattern):
    """All files that Pillow can open and that lie as the pattern says."""
    found = []
    for path in sorted(glob.glob(os.path.join(glob.escape(root), pattern), recursive=True)):
        try:
            with Image.open(path) as image:
                image.verify()
            found.append(path)
        except (OSError, SyntaxError):
            continue
    if not found:
        raise SystemExit(f"{os.path.join(root, pattern)}: no images; set DATA_DIR to the folder of your images")
    return found


root = tempfile.mkdtemp() if SYNTHETIC else DATA_DIR
if SYNTHETIC:
    write_made_up_images(root)
paths = find_images(TRAIN_IMAGES.replace("{class}", "*"))
level = TRAIN_IMAGES.split("/").index("{class}")
class_names, labels = np.unique(
    [os.path.relpath(path, root).split(os.sep)[level] for path in paths], return_inverse=True
)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds one class, {class_names[0]}; at least two folders with images are needed")
images = np.stack([read_image(path) for path in paths])
print(f"{len(images)} images of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))


# %% Preprocessing
def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, x_test, train_labels, test_labels = train_test_split(images, labels, test_size=TEST_SPLIT, random_state=SEED)
x_train, x_val, train_labels, val_labels = train_test_split(
    x_train, train_labels, test_size=VALIDATION_SPLIT, random_state=SEED
)
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)
mean, deviation = x_train.mean(axis=(0, 1, 2)), x_train.std(axis=(0, 1, 2)) + 1e-6


def standardize(images):
    """Pixels as deviations from the training images' mean, a channel at a time."""
    return ((images - mean) / deviation).astype("float32")


x_train, x_val, x_test = standardize(x_train), standardize(x_val), standardize(x_test)


# %% Model
@keras.utils.register_keras_serializable()
class AddPlaces(layers.Layer):
    """Adds to each patch a learned vector that says where in the image it lies."""

    def build(self, input_shape):
        self.places = self.add_weight(shape=input_shape[1:], initializer="random_normal", name="places")

    def call(self, patches):
        return patches + self.places


def encoder_block(x):
    """Attention among the patches, then a small network on each; both are added to what came in."""
    attended = layers.LayerNormalization(epsilon=1e-6)(x)
    attended = layers.MultiHeadAttention(NUM_HEADS, key_dim=EMBEDDING_DIM // NUM_HEADS, dropout=DROPOUT)(
        attended, attended
    )
    x = layers.Add()([x, attended])
    hidden = layers.LayerNormalization(epsilon=1e-6)(x)
    for units in HIDDEN_UNITS:
        hidden = layers.Dense(units, activation="gelu")(hidden)
        hidden = layers.Dropout(DROPOUT)(hidden)
    hidden = layers.Dense(EMBEDDING_DIM)(hidden)
    return layers.Add()([x, hidden])


def build_model():
    """Patches as vectors, NUM_BLOCKS encoder blocks, the mean over the patches and the output."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    # A convolution that steps by its own size sees each patch once: a dense layer on every patch.
    x = layers.Conv2D(EMBEDDING_DIM, PATCH_SIZE, strides=PATCH_SIZE)(inputs)
    x = layers.Reshape((-1, EMBEDDING_DIM))(x)
    x = AddPlaces()(x)
    for _ in range(NUM_BLOCKS):
        x = encoder_block(x)
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    x = layers.GlobalAveragePooling1D()(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=LEARNING_RATE, weight_decay=WEIGHT_DECAY),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
history = model.fit(x_train, y_train, validation_data=(x_val, y_val), batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
model.save("model.keras")
np.savez("scaling.npz", mean=mean, deviation=deviation, class_names=class_names)


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(paths):
    """The class of each image file."""
    outputs = model.predict(standardize(np.stack([read_image(path) for path in paths])), verbose=0)
    return class_names[predicted_classes(outputs)]


test_predictions = predicted_classes(model.predict(x_test, verbose=0))
most_frequent = np.bincount(train_labels).argmax()
print(
    f"held-out accuracy: {np.mean(test_predictions == test_labels):.4f} "
    f"(baseline, always the most frequent class: {np.mean(test_labels == most_frequent):.4f})"
)

if UNLABELLED_FOLDER and not SYNTHETIC:
    new = find_images(UNLABELLED_FOLDER + "/**")
    pd.DataFrame({"file": new, "class": predict(new)}).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
shown = min(len(x_test), 6)
figure, axes = plt.subplots(1, shown, figsize=(2 * shown, 2.4), squeeze=False)
for axis, image, label, truth in zip(axes[0], x_test, test_predictions, test_labels, strict=False):
    pixels = (image * deviation + mean).astype("uint8")
    axis.imshow(pixels.squeeze(), cmap="gray" if CHANNELS == 1 else None)
    axis.set_title(f"{class_names[label]} ({class_names[truth]})", fontsize=8)
    axis.axis("off")
plt.suptitle("predicted (true)")
plt.tight_layout()
plt.savefig("predictions.png")
plt.show()
