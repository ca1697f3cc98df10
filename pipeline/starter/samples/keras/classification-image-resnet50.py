# %% [markdown]
# # Classes of images by a fine-tuned ResNet50
# First only a new head learns, on features of the frozen ResNet50; then its last layers are fine-tuned. Images lie in a
# folder per class and are read batch by batch.

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.metrics import ConfusionMatrixDisplay, balanced_accuracy_score
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_IMAGES = "{class}/*"  # where an image lies below DATA_DIR; {class} stands for its class
HELD_OUT_FOLDER = ""  # class folders of their own for the test, where the data have them
UNLABELLED_FOLDER = ""  # images without classes that predictions are wanted for
CLASS_NAMES = ["first", "second"]
IMAGE_HEIGHT = 224
IMAGE_WIDTH = 224
BACKBONE_WEIGHTS = "imagenet"
HIDDEN_UNITS = 128
DROPOUT = 0.3
FINE_TUNED_LAYERS = 20
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 10
FINE_TUNE_EPOCHS = 10
LEARNING_RATE = 0.001
FINE_TUNE_LEARNING_RATE = 0.00001

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts, and trained weights, are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 32)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 32)
    BATCH_SIZE = min(BATCH_SIZE, 8)
    EPOCHS = min(EPOCHS, 2)
    FINE_TUNE_EPOCHS = min(FINE_TUNE_EPOCHS, 1)
    BACKBONE_WEIGHTS = None


# %% Data: files
def write_made_up_images(folder, count=40):
    """Gray images with a little noise, brighter from class to class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    for number in range(count):
        label = number % len(CLASS_NAMES)
        brightness = 245 * label / max(1, len(CLASS_NAMES) - 1)
        image = (rng.uniform(0, 10, size=(IMAGE_HEIGHT, IMAGE_WIDTH, 3)) + brightness).astype("uint8")
        path = os.path.join(folder, TRAIN_IMAGES.replace("{class}", CLASS_NAMES[label]))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(image).save(os.path.join(os.path.dirname(path), f"{number:03}.png"))


def list_images(pattern):
    """A table of the image files that lie as the pattern says: their paths and their classes."""
    depth = pattern.split("/").index("{class}")
    found = glob.glob(os.path.join(glob.escape(folder), pattern.replace("{class}", "*")), recursive=True)
    files = pd.DataFrame({"path": sorted(path for path in found if path.lower().endswith(ENDINGS))}, dtype=object)
    if files.empty:
        raise SystemExit(f"{os.path.join(folder, pattern)}: no images; set DATA_DIR to the folder of your images")
    files["class"] = [os.path.relpath(path, folder).split(os.sep)[depth] for path in files["path"]]
    return files


folder = tempfile.mkdtemp() if SYNTHETIC else DATA_DIR
if SYNTHETIC:
    write_made_up_images(folder)
files = list_images(TRAIN_IMAGES)
class_names = sorted(files["class"].unique())
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds one class, {class_names[0]}; at least two folders with images are needed")
print(files["class"].value_counts().to_string())


# %% Preprocessing
def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


def read_image(path):
    """One image in colours at the wanted size, prepared as ResNet50's training images were: BGR, means taken off."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT)), dtype="float32")
    return keras.applications.resnet50.preprocess_input(pixels)


class ImageBatches(keras.utils.PyDataset):
    """Batches of images, read when they are needed, with their encoded labels."""

    def __init__(self, files, shuffle=False):
        super().__init__()
        self.paths = files["path"].to_numpy()
        self.labels = encode_labels(files["label"])
        self.order = np.arange(len(files))
        self.shuffle = shuffle

    def __len__(self):
        return int(np.ceil(len(self.paths) / BATCH_SIZE))

    def __getitem__(self, number):
        chosen = self.order[number * BATCH_SIZE : (number + 1) * BATCH_SIZE]
        return np.stack([read_image(path) for path in self.paths[chosen]]), self.labels[chosen]

    def on_epoch_end(self):
        if self.shuffle:
            np.random.shuffle(self.order)


def split(files, share):
    """Two parts, with the classes alike in both where every class has images enough."""
    enough = files["label"].value_counts().min() > 1 and int(share * len(files)) >= NUM_CLASSES
    stratify = files["label"] if enough else None
    return train_test_split(files, test_size=share, random_state=SEED, stratify=stratify)


