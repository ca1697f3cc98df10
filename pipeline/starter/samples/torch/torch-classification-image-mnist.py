# %% [markdown]
# # MNIST by a small convolutional network
# As simple as possible: two convolutions and two fully connected layers tell handwritten digits apart. Fashion-MNIST
# and other sets of the same form are read as well: `mnist.npz`, or the four original files, packed or not.

# %% Imports
import gzip
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
ARRAYS_FILE = "mnist.npz"  # x_train, y_train, x_test, y_test; where it is missing, the original files are read
FILTERS = [32, 64]
KERNEL_SIZE = 3
HIDDEN_UNITS = [128]
DROPOUT = 0.25
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 64
EPOCHS = 10
LEARNING_RATE = 0.001
SEED = 42

ORIGINAL_FILES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 4)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 32)


# %% Data: files
def synthetic_folder(count=400):
    """Noise with a bright bar, at a height of its own for each of ten classes."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up digits, not MNIST's.")
    rng = np.random.default_rng(SEED)
    labels = rng.integers(10, size=count).astype("uint8")
    images = rng.integers(0, 80, size=(count, 28, 28), dtype="uint8")
    for image, label in zip(images, labels, strict=True):
        image[2 * label + 4 : 2 * label + 7, 4:24] += 150
    cut = count * 3 // 4
    root = tempfile.mkdtemp()
    arrays = {"x_train": images[:cut], "y_train": labels[:cut], "x_test": images[cut:], "y_test": labels[cut:]}
    np.savez(os.path.join(root, ARRAYS_FILE), **arrays)
    return root


def read_original(name):
    """An array of the original files: two bytes of zero, a type, the number of axes, their lengths, the values."""
    for path in (os.path.join(root, name), os.path.join(root, name + ".gz"), os.path.join(root, "raw", name)):
        if os.path.isfile(path):
            opened = gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")
            with opened as stream:
                content = stream.read()
            axes = content[3]
            shape = np.frombuffer(content, ">i4", count=axes, offset=4)
            return np.frombuffer(content, "uint8", offset=4 + 4 * axes).reshape(shape)
    raise SystemExit(f"{DATA_DIR} holds neither {ARRAYS_FILE} nor {name}; set DATA_DIR to the folder of MNIST's files")


def load_data():
    """Images (count, height, width) of bytes and digits, those for training and those for the test."""
    path = os.path.join(root, ARRAYS_FILE)
    if os.path.isfile(path):
        with np.load(path) as file:
            arrays = {name: file[name] for name in ORIGINAL_FILES}
    else:
        arrays = {name: read_original(file) for name, file in ORIGINAL_FILES.items()}
    return arrays["x_train"], arrays["y_train"], arrays["x_test"], arrays["y_test"]


root = synthetic_folder() if SYNTHETIC else DATA_DIR
x_train, y_train, x_test, y_test = load_data()
NUM_CLASSES = int(y_train.max()) + 1
IMAGE_HEIGHT, IMAGE_WIDTH = x_train.shape[1:3]
print(f"{len(x_train)} images of {IMAGE_HEIGHT}x{IMAGE_WIDTH} to learn from, {len(x_test)} for the test")


# %% Preprocessing
def as_dataset(images, labels):
    """Images with an axis for their one channel, and values from 0 to 1."""
    return TensorDataset(torch.tensor(images).float().unsqueeze(1) / 255.0, torch.tensor(labels).long())


x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=VALIDATION_SPLIT, random_state=SEED)
train_loader = DataLoader(as_dataset(x_train, y_train), batch_size=BATCH_SIZE, shuffle=True)
val_loader = DataLoader(as_dataset(x_val, y_val), batch_size=256)
test_loader = DataLoader(as_dataset(x_test, y_test), batch_size=256)


# %% Model
class ConvNet(nn.Module):
    """Convolutions find strokes; the linear layers tell digits by them."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, FILTERS[0], KERNEL_SIZE, padding="same")
        self.conv2 = nn.Conv2d(FILTERS[0], FILTERS[1], KERNEL_SIZE, padding="same")
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(FILTERS[1] * (IMAGE_HEIGHT // 4) * (IMAGE_WIDTH // 4), HIDDEN_UNITS[0])
        self.dropout = nn.Dropout(DROPOUT)
        self.fc2 = nn.Linear(HIDDEN_UNITS[0], NUM_CLASSES)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        x = torch.relu(self.fc1(x.flatten(1)))
        return self.fc2(self.dropout(x))


model = ConvNet().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training images; the loss of the last batch."""
    model.train()
    for images, labels in train_loader:
        loss = criterion(model(images.to(DEVICE)), labels.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def evaluate(loader):
    """The share of digits that are told right."""
    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in loader:
            right += (model(images.to(DEVICE)).argmax(dim=1) == labels.to(DEVICE)).sum().item()
    return right / len(loader.dataset)


history = {"loss": [], "val_accuracy": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_accuracy"].append(evaluate(val_loader))
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation accuracy {history['val_accuracy'][-1]:.4f}")
    if history["val_accuracy"][-1] == max(history["val_accuracy"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far

model.load_state_dict(torch.load("model.pt", weights_only=True))


# %% Evaluate
@torch.no_grad()
def predict(images):
    """The class number of each image of bytes (count, height, width)."""
    model.eval()
    batches = torch.tensor(images).float().unsqueeze(1).div(255.0).split(256)
    return torch.cat([model(batch.to(DEVICE)).argmax(dim=1).cpu() for batch in batches]).numpy()


predicted = predict(x_test)
pd.DataFrame({"class": predicted, "true": y_test}).to_csv("predictions.csv", index_label="image")
print(
    f"held-out accuracy: {evaluate(test_loader):.4f} "
    f"(baseline, always the most frequent digit: {(y_test == np.bincount(y_train).argmax()).mean():.4f})"
)

# %% Show
ConfusionMatrixDisplay.from_predictions(y_test, predicted, colorbar=False)
plt.tight_layout()
plt.savefig("confusion_matrix.png")
plt.show()
