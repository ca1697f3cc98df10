# %% [markdown]
# # Classes of series by a residual network in one dimension
# Blocks of convolutions along time whose result is added to what came in, so that many can stand on each other. A
# table has a row for each series: its values one after the other, and its class.

# %% Imports
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import classification_report, f1_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
HELD_OUT_FILE = ""  # series with their classes that are kept for the test; "" splits them off
UNLABELLED_FILE = ""  # series without classes that predictions are wanted for
READ_OPTIONS = {}  # how the files are written, where that is not plain CSV
TARGET = "label"
UNUSED_COLUMNS = []
SEQUENCE_LENGTH = 96  # steps and classes of made-up series; of real ones they are counted
CLASS_NAMES = ["class_1", "class_2", "class_3"]
FILTERS = [32, 64, 64]  # a block each
KERNEL_SIZE = 7
WEIGHT_DECAY = 0.001
PATIENCE = 3  # epochs without a gain after which the learning rate is halved
VALIDATION_SPLIT = 0.2
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.002
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full counts are for real data
    EPOCHS = min(EPOCHS, 8)
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_table():
    """A beat every so often; each third one is the higher the further the class, and missing in the first."""
    rows = max(300, 75 * len(CLASS_NAMES))
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up series, not your data.")
    rng = np.random.default_rng(SEED)
    labels = rng.integers(len(CLASS_NAMES), size=rows)
    heights = np.linspace(0.0, 2.0, len(CLASS_NAMES))
    series = 0.2 * rng.normal(size=(rows, SEQUENCE_LENGTH))
    for values, label in zip(series, labels, strict=True):
        for number, place in enumerate(range(int(rng.integers(12)), SEQUENCE_LENGTH - 4, 12)):
            height = heights[label] if number % 3 == 0 else 1.0
            values[place : place + 4] += height * np.array([0.5, 1.0, -0.5, 0.2])
    table = pd.DataFrame(series, columns=[f"step_{step}" for step in range(SEQUENCE_LENGTH)])
    return table.assign(**{TARGET: np.array(CLASS_NAMES)[labels]})


def read_table(name):
    """A table of series; missing values are filled in along the series."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your series lie")
    return pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)


def values_of(table):
    """The series: (rows, SEQUENCE_LENGTH)."""
    numbers = table.drop(columns=[TARGET, *UNUSED_COLUMNS], errors="ignore").select_dtypes("number")
    return numbers.interpolate(axis=1, limit_direction="both").fillna(0).to_numpy("float32")


def classes_of(table, name):
    """The class of each series, as text."""
    if TARGET not in table:
        raise SystemExit(f"{name} has no column {TARGET!r}; it has {', '.join(map(str, table.columns[:20]))}")
    return table[TARGET].astype(str).to_numpy()


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
if TARGET in table:
    table = table.dropna(subset=[TARGET])
class_names, labels = np.unique(classes_of(table, TRAIN_FILE), return_inverse=True)
series = values_of(table)
NUM_CLASSES = len(class_names)
SEQUENCE_LENGTH = series.shape[1]
if NUM_CLASSES < 2 or SEQUENCE_LENGTH < 8:
    raise SystemExit(f"{TRAIN_FILE}: {NUM_CLASSES} classes and series of {SEQUENCE_LENGTH} steps; two and 8 are needed")
print(f"{len(series)} series of {SEQUENCE_LENGTH} steps, {NUM_CLASSES} classes")

# %% Preprocessing
if HELD_OUT_FILE and not SYNTHETIC:
    held_out = read_table(HELD_OUT_FILE)
    known = np.isin(classes_of(held_out, HELD_OUT_FILE), class_names)
    x_train, y_train, x_test = series, labels, values_of(held_out[known])
    y_test = np.searchsorted(class_names, classes_of(held_out[known], HELD_OUT_FILE))
else:
    x_train, x_test, y_train, y_test = train_test_split(series, labels, test_size=TEST_SPLIT, random_state=SEED)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=VALIDATION_SPLIT, random_state=SEED)
center, spread = x_train.mean(), x_train.std() + 1e-6


def as_tensor(series):
    """Scaled series with an axis for their one channel: (series, 1, SEQUENCE_LENGTH)."""
    return torch.from_numpy((series - center) / spread).unsqueeze(1)


train_set = TensorDataset(as_tensor(x_train), torch.from_numpy(y_train))
train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)


# %% Model
class ResidualBlock(nn.Module):
    """Three convolutions, and the input added to their result."""

    def __init__(self, channels, filters):
        super().__init__()
        self.conv1 = nn.Conv1d(channels, filters, KERNEL_SIZE, padding="same")
        self.bn1 = nn.BatchNorm1d(filters)
        self.conv2 = nn.Conv1d(filters, filters, 5, padding="same")
        self.bn2 = nn.BatchNorm1d(filters)
        self.conv3 = nn.Conv1d(filters, filters, 3, padding="same")
        self.bn3 = nn.BatchNorm1d(filters)
        self.shortcut = nn.Conv1d(channels, filters, 1)  # gives the input as many channels as the result

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return torch.relu(self.bn3(self.conv3(y)) + self.shortcut(x))


class ResNet1d(nn.Module):
    """Residual blocks, the mean over time, and an output for each class."""

    def __init__(self):
        super().__init__()
        blocks = []
        channels = 1
        for filters in FILTERS:
            blocks.append(ResidualBlock(channels, filters))
            channels = filters
        self.blocks = nn.Sequential(*blocks)
        self.output = nn.Linear(channels, NUM_CLASSES)

    def forward(self, series):
        return self.output(self.blocks(series).mean(dim=2))


model = ResNet1d().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", factor=0.5, patience=PATIENCE)


# %% Train
def train_epoch():
    """One pass over the training series; the mean loss of its batches."""
    model.train()
    losses = []
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x.to(DEVICE)), y.to(DEVICE))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(series):
    """The class of each series (series, SEQUENCE_LENGTH), as text."""
    model.eval()
    outputs = [model(batch.to(DEVICE)).argmax(dim=1).cpu() for batch in as_tensor(series).split(BATCH_SIZE)]
    return class_names[torch.cat(outputs).numpy()]


def evaluate(series, labels):
    """F1, the mean over the classes."""
    return f1_score(class_names[labels], predict(series), average="macro", zero_division=0)


history = {"loss": [], "val_f1": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_f1"].append(evaluate(x_val, y_val))
    scheduler.step(history["val_f1"][-1])
    if history["val_f1"][-1] >= max(history["val_f1"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    rate = optimizer.param_groups[0]["lr"]
    print(
        f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, F1 {history['val_f1'][-1]:.4f}, learning rate {rate:.5f}"
    )
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
np.savez("scale.npz", center=center, spread=spread, class_names=class_names)

# %% Evaluate
print(classification_report(class_names[y_test], predict(x_test), zero_division=0))
always = np.full(len(y_test), class_names[np.bincount(y_train).argmax()])
print(
    f"held-out macro F1: {evaluate(x_test, y_test):.4f} "
    f"(baseline, always the most frequent class: {f1_score(class_names[y_test], always, average='macro'):.4f})"
)
if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    pd.DataFrame({TARGET: predict(values_of(new))}).to_csv("predictions.csv", index=False)

# %% Show
figure, axes = plt.subplots(NUM_CLASSES if NUM_CLASSES < 6 else 6, 1, figsize=(8, 6), sharex=True)
for number, axis in enumerate(axes):
    axis.plot(x_train[y_train == number][:3].T, linewidth=0.8)
    axis.set_ylabel(class_names[number])
axes[-1].set_xlabel("step")
plt.savefig("series.png")
plt.show()
