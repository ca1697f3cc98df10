# %% [markdown]
# # New images of a wanted class by a conditional GAN
# Generator and discriminator are both told the class, so that images of any class can be ordered. Images lie in a
# folder for each class.

# %% Imports
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch import nn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")  # a folder for each class, images inside
CLASS_NAMES = ["class_1", "class_2", "class_3", "class_4"]  # of made-up data; those of real data are their folders
IMAGE_HEIGHT = 28
IMAGE_WIDTH = 28
CHANNELS = 1
LATENT_DIM = 100
EMBEDDING_DIM = 32  # numbers that stand for a class
FILTERS = [64, 128]  # of the discriminator; the generator has them the other way round
LABEL_SMOOTHING = 0.1  # real images count as 0.9, so that the discriminator is never too sure
TEST_SPLIT = 0.2
BATCH_SIZE = 64
EPOCHS = 100
LEARNING_RATE = 0.0002
BETA_1 = 0.5
SEED = 42

MODES = {1: "L", 3: "RGB"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 32)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 32)
    FILTERS = [min(filters, 48) for filters in FILTERS]
    EPOCHS = min(EPOCHS, 12)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    LEARNING_RATE = max(LEARNING_RATE, 0.001)


# %% Data: files
def made_up_folders():
    """A folder for each class of images with a bright band, lower in the image the further the class."""
    count = max(240, 24 * len(CLASS_NAMES))
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    height = max(1, IMAGE_HEIGHT // len(CLASS_NAMES))
    for number in range(count):
        label = number % len(CLASS_NAMES)
        pixels = rng.integers(0, 40, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
        top = label * IMAGE_HEIGHT // len(CLASS_NAMES)
        pixels[top : top + height] += rng.integers(150, 210, dtype="uint8")
        os.makedirs(os.path.join(root, CLASS_NAMES[label]), exist_ok=True)
        Image.fromarray(pixels.squeeze()).save(os.path.join(root, CLASS_NAMES[label], f"{number}.png"))
    return root


def read_folders(root):
    """Images scaled to -1..1, the range of the generator's tanh, the class number of each, and the classes' names."""
    names = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    arrays, numbers = [], []
    for number, name in enumerate(names):
        for file in sorted(os.listdir(os.path.join(root, name))):
            if file.lower().endswith((".png", ".jpg", ".jpeg", ".bmp", ".webp")):
                with Image.open(os.path.join(root, name, file)) as image:
                    arrays.append(np.array(image.convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT))))
                numbers.append(number)
    if len(set(numbers)) < 2:
        raise SystemExit(f"{root} holds {len(set(numbers))} folders with images; at least two classes are needed")
    pixels = torch.from_numpy(np.stack(arrays)).view(-1, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1.0, torch.tensor(numbers), names


images, labels, class_names = read_folders(made_up_folders() if SYNTHETIC else DATA_DIR)
NUM_CLASSES = len(class_names)
print(f"{len(images)} images of {NUM_CLASSES} classes: {', '.join(class_names[:20])}")

# %% Preprocessing
order = torch.randperm(len(images))
held_count = max(1, int(TEST_SPLIT * len(order)))
held_out, train = order[:held_count], order[held_count:]

# %% Model
HALVINGS = 2 ** len(FILTERS)
START = (FILTERS[-1], -(-IMAGE_HEIGHT // HALVINGS), -(-IMAGE_WIDTH // HALVINGS))  # rounded up


class Generator(nn.Module):
    """Noise (images, LATENT_DIM) and class numbers to images; each step doubles width and height."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(NUM_CLASSES, EMBEDDING_DIM)
        steps = [nn.Linear(LATENT_DIM + EMBEDDING_DIM, START[0] * START[1] * START[2]), nn.Unflatten(1, START)]
        channels = FILTERS[-1]
        for filters in [*FILTERS[-2::-1], FILTERS[0]]:
            steps += [nn.BatchNorm2d(channels), nn.ReLU()]
            steps += [nn.ConvTranspose2d(channels, filters, 4, stride=2, padding=1, bias=False)]
            channels = filters
        steps += [nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, CHANNELS, 3, padding=1), nn.Tanh()]
        self.steps = nn.Sequential(*steps)

    def forward(self, noise, wanted):
        made = self.steps(torch.cat([noise, self.embedding(wanted)], dim=1))
        return made[..., :IMAGE_HEIGHT, :IMAGE_WIDTH]


class Discriminator(nn.Module):
    """The class is one more channel of the image; the score says how real the image looks for that class."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(NUM_CLASSES, IMAGE_HEIGHT * IMAGE_WIDTH)
        steps, channels = [], CHANNELS + 1
        for filters in FILTERS:
            steps += [nn.Conv2d(channels, filters, 3, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Dropout2d(0.2)]
            channels = filters
        self.steps = nn.Sequential(*steps, nn.Flatten(), nn.Linear(START[0] * START[1] * START[2], 1))

    def forward(self, x, labels):
        plane = self.embedding(labels).view(-1, 1, IMAGE_HEIGHT, IMAGE_WIDTH)
        return self.steps(torch.cat([x, plane], dim=1))


generator = Generator().to(DEVICE)
discriminator = Discriminator().to(DEVICE)
print(generator, discriminator, sep="\n")

# %% Loss and optimizer
criterion = nn.BCEWithLogitsLoss()
generator_optimizer = torch.optim.Adam(generator.parameters(), lr=LEARNING_RATE, betas=(BETA_1, 0.999))
discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr=LEARNING_RATE, betas=(BETA_1, 0.999))


# %% Train
def step_discriminator(x, made, y):
    """Real images of a class are to be scored high, made ones low; the loss."""
    on_real, on_made = discriminator(x, y), discriminator(made.detach(), y)
    loss = criterion(on_real, torch.full_like(on_real, 1 - LABEL_SMOOTHING))
    loss = loss + criterion(on_made, torch.zeros_like(on_made))
    discriminator_optimizer.zero_grad()
    loss.backward()
    discriminator_optimizer.step()
    return loss.item()


def step_generator(made, y):
    """Made images are to be scored high for their class; the loss."""
    on_made = discriminator(made, y)
    loss = criterion(on_made, torch.ones_like(on_made))
    generator_optimizer.zero_grad()
    loss.backward()
    generator_optimizer.step()
    return loss.item()


def train_epoch():
    """One pass over the real images; the mean losses of generator and discriminator."""
    generator.train()
    losses = []
    for batch in train[torch.randperm(len(train))].split(BATCH_SIZE):
        if len(batch) == 1:  # batch normalization needs two
            continue
        x, y = images[batch].to(DEVICE), labels[batch].to(DEVICE)
        made = generator(torch.randn(len(x), LATENT_DIM, device=DEVICE), y)
        on_made = step_discriminator(x, made, y)
        losses.append((step_generator(made, y), on_made))
    return np.mean(losses, axis=0)


@torch.no_grad()
def predict(wanted):
    """One new image for each wanted class number, values from -1 to 1."""
    generator.eval()
    wanted = torch.as_tensor(wanted, device=DEVICE)
    return generator(torch.randn(len(wanted), LATENT_DIM, device=DEVICE), wanted).cpu()


history = {"generator": [], "discriminator": []}
for epoch in range(EPOCHS):
    for name, loss in zip(history, train_epoch(), strict=True):
        history[name].append(loss)
    losses = ", ".join(f"{name} {values[-1]:.3f}" for name, values in history.items())
    print(f"epoch {epoch + 1}: {losses}")
torch.save(generator.state_dict(), "model.pt")

# %% Evaluate
# The mean made image of each class against that of the held-out images of the class.
present = sorted(set(labels[held_out].tolist()))
real_means = torch.stack([images[held_out][labels[held_out] == number].mean(dim=0) for number in present])
made_means = torch.stack([predict([number] * 32).mean(dim=0) for number in present])
of_all = images[train].mean(dim=0)
print(
    f"held-out error of the classes' mean images: {(made_means - real_means).square().mean():.4f} "
    f"(baseline, the mean of all images: {(of_all - real_means).square().mean():.4f})"
)

# %% Show
rows, shown = 4, min(NUM_CLASSES, 12)
figure, axes = plt.subplots(rows, shown, figsize=(shown, rows), squeeze=False)
for row in axes:
    for axis, image, name in zip(row, predict(list(range(shown))), class_names, strict=False):
        axis.imshow((image.permute(1, 2, 0).squeeze() + 1) / 2, cmap="gray", vmin=0, vmax=1)
        axis.axis("off")
        if row is axes[0]:
            axis.set_title(name, fontsize=8)
plt.savefig("samples.png")
plt.show()
