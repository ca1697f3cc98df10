# %% [markdown]
# # CIFAR-10 by a convolutional network with a step schedule
# The pictures are read from the archive's own files, shifted and mirrored anew in every epoch, and the learning rate
# is divided every few epochs. CIFAR-100's files are read as well.

# %% Imports
import glob
import itertools
import os
import pickle
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")  # cifar-10-batches-py or cifar-100-python, or the folder that holds it
IMAGE_HEIGHT = 32
IMAGE_WIDTH = 32
CHANNELS = 3
FILTERS = [32, 64, 128]
HIDDEN_UNITS = [128]
DROPOUT = 0.3
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 128
EPOCHS = 30
LEARNING_RATE = 0.001
STEP_SIZE = 10  # epochs after which the learning rate is multiplied by GAMMA
GAMMA = 0.1
WEIGHT_DECAY = 0.0001
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 5)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_archive(rows=160):
    """A folder with batches like the archive's: noise, each class with a bright square at a place of its own."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up pictures, not CIFAR's.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    for name, count in (("data_batch_1", rows), ("test_batch", rows // 4)):
        labels = rng.integers(10, size=count)
        images = rng.integers(0, 100, size=(count, CHANNELS, IMAGE_HEIGHT, IMAGE_WIDTH), dtype="uint8")
        for image, label in zip(images, labels, strict=True):
            image[label % CHANNELS, :: 1 + label // 3] += 150
        with open(os.path.join(folder, name), "wb") as stream:
            pickle.dump({b"data": images.reshape(count, -1), b"labels": labels.tolist()}, stream)
    return folder


def read_batches(*patterns):
    """Pictures (count, 3, 32, 32) as bytes, and their class numbers, from the batches that fit a pattern."""
    paths = [path for pattern in patterns for path in sorted(glob.glob(os.path.join(glob.escape(DATA_ROOT), pattern)))]
    if not paths:
        raise SystemExit(f"{DATA_DIR} holds no file {patterns[0]!r}; set DATA_DIR to the folder of CIFAR's batches")
    images, labels = [], []
    for path in paths:
        # A pickle may run code when it is opened: open only the original archive's.
        with open(path, "rb") as stream:
            batch = pickle.load(stream, encoding="bytes")
        images.append(batch[b"data"].reshape(-1, CHANNELS, IMAGE_HEIGHT, IMAGE_WIDTH))
        labels.append(batch[b"labels"] if b"labels" in batch else batch[b"fine_labels"])
    return np.concatenate(images), np.concatenate(labels)


def read_class_names(count):
    """The names of the classes, from the archive's list of them; numbers where it is missing."""
    for name in ("batches.meta", "meta"):
        path = os.path.join(DATA_ROOT, name)
        if os.path.isfile(path):
            with open(path, "rb") as stream:
                meta = pickle.load(stream, encoding="bytes")
            return [name.decode() for name in meta.get(b"label_names") or meta[b"fine_label_names"]]
    return [f"class {number}" for number in range(count)]


DATA_ROOT = synthetic_archive() if SYNTHETIC else DATA_DIR
for inner in ("cifar-10-batches-py", "cifar-100-python"):
    if os.path.isdir(os.path.join(DATA_ROOT, inner)):
        DATA_ROOT = os.path.join(DATA_ROOT, inner)
train_images, train_labels = read_batches("data_batch_*", "train")
test_images, test_labels = read_batches("test_batch", "test")
NUM_CLASSES = int(train_labels.max()) + 1
class_names = read_class_names(NUM_CLASSES)
print(f"{len(train_images)} pictures to learn from, {len(test_images)} for the test, {NUM_CLASSES} classes")


# %% Preprocessing
class Pictures(Dataset):
    """Pictures as numbers around zero; those for training are shifted by up to four pixels and mirrored by chance."""

    def __init__(self, images, labels, augment):
        self.images = torch.from_numpy(images)
        self.labels = torch.from_numpy(labels).long()
        self.augment = augment

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image = self.images[index].float() / 255.0
        if self.augment:
            padded = nn.functional.pad(image, (4, 4, 4, 4))
            top, left = torch.randint(0, 9, (2,)).tolist()
            image = padded[:, top : top + IMAGE_HEIGHT, left : left + IMAGE_WIDTH]
            if torch.rand(1) < 0.5:
                image = image.flip(-1)
        return (image - mean) / std, self.labels[index]


