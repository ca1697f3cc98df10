# %% [markdown]
# # Several objects in an image, by a grid of cells
# Each cell of a coarse grid says whether the middle of an object lies in it, where its box is and of which class it
# is (as YOLO does). Boxes are text files beside the images, in YOLO's format: class, middle and size as shares of the
# image.

# %% Imports
import glob
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
from tensorflow.keras import layers, ops

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "images/*"  # where the images lie below DATA_DIR
BOXES = "labels/*"  # text files with the names of their images; a line a box: class, x, y, width, height
UNLABELLED_FOLDER = ""  # images without boxes that predictions are wanted for
CLASS_NAMES = []  # in the order of their numbers in the files; empty: the numbers
IMAGE_HEIGHT = 192
IMAGE_WIDTH = 192
CHANNELS = 3
FILTERS = [16, 32, 64, 128]  # each halves the size: a cell is 2 ** len(FILTERS) pixels wide
CONFIDENCE = 0.5  # from which a cell counts as holding an object
SAME_OBJECT = 0.4  # overlap from which two boxes count as one object
VALIDATION_SPLIT = 0.1
TEST_SPLIT = 0.2
BATCH_SIZE = 16
EPOCHS = 80
LEARNING_RATE = 0.001

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 64)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 64)
    FILTERS = [16, 24, 32]
    EPOCHS = min(EPOCHS, 25)
    LEARNING_RATE = max(LEARNING_RATE, 0.002)
