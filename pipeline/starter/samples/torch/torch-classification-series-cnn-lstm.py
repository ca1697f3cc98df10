# %% [markdown]
# # Classes of multichannel windows by convolutions and an LSTM
# Convolutions along time find short patterns across all channels, an LSTM follows how they come one after the other.
# Windows lie in an `.npz` file: an array (windows, steps, channels) and one of their classes.

# %% Imports
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import ConfusionMatrixDisplay, balanced_accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
INPUT_FILE = "windows.npz"
INPUT_ARRAY = "x"
TARGET_FILE = "windows.npz"
TARGET_ARRAY = "y"
SEQUENCE_LENGTH = 64  # steps, channels and classes of made-up windows; of real ones they are counted
NUM_FEATURES = 6
CLASS_NAMES = ["class_1", "class_2", "class_3", "class_4"]
FILTERS = [32, 64]
KERNEL_SIZE = 5
LSTM_UNITS = 64
DROPOUT = 0.3
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.001
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_folder():
    """Windows of waves in noise; the class is their frequency in one half of the channels."""
    count = max(300, 60 * len(CLASS_NAMES))
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up windows, not your data.")
    rng = np.random.default_rng(SEED)
    labels = rng.integers(len(CLASS_NAMES), size=count)
    windows = 0.5 * rng.normal(size=(count, SEQUENCE_LENGTH, NUM_FEATURES))
    phases = rng.uniform(0, 6, size=(count, 1))
    waves = np.sin((1 + labels[:, None]) / len(CLASS_NAMES) * np.arange(SEQUENCE_LENGTH) + phases)
    windows[:, :, : (NUM_FEATURES + 1) // 2] += waves[..., None]
    root = tempfile.mkdtemp()
    np.savez(os.path.join(root, INPUT_FILE), **{INPUT_ARRAY: windows})
    arrays = {INPUT_ARRAY: windows} if TARGET_FILE == INPUT_FILE else {}
    np.savez(os.path.join(root, TARGET_FILE), **arrays, **{TARGET_ARRAY: np.array(CLASS_NAMES)[labels]})
    return root


def read_array(file, name):
    """An array of an .npz file, or the one of an .npy file."""
    path = os.path.join(root, file)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR, INPUT_FILE and TARGET_FILE to your arrays")
    content = np.load(path)
    if isinstance(content, np.ndarray):
        return content
    if name not in content:
        raise SystemExit(f"{path} holds no array {name!r}; it holds {', '.join(content.files)}")
    return content[name]


root = synthetic_folder() if SYNTHETIC else DATA_DIR
windows = np.nan_to_num(read_array(INPUT_FILE, INPUT_ARRAY).astype("float32"))
targets = read_array(TARGET_FILE, TARGET_ARRAY)
targets = targets.argmax(axis=1) if targets.ndim == 2 and targets.shape[1] > 1 else targets.ravel()
windows = windows[..., None] if windows.ndim == 2 else windows  # one channel needs an axis, too
if windows.ndim != 3 or len(windows) != len(targets):
    raise SystemExit(f"{INPUT_ARRAY!r} has shape {windows.shape} and {TARGET_ARRAY!r} {targets.shape}: no windows")
class_names, labels = np.unique(targets, return_inverse=True)
NUM_CLASSES = len(class_names)
SEQUENCE_LENGTH, NUM_FEATURES = windows.shape[1:]
print(f"{len(windows)} windows of {SEQUENCE_LENGTH} steps and {NUM_FEATURES} channels; {NUM_CLASSES} classes")

# %% Preprocessing
stratify = labels if np.bincount(labels).min() > 2 else None
x_train, x_test, y_train, y_test = train_test_split(
    windows, labels, test_size=TEST_SPLIT, random_state=SEED, stratify=stratify
)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=VALIDATION_SPLIT, random_state=SEED)
# Each channel is scaled by the training windows, so that no channel drowns out another.
mean = x_train.mean(axis=(0, 1))
std = x_train.std(axis=(0, 1)) + 1e-6


