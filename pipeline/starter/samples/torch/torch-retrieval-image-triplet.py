# %% [markdown]
# # Vectors of images by a Siamese network with triplet loss
# One network gives each image a vector. It learns from triplets: an anchor is to lie nearer to an image of its own
# class than to one of another. Similar images are then found by their vectors, those of new classes too.

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
DATA_DIR = os.environ.get("DATA_DIR", "data")  # a folder for each class, images inside
UNLABELLED_FOLDER = ""  # images that the most similar ones are wanted of
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
FILTERS = [32, 64, 64]
EMBEDDING_DIM = 32
MARGIN = 0.5  # how much nearer the image of the same class is to be
TEST_SPLIT = 0.25
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.001
SEED = 42

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
MODES = {1: "L", 3: "RGB"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 6)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_folder(count=160, classes=5):
    """Images with a bright grid on noise, finer for each class, and brighter or darker by chance."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    for number in range(count):
        label = number % classes
        pixels = rng.uniform(0, 90, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
        bright, shift = rng.uniform(60, 160), rng.integers(2 + 2 * label)
        pixels[shift :: 2 + 2 * label] += bright
        pixels[:, shift :: 2 + 2 * label] += bright
        os.makedirs(os.path.join(root, f"class_{label}"), exist_ok=True)
        image = Image.fromarray(pixels.clip(0, 255).astype("uint8").squeeze())
        image.save(os.path.join(root, f"class_{label}", f"{number}.png"))
    return root


def images_below(folder):
    """All image files below a folder."""
    return sorted(
        os.path.join(inside, name)
        for inside, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(ENDINGS)
    )


def read_image(path):
    """One image as (CHANNELS, IMAGE_HEIGHT, IMAGE_WIDTH), values from 0 to 1."""
    image = Image.open(path).convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT))
    return torch.from_numpy(np.array(image)).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS).permute(2, 0, 1) / 255.0


root = synthetic_folder() if SYNTHETIC else DATA_DIR
folders = sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and entry.name != UNLABELLED_FOLDER)
paths = {name: images_below(os.path.join(root, name)) for name in folders}
paths = {name: found for name, found in paths.items() if len(found) >= 2}
class_names = list(paths)
if len(class_names) < 2:
    raise SystemExit(f"{DATA_DIR} holds {len(class_names)} folders with two images or more; two are needed")
files = np.array([path for name in class_names for path in paths[name]])
labels = np.repeat(np.arange(len(class_names)), [len(paths[name]) for name in class_names])
print(f"{len(files)} images of {len(class_names)} classes")

# %% Preprocessing
stratify = labels if np.bincount(labels).min() >= 4 and TEST_SPLIT * len(labels) >= len(class_names) else None
train_files, test_files, train_labels, test_labels = train_test_split(
    files, labels, test_size=TEST_SPLIT, random_state=SEED, stratify=stratify
)


class Triplets(Dataset):
    """An anchor, an image of its class and one of another; the latter two are drawn anew each time."""

    def __len__(self):
        return len(train_files)

    def __getitem__(self, index):
        same = np.flatnonzero(train_labels == train_labels[index])
        other = np.flatnonzero(train_labels != train_labels[index])
        positive = same[torch.randint(len(same), (1,)).item()]
        negative = other[torch.randint(len(other), (1,)).item()]
        return tuple(read_image(train_files[number]) for number in (index, positive, negative))


train_loader = DataLoader(Triplets(), batch_size=BATCH_SIZE, shuffle=True)


# %% Model
class EmbeddingNet(nn.Module):
    """Convolutions, and a vector of length one for each image."""

    def __init__(self):
        super().__init__()
        layers = []
        channels = CHANNELS
        for filters in FILTERS:
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.GroupNorm(4, filters), nn.ReLU(), nn.MaxPool2d(2)]
            channels = filters
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.projection = nn.Linear(channels, EMBEDDING_DIM)

    def forward(self, images):
        return nn.functional.normalize(self.projection(self.features(images)), dim=1)


model = EmbeddingNet().to(DEVICE)
print(model)

# %% Loss and optimizer
loss_function = nn.TripletMarginLoss(margin=MARGIN)
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the anchors; the mean loss of its batches."""
    model.train()
    losses = []
    for anchor, positive, negative in train_loader:
        # The same network reads all three: that is what makes it Siamese.
        vectors = [model(images.to(DEVICE)) for images in (anchor, positive, negative)]
        loss = loss_function(*vectors)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def embed(files):
    """The vectors of image files: (files, EMBEDDING_DIM)."""
    model.eval()
    batches = [files[start : start + BATCH_SIZE] for start in range(0, len(files), BATCH_SIZE)]
    vectors = [model(torch.stack([read_image(path) for path in batch]).to(DEVICE)) for batch in batches]
    return torch.cat(vectors).cpu()


def predict(files):
    """For each image file the training image that lies nearest: its number."""
    return torch.cdist(embed(files), embed(train_files)).argmin(dim=1).numpy()


def evaluate():
    """How often the nearest training image of a held-out one is of the same class."""
    return np.mean(train_labels[predict(test_files)] == test_labels)


history = {"loss": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}")
torch.save(model.state_dict(), "model.pt")

# %% Evaluate
chance = (np.bincount(train_labels) / len(train_labels))[test_labels].mean()
print(
    f"held-out share of nearest images of the same class: {evaluate():.4f} "
    f"(baseline, any image: {chance:.4f})"
)  # fmt: skip
new_files = images_below(os.path.join(root, UNLABELLED_FOLDER)) if UNLABELLED_FOLDER else test_files
nearest = predict(new_files)
table = pd.DataFrame({"file": new_files, "nearest": train_files[nearest]})
table["class"] = [class_names[label] for label in train_labels[nearest]]
table.to_csv("predictions.csv", index=False)

# %% Show
figure, axes = plt.subplots(2, 6, figsize=(10, 4))
for column, (mine, other) in enumerate(zip(table["file"][:6], table["nearest"], strict=False)):
    for axis, path in zip(axes[:, column], (mine, other), strict=True):
        axis.imshow(read_image(path).permute(1, 2, 0).squeeze(), cmap="gray")
        axis.axis("off")
figure.suptitle("above: held-out images, below: the most similar training images")
plt.savefig("nearest.png")
plt.show()
