# %% [markdown]
# # Larger images by EDSR
# Many residual blocks without normalisation work at the small size; their output is shuffled into the pixels of the
# large image. Whole images are enlarged afterwards, of any size.

# %% Imports
import os

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch import nn

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")  # a folder of large images
UNLABELLED_FOLDER = ""  # a folder of images that are to be enlarged
SCALE = 4
PATCH_SIZE = 48  # height and width of the small pieces that are learned from
CHANNELS = 3
FILTERS = 64
NUM_BLOCKS = 16
RESIDUAL_SCALING = 0.1  # how much of a block's result is added; keeps deep networks steady
STEPS_PER_EPOCH = 200
VALIDATION_IMAGES = 10
TEST_SPLIT = 0.2
BATCH_SIZE = 16
EPOCHS = 100
LEARNING_RATE = 0.0001
SEED = 42

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)
rng = np.random.default_rng(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    EPOCHS = min(EPOCHS, 5)
    BATCH_SIZE = min(BATCH_SIZE, 4)
    SCALE = min(SCALE, 2)
    PATCH_SIZE = min(PATCH_SIZE, 20)
    NUM_BLOCKS = min(NUM_BLOCKS, 4)
    FILTERS = min(FILTERS, 24)
    STEPS_PER_EPOCH = min(STEPS_PER_EPOCH, 40)
    LEARNING_RATE = max(LEARNING_RATE, 0.002)  # few steps are made


# %% Data: files
def made_up_images(count=24):
    """Checkered boards at all angles: fine edges, of which a shrunken image keeps a blur."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    size = SCALE * PATCH_SIZE + 32
    rows, columns = np.mgrid[:size, :size] - size / 2
    images = []
    for angle in np.linspace(0, np.pi / 2, count):
        field = rng.uniform(9, 15)
        across = rows * np.cos(angle) + columns * np.sin(angle)
        down = columns * np.cos(angle) - rows * np.sin(angle)
        waves = np.sin(np.pi * across / field) * np.sin(np.pi * down / field)
        board = np.clip(0.5 + field / 3 * waves, 0, 1)[..., None]  # edges a pixel wide, as those of a camera
        dark, bright = rng.integers(0, 100, size=CHANNELS), rng.integers(150, 256, size=CHANNELS)
        images.append((dark + board * (bright - dark)).astype("uint8"))
    return images


def open_image(path):
    """The pixels of a file: (height, width, CHANNELS)."""
    with Image.open(path) as image:
        return np.array(image.convert("L" if CHANNELS == 1 else "RGB")).reshape(image.height, image.width, CHANNELS)


def image_files(folder):
    """The images of a folder and its subfolders, by name."""
    endings = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
    return sorted(
        os.path.join(where, name)
        for where, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(endings)
    )


if SYNTHETIC:
    images = made_up_images()
else:
    images = [open_image(path) for path in image_files(DATA_DIR)]
large_size = SCALE * PATCH_SIZE
images = [image for image in images if min(image.shape[:2]) >= large_size]
if len(images) < 5:
    raise SystemExit(f"{DATA_DIR} holds {len(images)} images of {large_size} pixels or more; five are needed")

# %% Preprocessing
shuffled = [images[number] for number in rng.permutation(len(images))]
test_count = max(1, int(TEST_SPLIT * len(images)))
val_count = min(VALIDATION_IMAGES, max(1, (len(images) - test_count) // 5))
test_images, val_images = shuffled[:test_count], shuffled[test_count : test_count + val_count]
train_images = shuffled[test_count + val_count :]


def to_tensor(pixels):
    """Bytes (height, width, CHANNELS) as numbers from 0 to 1, channels first."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1).float() / 255


def shrunk(pixels):
    """An image SCALE times smaller, by bicubic interpolation."""
    height, width = pixels.shape[0] // SCALE, pixels.shape[1] // SCALE
    return np.array(Image.fromarray(pixels.squeeze()).resize((width, height), Image.BICUBIC)).reshape(height, width, -1)


def batch():
    """Small pieces and the large ones that they were shrunk from, cut at random places, turned and mirrored."""
    pairs = []
    for number in rng.integers(len(train_images), size=BATCH_SIZE):
        image = train_images[number]
        top, left = (rng.integers(side - large_size + 1) for side in image.shape[:2])
        piece = np.rot90(image[top : top + large_size, left : left + large_size], rng.integers(4))
        piece = np.ascontiguousarray(piece[:, ::-1] if rng.random() < 0.5 else piece)
        pairs.append((to_tensor(shrunk(piece)), to_tensor(piece)))
    small, large = zip(*pairs, strict=True)
    return torch.stack(small).to(DEVICE), torch.stack(large).to(DEVICE)


# %% Model
class ResidualBlock(nn.Module):
    """Two convolutions; a part of what they give is added to the input."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(FILTERS, FILTERS, 3, padding=1), nn.ReLU(), nn.Conv2d(FILTERS, FILTERS, 3, padding=1)
        )

    def forward(self, x):
        return x + RESIDUAL_SCALING * self.body(x)


class EDSR(nn.Module):
    """Residual blocks at the small size, and a shuffle of channels into the pixels of the large one."""

    def __init__(self):
        super().__init__()
        self.head = nn.Conv2d(CHANNELS, FILTERS, 3, padding=1)
        self.blocks = nn.Sequential(*[ResidualBlock() for _ in range(NUM_BLOCKS)])
        self.after_blocks = nn.Conv2d(FILTERS, FILTERS, 3, padding=1)
        self.upsample = nn.Sequential(nn.Conv2d(FILTERS, FILTERS * SCALE**2, 3, padding=1), nn.PixelShuffle(SCALE))
        self.tail = nn.Conv2d(FILTERS, CHANNELS, 3, padding=1)
        nn.init.zeros_(self.tail.weight)  # at first the network gives the bicubic enlargement
        nn.init.zeros_(self.tail.bias)

    def forward(self, small):
        features = self.head(small)
        features = features + self.after_blocks(self.blocks(features))
        return bicubic(small) + self.tail(self.upsample(features))


def bicubic(small):
    """The enlargement that is to be improved on."""
    return nn.functional.interpolate(small, scale_factor=SCALE, mode="bicubic", align_corners=False)


model = EDSR().to(DEVICE)
print(f"{sum(weights.numel() for weights in model.parameters()):,} weights")

# %% Loss and optimizer
criterion = nn.L1Loss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=max(1, EPOCHS // 2), gamma=0.5)


# %% Train
def train_epoch():
    """STEPS_PER_EPOCH batches; the mean loss."""
    model.train()
    total = 0.0
    for _ in range(STEPS_PER_EPOCH):
        small, large = batch()
        optimizer.zero_grad()
        loss = criterion(model(small), large)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / STEPS_PER_EPOCH


@torch.no_grad()
def psnr(enlarge, images):
    """The mean peak signal-to-noise ratio of enlarged images in decibels."""
    model.eval()
    ratios = []
    for image in images:
        image = image[: image.shape[0] // SCALE * SCALE, : image.shape[1] // SCALE * SCALE]
        made = enlarge(to_tensor(shrunk(image))[None].to(DEVICE)).clamp(0, 1)[0].cpu()
        error = ((made - to_tensor(image)) ** 2).mean()
        ratios.append(-10 * torch.log10(error + 1e-10).item())
    return float(np.mean(ratios))


history = {"loss": [], "val_psnr": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_psnr"].append(psnr(model, val_images))
    scheduler.step()
    if history["val_psnr"][-1] == max(history["val_psnr"]):
        torch.save(model.state_dict(), "model.pt")
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation PSNR {history['val_psnr'][-1]:.2f} dB")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
print(
    f"held-out peak signal-to-noise ratio in dB: {psnr(model, test_images):.4f} "
    f"(baseline, bicubic enlargement: {psnr(bicubic, test_images):.4f})"
)


@torch.no_grad()
def predict(pixels):
    """An image (height, width, CHANNELS) of bytes, SCALE times as high and wide."""
    model.eval()
    large = model(to_tensor(pixels)[None].to(DEVICE))[0].clamp(0, 1).cpu()
    return (255 * large).round().byte().permute(1, 2, 0).numpy()


if UNLABELLED_FOLDER and not SYNTHETIC:
    os.makedirs("enlarged", exist_ok=True)
    for path in image_files(os.path.join(DATA_DIR, UNLABELLED_FOLDER)):
        name = os.path.splitext(os.path.basename(path))[0]
        Image.fromarray(predict(open_image(path)).squeeze()).save(os.path.join("enlarged", f"{name}.png"))

# %% Show
small = shrunk(test_images[0][:large_size, :large_size])
by_interpolation = bicubic(to_tensor(small)[None]).clamp(0, 1)[0].permute(1, 2, 0).numpy()
columns = {"shrunk": small, "bicubic": by_interpolation, "EDSR": predict(small), "original": test_images[0]}
figure, axes = plt.subplots(1, len(columns), figsize=(12, 3.5))
for axis, (title, pixels) in zip(axes, columns.items(), strict=True):
    axis.imshow(pixels[:large_size, :large_size].squeeze(), cmap="gray")
    axis.set_title(title)
    axis.axis("off")
plt.savefig("enlarged.png")
plt.show()
