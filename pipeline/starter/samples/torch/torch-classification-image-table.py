# %% [markdown]
# # Classes from an image and a row of numbers together
# Two inputs, one model: convolutions read the image, linear layers the row, and what both have found is joined before
# the output. A table names the image file of each row.

# %% Imports
import os
import tempfile

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows with images but without classes that predictions are wanted for
READ_OPTIONS = {}  # how the tables are written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TARGET = "target"
CLASS_NAMES = ["class_1", "class_2", "class_3", "class_4"]  # of made-up data; those of real data are counted
NUMBER_COLUMNS = []  # where no column is named, they are found by their kind
CATEGORY_COLUMNS = []
UNUSED_COLUMNS = []
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
FILTERS = [16, 32, 64]
HIDDEN_UNITS = [32]  # that read the row
DROPOUT = 0.2
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.002
SEED = 42

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_folder(count=160):
    """Half of the class is in the image, bright or dark, and half in the numbers, positive or negative."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images and rows, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    rows = []
    for number in range(count):
        label = int(rng.integers(len(CLASS_NAMES)))
        bright, sign = label // 2, 2 * (label % 2) - 1
        pixels = rng.integers(0, 120, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8") + 50 * bright
        path = os.path.join(folder, IMAGES.replace("*", f"{number}.png"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(pixels.astype("uint8").squeeze()).save(path)
        row = {FILE_COLUMN: f"{number}.png", TARGET: CLASS_NAMES[label]}
        row |= {name: sign + 0.4 * rng.normal() for name in NUMBER_COLUMNS or ["number_1", "number_2"]}
        row |= {name: str(rng.choice(["a", "b"])) for name in CATEGORY_COLUMNS or ["category"]}
        rows.append(row)
    return folder, pd.DataFrame(rows)


def read_table(name):
    """A CSV file of DATA_DIR."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    return pd.read_csv(path, dtype={FILE_COLUMN: str}, **READ_OPTIONS)


def find_images(table):
    """The rows whose image is there, with its path in a column `path`."""
    if FILE_COLUMN not in table:
        raise SystemExit(f"the table has no column {FILE_COLUMN!r}; it has {', '.join(map(str, table.columns[:20]))}")
    below = {}
    for inside, _, names in os.walk(folder):
        for name in names:
            below[name] = below[os.path.splitext(name)[0]] = os.path.join(inside, name)
    table = table.assign(path=table[FILE_COLUMN].map(lambda cell: below.get(os.path.basename(str(cell)))))
    return table.dropna(subset=["path"])


folder, table = synthetic_folder() if SYNTHETIC else (DATA_DIR, read_table(TABLE_FILE))
table = find_images(table)
if TARGET not in table or table.empty:
    raise SystemExit(f"{TABLE_FILE} has no column {TARGET!r}, or none of its rows names an image below {DATA_DIR}")
table = table.dropna(subset=[TARGET])
class_names, labels = np.unique(table[TARGET].astype(str), return_inverse=True)
NUM_CLASSES = len(class_names)
if not NUMBER_COLUMNS and not CATEGORY_COLUMNS:
    others = table.drop(columns=[TARGET, FILE_COLUMN, "path", *UNUSED_COLUMNS], errors="ignore")
    NUMBER_COLUMNS = others.select_dtypes("number").columns.tolist()
    CATEGORY_COLUMNS = [name for name in others if name not in NUMBER_COLUMNS and others[name].nunique() <= 50]
print(f"{len(table)} rows with an image, {NUM_CLASSES} classes; columns beside: {NUMBER_COLUMNS + CATEGORY_COLUMNS}")

# %% Preprocessing
train, test, y_train, y_test = train_test_split(table, labels, test_size=TEST_SPLIT, random_state=SEED)
train, val, y_train, y_val = train_test_split(train, y_train, test_size=VALIDATION_SPLIT, random_state=SEED)
transform = make_column_transformer(
    (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMBER_COLUMNS),
    (OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORY_COLUMNS),
).fit(train)  # on the training rows alone


class ImagesWithRows(Dataset):
    """An image, the features of its row, and the class number."""

    def __init__(self, rows, labels):
        self.paths = rows["path"].tolist()
        self.features = torch.tensor(transform.transform(rows), dtype=torch.float32)
        self.labels = labels

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        with Image.open(self.paths[index]) as image:
            pixels = np.array(image.convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT)))
        pixels = torch.from_numpy(pixels).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS).permute(2, 0, 1)
        return pixels / 255.0, self.features[index], self.labels[index]


train_set, val_set, test_set = ImagesWithRows(train, y_train), ImagesWithRows(val, y_val), ImagesWithRows(test, y_test)
train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)
NUM_FEATURES = train_set.features.shape[1]


# %% Model
class TwoInputs(nn.Module):
    """A branch for the image, a branch for the row, and an output that sees both."""

    def __init__(self):
        super().__init__()
        image, channels = [], CHANNELS
        for filters in FILTERS:
            image += [nn.Conv2d(channels, filters, 3, stride=2, padding=1), nn.BatchNorm2d(filters), nn.ReLU()]
            channels = filters
        self.image_branch = nn.Sequential(*image, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        row, width = [], NUM_FEATURES
        for units in HIDDEN_UNITS:
            row += [nn.Linear(width, units), nn.ReLU()]
            width = units
        self.row_branch = nn.Sequential(*row)
        self.head = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(channels + width, NUM_CLASSES))

    def forward(self, images, rows):
        return self.head(torch.cat([self.image_branch(images), self.row_branch(rows)], dim=1))


model = TwoInputs().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training rows; the mean loss of its batches."""
    model.train()
    total = 0.0
    for images, rows, truth in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(images.to(DEVICE), rows.to(DEVICE)), truth.to(DEVICE))
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(train_loader)


@torch.no_grad()
def outputs(examples):
    """The class number that each example gets."""
    model.eval()
    loader = DataLoader(examples, batch_size=BATCH_SIZE)
    scores = [model(images.to(DEVICE), rows.to(DEVICE)).cpu() for images, rows, _ in loader]
    return torch.cat(scores).argmax(dim=1).numpy()


def evaluate(examples):
    """The share of examples whose class is told."""
    return accuracy_score(examples.labels, outputs(examples))


history = {"loss": [], "val_accuracy": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_accuracy"].append(evaluate(val_set))
    if history["val_accuracy"][-1] >= max(history["val_accuracy"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation accuracy {history['val_accuracy'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
joblib.dump((transform, class_names), "preprocessing.joblib")

# %% Evaluate
always = np.full_like(y_test, np.bincount(y_train).argmax())
print(
    f"held-out accuracy: {evaluate(test_set):.4f} "
    f"(baseline, always the most frequent class: {accuracy_score(y_test, always):.4f})"
)


def predict(rows):
    """The class of each row with its image."""
    return class_names[outputs(ImagesWithRows(rows, np.zeros(len(rows), dtype=int)))]


if UNLABELLED_FILE and not SYNTHETIC:
    new = find_images(read_table(UNLABELLED_FILE))
    new.assign(**{TARGET: predict(new)}).drop(columns="path").to_csv("predictions.csv", index=False)

# %% Show
figure, axes = plt.subplots(1, 5, figsize=(12, 3))
for axis, (_, row), name in zip(axes, test.iterrows(), predict(test), strict=False):
    axis.imshow(Image.open(row["path"]), cmap="gray", vmin=0, vmax=255)
    axis.set_title(f"{name}\n(true: {row[TARGET]})", fontsize=8)
    axis.axis("off")
plt.savefig("predictions.png", bbox_inches="tight")
plt.show()
