# %% [markdown]
# # New images by a small diffusion model
# Noise is laid over images in many small steps; a network learns to tell the noise at any step. Starting from noise
# alone and taking a little of what the network sees away at each step, new images come out (DDPM).

# %% Imports
import glob
import os

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "**"  # where the images lie below DATA_DIR
IMAGE_HEIGHT = 32
IMAGE_WIDTH = 32
CHANNELS = 1
DIFFUSION_STEPS = 200
FILTERS = [32, 64]  # at full size and at half the size
EMBEDDING_DIM = 64  # of the step's number
NUM_SAMPLES = 64
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 100
LEARNING_RATE = 0.002
SEED = 42

MODES = {1: "L", 3: "RGB"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    EPOCHS = min(EPOCHS, 12)
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 16)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 16)
    DIFFUSION_STEPS = min(DIFFUSION_STEPS, 60)
    FILTERS = [min(filters, 32) for filters in FILTERS]


# %% Data: files
def synthetic_images(count=320):
    """A bright half, left, right, upper or lower, on dark ground: (count, height, width, channels) bytes."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    images = np.full((count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), 20, dtype="uint8")
    for image, side in zip(images, rng.integers(4, size=count), strict=True):
        half = image[: IMAGE_HEIGHT // 2] if side < 2 else image[:, : IMAGE_WIDTH // 2]
        half[:] = rng.integers(180, 256)
        if side % 2:
            image[:] = image[::-1, ::-1].copy()
    return images


def read_images():
    """The images that fit the pattern, of one size; other files are passed over."""
    images = []
    pattern = os.path.join(glob.escape(DATA_DIR), IMAGES.replace("{class}", "*"))
    for path in sorted(glob.glob(pattern, recursive=True)):
        if path.lower().endswith((".png", ".jpg", ".jpeg", ".bmp", ".webp")):
            image = Image.open(path).convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT))
            images.append(np.array(image).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    if len(images) < 10:
        raise SystemExit(f"{len(images)} images fit {pattern}; set DATA_DIR to the folder of your images")
    return np.stack(images)


pixels = synthetic_images() if SYNTHETIC else read_images()
print(f"{len(pixels)} images of {pixels.shape[1:]}")

# %% Preprocessing
images = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1.0
order = torch.randperm(len(images))
cut = max(2, int(TEST_SPLIT * len(images)))
held_out, train_images = images[order[:cut]], images[order[cut:]]
train_loader = DataLoader(TensorDataset(train_images), batch_size=BATCH_SIZE, shuffle=True)

# How much noise each step adds, and how much of the image is left after it.
betas = torch.linspace(0.02 / DIFFUSION_STEPS, 20 / DIFFUSION_STEPS, DIFFUSION_STEPS, device=DEVICE).clamp(max=0.5)
alphas = 1 - betas
left_over = torch.cumprod(alphas, dim=0)


def noised(images, steps):
    """Images after as many steps of noise, and that noise."""
    noise = torch.randn_like(images)
    share = left_over[steps].view(-1, 1, 1, 1)
    return share.sqrt() * images + (1 - share).sqrt() * noise, noise


# %% Model
class ResidualBlock(nn.Module):
    """Two convolutions, told the step between them, and a way around."""

    def __init__(self, channels, filters):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(1, channels), nn.GroupNorm(8, filters)
        self.conv1 = nn.Conv2d(channels, filters, 3, padding=1)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1)
        self.step = nn.Linear(EMBEDDING_DIM, filters)
        self.around = nn.Conv2d(channels, filters, 1)

    def forward(self, x, step):
        y = self.conv1(nn.functional.silu(self.norm1(x)))
        y = y + self.step(step)[:, :, None, None]
        y = self.conv2(nn.functional.silu(self.norm2(y)))
        return y + self.around(x)


class NoiseNet(nn.Module):
    """A small U-Net that tells the noise of an image, given the step."""

    def __init__(self):
        super().__init__()
        self.steps = nn.Sequential(
            nn.Embedding(DIFFUSION_STEPS, EMBEDDING_DIM), nn.Linear(EMBEDDING_DIM, EMBEDDING_DIM), nn.SiLU()
        )
        self.enter = ResidualBlock(CHANNELS, FILTERS[0])
        self.down = nn.Conv2d(FILTERS[0], FILTERS[1], 3, stride=2, padding=1)
        self.middle1 = ResidualBlock(FILTERS[1], FILTERS[1])
        self.middle2 = ResidualBlock(FILTERS[1], FILTERS[1])
        self.up = nn.ConvTranspose2d(FILTERS[1], FILTERS[0], 4, stride=2, padding=1)
        self.leave = ResidualBlock(2 * FILTERS[0], FILTERS[0])
        self.output = nn.Conv2d(FILTERS[0], CHANNELS, 3, padding=1)

    def forward(self, x, steps):
        step = self.steps(steps)
        entered = self.enter(x, step)
        middle = self.middle2(self.middle1(self.down(entered), step), step)
        grown = nn.functional.interpolate(self.up(middle), size=x.shape[-2:])
        return self.output(self.leave(torch.cat([grown, entered], dim=1), step))


model = NoiseNet().to(DEVICE)
print(f"{sum(p.numel() for p in model.parameters()):,} weights")

# %% Loss and optimizer
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
# The mean of the weights over the last steps makes better images than the weights of one step.
averaged = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.95))


# %% Train
def train_epoch():
    """One pass over the training images, each at a step drawn at random; the mean loss of its batches."""
    model.train()
    losses = []
    for (batch,) in train_loader:
        steps = torch.randint(DIFFUSION_STEPS, (len(batch),), device=DEVICE)
        x, noise = noised(batch.to(DEVICE), steps)
        loss = criterion(model(x, steps), noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        averaged.update_parameters(model)
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(count):
    """New images: (count, CHANNELS, height, width), values from -1 to 1."""
    averaged.eval()
    x = torch.randn(count, *images.shape[1:], device=DEVICE)
    for step in reversed(range(DIFFUSION_STEPS)):
        steps = torch.full((count,), step, device=DEVICE)
        seen = averaged(x, steps)
        x = (x - betas[step] / (1 - left_over[step]).sqrt() * seen) / alphas[step].sqrt()
        if step > 0:
            x = x + betas[step].sqrt() * torch.randn_like(x)
    return x.clamp(-1, 1).cpu()


def evaluate(made):
    """How far made images are from their nearest held-out one plus the other way round, as mean squared differences:
    images that are unlike all held-out ones count, and so do held-out ones that nothing is like."""
    distances = torch.cdist(made.flatten(1), held_out.flatten(1)) ** 2 / held_out[0].numel()
    return (distances.min(dim=1).values.mean() + distances.min(dim=0).values.mean()).item()


history = {"loss": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}")
torch.save(averaged.module.state_dict(), "model.pt")

# %% Evaluate
made = predict(NUM_SAMPLES)
mean_images = train_images.mean(dim=0).expand(NUM_SAMPLES, -1, -1, -1)
print(
    f"held-out error as distance between made and held-out images: {evaluate(made):.4f} "
    f"(baseline, the mean image every time: {evaluate(mean_images):.4f})"
)

# %% Show
figure, axes = plt.subplots(2, 8, figsize=(12, 3.5))
for axis, image in zip(axes.flat, torch.cat([held_out[:8], made]), strict=False):
    axis.imshow((image.permute(1, 2, 0).squeeze() + 1) / 2, cmap="gray", vmin=0, vmax=1)
    axis.axis("off")
figure.suptitle("above: held-out, below: made")
plt.savefig("samples.png")
plt.show()
