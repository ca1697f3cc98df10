# %% [markdown]
# # A number from an image together with columns of a table
# Convolutions read the image, linear layers the row that goes with it, and one output tells the number from what both
# have found. A table names the image of each row.

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
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows with images but without the number that predictions are wanted for
READ_OPTIONS = {}  # how the tables are written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TARGET = "target"
NUMBER_COLUMNS = []  # where no column is named, they are found by their kind
CATEGORY_COLUMNS = []
UNUSED_COLUMNS = []
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
CHANNELS = 3
FILTERS = [16, 32, 64]
HIDDEN_UNITS = [64, 32]
DROPOUT = 0.1
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 60
LEARNING_RATE = 0.001
WEIGHT_DECAY = 0.0001
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full sizes and counts are for real data
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 48)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 48)
    EPOCHS = min(EPOCHS, 20)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    LEARNING_RATE = max(LEARNING_RATE, 0.003)


# %% Data: files
def made_up_folder(count=200):
    """The number grows with the bright part of the image and with the first number of the row."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images and rows, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    table = pd.DataFrame({FILE_COLUMN: [f"{number}.png" for number in range(count)]})
    for column in NUMBER_COLUMNS or ["number_1", "number_2"]:
        table[column] = rng.normal(50, 10, size=count)
    for column in CATEGORY_COLUMNS or ["category"]:
        table[column] = rng.choice(["a", "b", "c"], size=count)
    share = rng.uniform(0.1, 0.9, size=count)
    first = table.iloc[:, 1] if NUMBER_COLUMNS or not CATEGORY_COLUMNS else (table.iloc[:, 1] == "a") * 10.0
    table[TARGET] = 200 * share + 4 * first + rng.normal(0, 5, size=count)
    for name, bright in zip(table[FILE_COLUMN], share, strict=True):
        pixels = rng.integers(0, 100, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
        pixels[:, : int(bright * IMAGE_WIDTH)] += 130
        path = os.path.join(root, IMAGES.replace("*", name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(pixels.squeeze()).save(path)
    table.to_csv(os.path.join(root, TABLE_FILE), index=False)
    return root


def read_table(name):
    """The rows of a table whose image is there; `path` says where."""
    path = os.path.join(root, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    rows = pd.read_csv(path, dtype={FILE_COLUMN: str}, **({} if SYNTHETIC else READ_OPTIONS))
    if FILE_COLUMN not in rows:
        raise SystemExit(f"{name} has no column {FILE_COLUMN!r}; it has {', '.join(map(str, rows.columns[:20]))}")
    rows = rows.assign(path=[os.path.join(root, IMAGES.replace("*", str(cell))) for cell in rows[FILE_COLUMN]])
    there = rows["path"].map(os.path.isfile)
    if not there.any():
        raise SystemExit(f"{root} has no image {IMAGES} as named in column {FILE_COLUMN!r}")
    return rows[there]


root = made_up_folder() if SYNTHETIC else DATA_DIR
table = read_table(TABLE_FILE)
for name in (TARGET, *NUMBER_COLUMNS, *CATEGORY_COLUMNS):
    if name not in table:
        raise SystemExit(f"{TABLE_FILE} has no column {name!r}; it has {', '.join(map(str, table.columns[:20]))}")
table = table.assign(**{TARGET: pd.to_numeric(table[TARGET], errors="coerce")}).dropna(subset=[TARGET])
if not (NUMBER_COLUMNS or CATEGORY_COLUMNS):
    for name in table.columns.drop([TARGET, FILE_COLUMN, "path", *UNUSED_COLUMNS], errors="ignore"):
        if pd.api.types.is_numeric_dtype(table[name]):
            NUMBER_COLUMNS.append(name)
        elif table[name].nunique() <= 50:
            CATEGORY_COLUMNS.append(name)
if not (NUMBER_COLUMNS or CATEGORY_COLUMNS):
    raise SystemExit(f"{TABLE_FILE} has no columns beside {FILE_COLUMN!r} and {TARGET!r} that could be read")
print(f"{len(table)} rows with an image; {TARGET} from images and {', '.join([*NUMBER_COLUMNS, *CATEGORY_COLUMNS])}")

# %% Preprocessing
train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
scale = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
features = make_column_transformer((scale, NUMBER_COLUMNS), (one_hot, CATEGORY_COLUMNS)).fit(train)
mean, std = train[TARGET].mean(), train[TARGET].std() or 1.0


def read_image(path):
    """One image (CHANNELS, IMAGE_HEIGHT, IMAGE_WIDTH) with values from 0 to 1."""
    with Image.open(path) as image:
        pixels = np.array(image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT)))
    return torch.from_numpy(pixels).view(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS).permute(2, 0, 1) / 255.0


def batches_of(rows, shuffle=False):
    """Images, features and positions of the rows, a batch at a time; images are read when they are wanted."""
    numbers = torch.tensor(features.transform(rows), dtype=torch.float32)
    paths = rows["path"].tolist()
    order = torch.randperm(len(rows)) if shuffle else torch.arange(len(rows))
    for batch in order.split(BATCH_SIZE):
        images = torch.stack([read_image(paths[position]) for position in batch])
        yield images.to(DEVICE), numbers[batch].to(DEVICE), batch


NUM_FEATURES = features.transform(train).shape[1]


# %% Model
class ImageAndRow(nn.Module):
    """A convolutional branch, a dense branch, and hidden layers that see both."""

    def __init__(self):
        super().__init__()
        steps, channels = [], CHANNELS
        for filters in FILTERS:
            steps += [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU(), nn.MaxPool2d(2)]
            channels = filters
        self.image = nn.Sequential(*steps, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.row = nn.Sequential(nn.Linear(NUM_FEATURES, HIDDEN_UNITS[0]), nn.ReLU())
        joined, width = [], channels + HIDDEN_UNITS[0]
        for units in HIDDEN_UNITS:
            joined += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(DROPOUT)]
            width = units
        self.joined = nn.Sequential(*joined, nn.Linear(width, 1))

    def forward(self, images, rows):
        return self.joined(torch.cat([self.image(images), self.row(rows)], dim=1)).squeeze(1)


model = ImageAndRow().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.MSELoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)


# %% Train
def train_epoch():
    """One pass over the training rows; the mean loss of its batches."""
    model.train()
    truth = torch.tensor(((train[TARGET] - mean) / std).to_numpy(), dtype=torch.float32)
    losses = []
    for images, rows, batch in batches_of(train, shuffle=True):
        loss = criterion(model(images, rows), truth[batch].to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(rows):
    """The number of each row with its image, in its own unit."""
    model.eval()
    return torch.cat([model(images, numbers).cpu() for images, numbers, _ in batches_of(rows)]).numpy() * std + mean


history = {"loss": [], "val_error": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_error"].append(mean_absolute_error(val[TARGET], predict(val)))
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation error {history['val_error'][-1]:.4f}")
    if history["val_error"][-1] == min(history["val_error"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
joblib.dump((features, mean, std), "preprocessing.joblib")

# %% Evaluate
predicted = predict(test)
print(f"R2 {r2_score(test[TARGET], predicted):.3f}")
medians = np.full(len(test), train[TARGET].median())
print(
    f"held-out mean absolute error: {mean_absolute_error(test[TARGET], predicted):.4f} "
    f"(baseline, always the median: {mean_absolute_error(test[TARGET], medians):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    new.assign(**{TARGET: predict(new)}).drop(columns="path").to_csv("predictions.csv", index=False)

# %% Show
figure, axes = plt.subplots(1, 5, figsize=(12, 3))
for axis, path, number, true in zip(axes, test["path"], predicted, test[TARGET], strict=False):
    axis.imshow(read_image(path).permute(1, 2, 0).squeeze(), cmap="gray", vmin=0, vmax=1)
    axis.set_title(f"{number:.1f}\n(true: {true:.1f})", fontsize=8)
    axis.axis("off")
figure.suptitle(TARGET)
plt.savefig("predictions.png", bbox_inches="tight")
plt.show()
