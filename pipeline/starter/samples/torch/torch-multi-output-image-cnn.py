# %% [markdown]
# # A number and a class from one image
# Two outputs on one network: what the convolutions see serves both, and the losses of both are added. A table names
# the image files, with a column of numbers and a column of classes.

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
TABLE_FILE = "labels.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
NUMBER_TARGET = "number"
CLASS_TARGET = "class"
CLASS_NAMES = ["class_1", "class_2"]  # of made-up data; those of real data are counted
IMAGE_HEIGHT = 96
IMAGE_WIDTH = 96
CHANNELS = 3
FILTERS = [32, 64, 128]
HIDDEN_UNITS = [64]
CLASS_WEIGHT = 1.0  # how much the class counts in the loss against the number
DROPOUT = 0.2
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.001
SEED = 42

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    EPOCHS = min(EPOCHS, 8)
    BATCH_SIZE = min(BATCH_SIZE, 8)
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 40)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 40)


# %% Data: files
def synthetic_folder(count=140):
    """Images whose brightness is the number and whose stripes, upright or level, are the class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    table = pd.DataFrame({FILE_COLUMN: [f"{number}.png" for number in range(count)]})
    table[NUMBER_TARGET] = rng.uniform(10, 80, size=count).round(1)
    table[CLASS_TARGET] = rng.choice(CLASS_NAMES, size=count)
    for row in table.itertuples(index=False):
        file, number, name = row
        pixels = rng.uniform(0, 40, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)) + 1.5 * number
        label = CLASS_NAMES.index(name)
        pixels[:: 4 + label // 2] += 60 * (label % 2 == 0)
        pixels[:, :: 4 + label // 2] += 60 * (label % 2 == 1)
        path = os.path.join(folder, IMAGES.replace("*", file))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(pixels.clip(0, 255).astype("uint8").squeeze()).save(path)
    return folder, table


def read_data():
    """The folder of the data, and its table."""
    path = os.path.join(DATA_DIR, TABLE_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    return DATA_DIR, pd.read_csv(path, dtype={FILE_COLUMN: str}, **READ_OPTIONS)


folder, table = synthetic_folder() if SYNTHETIC else read_data()
for column in (FILE_COLUMN, NUMBER_TARGET, CLASS_TARGET):
    if column not in table:
        raise SystemExit(f"{TABLE_FILE} has no column {column!r}; it has {', '.join(map(str, table.columns[:20]))}")
by_name = {}
for inside, _, names in os.walk(folder):
    by_name |= {name: os.path.join(inside, name) for name in names}
    by_name |= {os.path.splitext(name)[0]: os.path.join(inside, name) for name in names}
table["path"] = [by_name.get(os.path.basename(str(cell))) for cell in table[FILE_COLUMN]]
table[NUMBER_TARGET] = pd.to_numeric(table[NUMBER_TARGET], errors="coerce")
table = table.dropna(subset=["path", NUMBER_TARGET, CLASS_TARGET]).reset_index(drop=True)
if len(table) < 10:
    raise SystemExit(f"{len(table)} rows of {TABLE_FILE} have an image, a number and a class; that is too few")
class_names, table["label"] = np.unique(table[CLASS_TARGET].astype(str), return_inverse=True)
NUM_CLASSES = len(class_names)
print(f"{len(table)} images, {NUM_CLASSES} classes, {NUMBER_TARGET} from {table[NUMBER_TARGET].min()} up")

# %% Preprocessing
train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
center, spread = train[NUMBER_TARGET].mean(), train[NUMBER_TARGET].std() + 1e-6


class Labelled(Dataset):
    """An image, its number in standard units, and its class number."""

    def __init__(self, rows):
        self.paths = rows["path"].tolist()
        self.numbers = torch.tensor(((rows[NUMBER_TARGET] - center) / spread).to_numpy("float32"))
        self.labels = torch.tensor(rows["label"].to_numpy())

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        image = Image.open(self.paths[index]).convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT))
        pixels = torch.from_numpy(np.array(image)).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS).permute(2, 0, 1)
        return pixels / 255.0, self.numbers[index], self.labels[index]


train_loader = DataLoader(Labelled(train), batch_size=BATCH_SIZE, shuffle=True)


# %% Model
class TwoOutputs(nn.Module):
    """Convolutions and a hidden layer for both, then an output for the number and one for the classes."""

    def __init__(self):
        super().__init__()
        layers = []
        channels = CHANNELS
        for filters in FILTERS:
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU(), nn.MaxPool2d(2)]
            channels = filters
        layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten()]
        width = channels * 4
        for units in HIDDEN_UNITS:
            layers += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(DROPOUT)]
            width = units
        self.shared = nn.Sequential(*layers)
        self.number = nn.Linear(width, 1)
        self.label = nn.Linear(width, NUM_CLASSES)

    def forward(self, images):
        features = self.shared(images)
        return self.number(features).squeeze(1), self.label(features)


model = TwoOutputs().to(DEVICE)
print(model)

# %% Loss and optimizer
number_loss, label_loss = nn.L1Loss(), nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training images; the mean losses of number and class."""
    model.train()
    losses = []
    for images, numbers, labels in train_loader:
        told_numbers, scores = model(images.to(DEVICE))
        of_number = number_loss(told_numbers, numbers.to(DEVICE))
        of_label = label_loss(scores, labels.to(DEVICE))
        loss = of_number + CLASS_WEIGHT * of_label
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append((of_number.item(), of_label.item()))
    return np.mean(losses, axis=0)


