# %% [markdown]
# # Several labels for an image
# Any number of labels may fit an image, so each has an output of its own with a sigmoid. A table names the image files
# and has a column of zeros and ones for each label.

# %% Imports
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.metrics import classification_report, f1_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "labels.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TARGETS = ["label_1", "label_2", "label_3"]  # the columns of labels
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
FILTERS = [32, 64, 128]
DROPOUT = 0.2
THRESHOLD = 0.5  # the probability from which on a label is given
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 25
LEARNING_RATE = 0.003
SEED = 42

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_folder(count=120):
    """Dark noise; each label that an image has is a bright band of its own width."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    labels = rng.random((count, len(TARGETS))) < 0.4
    files = [f"{number}.png" for number in range(count)]
    for file, given in zip(files, labels, strict=True):
        pixels = rng.integers(0, 60, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
        band = max(1, IMAGE_HEIGHT // len(TARGETS))
        for position in np.flatnonzero(given):
            pixels[position * band : (position + 1) * band : 1 + position] += 150
        path = os.path.join(folder, IMAGES.split("*")[0], file)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(pixels.squeeze(), MODES[CHANNELS]).save(path)
    table = pd.DataFrame(labels.astype(int), columns=TARGETS)
    table.insert(0, FILE_COLUMN, files)
    return folder, table


def read_data():
    """The folder of the data and its table."""
    path = os.path.join(DATA_DIR, TABLE_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    return DATA_DIR, pd.read_csv(path, dtype={FILE_COLUMN: str}, **READ_OPTIONS)


def path_of(cell):
    """The path of the image that a cell of the table names, with or without folder and ending."""
    cell = str(cell).strip()
    candidates = [IMAGES.replace("*", cell), cell, os.path.join(os.path.dirname(IMAGES), os.path.basename(cell))]
    for candidate in candidates:
        for ending in ("", ".png", ".jpg", ".jpeg"):
            path = os.path.join(folder, candidate + ending)
            if os.path.isfile(path):
                return path
    return None


folder, table = synthetic_folder() if SYNTHETIC else read_data()
for column in [FILE_COLUMN, *TARGETS]:
    if column not in table:
        raise SystemExit(f"{TABLE_FILE} has no column {column!r}; it has {', '.join(table.columns[:20])}")
table["path"] = table[FILE_COLUMN].map(path_of)
table = table.dropna(subset=["path", *TARGETS]).reset_index(drop=True)
if table.empty:
    raise SystemExit(f"no image below {DATA_DIR} is named as a cell of column {FILE_COLUMN!r}")
table[TARGETS] = (table[TARGETS].apply(pd.to_numeric, errors="coerce") > 0).astype(int)
NUM_CLASSES = len(TARGETS)
print(f"{len(table)} images; share with each label: {table[TARGETS].mean().round(2).to_dict()}")

# %% Preprocessing
rows, test_rows = train_test_split(table, test_size=TEST_SPLIT, random_state=SEED)
train_rows, val_rows = train_test_split(rows, test_size=VALIDATION_SPLIT, random_state=SEED)


class LabelledImages(Dataset):
    """Images and their labels as a row of zeros and ones."""

    def __init__(self, rows, augment=False):
        self.paths = rows["path"].tolist()
        self.labels = torch.tensor(rows[TARGETS].to_numpy(), dtype=torch.float32)
        self.augment = augment

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        image = Image.open(self.paths[index]).convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT))
        pixels = torch.from_numpy(np.array(image)).view(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS).permute(2, 0, 1) / 255.0
        if self.augment and torch.rand(1).item() < 0.5:
            pixels = pixels.flip(2)  # left and right
        return pixels, self.labels[index]


loaders = {
    "train": DataLoader(LabelledImages(train_rows, augment=True), batch_size=BATCH_SIZE, shuffle=True),
    "val": DataLoader(LabelledImages(val_rows), batch_size=BATCH_SIZE),
    "test": DataLoader(LabelledImages(test_rows), batch_size=BATCH_SIZE),
}


# %% Model
class ConvBlock(nn.Sequential):
    """A convolution at full size, normalised, and half the width and height."""

    def __init__(self, channels, filters):
        super().__init__(
            nn.Conv2d(channels, filters, 3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.LeakyReLU(0.1),
            nn.MaxPool2d(2),
        )


blocks = [ConvBlock(channels, filters) for channels, filters in zip([CHANNELS, *FILTERS], FILTERS, strict=False)]
model = nn.Sequential(
    *blocks,
    nn.AdaptiveMaxPool2d(3),
    nn.Flatten(),
    nn.Dropout(DROPOUT),
    nn.Linear(FILTERS[-1] * 9, NUM_CLASSES),
).to(DEVICE)
print(model)

# %% Loss and optimizer
# The sigmoid is part of the loss, which is steadier than one after the other; a label that is rare weighs more.
positive = train_rows[TARGETS].mean().clip(0.01, 0.99).to_numpy()
pos_weight = torch.tensor((1 - positive) / positive, dtype=torch.float32, device=DEVICE)
loss_function = nn.BCEWithLogitsLoss(pos_weight=pos_weight)
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
scheduler = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, max_lr=LEARNING_RATE, epochs=EPOCHS, steps_per_epoch=len(loaders["train"])
)


# %% Train
def train_epoch():
    """One pass over the training images; the mean loss of its batches."""
    model.train()
    losses = []
    for images, labels in loaders["train"]:
        loss = loss_function(model(images.to(DEVICE)), labels.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()  # this schedule goes up and down batch by batch
        losses.append(loss.item())
    return float(np.mean(losses))


@torch.no_grad()
def probabilities(loader):
    """The probability of each label for each image: (images, NUM_CLASSES)."""
    model.eval()
    return torch.cat([model(images.to(DEVICE)).sigmoid().cpu() for images, _ in loader]).numpy()


def evaluate(part):
    """The F1 score over all labels of all images of a part."""
    truth = loaders[part].dataset.labels.numpy()
    return f1_score(truth, probabilities(loaders[part]) >= THRESHOLD, average="micro", zero_division=0)


history = {"loss": [], "val_f1": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_f1"].append(evaluate("val"))
    if history["val_f1"][-1] == max(history["val_f1"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation micro F1 {history['val_f1'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
truth = test_rows[TARGETS].to_numpy()
predicted = probabilities(loaders["test"]) >= THRESHOLD
print(classification_report(truth, predicted, target_names=TARGETS, zero_division=0))
print(
    f"held-out micro F1: {evaluate('test'):.4f} "
    f"(baseline, every label for every image: {f1_score(truth, np.ones_like(truth), average='micro'):.4f})"
)


def predict(paths):
    """Zeros and ones for each label of image files, as a table."""
    rows = pd.DataFrame({"path": paths}).assign(**dict.fromkeys(TARGETS, 0))
    given = probabilities(DataLoader(LabelledImages(rows), batch_size=BATCH_SIZE)) >= THRESHOLD
    return pd.DataFrame(given.astype(int), columns=TARGETS, index=paths)


predict(test_rows["path"].tolist()).to_csv("predictions.csv", index_label="file")

# %% Show
figure, axes = plt.subplots(1, 4, figsize=(12, 3.5))
for axis, path, given in zip(axes, test_rows["path"], predicted, strict=False):
    axis.imshow(Image.open(path), cmap="gray")
    axis.set_title("\n".join(np.array(TARGETS)[given]) or "no label", fontsize=8)
    axis.axis("off")
plt.savefig("labels.png", bbox_inches="tight")
plt.show()
