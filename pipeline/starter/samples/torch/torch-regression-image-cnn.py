# %% [markdown]
# # Numbers from images that a table lists
# A table names an image file in each row, and one number or several to be told from it. A convolutional network
# predicts them; the learning rate is halved whenever the validation loss stops falling.

# %% Imports
import glob
import os
import tempfile

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "labels.csv"
UNLABELLED_FILE = ""  # a table of images without numbers that predictions are wanted for
READ_OPTIONS = {}  # how the tables are written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TARGETS = ["target"]
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
FILTERS = [16, 32, 64]
HIDDEN_UNITS = [64]
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
PATIENCE = 3  # epochs without a gain after which the learning rate is halved
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.002
SEED = 42

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 10)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: files
def synthetic_folder(count=120):
    """Images that are bright from the top down to a line, and a table with the line's height in each."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root, rows = tempfile.mkdtemp(), []
    for number in range(count):
        height = int(rng.integers(1, IMAGE_HEIGHT))
        pixels = rng.integers(0, 100, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
        pixels[:height] += 120
        path = os.path.join(root, IMAGES.replace("*", str(number)))
        path = path if os.path.splitext(path)[1] else path + ".png"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(pixels.squeeze(), MODES[CHANNELS]).save(path)
        rows.append({FILE_COLUMN: os.path.basename(path), **dict.fromkeys(TARGETS, height)})
    pd.DataFrame(rows).to_csv(os.path.join(root, TABLE_FILE), index=False)
    return root


def read_listed(name):
    """The rows of a table whose image is there, with its path in a column `path`; other rows are counted."""
    path = os.path.join(root, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    options = {} if SYNTHETIC else READ_OPTIONS
    read = pd.read_excel if path.endswith(".xlsx") else pd.read_csv
    table = read(path, dtype={FILE_COLUMN: str}, **options)
    if FILE_COLUMN not in table:
        raise SystemExit(f"{name} has no column {FILE_COLUMN!r}; it has {', '.join(table.columns[:20])}")
    files = {}
    for file in glob.glob(os.path.join(glob.escape(root), "**", "*.*"), recursive=True):
        base = os.path.basename(file)
        files |= {base: file, os.path.splitext(base)[0]: file, os.path.relpath(file, root): file}
    cells = table[FILE_COLUMN].astype(str).str.strip()
    patterns = cells.map(lambda cell: IMAGES.replace("*", cell))
    table["path"] = patterns.map(files).fillna(cells.map(files)).fillna(cells.map(os.path.basename).map(files))
    found = table.dropna(subset=["path"])
    if found.empty:
        raise SystemExit(f"no image below {DATA_DIR} is named as a cell of column {FILE_COLUMN!r}")
    print(f"{name}: {len(found)} rows with an image, {len(table) - len(found)} without")
    return found


root = synthetic_folder() if SYNTHETIC else DATA_DIR
table = read_listed(TABLE_FILE)
for target in TARGETS:
    if target not in table:
        raise SystemExit(f"{TABLE_FILE} has no column {target!r}; it has {', '.join(table.columns[:20])}")
table = table.assign(**{target: pd.to_numeric(table[target], errors="coerce") for target in TARGETS})
table = table.dropna(subset=TARGETS)
NUM_TARGETS = len(TARGETS)

# %% Preprocessing
train_rows, test_rows = train_test_split(table, test_size=TEST_SPLIT, random_state=SEED)
train_rows, val_rows = train_test_split(train_rows, test_size=VALIDATION_SPLIT, random_state=SEED)
scaler = StandardScaler().fit(train_rows[TARGETS].to_numpy())  # the network learns numbers around zero


class ListedImages(Dataset):
    """Images by their paths, each with its row of scaled numbers."""

    def __init__(self, paths, values):
        self.paths = list(paths)
        self.values = torch.tensor(scaler.transform(values), dtype=torch.float32)

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        with Image.open(self.paths[index]) as image:
            pixels = np.array(image.convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT)), dtype="float32")
        pixels = pixels.reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS).transpose(2, 0, 1)
        return torch.from_numpy(pixels / 127.5 - 1.0), self.values[index]


train_set = ListedImages(train_rows["path"], train_rows[TARGETS].to_numpy())
val_set = ListedImages(val_rows["path"], val_rows[TARGETS].to_numpy())
train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)
val_loader = DataLoader(val_set, batch_size=BATCH_SIZE)


# %% Model
class RegressionCNN(nn.Module):
    """Convolutions that halve the image, then linear layers that see where in the image something is."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.ModuleList()
        channels = CHANNELS
        for filters in FILTERS:
            self.convolutions.append(nn.Conv2d(channels, filters, 3, stride=2, padding=1))
            channels = filters
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.linears = nn.ModuleList()
        features = channels * 4 * 4
        for units in HIDDEN_UNITS:
            self.linears.append(nn.Linear(features, units))
            features = units
        self.output = nn.Linear(features, NUM_TARGETS)

    def forward(self, x):
        for convolution in self.convolutions:
            x = torch.relu(convolution(x))
        x = self.pool(x).flatten(1)
        for linear in self.linears:
            x = torch.relu(linear(x))
        return self.output(x)


