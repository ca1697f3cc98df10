# %% [markdown]
# # One object in an image: its box and its class
# A convolutional network with two outputs: the four sides of a box, and what is in it. A table lists the image files
# with the box in pixels and the class.

# %% Imports
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle
from PIL import Image, ImageDraw
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "boxes.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
BOX_COLUMNS = ["xmin", "ymin", "xmax", "ymax"]  # in pixels of the image as it is in the file
CLASS_COLUMN = "class"
UNLABELLED = ""  # a table of images that predictions are wanted for
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
CHANNELS = 3
FILTERS = [32, 64, 64, 128]
HIDDEN_UNITS = 128
BOX_WEIGHT = 5.0  # how much the box's loss counts beside the class's
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 60
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 48)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 48)
    FILTERS = [min(filters, 32) for filters in FILTERS]
    BATCH_SIZE = min(BATCH_SIZE, 16)
    EPOCHS = min(EPOCHS, 25)


# %% Data: files
def made_up_folder(count=300, width=96, height=72):
    """Noise with a red rectangle or a blue ellipse."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    rows = []
    for number in range(count):
        image = Image.fromarray(rng.integers(0, 80, size=(height, width, 3), dtype="uint8"))
        left, top = int(rng.integers(width - 30)), int(rng.integers(height - 30))
        box = (left, top, left + int(rng.integers(15, 30)), top + int(rng.integers(15, 30)))
        kind = ("rectangle", "ellipse")[number % 2]
        if kind == "rectangle":
            ImageDraw.Draw(image).rectangle(box, fill=(230, 60, 60))
        else:
            ImageDraw.Draw(image).ellipse(box, fill=(80, 120, 240))
        path = os.path.join(folder, IMAGES.replace("*", f"{number}.png"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        image.save(path, format="PNG")
        rows.append((f"{number}.png", *box, kind))
    table = pd.DataFrame(rows, columns=[FILE_COLUMN, *BOX_COLUMNS, CLASS_COLUMN])
    table.to_csv(os.path.join(folder, TABLE_FILE), index=False)
    return folder


def read_listed(name, needed):
    """The rows of a table whose image is there, the images at the wanted size, and each one's own width and height."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    read = pd.read_excel if path.lower().endswith((".xlsx", ".xlsm")) and not SYNTHETIC else pd.read_csv
    table = read(path, dtype={FILE_COLUMN: str}, **({} if SYNTHETIC else READ_OPTIONS))
    for column in needed:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(table.columns[:20])}")
    table = table.dropna(subset=needed)
    paths = table[FILE_COLUMN].map(lambda cell: os.path.join(folder, IMAGES.replace("*", str(cell).strip())))
    table = table[paths.map(os.path.isfile)].reset_index(drop=True)
    images, sizes = [], []
    for path in paths[paths.map(os.path.isfile)]:
        with Image.open(path) as image:
            sizes.append(image.size)
            resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
        images.append(np.asarray(resized).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    if not images:
        raise SystemExit(f"{folder} has no image {IMAGES} as named in column {FILE_COLUMN!r}")
    return table, np.stack(images).astype("float32") / 255.0, np.array(sizes, dtype="float32")


folder = made_up_folder() if SYNTHETIC else DATA_DIR
table, images, sizes = read_listed(TABLE_FILE, [FILE_COLUMN, *BOX_COLUMNS, CLASS_COLUMN])
if table[FILE_COLUMN].duplicated().any():
    print("images with several boxes: of each the first is learned; the grid detector finds several")
    first = ~table[FILE_COLUMN].duplicated().to_numpy()
    table, images, sizes = table[first], images[first], sizes[first]
class_names, labels = np.unique(table[CLASS_COLUMN].astype(str), return_inverse=True)
NUM_CLASSES = len(class_names)
print(f"{len(images)} images with a box, {NUM_CLASSES} classes: {', '.join(class_names[:20])}")

# %% Preprocessing
# Boxes as shares of the image's width and height, so that they hold at any size.
boxes = (table[BOX_COLUMNS].to_numpy(dtype="float32") / np.tile(sizes, 2)).clip(0, 1)
train, test = train_test_split(np.arange(len(images)), test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
x_train, x_val, x_test = images[train], images[val], images[test]
y_train, y_val, y_test = ({"box": boxes[rows], "label": labels[rows]} for rows in (train, val, test))


# %% Model
def build_model():
    """Convolutions whose last map is flattened, for a box needs to know where things are; then two outputs."""
    inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    x = inputs
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(HIDDEN_UNITS, activation="relu")(x)
    box = layers.Dense(4, activation="sigmoid", name="box")(x)
    label = layers.Dense(NUM_CLASSES, activation="softmax", name="label")(x)
    return keras.Model(inputs, {"box": box, "label": label})


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss={"box": "huber", "label": "sparse_categorical_crossentropy"},
    loss_weights={"box": BOX_WEIGHT, "label": 1.0},
    metrics={"box": ["mae"], "label": ["accuracy"]},
)

# %% Train
history = model.fit(x_train, y_train, validation_data=(x_val, y_val), batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2)
model.save("model.keras")


# %% Evaluate
def overlaps(boxes, others):
    """Intersection over union of each box with the one in the same row."""
    left_top = np.maximum(boxes[:, :2], others[:, :2])
    right_bottom = np.minimum(boxes[:, 2:], others[:, 2:])
    shared = np.prod(np.clip(right_bottom - left_top, 0, None), axis=1)
    areas = [np.prod(np.clip(one[:, 2:] - one[:, :2], 0, None), axis=1) for one in (boxes, others)]
    return shared / np.maximum(areas[0] + areas[1] - shared, 1e-9)


def predict(images, sizes):
    """Box in pixels, class and the class's probability for each image (pixels from 0 to 1) of its own size."""
    outputs = model.predict(images, verbose=0)
    found = pd.DataFrame(outputs["box"] * np.tile(sizes, 2), columns=BOX_COLUMNS).round(1)
    found[CLASS_COLUMN] = class_names[outputs["label"].argmax(axis=-1)]
    return found.assign(probability=outputs["label"].max(axis=-1).round(3))


outputs = model.predict(x_test, verbose=0)
print(f"accuracy of the class: {np.mean(outputs['label'].argmax(axis=-1) == labels[test]):.4f}")
mean_box = np.tile(boxes[train].mean(axis=0), (len(test), 1))
print(
    f"held-out mean IoU: {overlaps(outputs['box'], boxes[test]).mean():.4f} "
    f"(baseline, always the mean box: {overlaps(mean_box, boxes[test]).mean():.4f})"
)

if UNLABELLED and not SYNTHETIC:
    rows, new_images, new_sizes = read_listed(UNLABELLED, [FILE_COLUMN])
    found = predict(new_images, new_sizes)
    found.insert(0, FILE_COLUMN, rows[FILE_COLUMN])
    found.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(found)} rows")

# %% Show
scale = np.array([IMAGE_WIDTH, IMAGE_HEIGHT, IMAGE_WIDTH, IMAGE_HEIGHT])
figure, axes = plt.subplots(2, 4, figsize=(10, 5))
for axis in axes.flat:
    axis.axis("off")
for axis, image, truth, box, label in zip(
    axes.flat, x_test, boxes[test] * scale, outputs["box"] * scale, outputs["label"].argmax(axis=-1), strict=False
):
    axis.imshow(image.squeeze(), cmap="gray" if CHANNELS == 1 else None)
    for (left, top, right, bottom), colour in ((truth, "white"), (box, "yellow")):
        axis.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour))
    axis.set_title(class_names[label], fontsize=8)
plt.suptitle("true box (white) and predicted box (yellow)")
plt.tight_layout()
plt.savefig("boxes.png")
plt.show()
