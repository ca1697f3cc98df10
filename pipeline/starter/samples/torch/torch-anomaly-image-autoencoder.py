# %% [markdown]
# # Unusual images by what an autoencoder cannot give back
# A convolutional autoencoder learns images that are in order. Where it fails to give an image back, something is there
# that it has not seen, and the place of the failure shows where.

# %% Imports
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")  # a folder of normal images, and others of images with something wrong
NORMAL_FOLDER = ""  # the folder of normal images; "" takes the one with the most images
UNLABELLED_FOLDER = ""  # images that are to be judged
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
FILTERS = [16, 32, 64]
LATENT_DIM = 32
QUANTILE = 0.95  # the share of normal images that are to pass
VALIDATION_SPLIT = 0.2
TEST_SPLIT = 0.2
BATCH_SIZE = 16
EPOCHS = 60
LEARNING_RATE = 0.002
SEED = 42

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    EPOCHS = min(EPOCHS, 20)
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 32)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 32)


# %% Data: files
def synthetic_folder(count=160):
    """Waves of any phase; one image in five has a small bright spot as well."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    rows = np.arange(IMAGE_HEIGHT)[:, None, None] + np.zeros((1, IMAGE_WIDTH, CHANNELS))
    for number in range(count):
        unusual = number % 5 == 0
        pixels = 110 + 60 * np.sin(rows / 3 + rng.uniform(0, 6)) + 8 * rng.normal(size=rows.shape)
        if unusual:
            top, left = rng.integers(IMAGE_HEIGHT - 6), rng.integers(IMAGE_WIDTH - 6)
            pixels[top : top + 5, left : left + 5] = rng.choice([0, 250])
        folder = os.path.join(root, "unusual" if unusual else NORMAL_FOLDER or "normal")
        os.makedirs(folder, exist_ok=True)
        Image.fromarray(pixels.clip(0, 255).astype("uint8").squeeze()).save(os.path.join(folder, f"{number}.png"))
    return root


def images_below(folder):
    """All image files below a folder."""
    found = [os.path.join(inside, name) for inside, _, names in os.walk(folder) for name in names]
    return sorted(path for path in found if path.lower().endswith(ENDINGS))


root = synthetic_folder() if SYNTHETIC else DATA_DIR
names = [entry.name for entry in os.scandir(root) if entry.is_dir() and entry.name != UNLABELLED_FOLDER]
folders = {name: images_below(os.path.join(root, name)) for name in sorted(names)}
if len(folders) < 2:
    raise SystemExit(f"{DATA_DIR} holds {len(folders)} folders; one of normal images and one of others are needed")
normal_name = NORMAL_FOLDER or max(folders, key=lambda name: len(folders[name]))
if len(folders.get(normal_name, [])) < 10:
    raise SystemExit(f"folder {normal_name!r} holds too few images; set NORMAL_FOLDER, to one of {', '.join(folders)}")
normal = folders.pop(normal_name)
unusual = [path for paths in folders.values() for path in paths]
print(f"{len(normal)} normal images ({normal_name}), {len(unusual)} others ({', '.join(folders)})")

# %% Preprocessing
# Nothing is learned from unusual images: they are all kept for the test.
train, normal_test = train_test_split(normal, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
test = normal_test + unusual
y_test = np.array([0] * len(normal_test) + [1] * len(unusual))


class Images(Dataset):
    """Images of one size, values from 0 to 1."""

    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        with Image.open(self.paths[index]) as image:
            pixels = np.array(image.convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT)))
        return torch.from_numpy(pixels).view(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS).permute(2, 0, 1) / 255.0


train_loader = DataLoader(Images(train), batch_size=BATCH_SIZE, shuffle=True)


# %% Model
class ImageAutoencoder(nn.Module):
    """Down to LATENT_DIM numbers, few enough that only what is usual fits in, and back to the image."""

    def __init__(self):
        super().__init__()
        down, channels = [], CHANNELS
        for filters in FILTERS:
            down += [nn.Conv2d(channels, filters, 4, stride=2, padding=1), nn.ReLU()]
            channels = filters
        self.down = nn.Sequential(*down)
        shape = self.down(torch.zeros(1, CHANNELS, IMAGE_HEIGHT, IMAGE_WIDTH)).shape[1:]
        self.squeeze = nn.Sequential(nn.Flatten(), nn.Linear(shape.numel(), LATENT_DIM))
        up = [nn.Linear(LATENT_DIM, shape.numel()), nn.ReLU(), nn.Unflatten(1, tuple(shape))]
        for filters in reversed(FILTERS):
            up += [nn.ConvTranspose2d(channels, filters, 4, stride=2, padding=1), nn.ReLU()]
            channels = filters
        self.up = nn.Sequential(*up, nn.Upsample((IMAGE_HEIGHT, IMAGE_WIDTH)))
        self.output = nn.Conv2d(channels, CHANNELS, 3, padding=1)

    def forward(self, images):
        return torch.sigmoid(self.output(self.up(self.squeeze(self.down(images)))))


model = ImageAutoencoder().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the normal training images; the mean loss of its batches."""
    model.train()
    losses = []
    for images in train_loader:
        images = images.to(DEVICE)
        loss = criterion(model(images), images)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def failures(paths):
    """How far each pixel of each image is off, smoothed over its neighbours: (images, height, width)."""
    model.eval()
    maps = []
    for images in DataLoader(Images(paths), batch_size=BATCH_SIZE):
        off = ((model(images.to(DEVICE)).cpu() - images) ** 2).mean(dim=1, keepdim=True)
        maps.append(nn.functional.avg_pool2d(off, 5, stride=1, padding=2).squeeze(1))
    return torch.cat(maps).numpy()


