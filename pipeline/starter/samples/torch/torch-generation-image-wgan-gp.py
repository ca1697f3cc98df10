# %% [markdown]
# # New images by a Wasserstein GAN with gradient penalty
# A critic scores images; what it gives real ones more than made ones is how far the two are apart. Its slope is held
# near one by a penalty, which makes the training steady, and several of its steps come before each of the generator.

# %% Imports
import glob
import os

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "**"  # where the images lie below DATA_DIR
IMAGE_HEIGHT = 32
IMAGE_WIDTH = 32
CHANNELS = 1
LATENT_DIM = 64
FILTERS = [64, 128]
CRITIC_STEPS = 5  # of the critic for each of the generator
PENALTY = 10.0
TEST_SPLIT = 0.2
BATCH_SIZE = 64
EPOCHS = 200
LEARNING_RATE = 0.0001
SEED = 42

MODES = {1: "L", 3: "RGB"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    EPOCHS = min(EPOCHS, 30)
    CRITIC_STEPS = min(CRITIC_STEPS, 3)
    BATCH_SIZE = min(BATCH_SIZE, 32)
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 16)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 16)
    FILTERS = [min(filters, 24) for filters in FILTERS]
    LEARNING_RATE = max(LEARNING_RATE, 0.001)


# %% Data: files
def load_images():
    """Images (count, CHANNELS, height, width) from -1 to 1; made-up ones are bright discs at any place."""
    if SYNTHETIC:
        print(f"NO FOLDER {DATA_DIR!r}: these are 320 made-up images, not your data.")
        places = np.random.default_rng(SEED).uniform(0.3, 0.7, size=(320, 2, 1, 1))
        rows, columns = np.mgrid[0 : 1 : IMAGE_HEIGHT * 1j, 0 : 1 : IMAGE_WIDTH * 1j]
        inside = (rows - places[:, 0]) ** 2 + (columns - places[:, 1]) ** 2 < 0.06
        pixels = np.repeat((30 + 200 * inside)[..., None], CHANNELS, axis=3)
    else:
        found = []
        for path in sorted(
            glob.glob(os.path.join(glob.escape(DATA_DIR), IMAGES.replace("{class}", "*")), recursive=True)
        ):
            if path.lower().endswith((".png", ".jpg", ".jpeg", ".bmp", ".webp")):
                with Image.open(path) as image:
                    found.append(np.array(image.convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT))))
        if len(found) < 10:
            raise SystemExit(f"{len(found)} images below {DATA_DIR}; set DATA_DIR and IMAGES to where they lie")
        pixels = np.stack(found).reshape(-1, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)
    return torch.tensor(pixels.transpose(0, 3, 1, 2), dtype=torch.float32) / 127.5 - 1.0


images = load_images()
print(f"{len(images)} images of {tuple(images.shape[1:])}")

# %% Preprocessing
images = images[torch.randperm(len(images))]
cut = max(2, int(TEST_SPLIT * len(images)))
held_out, real = images[:cut], images[cut:]
train_loader = DataLoader(real, batch_size=BATCH_SIZE, shuffle=True)


# %% Model
class Generator(nn.Module):
    """Noise to images: a small map, doubled once for each entry of FILTERS, brought to size at the end."""

    def __init__(self):
        super().__init__()
        self.start = (FILTERS[-1], IMAGE_HEIGHT // 2 ** len(FILTERS) + 1, IMAGE_WIDTH // 2 ** len(FILTERS) + 1)
        self.enter = nn.Linear(LATENT_DIM, int(np.prod(self.start)))
        layers = []
        channels = FILTERS[-1]
        for filters in reversed(FILTERS):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(channels, filters, 3, padding=1)]
            layers += [nn.BatchNorm2d(filters), nn.ReLU()]
            channels = filters
        self.grow = nn.Sequential(*layers, nn.Conv2d(channels, CHANNELS, 3, padding=1), nn.Tanh())

    def forward(self, noise):
        maps = torch.relu(self.enter(noise)).view(-1, *self.start)
        return self.grow(maps)[:, :, :IMAGE_HEIGHT, :IMAGE_WIDTH]


