# %% [markdown]
# # One mask of each image by a U-Net
# Each pixel either belongs to what is looked for or not: one output channel, trained by binary cross-entropy plus the
# Dice loss, and turned into a probability by a sigmoid. Images and masks of equal names lie in two folders.

# %% Imports
import glob
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from sklearn.model_selection import train_test_split
from torch import nn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "images/*"  # where the images lie below DATA_DIR
MASKS = "masks/*"  # where their masks lie, by the same names; what is not black is the object
UNLABELLED_FOLDER = ""  # images without masks that predictions are wanted for
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
CHANNELS = 3
FILTERS = [16, 32, 64, 128]  # at full size, at half the size, ...
THRESHOLD = 0.5  # probability from which on a pixel belongs to the object
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 8
EPOCHS = 40
LEARNING_RATE = 0.001
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 64)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 64)
    FILTERS = [min(filters, 32) for filters in FILTERS[:3]]
    BATCH_SIZE = min(BATCH_SIZE, 4)
    EPOCHS = min(EPOCHS, 8)


# %% Data: files
def made_up_folder(count=64):
    """Noise with a bright ellipse in each image, and its mask."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    folder = tempfile.mkdtemp()
    down, across = np.mgrid[:IMAGE_HEIGHT, :IMAGE_WIDTH]
    for number in range(count):
        top, left = rng.uniform(0.3, 0.7, size=2) * (IMAGE_HEIGHT, IMAGE_WIDTH)
        height, width = rng.uniform(0.12, 0.3, size=2) * (IMAGE_HEIGHT, IMAGE_WIDTH)
        inside = ((down - top) / height) ** 2 + ((across - left) / width) ** 2 < 1
        pixels = rng.integers(0, 110, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
        pixels[inside] += 110
        save(pixels.squeeze(), os.path.join(folder, IMAGES), number)
        save(255 * inside.astype("uint8"), os.path.join(folder, MASKS), number)
    return folder


def save(pixels, pattern, number):
    """An image under a number in the place of the pattern's star."""
    path = pattern.replace("*", str(number)) + ("" if "." in os.path.basename(pattern) else ".png")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    Image.fromarray(pixels).save(path)


def by_stem(pattern):
    """The files that fit a pattern, by their names without ending and without what marks a mask."""
    stems = {}
    for path in sorted(glob.glob(os.path.join(glob.escape(root), pattern))):
        stem, _ = os.path.splitext(os.path.basename(path))
        stems[stem.removesuffix("_mask").removesuffix("_seg")] = path
    return stems


root = made_up_folder() if SYNTHETIC else DATA_DIR
image_files, mask_files = by_stem(IMAGES), by_stem(MASKS)
names = sorted(image_files.keys() & mask_files.keys())
if len(names) < 5:
    raise SystemExit(f"{root}: {len(names)} files of {MASKS} are named as one of {IMAGES}; set DATA_DIR")


# %% Preprocessing
def read_image(path):
    """One image as a tensor (CHANNELS, IMAGE_HEIGHT, IMAGE_WIDTH) of values from 0 to 1."""
    with Image.open(path) as image:
        pixels = np.array(image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT)))
    return torch.from_numpy(pixels).view(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS).permute(2, 0, 1) / 255.0


def read_mask(path):
    """One mask of zeros and ones: (1, IMAGE_HEIGHT, IMAGE_WIDTH)."""
    with Image.open(path) as image:
        values = np.array(image.convert("L").resize((IMAGE_WIDTH, IMAGE_HEIGHT), Image.NEAREST))
    return torch.from_numpy(values > 0).float()[None]


def batches_of(some, shuffle=False):
    """Images and masks of some names, a batch at a time; files are read when they are wanted."""
    order = torch.randperm(len(some)) if shuffle else torch.arange(len(some))
    for batch in order.split(BATCH_SIZE):
        chosen = [some[position] for position in batch]
        x = torch.stack([read_image(image_files[name]) for name in chosen])
        yield x.to(DEVICE), torch.stack([read_mask(mask_files[name]) for name in chosen])


