# %% [markdown]
# # One object in an image: its box and its class
# A convolutional network with two outputs: the class of the object, and the four sides of its box as shares of the
# image's width and height. A table names the image file, the box in pixels and the class.

# %% Imports
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "boxes.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
BOX_COLUMNS = ["xmin", "ymin", "xmax", "ymax"]  # in pixels of the image as it is
TARGET = "class"  # where the table has no such column, all objects are of one class
CLASS_NAMES = ["class_1", "class_2"]  # of made-up data; those of real data are counted
UNLABELLED_FOLDER = ""  # images that boxes are wanted for
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
FILTERS = [16, 32, 64, 64]
HIDDEN_UNITS = [128]
BOX_WEIGHT = 5.0  # how much the box counts in the loss against the class
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 16
EPOCHS = 50
LEARNING_RATE = 0.001
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    EPOCHS = min(EPOCHS, 15)
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 64)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 64)
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: files
def synthetic_folder(count=160):
    """A bright rectangle in noise, plain or striped, and the table of the rectangles."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    os.makedirs(os.path.join(root, os.path.dirname(IMAGES)), exist_ok=True)
    rows = []
    for number in range(count):
        label = int(rng.integers(len(CLASS_NAMES)))
        height, width = rng.integers(30, 60, size=2)
        top, left = rng.integers(0, 90 - height), rng.integers(0, 120 - width)
        pixels = rng.integers(0, 100, size=(90, 120, 3), dtype="uint8")
        pixels[top : top + height : 1 + label, left : left + width] = 250
        Image.fromarray(pixels).save(os.path.join(root, IMAGES.replace("*", f"{number}.png")))
        box = dict(zip(BOX_COLUMNS, (left, top, left + width, top + height), strict=True))
        rows.append({FILE_COLUMN: f"{number}.png", **box, TARGET: CLASS_NAMES[label]})
    return root, pd.DataFrame(rows)


def read_data():
    """The folder of the data, and its table."""
    path = os.path.join(DATA_DIR, TABLE_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    return DATA_DIR, pd.read_csv(path, dtype={FILE_COLUMN: str}, **READ_OPTIONS)


root, table = synthetic_folder() if SYNTHETIC else read_data()
for column in [FILE_COLUMN, *BOX_COLUMNS]:
    if column not in table:
        raise SystemExit(f"{TABLE_FILE} has no column {column!r}; it has {', '.join(map(str, table.columns[:20]))}")
if TARGET not in table:
    table[TARGET] = "object"
paths = [os.path.join(root, IMAGES.replace("*", os.path.basename(str(cell)))) for cell in table[FILE_COLUMN]]
table["path"] = [path if os.path.isfile(path) else None for path in paths]
# Where an image has several boxes, the largest is learned.
table["area"] = (table[BOX_COLUMNS[2]] - table[BOX_COLUMNS[0]]) * (table[BOX_COLUMNS[3]] - table[BOX_COLUMNS[1]])
table = table.dropna(subset=["path", *BOX_COLUMNS, TARGET]).sort_values("area").drop_duplicates("path", keep="last")
if len(table) < 10:
    raise SystemExit(f"{len(table)} rows with a box and an image below {DATA_DIR}; set IMAGES and FILE_COLUMN")
class_names = sorted(table[TARGET].astype(str).unique())
NUM_CLASSES = len(class_names)
print(f"{len(table)} images with a box, {NUM_CLASSES} classes: {', '.join(class_names[:20])}")

# %% Preprocessing
train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)


def read_image(path):
    """An image as (3, IMAGE_HEIGHT, IMAGE_WIDTH), and its width and height on disk."""
    with Image.open(path) as image:
        pixels = np.array(image.convert("RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT)))
        return torch.from_numpy(pixels).permute(2, 0, 1) / 255.0, image.size


class Boxes(Dataset):
    """An image, its box as shares of the width and the height, and the class number."""

    def __init__(self, rows):
        self.paths = rows["path"].tolist()
        self.boxes = torch.tensor(rows[BOX_COLUMNS].to_numpy("float32"))
        self.labels = [class_names.index(name) for name in rows[TARGET].astype(str)]

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        pixels, (width, height) = read_image(self.paths[index])
        return pixels, self.boxes[index] / torch.tensor([width, height, width, height]), self.labels[index]


train_loader = DataLoader(Boxes(train), batch_size=BATCH_SIZE, shuffle=True)
val_loader, test_loader = DataLoader(Boxes(val), batch_size=BATCH_SIZE), DataLoader(Boxes(test), batch_size=BATCH_SIZE)


# %% Model
class Detector(nn.Module):
    """Convolutions that keep where things are, hidden layers, and an output each for box and class."""

    def __init__(self):
        super().__init__()
        layers, channels = [], 3
        for filters in FILTERS:
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU(), nn.MaxPool2d(2)]
            channels = filters
        layers += [nn.AdaptiveAvgPool2d(4), nn.Flatten()]
        width = channels * 16
        for units in HIDDEN_UNITS:
            layers += [nn.Linear(width, units), nn.ReLU()]
            width = units
        self.trunk = nn.Sequential(*layers)
        self.box = nn.Linear(width, 4)
        self.label = nn.Linear(width, NUM_CLASSES)

    def forward(self, images):
        features = self.trunk(images)
        return torch.sigmoid(self.box(features)), self.label(features)


model = Detector().to(DEVICE)
print(model)

# %% Loss and optimizer
box_loss, label_loss = nn.SmoothL1Loss(beta=0.1), nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training images; the mean loss of its batches."""
    model.train()
    losses = []
    for images, boxes, labels in train_loader:
        found_boxes, scores = model(images.to(DEVICE))
        loss = BOX_WEIGHT * box_loss(found_boxes, boxes.to(DEVICE)) + label_loss(scores, labels.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


def overlap(a, b):
    """Intersection over union of boxes, row by row."""
    sides = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0)
    areas = [(boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1) for boxes in (a, b)]
    common = sides.prod(dim=1)
    return common / (areas[0] + areas[1] - common).clamp(min=1e-9)


