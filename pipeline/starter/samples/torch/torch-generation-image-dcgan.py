# %% [markdown]
# # New images by a DCGAN
# A generator makes images of noise, a discriminator tells them from real ones, and each learns from the other: both
# are convolutional, with batch normalisation and the rates that are known to keep them in balance.

# %% Imports
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")  # a folder of images, in folders of their own or not
IMAGE_HEIGHT = 64  # a power of two
IMAGE_WIDTH = 64
CHANNELS = 3
LATENT_DIM = 100
FILTERS = [64, 128, 256, 512]  # of the discriminator; the generator has them the other way round
LABEL_SMOOTHING = 0.1  # real images count as 0.9, so that the discriminator is never too sure
TEST_SPLIT = 0.2
BATCH_SIZE = 64
EPOCHS = 100
LEARNING_RATE = 0.0002
BETA_1 = 0.5
SEED = 42

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
MODES = {1: "L", 3: "RGB"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    EPOCHS = min(EPOCHS, 12)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 16)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 16)
    FILTERS = [min(filters, 64) for filters in FILTERS[:2]]
    LEARNING_RATE = max(LEARNING_RATE, 0.001)


# %% Data: files
def synthetic_folder(count=320):
    """Images that fade from bright at the top to dark, with a dark square in the middle."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    fade = np.linspace(1, 0, IMAGE_HEIGHT)[:, None, None] * np.ones((1, IMAGE_WIDTH, CHANNELS))
    for number in range(count):
        pixels = fade * rng.uniform(180, 250) + rng.uniform(0, 10, size=fade.shape)
        size = rng.integers(IMAGE_HEIGHT // 8, IMAGE_HEIGHT // 4 + 1)
        middle = np.s_[IMAGE_HEIGHT // 2 - size : IMAGE_HEIGHT // 2 + size]
        pixels[middle, IMAGE_WIDTH // 2 - size : IMAGE_WIDTH // 2 + size] = 0
        Image.fromarray(pixels.clip(0, 255).astype("uint8").squeeze()).save(os.path.join(root, f"{number}.png"))
    return root


def read_images(root):
    """All images below a folder, scaled to -1..1, the range of the generator's tanh."""
    files = sorted(os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names)
    arrays = []
    for path in files:
        if path.lower().endswith(ENDINGS):
            with Image.open(path) as image:
                arrays.append(np.asarray(image.convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT))))
    if len(arrays) < 10:
        raise SystemExit(f"{len(arrays)} images below {DATA_DIR}; set DATA_DIR to the folder of your images")
    pixels = torch.from_numpy(np.stack(arrays)).reshape(-1, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1.0


images = read_images(synthetic_folder() if SYNTHETIC else DATA_DIR)
print(f"{len(images)} images of {tuple(images.shape[1:])}")

# %% Preprocessing
order = torch.randperm(len(images))
held_out = images[order[: max(2, int(TEST_SPLIT * len(images)))]]
real = images[order[len(held_out) :]]
train_loader = DataLoader(real, batch_size=BATCH_SIZE, shuffle=True)

# %% Model
shrunk = 2 ** len(FILTERS)
if IMAGE_HEIGHT % shrunk or IMAGE_WIDTH % shrunk:
    raise SystemExit(f"IMAGE_HEIGHT and IMAGE_WIDTH have to be multiples of {shrunk}, for {len(FILTERS)} halvings")
START = (FILTERS[-1], IMAGE_HEIGHT // shrunk, IMAGE_WIDTH // shrunk)  # what the generator begins with


def build_generator():
    """Noise (images, LATENT_DIM) to images; each step doubles width and height."""
    steps = [nn.Linear(LATENT_DIM, START[0] * START[1] * START[2]), nn.Unflatten(1, START)]
    channels = FILTERS[-1]
    for filters in reversed(FILTERS[:-1]):
        steps += [nn.BatchNorm2d(channels), nn.ReLU()]
        steps += [nn.ConvTranspose2d(channels, filters, 4, stride=2, padding=1, bias=False)]
        channels = filters
    steps += [nn.BatchNorm2d(channels), nn.ReLU()]
    return nn.Sequential(*steps, nn.ConvTranspose2d(channels, CHANNELS, 4, stride=2, padding=1), nn.Tanh())


def build_discriminator():
    """Images to a score each: above zero for "real"."""
    steps = []
    channels = CHANNELS
    for filters in FILTERS:
        steps += [nn.Conv2d(channels, filters, 4, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Dropout2d(0.2)]
        channels = filters
    return nn.Sequential(*steps, nn.Flatten(), nn.Linear(START[0] * START[1] * START[2], 1))


def initialise(module):
    """The starting weights of the DCGAN paper (Radford et al., 2015)."""
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)


generator = build_generator().apply(initialise).to(DEVICE)
discriminator = build_discriminator().apply(initialise).to(DEVICE)
print(generator, discriminator, sep="\n")

# %% Loss and optimizer
criterion = nn.BCEWithLogitsLoss()
generator_optimizer = torch.optim.Adam(generator.parameters(), lr=LEARNING_RATE, betas=(BETA_1, 0.999))
discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr=LEARNING_RATE, betas=(BETA_1, 0.999))


# %% Train
def train_epoch():
    """One pass over the real images; the mean losses of generator and discriminator."""
    generator.train()
    losses = []
    for x in train_loader:
        x = x.to(DEVICE)
        made = generator(torch.randn(len(x), LATENT_DIM, device=DEVICE))

        # The discriminator is to score real images high and made ones low.
        on_real, on_made = discriminator(x), discriminator(made.detach())
        real_loss = criterion(on_real, torch.full_like(on_real, 1 - LABEL_SMOOTHING))
        discriminator_loss = real_loss + criterion(on_made, torch.zeros_like(on_made))
        discriminator_optimizer.zero_grad()
        discriminator_loss.backward()
        discriminator_optimizer.step()

        # The generator is to make images that are scored high.
        on_made = discriminator(made)
        generator_loss = criterion(on_made, torch.ones_like(on_made))
        generator_optimizer.zero_grad()
        generator_loss.backward()
        generator_optimizer.step()
        losses.append((generator_loss.item(), discriminator_loss.item()))
    return np.mean(losses, axis=0)


@torch.no_grad()
def predict(count):
    """New images, with values from -1 to 1."""
    generator.eval()
    return generator(torch.randn(count, LATENT_DIM, device=DEVICE)).cpu()


def evaluate(made):
    """The Fréchet distance of images from the held-out ones: how far means and covariances of their parts lie apart.
    Parts are the means of a 4x4 grid; the well-known FID takes a trained network's features in their place."""

    def parts(x):
        return nn.functional.adaptive_avg_pool2d(x, 4).flatten(1).double().numpy()

    a, b = parts(made), parts(held_out)
    roots = np.linalg.eigvals(np.cov(a.T) @ np.cov(b.T)).real.clip(min=0)
    spread = np.trace(np.cov(a.T)) + np.trace(np.cov(b.T)) - 2 * np.sqrt(roots).sum()
    return ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum() + spread


history = {"generator": [], "discriminator": []}
for epoch in range(EPOCHS):
    for name, loss in zip(history, train_epoch(), strict=True):
        history[name].append(loss)
    print(
        f"epoch {epoch + 1}: generator {history['generator'][-1]:.3f}, discriminator {history['discriminator'][-1]:.3f}"
    )
torch.save(generator.state_dict(), "model.pt")

# %% Evaluate
noise = torch.rand(len(held_out), *images.shape[1:]) * 2 - 1
print(
    f"held-out error as Fréchet distance of the made images: {evaluate(predict(256)):.4f} "
    f"(baseline, images of noise: {evaluate(noise):.4f})"
)

# %% Show
figure, axes = plt.subplots(2, 8, figsize=(12, 3.5))
for axis, image in zip(axes.flat, torch.cat([held_out[:8], predict(16)]), strict=False):
    axis.imshow((image.permute(1, 2, 0).squeeze() + 1) / 2, cmap="gray", vmin=0, vmax=1)
    axis.axis("off")
figure.suptitle("above: real, below: made")
plt.savefig("samples.png")
plt.show()