train, test = train_test_split(names, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
print(f"{len(train)} images with masks to learn from, {len(val)} for validation, {len(test)} for the test")


# %% Model
class DoubleConvolution(nn.Sequential):
    """Two convolutions that keep the size."""

    def __init__(self, channels, filters):
        super().__init__(
            nn.Conv2d(channels, filters, 3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
        )


class UNet(nn.Module):
    """Down in halves and up again, with what was seen at each size handed across; a score for each pixel."""

    def __init__(self):
        super().__init__()
        sizes = [CHANNELS, *FILTERS]
        self.down = nn.ModuleList([DoubleConvolution(*pair) for pair in zip(sizes[:-1], FILTERS, strict=True)])
        self.up, self.join = nn.ModuleList(), nn.ModuleList()
        for deep, filters in zip(FILTERS[:0:-1], FILTERS[-2::-1], strict=True):
            self.up.append(nn.ConvTranspose2d(deep, filters, 2, stride=2))
            self.join.append(DoubleConvolution(2 * filters, filters))
        self.output = nn.Conv2d(FILTERS[0], 1, 1)

    def forward(self, x):
        seen = []
        for number, step in enumerate(self.down):
            x = step(x if number == 0 else nn.functional.max_pool2d(x, 2))
            seen.append(x)
        for up, join, across in zip(self.up, self.join, seen[-2::-1], strict=True):
            # Where a size was odd, half of it and twice that is one pixel less.
            x = nn.functional.interpolate(up(x), size=across.shape[-2:])
            x = join(torch.cat([across, x], dim=1))
        return self.output(x)


model = UNet().to(DEVICE)
print(model)

# %% Loss and optimizer
crossentropy = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


def dice_loss(scores, masks):
    """One less the overlap of a mask with its prediction, the mean over the images."""
    probabilities = scores.sigmoid()
    overlap = (probabilities * masks).sum(dim=(1, 2, 3))
    total = (probabilities + masks).sum(dim=(1, 2, 3))
    return 1 - ((2 * overlap + 1) / (total + 1)).mean()


def loss_function(scores, masks):
    """Binary cross-entropy of the pixels plus the Dice loss of the images."""
    return crossentropy(scores, masks) + dice_loss(scores, masks)


# %% Train
def train_epoch():
    """One pass over the training images; the mean loss of its batches."""
    model.train()
    losses = []
    for x, y in batches_of(train, shuffle=True):
        loss = loss_function(model(x), y.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


def iou(truth, predicted):
    """Intersection over union of the object's pixels."""
    union = (truth | predicted).sum().item()
    return (truth & predicted).sum().item() / union if union else 1.0


@torch.no_grad()
def evaluate(some):
    """The IoU of some images, and that of a mask that is the whole image."""
    model.eval()
    truth, predicted = [], []
    for x, y in batches_of(some):
        predicted.append(model(x).sigmoid().cpu() > THRESHOLD)
        truth.append(y > 0)
    truth = torch.cat(truth)
    return iou(truth, torch.cat(predicted)), iou(truth, torch.ones_like(truth))


history = {"loss": [], "val_iou": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_iou"].append(evaluate(val)[0])
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation IoU {history['val_iou'][-1]:.4f}")
    if history["val_iou"][-1] == max(history["val_iou"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
test_iou, baseline_iou = evaluate(test)
print(f"held-out IoU: {test_iou:.4f} (baseline, the whole image: {baseline_iou:.4f})")


@torch.no_grad()
def predict(path):
    """The mask of an image file, 255 where the object is."""
    model.eval()
    inside = model(read_image(path)[None].to(DEVICE))[0, 0].sigmoid() > THRESHOLD
    return 255 * inside.cpu().numpy().astype("uint8")


if UNLABELLED_FOLDER and not SYNTHETIC:
    os.makedirs("predicted_masks", exist_ok=True)
    for name, path in by_stem(os.path.join(UNLABELLED_FOLDER, "*")).items():
        Image.fromarray(predict(path)).save(os.path.join("predicted_masks", f"{name}.png"))

# %% Show
figure, axes = plt.subplots(3, 3, figsize=(6, 6))
for row, name in zip(axes, test, strict=False):
    shown = (read_image(image_files[name]).permute(1, 2, 0), read_mask(mask_files[name])[0], predict(image_files[name]))
    for axis, pixels, title in zip(row, shown, ("image", "true mask", "predicted"), strict=True):
        axis.imshow(pixels.squeeze(), cmap="gray")
        axis.set_title(title, fontsize=8)
        axis.axis("off")
plt.savefig("masks.png")
plt.show()