class Critic(nn.Module):
    """Images to a score each. No batch normalisation: the penalty looks at each image by itself."""

    def __init__(self):
        super().__init__()
        layers = []
        channels = CHANNELS
        for filters in FILTERS:
            layers += [nn.Conv2d(channels, filters, 5, stride=2, padding=2), nn.LeakyReLU(0.2)]
            channels = filters
        self.shrink = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten())
        self.score = nn.Linear(channels * 16, 1)

    def forward(self, images):
        return self.score(self.shrink(images))


generator, critic = Generator().to(DEVICE), Critic().to(DEVICE)
print(generator, critic, sep="\n")

# %% Loss and optimizer
generator_optimizer = torch.optim.Adam(generator.parameters(), lr=LEARNING_RATE, betas=(0.5, 0.9))
critic_optimizer = torch.optim.Adam(critic.parameters(), lr=LEARNING_RATE, betas=(0.5, 0.9))


def make(count):
    """As many images of new noise."""
    return generator(torch.randn(count, LATENT_DIM, device=DEVICE))


def gradient_penalty(real, made):
    """How far the critic's slope is from one, at images between real and made ones."""
    share = torch.rand(len(real), 1, 1, 1, device=DEVICE)
    between = (share * real + (1 - share) * made).requires_grad_(True)
    (slopes,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return ((slopes.flatten(1).norm(dim=1) - 1) ** 2).mean()


# %% Train
def train_epoch():
    """One pass over the real images; the mean distance that the critic sees."""
    generator.train()
    distances = []
    for step, x in enumerate(train_loader):
        x = x.to(DEVICE)
        made = make(len(x)).detach()
        distance = critic(x).mean() - critic(made).mean()
        critic_loss = -distance + PENALTY * gradient_penalty(x, made)
        critic_optimizer.zero_grad()
        critic_loss.backward()
        critic_optimizer.step()
        distances.append(distance.item())
        if step % CRITIC_STEPS == 0:
            generator_loss = -critic(make(BATCH_SIZE)).mean()
            generator_optimizer.zero_grad()
            generator_loss.backward()
            generator_optimizer.step()
    return np.mean(distances)


@torch.no_grad()
def predict(count):
    """New images, values from -1 to 1."""
    generator.eval()
    return make(count).cpu()


def evaluate(made):
    """The sliced Wasserstein distance to the held-out images: both are seen from 200 directions, as numbers on a line,
    and compared quantile by quantile."""
    directions = torch.randn(held_out[0].numel(), 200, generator=torch.Generator().manual_seed(SEED))
    directions /= directions.norm(dim=0)
    steps = torch.linspace(0, 1, 50)
    a, b = ((x.flatten(1) @ directions).quantile(steps, dim=0) for x in (made, held_out))
    return (a - b).abs().mean().item()


history = {"distance": []}
for epoch in range(EPOCHS):
    history["distance"].append(train_epoch())
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1}: the critic sees a distance of {history['distance'][-1]:.4f}")
torch.save(generator.state_dict(), "model.pt")

# %% Evaluate
noise = torch.rand(len(held_out), *images.shape[1:]) * 2 - 1
print(
    f"held-out error as sliced Wasserstein distance of the made images: {evaluate(predict(len(held_out))):.4f} "
    f"(baseline, images of noise: {evaluate(noise):.4f})"
)

# %% Show
figure, axes = plt.subplots(3, 8, figsize=(12, 5))
for axis, image in zip(axes.flat, torch.cat([held_out[:8], predict(16)]), strict=False):
    axis.imshow((image.permute(1, 2, 0).squeeze() + 1) / 2, cmap="gray", vmin=0, vmax=1)
    axis.axis("off")
figure.suptitle("first row: real, others: made")
plt.savefig("samples.png")
plt.show()
