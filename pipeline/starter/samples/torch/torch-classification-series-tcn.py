# %% [markdown]
# # Classes of series by a temporal convolutional network
# Each block looks twice as far back as the one before it: convolutions with growing gaps see a long past with few
# layers. Windows come from an `.npz` file, or from a table with a series in each row.

# %% Imports
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.metrics import classification_report, f1_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.npz"  # arrays x (windows, steps, channels) and y; or a table with a series a row
HELD_OUT_FILE = ""  # the same for the test; "" splits windows off
UNLABELLED_FILE = ""  # series without classes that predictions are wanted for
READ_OPTIONS = {}  # how a table is written, where that is not plain CSV; {"header": None} where it has no names
SEQUENCE_LENGTH = 80  # steps, channels and classes of made-up windows; of real ones they are counted
NUM_FEATURES = 3
CLASS_NAMES = ["near", "middle", "far"]
TARGET = "y"  # the array or column of classes; -1 is the last column
FILTERS = [32, 32, 32, 32]  # a block each; the gaps of its convolutions double from block to block
KERNEL_SIZE = 3
DROPOUT = 0.1
WEIGHT_DECAY = 0.0001
PATIENCE = 10
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 60
LEARNING_RATE = 0.002
SEED = 42

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 12)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def made_up_folder():
    """Noise in which two short knocks follow each other; the class is how far apart they are."""
    count = max(320, 80 * len(CLASS_NAMES))
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up series, not your data.")
    rng = np.random.default_rng(SEED)
    gaps = dict(zip(CLASS_NAMES, np.linspace(4, SEQUENCE_LENGTH // 2, len(CLASS_NAMES)).astype(int), strict=True))
    names = rng.choice(CLASS_NAMES, size=count)
    x = 0.3 * rng.normal(size=(count, SEQUENCE_LENGTH, NUM_FEATURES))
    for window, name in zip(x, names, strict=True):
        first = rng.integers(SEQUENCE_LENGTH - max(gaps.values()) - 1)
        window[[first, first + 1], 0] += 3
        window[[first + gaps[name], first + gaps[name] + 1], 0] += 3
    folder = tempfile.mkdtemp()
    if TRAIN_FILE.endswith(".npz"):
        np.savez(os.path.join(folder, TRAIN_FILE), **{"x": x, str(TARGET): names})
    else:
        table = pd.DataFrame(x[:, :, 0]).assign(**{"class" if TARGET == -1 else str(TARGET): names})
        table.to_csv(os.path.join(folder, TRAIN_FILE), index=False, header=READ_OPTIONS.get("header", 0) is not None)
    return folder


def read_windows(name):
    """Windows (count, steps, channels), and their classes as text, or None where the file holds none."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your series lie")
    if path.endswith(".npz"):
        arrays = np.load(path)
        inputs = [key for key in arrays.files if key != TARGET]
        if not inputs:
            raise SystemExit(f"{name} holds no array beside {TARGET!r}")
        x, classes = arrays[inputs[0]], arrays[TARGET].ravel() if TARGET in arrays.files else None
    else:
        table = pd.read_csv(path, **READ_OPTIONS)
        column = table.columns[-1] if TARGET == -1 else TARGET
        classes = table[column].to_numpy() if column in table else None
        x = table.drop(columns=column, errors="ignore").select_dtypes("number").to_numpy()
    x = np.nan_to_num(np.asarray(x, dtype="float32"))
    return x if x.ndim == 3 else x[..., None], None if classes is None else classes.astype(str)


folder = made_up_folder() if SYNTHETIC else DATA_DIR
windows, classes = read_windows(TRAIN_FILE)
if classes is None:
    raise SystemExit(f"{TRAIN_FILE} has no classes under {TARGET!r}; set TARGET")
class_names = sorted(set(classes))
NUM_CLASSES = len(class_names)
_, SEQUENCE_LENGTH, NUM_FEATURES = windows.shape
if NUM_CLASSES < 2:
    raise SystemExit(f"{TRAIN_FILE} has one class alone, {class_names}; set TARGET to the column or array of classes")
print(f"{len(windows)} series of {SEQUENCE_LENGTH} steps, {NUM_FEATURES} channels; {NUM_CLASSES} classes")

# %% Preprocessing
rng = np.random.default_rng(SEED)
order = rng.permutation(len(windows))
if HELD_OUT_FILE and not SYNTHETIC:
    test_windows, test_classes = read_windows(HELD_OUT_FILE)
    known = np.isin(test_classes, class_names)
    test_windows, test_classes = test_windows[known], test_classes[known]
else:
    held_out = order[: max(1, int(TEST_SPLIT * len(order)))]
    order = order[len(held_out) :]
    test_windows, test_classes = windows[held_out], classes[held_out]
mean = windows[order].mean(axis=(0, 1))
spread = windows[order].std(axis=(0, 1)) + 1e-6


def as_input(windows):
    """Scaled windows, channels before steps: (count, channels, steps)."""
    return torch.from_numpy((windows - mean) / spread).float().transpose(1, 2)


numbers = torch.tensor([class_names.index(name) for name in classes[order]])
known_series = TensorDataset(as_input(windows[order]), numbers)
val_count = max(1, int(VALIDATION_SPLIT * len(order)))
generator = torch.Generator().manual_seed(SEED)
train_set, val_set = random_split(known_series, [len(order) - val_count, val_count], generator=generator)
train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)
val_loader = DataLoader(val_set, batch_size=BATCH_SIZE)


# %% Model
class TemporalBlock(nn.Module):
    """Two causal convolutions with gaps of `dilation` steps, and the input added to their result."""

    def __init__(self, channels, filters, dilation):
        super().__init__()
        self.past = (KERNEL_SIZE - 1) * dilation  # steps that are filled in before the first one
        self.conv1 = nn.Conv1d(channels, filters, KERNEL_SIZE, dilation=dilation)
        self.conv2 = nn.Conv1d(filters, filters, KERNEL_SIZE, dilation=dilation)
        self.dropout = nn.Dropout(DROPOUT)
        self.shortcut = nn.Conv1d(channels, filters, 1) if channels != filters else nn.Identity()

    def forward(self, x):
        y = self.dropout(F.relu(self.conv1(F.pad(x, (self.past, 0)))))
        y = self.dropout(F.relu(self.conv2(F.pad(y, (self.past, 0)))))
        return F.relu(y + self.shortcut(x))


class TCN(nn.Module):
    """Blocks whose gaps double, the strongest answer of each filter over time, and an output for each class."""

    def __init__(self):
        super().__init__()
        channels = [NUM_FEATURES, *FILTERS]
        blocks = [TemporalBlock(channels[i], channels[i + 1], dilation=2**i) for i in range(len(FILTERS))]
        self.blocks = nn.Sequential(*blocks)
        self.output = nn.Linear(FILTERS[-1], NUM_CLASSES)

    def forward(self, x):
        return self.output(self.blocks(x).amax(dim=2))


model = TCN().to(DEVICE)
seen = 1 + 2 * (KERNEL_SIZE - 1) * (2 ** len(FILTERS) - 1)
print(f"each answer of the last block sees {seen} steps")

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)


# %% Train
def train_epoch():
    """One pass over the training series; the mean loss."""
    model.train()
    losses = []
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(x.to(DEVICE)), y.to(DEVICE))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def evaluate():
    """The mean loss on the validation series."""
    model.eval()
    return float(np.mean([criterion(model(x.to(DEVICE)), y.to(DEVICE)).item() for x, y in val_loader]))


history = {"loss": [], "val_loss": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_loss"].append(evaluate())
    print(f"epoch {epoch + 1}: " + ", ".join(f"{name} {values[-1]:.4f}" for name, values in history.items()))
    best = int(np.argmin(history["val_loss"]))
    if best == epoch:
        torch.save(model.state_dict(), "model.pt")
    elif epoch - best >= PATIENCE:
        break
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
np.savez("scaling.npz", mean=mean, spread=spread, class_names=class_names)


# %% Evaluate
@torch.no_grad()
def predict(windows):
    """The class of each window (windows, steps, channels), as text."""
    model.eval()
    scores = torch.cat([model(batch.to(DEVICE)).cpu() for batch in as_input(windows).split(BATCH_SIZE)])
    return np.array(class_names)[scores.argmax(dim=1).numpy()]


predicted = predict(test_windows)
print(classification_report(test_classes, predicted, zero_division=0))
most_frequent = max(class_names, key=list(classes[order]).count)
baseline = f1_score(test_classes, np.full(len(test_classes), most_frequent), average="macro", zero_division=0)
score = f1_score(test_classes, predicted, average="macro", zero_division=0)
print(f"held-out macro F1: {score:.4f} (baseline, always {most_frequent}: {baseline:.4f})")
if UNLABELLED_FILE and not SYNTHETIC:
    new, _ = read_windows(UNLABELLED_FILE)
    pd.DataFrame({"class": predict(new)}).to_csv("predictions.csv", index=False)

# %% Show
for name, values in history.items():
    plt.plot(values, label=name.replace("_", " "))
plt.xlabel("epoch")
plt.legend()
plt.savefig("training.png")
plt.show()