STRIDE = 2 ** len(FILTERS)
GRID_ROWS = -(-IMAGE_HEIGHT // STRIDE)
COLUMNS = -(-IMAGE_WIDTH // STRIDE)


# %% Data: files
def made_up_folder(count=200, size=64):
    """One to three boxes or discs on noise, side by side."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    for number in range(count):
        image = Image.fromarray(rng.integers(0, 70, size=(size, size, 3), dtype="uint8"))
        draw, lines = ImageDraw.Draw(image), []
        for place in rng.choice(4, size=rng.integers(1, 4), replace=False):
            kind, (width, height) = rng.integers(2), rng.integers(12, 24, size=2)
            x = 16 + 32 * (place % 2) + rng.integers(-3, 4)
            y = 16 + 32 * (place // 2) + rng.integers(-3, 4)
            box = [int(side) for side in (x - width / 2, y - height / 2, x + width / 2, y + height / 2)]
            draw.ellipse(box, fill=(90, 130, 240)) if kind else draw.rectangle(box, fill=(230, 80, 60))
            lines.append(f"{kind} {x / size:.4f} {y / size:.4f} {width / size:.4f} {height / size:.4f}")
        image_path, box_path = (os.path.join(root, pattern.replace("*", str(number))) for pattern in (IMAGES, BOXES))
        os.makedirs(os.path.dirname(image_path), exist_ok=True)
        os.makedirs(os.path.dirname(box_path), exist_ok=True)
        image.save(image_path if os.path.splitext(image_path)[1] else image_path + ".png", format="PNG")
        with open(os.path.splitext(box_path)[0] + ".txt", "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
    return root


def files_by_name(pattern, endings):
    """The files that lie as the pattern says and end so, by their names without ending."""
    found = sorted(glob.glob(os.path.join(glob.escape(root), pattern)))
    return {os.path.splitext(os.path.basename(path))[0]: path for path in found if path.lower().endswith(endings)}


def read_image(path):
    """One image at the wanted size, pixels from 0 to 1."""
    with Image.open(path) as image:
        resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return np.asarray(resized, dtype="float32").reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS) / 255.0


def read_boxes(path):
    """The boxes of a file, a row each: class, x and y of the middle, width, height."""
    with open(path, encoding="utf-8") as file:
        return np.array([[float(cell) for cell in line.split()[:5]] for line in file if line.strip()]).reshape(-1, 5)


root = made_up_folder() if SYNTHETIC else DATA_DIR
image_files, box_files = files_by_name(IMAGES, ENDINGS), files_by_name(BOXES, (".txt",))
names = [name for name in image_files if name in box_files]
if len(names) < 5:
    raise SystemExit(f"{root}: {len(names)} text files of {BOXES} are named as an image of {IMAGES}; set DATA_DIR")
images = np.stack([read_image(image_files[name]) for name in names])
boxes = [read_boxes(box_files[name]) for name in names]
numbers = np.unique(np.concatenate(boxes)[:, 0].astype(int))
class_names = CLASS_NAMES if len(CLASS_NAMES) == len(numbers) else [str(number) for number in numbers]
NUM_CLASSES = len(class_names)
print(f"{len(images)} images, {sum(map(len, boxes))} boxes, {NUM_CLASSES} classes, {GRID_ROWS}x{COLUMNS} cells")


# %% Preprocessing
def to_grid(boxes):
    """For each cell: 1 and x, y within the cell, width and height, class, where the middle of an object lies in it."""
    grid = np.zeros((GRID_ROWS, COLUMNS, 6), dtype="float32")
    for number, x, y, width, height in boxes:
        across, down = x * IMAGE_WIDTH / STRIDE, y * IMAGE_HEIGHT / STRIDE
        row, column = min(int(down), GRID_ROWS - 1), min(int(across), COLUMNS - 1)
        grid[row, column] = (1, across - column, down - row, width, height, np.searchsorted(numbers, number))
    return grid


train, test = train_test_split(np.arange(len(images)), test_size=TEST_SPLIT, random_state=SEED)
grids = np.stack([to_grid(rows) for rows in boxes])
x_train, y_train, x_test = images[train], grids[train], images[test]


# %% Model
def build_model():
    """Convolutions down to the grid; each cell has a confidence, a box and a probability for each class."""
    x = inputs = keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    for filters in FILTERS:
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.LeakyReLU(negative_slope=0.1)(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Conv2D(2 * FILTERS[-1], 3, padding="same", activation="relu")(x)
    place = layers.Conv2D(5, 1, activation="sigmoid")(x)
    label = layers.Conv2D(NUM_CLASSES, 1, activation="softmax")(x)
    return keras.Model(inputs, layers.Concatenate()([place, label]))


@keras.utils.register_keras_serializable()
def grid_loss(truth, outputs):
    """Confidence of all cells; box and class only of those that hold an object."""
    holds = truth[..., 0]
    confidence = keras.losses.binary_crossentropy(truth[..., :1], outputs[..., :1])
    # The root makes an error of some pixels weigh more for a small box than for a large one.
    sizes = ops.square(ops.sqrt(truth[..., 3:5]) - ops.sqrt(outputs[..., 3:5] + 1e-6))
    box = ops.sum(ops.square(truth[..., 1:3] - outputs[..., 1:3]) + sizes, axis=-1)
    label = keras.losses.sparse_categorical_crossentropy(truth[..., 5], outputs[..., 5:])
    objects = ops.maximum(ops.sum(holds), 1.0)
    return ops.mean(confidence * (1 + 4 * holds)) + ops.sum(holds * (5 * box + label)) / objects


model = build_model()
model.summary()

# %% Compile
model.compile(optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss=grid_loss)

# %% Train
history = model.fit(
    x_train, y_train, validation_split=VALIDATION_SPLIT, batch_size=BATCH_SIZE, epochs=EPOCHS, verbose=2
)
model.save("model.keras")


# %% Evaluate
def sides(x, y, width, height):
    """Left, top, right and bottom of a box."""
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def overlap(box, other):
    """Intersection over union of two boxes given by middle and size."""
    (left, top, right, bottom), (left_2, top_2, right_2, bottom_2) = sides(*box), sides(*other)
    width, height = min(right, right_2) - max(left, left_2), min(bottom, bottom_2) - max(top, top_2)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (box[2] * box[3] + other[2] * other[3] - shared + 1e-9)


def predict(pictures):
    """For each image (pixels from 0 to 1) its objects, the surest first: confidence, class, x, y, width, height."""
    found = []
    for grid in model.predict(pictures, batch_size=BATCH_SIZE, verbose=0):
        objects = []
        for row, column in sorted(np.argwhere(grid[..., 0] > CONFIDENCE).tolist(), key=lambda cell: -grid[*cell, 0]):
            sure, x, y, width, height = grid[row, column, :5].tolist()
            box = ((column + x) * STRIDE / IMAGE_WIDTH, (row + y) * STRIDE / IMAGE_HEIGHT, width, height)
            # A box that overlaps a surer one is the same object (non-maximum suppression).
            if all(overlap(box, other[2:]) < SAME_OBJECT for other in objects):
                objects.append((sure, int(grid[row, column, 5:].argmax()), *box))
        found.append(objects)
    return found


def f1_at_half(found):
    """F1 of the objects: one is right if its class is and its box overlaps the true one, still free, by half."""
    right = 0
    for objects, rows in zip(found, (boxes[number] for number in test), strict=True):
        free = [(int(np.searchsorted(numbers, row[0])), row[1:]) for row in rows]
        for _, label, *box in objects:
            hits = [n for n, (wanted, other) in enumerate(free) if wanted == label and overlap(box, other) > 0.5]
            if hits:
                free.pop(hits[0])
                right += 1
    return 2 * right / max(sum(map(len, found)) + sum(len(boxes[number]) for number in test), 1)


found = predict(x_test)
every = np.concatenate([boxes[number] for number in train])
typical = (1.0, int(np.bincount(np.searchsorted(numbers, every[:, 0])).argmax()), *every[:, 1:].mean(axis=0))
print(
    f"held-out F1 at IoU 0.5: {f1_at_half(found):.4f} "
    f"(baseline, always the mean box: {f1_at_half([[typical]] * len(test)):.4f})"
)

if UNLABELLED_FOLDER and not SYNTHETIC:
    new = files_by_name(UNLABELLED_FOLDER + "/*", ENDINGS)
    objects = predict(np.stack([read_image(path) for path in new.values()]))
    rows = []
    for name, of_image in zip(new, objects, strict=True):
        rows += [(name, class_names[label], sure, *box) for sure, label, *box in of_image]
    columns = ["image", "class", "confidence", "x", "y", "width", "height"]
    pd.DataFrame(rows, columns=columns).to_csv("predictions.csv", index=False)

# %% Show
figure, axes = plt.subplots(2, 3, figsize=(9, 6))
for axis, image, objects in zip(axes.flat, x_test, found, strict=False):
    axis.imshow(image.squeeze(), cmap="gray" if CHANNELS == 1 else None)
    for sure, label, x, y, width, height in objects:
        corner = ((x - width / 2) * IMAGE_WIDTH, (y - height / 2) * IMAGE_HEIGHT)
        axis.add_patch(Rectangle(corner, width * IMAGE_WIDTH, height * IMAGE_HEIGHT, fill=False, edgecolor="yellow"))
        axis.text(*corner, f"{class_names[label]} {sure:.2f}", color="yellow", fontsize=8)
plt.tight_layout()
plt.savefig("boxes.png")
plt.show()