@torch.no_grad()
def evaluate(loader):
    """The mean overlap of found and true boxes, the same for the mean training box, and the accuracy of classes."""
    model.eval()
    found, usual, right = [], [], []
    for images, boxes, labels in loader:
        found_boxes, scores = model(images.to(DEVICE))
        found.append(overlap(found_boxes.cpu(), boxes))
        usual.append(overlap(mean_box.expand_as(boxes), boxes))
        right.append((scores.argmax(dim=1).cpu() == labels).float())
    return tuple(torch.cat(values).mean().item() for values in (found, usual, right))


mean_box = torch.stack([box for _, box, _ in train_loader.dataset]).mean(dim=0)
history = {"loss": [], "val_iou": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    iou, _, accuracy = evaluate(val_loader)
    history["val_iou"].append(iou)
    if iou == max(history["val_iou"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation IoU {iou:.4f}, class accuracy {accuracy:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
iou, usual_iou, accuracy = evaluate(test_loader)
print(f"held-out accuracy of the classes: {accuracy:.4f}")
print(
    f"held-out mean intersection over union: {iou:.4f} "
    f"(baseline, the mean box for every image: {usual_iou:.4f})"
)  # fmt: skip


@torch.no_grad()
def predict(paths):
    """A table of the box, in pixels, and the class for each image file."""
    model.eval()
    rows = []
    for path in paths:
        pixels, (width, height) = read_image(path)
        box, scores = model(pixels[None].to(DEVICE))
        sides = (box[0].cpu() * torch.tensor([width, height, width, height])).round().int().tolist()
        rows.append([path, *sides, class_names[scores.argmax().item()]])
    return pd.DataFrame(rows, columns=[FILE_COLUMN, *BOX_COLUMNS, TARGET])


new_folder = os.path.join(root, UNLABELLED_FOLDER)
new = [os.path.join(new_folder, name) for name in sorted(os.listdir(new_folder))] if UNLABELLED_FOLDER else test["path"]
predict(new).to_csv("predictions.csv", index=False)

# %% Show
figure, axes = plt.subplots(1, 4, figsize=(12, 3))
for axis, row in zip(axes, predict(test["path"][:4]).itertuples(index=False), strict=False):
    path, left, top, right, bottom, name = row
    axis.imshow(Image.open(path))
    axis.add_patch(plt.Rectangle((left, top), right - left, bottom - top, fill=False, color="red"))
    axis.set_title(name)
plt.savefig("boxes.png")
plt.show()