files["label"] = [class_names.index(name) for name in files["class"]]
if HELD_OUT_FOLDER and not SYNTHETIC:
    test_files = list_images(HELD_OUT_FOLDER + ("/*" if "{class}" in HELD_OUT_FOLDER else "/{class}/**"))
    test_files = test_files[test_files["class"].isin(class_names)]
    test_files["label"] = [class_names.index(name) for name in test_files["class"]]
    train_files = files
else:
    train_files, test_files = split(files, TEST_SPLIT)
train_files, val_files = split(train_files, VALIDATION_SPLIT)
test_labels = test_files["label"].to_numpy()
train_ds, val_ds = ImageBatches(train_files, shuffle=True), ImageBatches(val_files)
test_ds = ImageBatches(test_files)


# %% Model
def load_backbone():
    """ResNet50 without its top; random weights where the trained ones cannot be fetched."""
    shape = (IMAGE_HEIGHT, IMAGE_WIDTH, 3)
    try:
        return keras.applications.ResNet50(include_top=False, weights=BACKBONE_WEIGHTS, input_shape=shape)
    except Exception as error:
        print(f"NO TRAINED WEIGHTS, the backbone starts from random ones ({error})")
        return keras.applications.ResNet50(include_top=False, weights=None, input_shape=shape)


def take_statistics(backbone, images):
    """Gives batch normalization the images' own statistics, which random weights come without."""
    for layer in backbone.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.0
    backbone(images, training=True)


backbone = load_backbone()
if BACKBONE_WEIGHTS is None:
    take_statistics(backbone, np.stack([read_image(path) for path in train_files["path"][:32]]))
backbone.trainable = False


def build_model():
    """A hidden layer and the output on the mean features of the backbone."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, 3))
    features = layers.GlobalAveragePooling2D()(backbone(inputs, training=False))
    hidden = layers.Dropout(DROPOUT)(layers.Dense(HIDDEN_UNITS, activation="relu")(features))
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(hidden)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
    run_eagerly=SYNTHETIC,  # a few steps take less time than to trace so deep a network
)

# %% Train
history = model.fit(train_ds, validation_data=val_ds, epochs=EPOCHS, verbose=2)

# %% Train: fine-tuning
backbone.trainable = True
for place, layer in enumerate(backbone.layers, start=-len(backbone.layers)):
    # Batch normalization stays frozen: trained on, it would change to the statistics of a few small batches.
    layer.trainable = place >= -FINE_TUNED_LAYERS and not isinstance(layer, layers.BatchNormalization)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=FINE_TUNE_LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
    run_eagerly=SYNTHETIC,
)
model.fit(
    train_ds,
    validation_data=val_ds,
    epochs=FINE_TUNE_EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)],
    verbose=2,
)
model.save("model.keras")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(paths):
    """The class of each image file and how sure the model is, as a table."""
    outputs = model.predict(np.stack([read_image(path) for path in paths]), batch_size=BATCH_SIZE, verbose=0)
    names = [class_names[number] for number in predicted_classes(outputs)]
    table = pd.DataFrame({"file": [os.path.relpath(path, folder) for path in paths], "class": names})
    return table.assign(probability=outputs.max(axis=-1))


test_predictions = predicted_classes(model.predict(test_ds, verbose=0))
most_frequent = np.full_like(test_labels, train_files["label"].mode()[0])
print(
    f"held-out balanced accuracy: {balanced_accuracy_score(test_labels, test_predictions):.4f} "
    f"(baseline, always the most frequent class: {balanced_accuracy_score(test_labels, most_frequent):.4f})"
)

if UNLABELLED_FOLDER and not SYNTHETIC:
    new = glob.glob(os.path.join(glob.escape(os.path.join(folder, UNLABELLED_FOLDER)), "**"), recursive=True)
    predict([path for path in sorted(new) if path.lower().endswith(ENDINGS)]).to_csv("predictions.csv", index=False)

# %% Show
ConfusionMatrixDisplay.from_predictions(
    test_labels, test_predictions, labels=range(NUM_CLASSES), display_labels=class_names, xticks_rotation=45
)
plt.savefig("confusion_matrix.png", bbox_inches="tight")
plt.show()