model = RegressionCNN().to(DEVICE)
print(model)

# %% Loss and optimizer
loss_function = nn.SmoothL1Loss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=PATIENCE)


# %% Train
def train_epoch():
    """One pass over the training images; the mean loss."""
    model.train()
    total = 0.0
    for images, values in train_loader:
        optimizer.zero_grad()
        loss = loss_function(model(images.to(DEVICE)), values.to(DEVICE))
        loss.backward()
        optimizer.step()
        total += loss.item() * len(images)
    return total / len(train_set)


def evaluate():
    """The mean loss on the validation images."""
    model.eval()
    total = 0.0
    with torch.no_grad():
        for images, values in val_loader:
            total += loss_function(model(images.to(DEVICE)), values.to(DEVICE)).item() * len(images)
    return total / len(val_set)


history = {"train": [], "validation": []}
for epoch in range(EPOCHS):
    train_loss, val_loss = train_epoch(), evaluate()
    if epoch == 0 or val_loss < min(history["validation"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    history["train"].append(train_loss)
    history["validation"].append(val_loss)
    scheduler.step(val_loss)
    print(f"epoch {epoch + 1}: loss {train_loss:.4f}, validation loss {val_loss:.4f}")

model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
joblib.dump(scaler, "scaler.joblib")


# %% Evaluate
@torch.no_grad()
def predict(paths):
    """The numbers of each image file, in their own units: (images, NUM_TARGETS)."""
    model.eval()
    loader = DataLoader(ListedImages(paths, np.zeros((len(paths), NUM_TARGETS))), batch_size=BATCH_SIZE)
    return scaler.inverse_transform(np.concatenate([model(images.to(DEVICE)).cpu() for images, _ in loader]))


truth, predicted = test_rows[TARGETS].to_numpy(), predict(test_rows["path"])
means = np.broadcast_to(train_rows[TARGETS].mean().to_numpy(), truth.shape)
print(
    f"held-out mean absolute error: {mean_absolute_error(truth, predicted):.4f} "
    f"(baseline, always the mean: {mean_absolute_error(truth, means):.4f})"
)
if UNLABELLED_FILE and not SYNTHETIC:
    new = read_listed(UNLABELLED_FILE)
    new[TARGETS] = predict(new["path"])
    new.drop(columns="path").to_csv("predictions.csv", index=False)

# %% Show
plt.scatter(truth[:, 0], predicted[:, 0], s=12)
plt.axline((truth[0, 0], truth[0, 0]), slope=1, color="grey")
plt.xlabel(f"{TARGETS[0]}, true")
plt.ylabel(f"{TARGETS[0]}, predicted")
plt.savefig("predictions.png")
plt.show()