order = np.random.default_rng(SEED).permutation(len(train_images))
val_count = int(VALIDATION_SPLIT * len(order)) or 1
training = order[val_count:]
# Means of the colours, from the training pictures alone.
mean = torch.from_numpy(train_images[training].mean(axis=(0, 2, 3)) / 255.0).float().view(-1, 1, 1)
std = torch.from_numpy(train_images[training].std(axis=(0, 2, 3)) / 255.0).float().view(-1, 1, 1)

train_set = Subset(Pictures(train_images, train_labels, augment=True), training.tolist())
val_set = Subset(Pictures(train_images, train_labels, augment=False), order[:val_count].tolist())
train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)
val_loader = DataLoader(val_set, batch_size=BATCH_SIZE)
test_loader = DataLoader(Pictures(test_images, test_labels, augment=False), batch_size=BATCH_SIZE)


# %% Model
def block(channels, filters):
    """Two convolutions, and half the width and height."""
    return [
        nn.Conv2d(channels, filters, 3, padding=1),
        nn.BatchNorm2d(filters),
        nn.ReLU(),
        nn.Conv2d(filters, filters, 3, padding=1),
        nn.BatchNorm2d(filters),
        nn.ReLU(),
        nn.MaxPool2d(2),
    ]


def build_model():
    """Blocks of convolutions, hidden layers, and an output for each class."""
    layers = []
    sizes = [CHANNELS, *FILTERS]
    for channels, filters in itertools.pairwise(sizes):
        layers += block(channels, filters)
    layers.append(nn.Flatten())
    shrunk = 2 ** len(FILTERS)
    sizes = [FILTERS[-1] * (IMAGE_HEIGHT // shrunk) * (IMAGE_WIDTH // shrunk), *HIDDEN_UNITS]
    for inputs, units in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, units), nn.ReLU(), nn.Dropout(DROPOUT)]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], NUM_CLASSES))


model = build_model().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=STEP_SIZE, gamma=GAMMA)


# %% Train
def train_epoch(model, loader):
    """One pass over the training pictures; the mean loss."""
    model.train()
    running_loss = 0.0
    for images, labels in loader:
        images, labels = images.to(DEVICE), labels.to(DEVICE)
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item() * len(images)
    return running_loss / len(loader.dataset)


@torch.no_grad()
def evaluate(model, loader):
    """The share of pictures whose class the model tells."""
    model.eval()
    correct = 0
    for images, labels in loader:
        correct += (model(images.to(DEVICE)).argmax(dim=1).cpu() == labels).sum().item()
    return correct / len(loader.dataset)


history = {"loss": [], "val_accuracy": [], "learning_rate": []}
best_accuracy = -1.0
for epoch in range(EPOCHS):
    history["learning_rate"].append(scheduler.get_last_lr()[0])
    history["loss"].append(train_epoch(model, train_loader))
    history["val_accuracy"].append(evaluate(model, val_loader))
    scheduler.step()
    print(f"epoch {epoch + 1}/{EPOCHS}:", ", ".join(f"{name} {values[-1]:.4g}" for name, values in history.items()))
    if history["val_accuracy"][-1] > best_accuracy:
        best_accuracy = history["val_accuracy"][-1]
        torch.save(model.state_dict(), "model.pt")

# %% Evaluate
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
most_frequent = np.bincount(train_labels).argmax()
print(
    f"held-out accuracy: {evaluate(model, test_loader):.4f} "
    f"(baseline, always the most frequent class: {(test_labels == most_frequent).mean():.4f})"
)


@torch.no_grad()
def predict(images):
    """The class names of pictures (count, 3, 32, 32) of bytes."""
    model.eval()
    loader = DataLoader(Pictures(images, np.zeros(len(images)), augment=False), batch_size=BATCH_SIZE)
    numbers = torch.cat([model(batch.to(DEVICE)).argmax(dim=1).cpu() for batch, _ in loader])
    return [class_names[number] for number in numbers]


truth = [class_names[label] for label in test_labels]
pd.DataFrame({"class": predict(test_images), "true": truth}).to_csv("predictions.csv", index_label="picture")

# %% Show
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
left.plot(history["val_accuracy"])
left.set(xlabel="epoch", ylabel="validation accuracy")
right.step(range(EPOCHS), history["learning_rate"], where="post")
right.set(xlabel="epoch", ylabel="learning rate", yscale="log")
plt.tight_layout()
plt.savefig("training.png")
plt.show()