@torch.no_grad()
def predict(rows):
    """The number, in its own units, and the class of each row's image, as a table."""
    model.eval()
    numbers, labels = [], []
    for images, _, _ in DataLoader(Labelled(rows), batch_size=BATCH_SIZE):
        told_numbers, scores = model(images.to(DEVICE))
        numbers += (told_numbers.cpu().numpy() * spread + center).tolist()
        labels += scores.argmax(dim=1).tolist()
    return pd.DataFrame({NUMBER_TARGET: numbers, CLASS_TARGET: class_names[labels]}, index=rows.index)


def evaluate(rows):
    """The mean absolute error of the numbers, and the accuracy of the classes."""
    told = predict(rows)
    error = (told[NUMBER_TARGET] - rows[NUMBER_TARGET]).abs().mean()
    return error, (told[CLASS_TARGET] == rows[CLASS_TARGET].astype(str)).mean()


history = {"number_loss": [], "class_loss": [], "val_total": []}
for epoch in range(EPOCHS):
    of_number, of_label = train_epoch()
    error, accuracy = evaluate(val)
    history["number_loss"].append(of_number)
    history["class_loss"].append(of_label)
    history["val_total"].append(error / spread + 1 - accuracy)
    if history["val_total"][-1] <= min(history["val_total"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: {NUMBER_TARGET} off by {error:.4f}, {CLASS_TARGET} right {accuracy:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
error, accuracy = evaluate(test)
usual_error = (test[NUMBER_TARGET] - train[NUMBER_TARGET].median()).abs().mean()
usual_accuracy = (test["label"] == train["label"].mode()[0]).mean()
print(
    f"held-out mean absolute error of {NUMBER_TARGET}: {error:.4f} "
    f"(baseline, always the median of the training rows: {usual_error:.4f})"
)
print(
    f"held-out accuracy of {CLASS_TARGET}: {accuracy:.4f} "
    f"(baseline, always the most frequent class of the training rows: {usual_accuracy:.4f})"
)
test[[FILE_COLUMN]].join(predict(test)).to_csv("predictions.csv", index=False)

# %% Show
figure, axes = plt.subplots(1, 5, figsize=(12, 3))
for axis, path, (number, name) in zip(axes, test["path"], predict(test).to_numpy(), strict=False):
    axis.imshow(Image.open(path), cmap="gray")
    axis.set_title(f"{name}, {number:.1f}", fontsize=9)
    axis.axis("off")
plt.savefig("predictions.png")
plt.show()
