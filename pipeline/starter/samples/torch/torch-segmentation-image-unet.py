# %% [markdown]
# # Masks of images by a U-Net
# The network shrinks an image step by step, and on the way back to full size looks at each step's picture again. Images
# and masks of equal names lie in two folders; each value of the masks is a class of pixels.

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
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "images/*"  # where the images lie below DATA_DIR
MASKS = "masks/*"
UNLABELLED_FOLDER = ""  # images without masks that predictions are wanted for
IMAGE_HEIGHT = 128
IMAGE_WIDTH = 128
CHANNELS = 3
FILTERS = [16, 32, 64, 128]  # at full size, at half the size, ...
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 8
EPOCHS = 40
LEARNING_RATE = 0.001
SEED = 42

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    EPOCHS = min(EPOCHS, 5)
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 64)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 64)


# %% Data: files
def synthetic_folder(count=60):
    """Noise with a bright rectangle, and the mask of the rectangle."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    for number in range(count):
        top, left = rng.integers(IMAGE_HEIGHT // 2), rng.integers(IMAGE_WIDTH // 2)
        inside = np.s_[top : top + IMAGE_HEIGHT // 3, left : left + IMAGE_WIDTH // 3]
        image = rng.integers(0, 120, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
        mask = np.zeros((IMAGE_HEIGHT, IMAGE_WIDTH), dtype="uint8")
        image[inside] += 100
        mask[inside] = 255
        for pattern, pixels in ((IMAGES, image.squeeze()), (MASKS, mask)):
            path = os.path.join(root, pattern.replace("*", str(number)) + ("" if "." in pattern else ".png"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            Image.fromarray(pixels).save(path)
    return root


def by_stem(pattern):
    """The files that fit a pattern, by their names without ending and without what marks a mask."""
    files = sorted(glob.glob(os.path.join(glob.escape(root), pattern)))
    stems = [os.path.splitext(os.path.basename(path))[0] for path in files]
    return {stem.removesuffix("_mask").removesuffix("_seg"): path for stem, path in zip(stems, files, strict=True)}


def read_mask(path):
    """The values of a mask as they are; no smoothing, or new values would come up between them."""
    image = Image.open(path)
    plain = image if image.mode in ("P", "L", "1", "I", "I;16") else image.convert("L")
    return np.array(plain.resize((IMAGE_WIDTH, IMAGE_HEIGHT), Image.NEAREST)).astype("int64")


root = synthetic_folder() if SYNTHETIC else DATA_DIR
images, masks = by_stem(IMAGES), by_stem(MASKS)
paired = sorted(images.keys() & masks.keys())
if not paired:
    raise SystemExit(f"{DATA_DIR}: no file of {MASKS} is named as one of {IMAGES}; set DATA_DIR, IMAGES and MASKS")
values = np.array(sorted(set().union(*(np.unique(read_mask(masks[stem])).tolist() for stem in paired))))
NUM_CLASSES = len(values)
if not 2 <= NUM_CLASSES <= 256:
    raise SystemExit(f"the masks hold {NUM_CLASSES} different values; 2 to 256 classes fit")
print(f"{len(paired)} images with masks, {NUM_CLASSES} classes of pixels: {values[:20].tolist()}")


# %% Preprocessing
def read_image(path):
    """One image as a tensor (CHANNELS, IMAGE_HEIGHT, IMAGE_WIDTH) of values from 0 to 1."""
    pixels = np.array(Image.open(path).convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT)))
    return torch.from_numpy(pixels).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS).permute(2, 0, 1).float() / 255.0


class Pairs(Dataset):
    """An image and the class number of each of its pixels."""

    def __init__(self, stems):
        self.stems = stems

    def __len__(self):
        return len(self.stems)

    def __getitem__(self, index):
        stem = self.stems[index]
        return read_image(images[stem]), torch.from_numpy(np.searchsorted(values, read_mask(masks[stem])))


train, test = train_test_split(paired, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
train_loader = DataLoader(Pairs(train), batch_size=BATCH_SIZE, shuffle=True)
val_loader = DataLoader(Pairs(val), batch_size=BATCH_SIZE)
test_loader = DataLoader(Pairs(test), batch_size=BATCH_SIZE)


# %% Model
def double_convolution(channels, filters):
    """Two convolutions that keep the size."""
    layers = []
    for inputs in (channels, filters):
        layers += [nn.Conv2d(inputs, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """A way down, a way up, and at each size a connection from the one to the other."""

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList()
        channels = CHANNELS
        for filters in FILTERS:
            self.down.append(double_convolution(channels, filters))
            channels = filters
        self.pool = nn.MaxPool2d(2)
        self.grow = nn.ModuleList()
        self.up = nn.ModuleList()
        for filters in reversed(FILTERS[:-1]):
            self.grow.append(nn.ConvTranspose2d(channels, filters, 2, stride=2))
            self.up.append(double_convolution(2 * filters, filters))
            channels = filters
        self.output = nn.Conv2d(channels, NUM_CLASSES, 1)

    def forward(self, x):
        skipped = []
        for step in self.down[:-1]:
            x = step(x)
            skipped.append(x)
            x = self.pool(x)
        x = self.down[-1](x)
        for grow, step in zip(self.grow, self.up, strict=True):
            x, skip = grow(x), skipped.pop()
            # Where a size was odd, half of it and twice that is one pixel less.
            x = nn.functional.interpolate(x, size=skip.shape[-2:])
            x = step(torch.cat([skip, x], dim=1))
        return self.output(x)


model = UNet().to(DEVICE)

# %% Loss and optimizer
crossentropy = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


def loss_function(outputs, masks):
    """Cross-entropy plus the Dice loss, which counts small classes as much as large ones."""
    probabilities = outputs.softmax(dim=1)
    truth = nn.functional.one_hot(masks, NUM_CLASSES).permute(0, 3, 1, 2)
    overlap = (probabilities * truth).sum(dim=(0, 2, 3))
    dice = (2 * overlap + 1) / (probabilities.sum(dim=(0, 2, 3)) + truth.sum(dim=(0, 2, 3)) + 1)
    return crossentropy(outputs, masks) + 1 - dice.mean()


# %% Train
def train_epoch(loader):
    """One pass over the training images; the mean loss of its batches."""
    model.train()
    losses = []
    for x, y in loader:
        loss = loss_function(model(x.to(DEVICE)), y.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


def mean_iou(truth, predicted):
    """Intersection over union, the mean over the classes that are there."""
    ious = []
    for number in range(NUM_CLASSES):
        union = ((truth == number) | (predicted == number)).sum().item()
        if union:
            ious.append(((truth == number) & (predicted == number)).sum().item() / union)
    return np.mean(ious)


@torch.no_grad()
def evaluate(loader):
    """The mean IoU of a part, and that of a mask that is all the commonest class."""
    model.eval()
    predicted = torch.cat([model(x.to(DEVICE)).argmax(dim=1).cpu() for x, _ in loader])
    truth = torch.cat([y for _, y in loader])
    return mean_iou(truth, predicted), mean_iou(truth, torch.full_like(truth, truth.flatten().mode().values))


history = {"loss": [], "val_iou": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch(train_loader))
    history["val_iou"].append(evaluate(val_loader)[0])
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation IoU {history['val_iou'][-1]:.4f}")
    if history["val_iou"][-1] == max(history["val_iou"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
test_iou, baseline_iou = evaluate(test_loader)
print(
    f"held-out mean intersection over union: {test_iou:.4f} "
    f"(baseline, all pixels of the commonest class: {baseline_iou:.4f})"
)


@torch.no_grad()
def predict(path):
    """The mask of an image file, with the values of the training masks."""
    model.eval()
    return values[model(read_image(path)[None].to(DEVICE)).argmax(dim=1)[0].cpu().numpy()].astype("uint8")


if UNLABELLED_FOLDER and not SYNTHETIC:
    os.makedirs("predicted_masks", exist_ok=True)
    for stem, path in by_stem(os.path.join(UNLABELLED_FOLDER, "*")).items():
        Image.fromarray(predict(path)).save(os.path.join("predicted_masks", f"{stem}.png"))

# %% Show
figure, axes = plt.subplots(3, 3, figsize=(6, 6))
for row, stem in zip(axes, test, strict=False):
    row[0].imshow(read_image(images[stem]).permute(1, 2, 0).squeeze(), cmap="gray")
    row[1].imshow(read_mask(masks[stem]))
    row[2].imshow(predict(images[stem]))
figure.suptitle("image, true mask, predicted mask")
plt.savefig("masks.png")
plt.show()
