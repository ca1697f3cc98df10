# %% [markdown]
# # CIFAR-10 by a ResNet-18
# A residual network for small pictures: the first convolution keeps their size, and nothing is pooled before the
# blocks. Trained from the start by SGD with momentum, while the learning rate falls along a cosine. CIFAR-100's files
# are read as well.

# %% Imports
import os
import pickle
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.metrics import ConfusionMatrixDisplay
from torch import nn
from torch.nn import functional

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")  # holds cifar-10-batches-py or cifar-100-python
IMAGE_HEIGHT = 32
IMAGE_WIDTH = 32
CHANNELS = 3
FILTERS = [64, 128, 256, 512]  # of the four stages; two blocks each
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 128
EPOCHS = 60
LEARNING_RATE = 0.1
MOMENTUM = 0.9
WEIGHT_DECAY = 0.0005
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    EPOCHS = min(EPOCHS, 5)
    BATCH_SIZE = min(BATCH_SIZE, 32)
    FILTERS = [min(filters, 32) for filters in FILTERS]
    LEARNING_RATE = min(LEARNING_RATE, 0.05)

# %% Data: files
FILES = {
    "cifar-10-batches-py": ([f"data_batch_{number}" for number in range(1, 6)], "test_batch", b"labels"),
    "cifar-100-python": (["train"], "test", b"fine_labels"),
}
"""By the folder that an archive unpacks to: files to learn from, the file for the test, and what the labels are."""


def made_up_archive(count=400):
    """A folder with batches like the archive's: each class is striped at a width and in a colour of its own."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up pictures, not CIFAR's.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    os.makedirs(os.path.join(root, "cifar-10-batches-py"))
    names, test_name, _ = FILES["cifar-10-batches-py"]
    for name in (*names, test_name):
        labels = rng.integers(10, size=count // 5)
        pixels = rng.integers(0, 80, size=(len(labels), CHANNELS, IMAGE_HEIGHT, IMAGE_WIDTH), dtype="uint8")
        for picture, label in zip(pixels, labels, strict=True):
            picture[label % CHANNELS, :: 2 + 2 * (label // 3)] += 170
        with open(os.path.join(root, "cifar-10-batches-py", name), "wb") as stream:
            pickle.dump({b"data": pixels.reshape(len(labels), -1), b"labels": labels.tolist()}, stream)
    return root


def read_archive(root):
    """Pictures (count, 3, 32, 32) of bytes and class numbers, to learn from and for the test."""
    folders = [name for name in FILES if os.path.isdir(os.path.join(root, name))]
    if not folders:
        raise SystemExit(f"{root} holds neither {' nor '.join(FILES)}; unpack the archive there, or set DATA_DIR")
    names, test_name, key = FILES[folders[0]]
    parts = []
    for name in (*names, test_name):
        # A pickle may run code when it is opened: open only the original archive's.
        with open(os.path.join(root, folders[0], name), "rb") as stream:
            batch = pickle.load(stream, encoding="bytes")
        pictures = torch.from_numpy(batch[b"data"]).view(-1, CHANNELS, IMAGE_HEIGHT, IMAGE_WIDTH)
        parts.append((pictures, torch.tensor(batch[key])))
    learned = [torch.cat(tensors) for tensors in zip(*parts[:-1], strict=True)]
    return *learned, *parts[-1]


images, labels, test_images, test_labels = read_archive(made_up_archive() if SYNTHETIC else DATA_DIR)
NUM_CLASSES = int(labels.max()) + 1
print(f"{len(images)} pictures to learn from, {len(test_images)} for the test, {NUM_CLASSES} classes")

# %% Preprocessing
order = torch.randperm(len(images))
val_count = max(1, int(VALIDATION_SPLIT * len(order)))
val, train = order[:val_count], order[val_count:]
MEAN = images[train].float().mean(dim=(0, 2, 3), keepdim=True)  # of the training pictures alone
STD = images[train].float().std(dim=(0, 2, 3), keepdim=True)


def prepared(pictures):
    """Bytes as numbers around zero."""
    return (pictures.float() - MEAN) / STD


def augmented(pictures):
    """A batch shifted by up to four pixels and mirrored by chance, anew each time."""
    top, left = torch.randint(0, 9, (2,)).tolist()
    shifted = functional.pad(pictures, (4, 4, 4, 4))[..., top : top + IMAGE_HEIGHT, left : left + IMAGE_WIDTH]
    mirrored = torch.rand(len(pictures)) < 0.5
    return torch.where(mirrored.view(-1, 1, 1, 1), shifted.flip(-1), shifted)


# %% Model
class ResidualBlock(nn.Module):
    """Two convolutions whose result is added to their input; a third fits the input where its shape changes."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, filters, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
        )
        self.shortcut = nn.Identity()
        if stride != 1 or channels != filters:
            fitted = nn.Conv2d(channels, filters, 1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(fitted, nn.BatchNorm2d(filters))

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


class ResNet18(nn.Module):
    """A convolution, four stages of two blocks, and an output for each class (He et al., 2015)."""

    def __init__(self):
        super().__init__()
        steps = [nn.Conv2d(CHANNELS, FILTERS[0], 3, padding=1, bias=False), nn.BatchNorm2d(FILTERS[0]), nn.ReLU()]
        channels = FILTERS[0]
        for stage, filters in enumerate(FILTERS):
            steps += [ResidualBlock(channels, filters, stride=1 if stage == 0 else 2)]
            steps += [ResidualBlock(filters, filters, stride=1)]
            channels = filters
        self.features = nn.Sequential(*steps)
        self.output = nn.Linear(channels, NUM_CLASSES)

    def forward(self, x):
        return self.output(self.features(x).mean(dim=(2, 3)))


model = ResNet18().to(DEVICE)
print(sum(parameter.numel() for parameter in model.parameters()), "weights")

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(
    model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY, nesterov=True
)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)


# %% Train
def train_epoch():
    """One pass over the training pictures in random order; the mean loss."""
    model.train()
    losses = []
    for batch in train[torch.randperm(len(train))].split(BATCH_SIZE):
        optimizer.zero_grad()
        scores = model(augmented(prepared(images[batch])).to(DEVICE))
        loss = criterion(scores, labels[batch].to(DEVICE))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(pictures):
    """The class number of each picture of bytes."""
    model.eval()
    numbers = [model(prepared(batch).to(DEVICE)).argmax(dim=1).cpu() for batch in pictures.split(BATCH_SIZE)]
    return torch.cat(numbers)


history = {"loss": [], "val_accuracy": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_accuracy"].append((predict(images[val]) == labels[val]).float().mean().item())
    scheduler.step()
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation accuracy {history['val_accuracy'][-1]:.4f}")
    if history["val_accuracy"][-1] >= max(history["val_accuracy"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
predicted = predict(test_images)
commonest = labels[train].mode().values
print(
    f"held-out accuracy: {(predicted == test_labels).float().mean().item():.4f} "
    f"(baseline, always the commonest class: {(test_labels == commonest).float().mean().item():.4f})"
)

# %% Show
ConfusionMatrixDisplay.from_predictions(test_labels, predicted, include_values=NUM_CLASSES <= 20)
plt.savefig("confusion_matrix.png")
plt.show()
