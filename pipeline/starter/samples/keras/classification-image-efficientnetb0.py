# %% [markdown]
# # Classes of images by EfficientNetB0
# Features of a pretrained EfficientNetB0, which rescales pixels by itself, and a new output layer. A table lists the
# images' files and classes, or each class has a folder.

# %% Imports
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image
from sklearn.model_selection import train_test_split
from sklearn.utils.class_weight import compute_class_weight
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "train.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TARGET = "label"
UNLABELLED = ""  # a table of images without classes that predictions are wanted for
CLASS_NAMES = ["first", "second", "third"]
IMAGE_HEIGHT = 224
IMAGE_WIDTH = 224
BACKBONE_WEIGHTS = "imagenet"
DROPOUT = 0.2
TOP_K = 3
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 15
FINE_TUNE_EPOCHS = 5
LEARNING_RATE = 0.001
FINE_TUNE_LEARNING_RATE = 0.00001

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:  # a smoke run; the full sizes and counts, and trained weights, are for real data
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 48)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 48)
    BATCH_SIZE = min(BATCH_SIZE, 8)
    EPOCHS = min(EPOCHS, 8)
    FINE_TUNE_EPOCHS = min(FINE_TUNE_EPOCHS, 1)
    BACKBONE_WEIGHTS = None
    LEARNING_RATE = max(LEARNING_RATE, 0.003)


# %% Data: files
def made_up_folder(count=60):
    """A table of images whose colour is their class's, with a little noise."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    labels = rng.integers(len(CLASS_NAMES), size=count)
    table = pd.DataFrame({FILE_COLUMN: [f"{number}.png" for number in range(count)], TARGET: labels})
    table[TARGET] = [CLASS_NAMES[label] for label in labels]
    for name, label in zip(table[FILE_COLUMN], labels, strict=True):
        colour = np.array(plt.get_cmap("hsv")(label / len(CLASS_NAMES))[:3])
        image = rng.uniform(0, 10, size=(IMAGE_HEIGHT, IMAGE_WIDTH, 3)) + 245 * colour
        path = os.path.join(folder, IMAGES.replace("*", name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(image.astype("uint8")).save(path, format="PNG")
    table.to_csv(os.path.join(folder, TABLE_FILE), index=False)
    return folder


def read_table(name, needed):
    """The table with the path of each row's image; rows without one are left out and counted."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    read = pd.read_excel if path.lower().endswith((".xlsx", ".xlsm")) and not SYNTHETIC else pd.read_csv
    table = read(path, dtype={FILE_COLUMN: str}, **({} if SYNTHETIC else READ_OPTIONS))
    for column in needed:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(table.columns[:20])}")
    table = table.dropna(subset=needed)
    table["path"] = [os.path.join(folder, IMAGES.replace("*", cell.strip())) for cell in table[FILE_COLUMN]]
    there = table["path"].map(os.path.isfile)
    if not there.any():
        raise SystemExit(f"{folder} has no image {IMAGES} as named in column {FILE_COLUMN!r}")
    print(f"{(~there).sum()} rows name no image and are left out")
    return table[there].reset_index(drop=True)


