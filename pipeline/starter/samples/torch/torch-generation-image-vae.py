# %% [markdown]
# # New images by a variational autoencoder
# An encoder tells for each image a small cloud of points, a decoder makes an image of any such point. The clouds are
# kept near the origin, so that points drawn at random there become new images.

# %% Imports
import glob
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "**"  # where the images lie below DATA_DIR; a folder's name colours its points in the plot
IMAGE_HEIGHT = 28
IMAGE_WIDTH = 28
CHANNELS = 1
FILTERS = [32, 64]
LATENT_DIM = 2
KL_WEIGHT = 1.0  # how strongly clouds are drawn to the origin
TEST_SPLIT = 0.2
BATCH_SIZE = 64
EPOCHS = 40
LEARNING_RATE = 0.001
SEED = 42

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 15)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_folder(count=300):
    """Bright discs and squares of any size on a dark ground, a folder for each."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    rows, columns = np.mgrid[-1 : 1 : IMAGE_HEIGHT * 1j, -1 : 1 : IMAGE_WIDTH * 1j]
    for number in range(count):
        size = rng.uniform(0.2, 0.9)
        if number % 2:
            inside, folder = rows**2 + columns**2 < size**2, "discs"
        else:
            inside, folder = np.maximum(abs(rows), abs(columns)) < size, "squares"
        pixels = np.repeat((inside * 220)[..., None], CHANNELS, axis=2).astype("uint8")
        os.makedirs(os.path.join(root, folder), exist_ok=True)
        Image.fromarray(pixels.squeeze(), MODES[CHANNELS]).save(os.path.join(root, folder, f"{number}.png"))
    return root


def read_image(path):
    """One image of the wanted size: (CHANNELS, IMAGE_HEIGHT, IMAGE_WIDTH), values from 0 to 1."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT)), dtype="float32")
    return torch.from_numpy(pixels / 255.0).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS).permute(2, 0, 1)


root = synthetic_folder() if SYNTHETIC else DATA_DIR
pattern = "**" if SYNTHETIC else IMAGES.replace("{class}", "*")
found = glob.glob(os.path.join(glob.escape(root), pattern), recursive=True)
paths = [path for path in sorted(found) if path.lower().endswith(ENDINGS)]
if len(paths) < 10:
    raise SystemExit(f"{len(paths)} images below {DATA_DIR}; set DATA_DIR to the folder of your images")
images = torch.stack([read_image(path) for path in paths])
folders = [os.path.basename(os.path.dirname(path)) for path in paths]
groups = torch.tensor([sorted(set(folders)).index(name) for name in folders])
print(f"{len(images)} images of {CHANNELS} x {IMAGE_HEIGHT} x {IMAGE_WIDTH}")

# %% Preprocessing
test_count = max(1, int(TEST_SPLIT * len(images)))
train_set, test_set = random_split(TensorDataset(images, groups), [len(images) - test_count, test_count])
train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)
test_loader = DataLoader(test_set, batch_size=BATCH_SIZE)


# %% Model
class VAE(nn.Module):
    """Convolutions down to a mean and a variance of each latent number, and transposed ones back to an image."""

    def __init__(self):
        super().__init__()
        down, channels = [], CHANNELS
        for filters in FILTERS:
            down += [nn.Conv2d(channels, filters, 3, stride=2, padding=1), nn.ReLU()]
            channels = filters
        self.convolutions = nn.Sequential(*down)
        shape = self.convolutions(torch.zeros(1, CHANNELS, IMAGE_HEIGHT, IMAGE_WIDTH)).shape[1:]
        self.to_mean = nn.Linear(shape.numel(), LATENT_DIM)
        self.to_log_variance = nn.Linear(shape.numel(), LATENT_DIM)
        up = [nn.Linear(LATENT_DIM, shape.numel()), nn.ReLU(), nn.Unflatten(1, tuple(shape))]
        for filters in [*FILTERS[-2::-1], CHANNELS]:
            up += [nn.ReLU(), nn.ConvTranspose2d(channels, filters, 4, stride=2, padding=1)]
            channels = filters
        # Where a size is odd, the way back ends some pixels too large.
        self.decoder = nn.Sequential(*up, nn.Upsample((IMAGE_HEIGHT, IMAGE_WIDTH)), nn.Sigmoid())

    def encode(self, x):
        """The mean and the logarithm of the variance of each image's cloud: (images, LATENT_DIM) each."""
        features = self.convolutions(x).flatten(1)
        return self.to_mean(features), self.to_log_variance(features)

    def forward(self, x):
        mean, log_variance = self.encode(x)
        # A point of the cloud, drawn so that gradients pass through its mean and its width.
        point = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.decoder(point), mean, log_variance


model = VAE().to(DEVICE)
print(model)

# %% Loss and optimizer
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


def loss_function(made, x, mean, log_variance):
    """What is lost of the image, and how far its cloud is from a standard normal one (Kullback-Leibler divergence)."""
    reconstruction = nn.functional.binary_cross_entropy(made, x, reduction="sum")
    divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
    return (reconstruction + KL_WEIGHT * divergence) / len(x)


# %% Train
def train_epoch():
    """One pass over the training images; the mean loss of its batches."""
    model.train()
    losses = []
    for x, _ in train_loader:
        x = x.to(DEVICE)
        made, mean, log_variance = model(x)
        loss = loss_function(made, x, mean, log_variance)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def evaluate():
    """The mean squared error of held-out images against what the decoder makes of their means."""
    model.eval()
    total = 0.0
    for x, _ in test_loader:
        mean, _ = model.encode(x.to(DEVICE))
        total += ((model.decoder(mean).cpu() - x) ** 2).sum().item()
    return total / images[test_set.indices].numel()


history = {"loss": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.2f}")
torch.save(model.state_dict(), "model.pt")

# %% Evaluate
mean_image = images[train_set.indices].mean(dim=0)
mean_error = ((images[test_set.indices] - mean_image) ** 2).mean().item()
print(
    f"held-out mean squared error of the reconstruction: {evaluate():.5f} "
    f"(baseline, the mean image for every image: {mean_error:.5f})"
)


@torch.no_grad()
def predict(count):
    """New images, made of points drawn at random: (count, CHANNELS, IMAGE_HEIGHT, IMAGE_WIDTH)."""
    model.eval()
    return model.decoder(torch.randn(count, LATENT_DIM, device=DEVICE)).cpu()


# %% Show
figure, axes = plt.subplots(4, 4, figsize=(6, 6))
for axis, image in zip(axes.flat, predict(16), strict=True):
    axis.imshow(image.permute(1, 2, 0).squeeze(), cmap="gray", vmin=0, vmax=1)
    axis.axis("off")
figure.suptitle("new images")
plt.savefig("samples.png")
plt.show()

with torch.no_grad():
    points = model.encode(images[test_set.indices].to(DEVICE))[0].cpu()
plt.figure(figsize=(5, 5))
plt.scatter(points[:, 0], points[:, -1], c=groups[test_set.indices], cmap="tab10", s=12)
plt.xlabel("first latent number")
plt.ylabel("last latent number")
plt.title("held-out images in the latent space, coloured by folder")
plt.savefig("latent_space.png")
plt.show()