def predict(paths):
    """A score for each image: the failure at its worst place, for what is wrong may be small."""
    return failures(paths).max(axis=(1, 2))


def evaluate(scores):
    """The area under the ROC curve: how surely an unusual image scores higher than a normal one."""
    return roc_auc_score(y_test, scores)


history = {"loss": [], "val_score": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_score"].append(failures(val).mean())
    if history["val_score"][-1] <= min(history["val_score"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.5f}, validation {history['val_score'][-1]:.5f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
threshold = np.quantile(predict(val), QUANTILE)

# %% Evaluate
scores = predict(test)
mean_image = torch.stack([Images(train)[place] for place in range(len(train))]).mean(dim=0)
by_mean = np.array(
    [((image - mean_image) ** 2).mean().item() for image in map(Images(test).__getitem__, range(len(test)))]
)
found = (scores >= threshold)[y_test == 1].mean()
alarms = (scores >= threshold)[y_test == 0].mean()
print(f"from a score of {threshold:.5f} on: {found:.1%} of the unusual images are found, {alarms:.1%} false alarms")
print(
    f"held-out area under the ROC curve: {evaluate(scores):.4f} "
    f"(baseline, the distance from the mean image: {evaluate(by_mean):.4f})"
)
judged = images_below(os.path.join(root, UNLABELLED_FOLDER)) if UNLABELLED_FOLDER else test
table = pd.DataFrame({"file": judged, "score": predict(judged)})
table.assign(unusual=table["score"] >= threshold).to_csv("predictions.csv", index=False)

# %% Show
shown = [test[place] for place in np.argsort(scores)[::-1][:5]]
figure, axes = plt.subplots(2, 5, figsize=(10, 4))
for column, (path, off) in enumerate(zip(shown, failures(shown), strict=True)):
    axes[0, column].imshow(Image.open(path), cmap="gray")
    axes[1, column].imshow(off, cmap="inferno")
    axes[0, column].axis("off")
    axes[1, column].axis("off")
figure.suptitle("the most unusual images, and where")
plt.savefig("unusual.png")
plt.show()
