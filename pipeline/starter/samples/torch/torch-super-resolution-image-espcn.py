# %% [markdown]
# # Larger images by sub-pixel convolution
# The network works at the small size and gives SCALE x SCALE values for each pixel, which are put in place as the
# pixels of the large image (ESPCN). It learns from large images and their shrunken copies.

# %% Imports
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")  # a folder of images, the larger the better
UNLABELLED_FOLDER = ""  # images that larger ones are wanted of
SCALE = 2
IMAGE_HEIGHT = 128  # of the large pieces that are learned from
IMAGE_WIDTH = 128
CHANNELS = 3
FILTERS = [64, 32]
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 16
EPOCHS = 60
LEARNING_RATE = 0.001
SEED = 42

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
MODES = {1: "L", 3: "RGB"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    EPOCHS = min(EPOCHS, 20)
    BATCH_SIZE = min(BATCH_SIZE, 4)
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 48)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 48)


# %% Data: files
def synthetic_folder(count=60):
    """Images of stripes and rings, whose sharp edges blur when they are shrunk."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    rows, columns = np.mgrid[:IMAGE_HEIGHT, :IMAGE_WIDTH]
    for number in range(count):
        angle, middle = rng.uniform(0, np.pi), rng.uniform(0, min(IMAGE_HEIGHT, IMAGE_WIDTH), size=2)
        along = rows * np.sin(angle) + columns * np.cos(angle)
        away = np.hypot(rows - middle[0], columns - middle[1])
        wave = (along if number % 2 else away) / rng.uniform(1.5, 4)
        pixels = np.where(np.sin(wave) > 0, rng.integers(150, 256), rng.integers(0, 100))
        stacked = np.repeat(pixels[..., None], CHANNELS, axis=2).astype("uint8")
        Image.fromarray(stacked.squeeze()).save(os.path.join(root, f"{number}.png"))
    return root


def images_below(folder):
    """All image files below a folder."""
    found = [os.path.join(inside, name) for inside, _, names in os.walk(folder) for name in names]
    return sorted(path for path in found if path.lower().endswith(ENDINGS))


paths = images_below(synthetic_folder() if SYNTHETIC else DATA_DIR)
if len(paths) < 5:
    raise SystemExit(f"{len(paths)} images below {DATA_DIR}; set DATA_DIR to the folder of your images")
height, width = IMAGE_HEIGHT // SCALE * SCALE, IMAGE_WIDTH // SCALE * SCALE
print(f"{len(paths)} images, pieces of {height}x{width} learned from their {SCALE} times smaller copies")


# %% Preprocessing
def as_tensor(image):
    """A Pillow image as (CHANNELS, height, width), values from 0 to 1."""
    pixels = np.array(image).reshape(image.height, image.width, CHANNELS)
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255.0


class Pieces(Dataset):
    """A small piece and the large one that it was shrunk from; in training at a place of its own each time."""

    def __init__(self, paths, anywhere):
        self.paths = paths
        self.anywhere = anywhere

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        image = Image.open(self.paths[index]).convert(MODES[CHANNELS])
        if image.width < width or image.height < height:
            image = image.resize((max(width, image.width), max(height, image.height)), Image.BICUBIC)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        if self.anywhere:
            left = torch.randint(image.width - width + 1, (1,)).item()
            top = torch.randint(image.height - height + 1, (1,)).item()
        large = image.crop((left, top, left + width, top + height))
        small = large.resize((width // SCALE, height // SCALE), Image.BICUBIC)
        return as_tensor(small), as_tensor(large)


train, test = train_test_split(paths, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
train_loader = DataLoader(Pieces(train, anywhere=True), batch_size=BATCH_SIZE, shuffle=True)
val_loader = DataLoader(Pieces(val, anywhere=False), batch_size=BATCH_SIZE)
test_loader = DataLoader(Pieces(test, anywhere=False), batch_size=BATCH_SIZE)


# %% Model
def enlarged(small):
    """What is to be improved on: images enlarged by bicubic interpolation."""
    return nn.functional.interpolate(small, scale_factor=SCALE, mode="bicubic", align_corners=False).clamp(0, 1)


class ESPCN(nn.Module):
    """Convolutions at the small size, and the shuffle of their outputs to the large one. What they give is added to
    the bicubic enlargement, so that only the detail has to be learned."""

    def __init__(self):
        super().__init__()
        layers = []
        channels, kernel_size = CHANNELS, 5
        for filters in FILTERS:
            layers += [nn.Conv2d(channels, filters, kernel_size, padding="same"), nn.ReLU()]
            channels, kernel_size = filters, 3
        last = nn.Conv2d(channels, CHANNELS * SCALE**2, 3, padding="same")
        nn.init.zeros_(last.weight)  # the start is the enlargement itself
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(*layers, last, nn.PixelShuffle(SCALE))

    def forward(self, small):
        return enlarged(small) + self.layers(small)


model = ESPCN().to(DEVICE)
print(model)

# %% Loss and optimizer
loss_function = nn.L1Loss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training images; the mean loss of its batches."""
    model.train()
    losses = []
    for small, large in train_loader:
        loss = loss_function(model(small.to(DEVICE)), large.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def evaluate(enlarge, loader):
    """The mean peak signal-to-noise ratio in decibels: 6 more halve the error."""
    model.eval()
    ratios = []
    for small, large in loader:
        errors = ((enlarge(small.to(DEVICE)).clamp(0, 1).cpu() - large) ** 2).mean(dim=(1, 2, 3))
        ratios.append(-10 * torch.log10(errors + 1e-10))
    return torch.cat(ratios).mean().item()


history = {"loss": [], "val_psnr": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_psnr"].append(evaluate(model, val_loader))
    if history["val_psnr"][-1] == max(history["val_psnr"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation PSNR {history['val_psnr'][-1]:.2f} dB")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
print(
    f"held-out peak signal-to-noise ratio in dB: {evaluate(model, test_loader):.4f} "
    f"(baseline, bicubic enlargement: {evaluate(enlarged, test_loader):.4f})"
)


@torch.no_grad()
def predict(path):
    """An image file as a Pillow image SCALE times as wide and high."""
    model.eval()
    small = as_tensor(Image.open(path).convert(MODES[CHANNELS]))
    large = model(small[None].to(DEVICE))[0].clamp(0, 1).cpu()
    return Image.fromarray((large * 255).round().byte().permute(1, 2, 0).numpy().squeeze())


if UNLABELLED_FOLDER and not SYNTHETIC:
    os.makedirs("enlarged", exist_ok=True)
    for path in images_below(os.path.join(DATA_DIR, UNLABELLED_FOLDER)):
        predict(path).save(os.path.join("enlarged", os.path.splitext(os.path.basename(path))[0] + ".png"))

# %% Show
small, large = next(iter(test_loader))
with torch.no_grad():
    shown = [enlarged(small)[0], model(small.to(DEVICE))[0].cpu(), large[0]]
figure, axes = plt.subplots(1, 3, figsize=(10, 4))
for axis, image, title in zip(axes, shown, ("bicubic", "network", "original"), strict=True):
    axis.imshow(image.clamp(0, 1).permute(1, 2, 0).squeeze(), cmap="gray", vmin=0, vmax=1)
    axis.set_title(title)
    axis.axis("off")
plt.savefig("enlarged.png")
plt.show()
