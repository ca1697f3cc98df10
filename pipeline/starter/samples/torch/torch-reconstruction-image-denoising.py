# %% [markdown]
# # Noise taken off images by an autoencoder
# Noise is added to clean images, and a convolutional autoencoder learns to give the clean image back.

# %% Imports
import glob
import os

import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from sklearn.model_selection import train_test_split
from torch import nn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
IMAGES = "**"  # where the clean images lie below DATA_DIR
UNLABELLED_FOLDER = ""  # noisy images that clean ones are wanted of
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 1
FILTERS = [32, 64]
NOISE = 0.25  # the standard deviation of the added noise, pixels being from 0 to 1
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.002
SEED = 42

MODES = {1: "L", 3: "RGB"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 12)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: files
def synthetic_images(count=96):
    """Rectangles of all shades on top of each other: (count, height, width, channels) bytes."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    images = np.zeros((count, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    for image in images:
        for shade in rng.integers(40, 256, size=(5, CHANNELS)):
            top, left = rng.integers(IMAGE_HEIGHT * 3 // 4), rng.integers(IMAGE_WIDTH * 3 // 4)
            image[top : top + IMAGE_HEIGHT // 2, left : left + IMAGE_WIDTH // 2] = shade
    return images


def read_images(pattern):
    """The images that fit a pattern, scaled to one size, and their paths; other files are passed over."""
    images, paths = [], []
    for path in sorted(glob.glob(os.path.join(glob.escape(DATA_DIR), pattern.replace("{class}", "*")), recursive=True)):
        try:
            with Image.open(path) as image:
                images.append(np.array(image.convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT))))
            paths.append(path)
        except OSError:
            continue
    if not images:
        raise SystemExit(f"{os.path.join(DATA_DIR, pattern)}: no images; set DATA_DIR to the folder of your images")
    return np.stack(images).reshape(-1, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), paths


pixels = synthetic_images() if SYNTHETIC else read_images(IMAGES)[0]
print(f"{len(pixels)} images of {pixels.shape[1:]}")


# %% Preprocessing
def as_tensor(pixels):
    """Images of bytes as (images, CHANNELS, height, width), values from 0 to 1."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255.0


def noisy(clean):
    """Images with noise on them."""
    return (clean + NOISE * torch.randn_like(clean)).clamp(0, 1)


x_train, x_test = train_test_split(as_tensor(pixels), test_size=TEST_SPLIT, random_state=SEED)
x_train, x_val = train_test_split(x_train, test_size=VALIDATION_SPLIT, random_state=SEED)
noisy_val, noisy_test = noisy(x_val), noisy(x_test)  # the same noise each time they are looked at


# %% Model
class DenoisingAutoencoder(nn.Module):
    """An encoder that halves the size at each step, and a decoder that doubles it again."""

    def __init__(self):
        super().__init__()
        encoder, decoder, channels = [], [], CHANNELS
        for filters in FILTERS:
            encoder += [nn.Conv2d(channels, filters, 3, stride=2, padding=1), nn.ReLU()]
            channels = filters
        for filters in [*reversed(FILTERS[:-1]), FILTERS[0]]:
            decoder += [nn.ConvTranspose2d(channels, filters, 4, stride=2, padding=1), nn.ReLU()]
            channels = filters
        self.encoder = nn.Sequential(*encoder)
        self.decoder = nn.Sequential(*decoder)
        self.output = nn.Conv2d(channels + CHANNELS, CHANNELS, 3, padding=1)

    def forward(self, x):
        decoded = self.decoder(self.encoder(x))
        decoded = nn.functional.interpolate(decoded, size=x.shape[-2:])  # where a size cannot be halved evenly
        return torch.sigmoid(self.output(torch.cat([decoded, x], dim=1)))


model = DenoisingAutoencoder().to(DEVICE)
print(model)

# %% Loss and optimizer
loss_function = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training images, with new noise each time; the mean loss of its batches."""
    model.train()
    losses = []
    for chosen in torch.randperm(len(x_train)).split(BATCH_SIZE):
        clean = x_train[chosen].to(DEVICE)
        loss = loss_function(model(noisy(clean)), clean)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def predict(images):
    """Images without their noise: (images, CHANNELS, height, width) in and out."""
    model.eval()
    return torch.cat([model(batch.to(DEVICE)).cpu() for batch in images.split(BATCH_SIZE)])


def evaluate(images, clean):
    """The mean squared error of the network's images."""
    return loss_function(predict(images), clean).item()


history = {"loss": [], "val_loss": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_loss"].append(evaluate(noisy_val, x_val))
    if history["val_loss"][-1] == min(history["val_loss"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.5f}, validation loss {history['val_loss'][-1]:.5f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
print(
    f"held-out mean squared error: {evaluate(noisy_test, x_test):.5f} "
    f"(baseline, the noisy image as it is: {loss_function(noisy_test, x_test).item():.5f})"
)
if UNLABELLED_FOLDER and not SYNTHETIC:
    os.makedirs("denoised", exist_ok=True)
    new, paths = read_images(os.path.join(UNLABELLED_FOLDER, "**"))
    for path, image in zip(paths, predict(as_tensor(new)), strict=True):
        cleaned = (image * 255).round().byte().permute(1, 2, 0).numpy().squeeze()
        Image.fromarray(cleaned).save(os.path.join("denoised", os.path.splitext(os.path.basename(path))[0] + ".png"))

# %% Show
rows = {"noisy": noisy_test, "denoised": predict(noisy_test), "clean": x_test}
figure, axes = plt.subplots(3, 5, figsize=(9, 6))
for row, (title, images) in zip(axes, rows.items(), strict=True):
    row[0].set_title(title, loc="left")
    for axis, image in zip(row, images, strict=False):
        axis.imshow(image.permute(1, 2, 0).squeeze(), cmap="gray", vmin=0, vmax=1)
        axis.axis("off")
plt.savefig("reconstructions.png")
plt.show()