def as_input(windows):
    """Scaled windows with the channels before the steps, as convolutions in PyTorch take them."""
    return torch.from_numpy(((windows - mean) / std).transpose(0, 2, 1).astype("float32"))


train_loader = DataLoader(
    TensorDataset(as_input(x_train), torch.from_numpy(y_train)), batch_size=BATCH_SIZE, shuffle=True
)
val_loader = DataLoader(TensorDataset(as_input(x_val), torch.from_numpy(y_val)), batch_size=BATCH_SIZE)


# %% Model
class CNNLSTM(nn.Module):
    """Convolutions that halve the number of steps, an LSTM over what is left, and an output for each class."""

    def __init__(self):
        super().__init__()
        layers = []
        channels = NUM_FEATURES
        for filters in FILTERS:
            layers.append(nn.Conv1d(channels, filters, KERNEL_SIZE, padding=KERNEL_SIZE // 2))
            layers.append(nn.BatchNorm1d(filters))
            layers.append(nn.ReLU())
            layers.append(nn.MaxPool1d(2, ceil_mode=True))
            channels = filters
        self.convolutions = nn.Sequential(*layers)
        self.lstm = nn.LSTM(channels, LSTM_UNITS, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(LSTM_UNITS, NUM_CLASSES))

    def forward(self, x):
        features = self.convolutions(x).transpose(1, 2)  # an LSTM takes the steps first
        _, (state, _) = self.lstm(features)
        return self.head(state[-1])


model = CNNLSTM().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training windows; the mean loss."""
    model.train()
    total = 0.0
    for x, y in train_loader:
        loss = criterion(model(x.to(DEVICE)), y.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    return total / len(x_train)


def evaluate():
    """The mean loss on the validation windows, and the share of right classes."""
    model.eval()
    total, right = 0.0, 0
    with torch.inference_mode():
        for x, y in val_loader:
            outputs, y = model(x.to(DEVICE)), y.to(DEVICE)
            total += criterion(outputs, y).item() * len(y)
            right += int((outputs.argmax(dim=1) == y).sum())
    return total / len(x_val), right / len(x_val)


history = {"train_loss": [], "val_loss": [], "val_accuracy": []}
for epoch in range(1, EPOCHS + 1):
    train_loss = train_epoch()
    val_loss, val_accuracy = evaluate()
    if not history["val_loss"] or val_loss < min(history["val_loss"]):
        torch.save(model.state_dict(), "model.pt")
    history["train_loss"].append(train_loss)
    history["val_loss"].append(val_loss)
    history["val_accuracy"].append(val_accuracy)
    print(f"{epoch:3d}: loss {train_loss:.4f}, validation loss {val_loss:.4f}, validation accuracy {val_accuracy:.3f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
np.savez("scale.npz", mean=mean, std=std)


# %% Evaluate
@torch.inference_mode()
def predict(windows):
    """The class number of each window: (windows, steps, channels) -> (windows,)."""
    model.eval()
    batches = as_input(windows).split(BATCH_SIZE)
    return torch.cat([model(batch.to(DEVICE)).argmax(dim=1).cpu() for batch in batches]).numpy()


predicted = predict(x_test)
pd.DataFrame({"class": class_names[predicted], "true": class_names[y_test]}).to_csv("predictions.csv", index=False)
names = class_names.astype(str)
print(classification_report(names[y_test], names[predicted], zero_division=0))
always = np.full_like(y_test, np.bincount(y_train).argmax())
print(
    f"held-out balanced accuracy: {balanced_accuracy_score(y_test, predicted):.4f} "
    f"(baseline, always the most frequent class: {balanced_accuracy_score(y_test, always):.4f})"
)

# %% Show
ConfusionMatrixDisplay.from_predictions(names[y_test], names[predicted], normalize="true", values_format=".2f")
plt.savefig("confusion_matrix.png")
plt.show()