def read_image(path):
    """One image in colours at the wanted size, pixels from 0 to 255: EfficientNet rescales them itself."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT), Image.BILINEAR))


def read_class_folders():
    """The table that a folder for each class amounts to, for data without one."""
    found = [os.path.join(inside, name) for inside, _, names in os.walk(folder) for name in names]
    paths = [path for path in found if path.lower().endswith(ENDINGS) and os.path.dirname(path) != folder]
    if not paths:
        raise SystemExit(f"{folder} has neither {TABLE_FILE} nor folders of images; set DATA_DIR to where yours lie")
    return pd.DataFrame({"path": paths, TARGET: [os.path.relpath(path, folder).split(os.sep)[0] for path in paths]})


folder = made_up_folder() if SYNTHETIC else DATA_DIR
listed = os.path.isfile(os.path.join(folder, TABLE_FILE))
table = read_table(TABLE_FILE, [FILE_COLUMN, TARGET]) if listed else read_class_folders()
images = np.stack([read_image(path) for path in table["path"]])
class_names, labels = np.unique(table[TARGET].astype(str), return_inverse=True)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds {NUM_CLASSES} class; at least two are needed")
print(f"{len(images)} images of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))


# %% Preprocessing
def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


def split(images, labels, share):
    """Two parts, with the classes alike in both where every class has images enough."""
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    stratify = labels if counts.min() > 1 and int(share * len(labels)) >= NUM_CLASSES else None
    return train_test_split(images, labels, test_size=share, random_state=SEED, stratify=stratify)


x_train, x_test, train_labels, test_labels = split(images, labels, TEST_SPLIT)
x_train, x_val, train_labels, val_labels = split(x_train, train_labels, VALIDATION_SPLIT)
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)

# Rare classes count more in the loss, so that they are not passed over.
present = np.unique(train_labels)
weights = compute_class_weight("balanced", classes=present, y=train_labels)
class_weight = dict(zip(present.tolist(), weights, strict=True))

# %% Model
shape = (IMAGE_HEIGHT, IMAGE_WIDTH, 3)
try:
    backbone = keras.applications.EfficientNetB0(include_top=False, weights=BACKBONE_WEIGHTS, input_shape=shape)
except Exception as error:
    print(f"NO TRAINED WEIGHTS, the backbone starts from random ones ({error})")
    backbone = keras.applications.EfficientNetB0(include_top=False, weights=None, input_shape=shape)
if BACKBONE_WEIGHTS is None:
    # Random weights come without statistics for batch normalization: they are taken from some images.
    for layer in backbone.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.0
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0  # what random weights find is faint enough
    backbone(x_train[:32], training=True)
backbone.trainable = False


def build_model():
    """Flips and contrast, which change in training only, then the frozen backbone, pooling, dropout and the output."""
    inputs = keras.Input(shape=shape)
    x = layers.RandomFlip("horizontal")(inputs)
    x = layers.RandomContrast(0.1, value_range=(0, 255))(x)
    x = backbone(x, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(DROPOUT)(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs)


model = build_model()
model.summary()

# %% Compile
top_k = keras.metrics.TopKCategoricalAccuracy(k=min(TOP_K, NUM_CLASSES), name=f"top_{TOP_K}_accuracy")
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy", top_k],
)

# %% Train
fit_options = {
    "validation_data": (x_val, y_val),
    "batch_size": BATCH_SIZE,
    "class_weight": class_weight,
    "callbacks": [keras.callbacks.EarlyStopping(monitor="val_loss", patience=4, restore_best_weights=True)],
    "verbose": 2,
}
history = model.fit(x_train, y_train, epochs=EPOCHS, **fit_options)

# %% Train: fine-tuning
# The last block (7a) and the top convolution learn as well; batch normalization stays as it is.
for layer in backbone.layers:
    layer.trainable = layer.name.startswith(("block7a", "top")) and not isinstance(layer, layers.BatchNormalization)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=FINE_TUNE_LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy", top_k],
)
model.fit(x_train, y_train, epochs=FINE_TUNE_EPOCHS, **fit_options)
model.save("model.keras")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(paths):
    """The class of each image file."""
    pixels = np.stack([read_image(path) for path in paths])
    return class_names[predicted_classes(model.predict(pixels, batch_size=BATCH_SIZE, verbose=0))]


outputs = model.predict(x_test, batch_size=BATCH_SIZE, verbose=0)
if NUM_CLASSES > TOP_K:
    share = np.mean(np.any(np.argsort(outputs, axis=-1)[:, -TOP_K:] == test_labels[:, None], axis=-1))
    print(f"the true class is among the {TOP_K} likeliest: {share:.4f}")
test_predictions = predicted_classes(outputs)
usual = np.mean(test_labels == np.bincount(train_labels).argmax())
accuracy = np.mean(test_predictions == test_labels)
print(f"held-out accuracy: {accuracy:.4f} (baseline, always the most frequent class: {usual:.4f})")

if UNLABELLED and not SYNTHETIC:
    new = read_table(UNLABELLED, [FILE_COLUMN])
    new[TARGET] = predict(new["path"])
    new.drop(columns="path").to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
wrong = np.flatnonzero(test_predictions != test_labels)
shown = np.concatenate([wrong, np.flatnonzero(test_predictions == test_labels)])[:8]
figure, axes = plt.subplots(2, 4, figsize=(8, 4))
for axis, number in zip(axes.flat, shown, strict=False):
    axis.axis("off")
    axis.imshow(x_test[number])
    axis.set_title(f"{class_names[test_predictions[number]]} ({class_names[test_labels[number]]})", fontsize=8)
figure.suptitle("predicted (true), mistakes first")
plt.tight_layout()
plt.savefig("predictions.png")
plt.show()
