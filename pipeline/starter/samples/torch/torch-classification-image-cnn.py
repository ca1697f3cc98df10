# %% [markdown]
# # Classes of images by a small convolutional network
# Images of any size and format lie in a folder per class; the folders' names are the classes. Images are read from
# disk batch by batch, so that a data set may be larger than memory.

# %% Imports
import glob
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image, ImageFile
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
ImageFile.LOAD_TRUNCATED_IMAGES = True  # an image that was cut off is read as far as it goes

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_IMAGES = "{class}/*"  # where an image lies below DATA_DIR; {class} stands for its class
VALIDATION_FOLDER = ""  # class folders of their own, where the data have such parts
HELD_OUT_FOLDER = ""
UNLABELLED_FOLDER = ""  # images without classes that predictions are wanted for
CLASS_NAMES = ["class_1", "class_2", "class_3"]  # of made-up data; those of real data are their folders
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
FILTERS = [32, 64, 128]
KERNEL_SIZE = 3
DROPOUT = 0.3
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.001
SEED = 42

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 5)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_folder(count=120):
    """A folder of noise with bright stripes, the wider apart the further the class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    for number in range(count):
        label = number % len(CLASS_NAMES)
        pixels = rng.integers(0, 100, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
        pixels[:: 2 + 2 * label] += 120
        name = TRAIN_IMAGES.replace("{class}", CLASS_NAMES[label]).replace("**", "*").replace("*", f"{number}")
        path = os.path.join(root, name if name.lower().endswith(ENDINGS) else name + ".png")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(pixels.squeeze(), MODES[CHANNELS]).save(path)
    return root


def list_images(pattern):
    """The paths of all images that lie as the pattern says, and the class name of each."""
    position = pattern.split("/").index("{class}")
    found = glob.glob(os.path.join(glob.escape(DATA_ROOT), pattern.replace("{class}", "*")), recursive=True)
    paths = [path for path in sorted(found) if path.lower().endswith(ENDINGS)]
    if not paths:
        raise SystemExit(f"{os.path.join(DATA_DIR, pattern)}: no images; set DATA_DIR to the folder of your images")
    names = [os.path.relpath(path, DATA_ROOT).split(os.sep)[position] for path in paths]
    return np.array(paths), np.array(names)


DATA_ROOT = synthetic_folder() if SYNTHETIC else DATA_DIR
paths, names = list_images(TRAIN_IMAGES)
class_names = np.array(sorted(set(names)))
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds one class, {class_names[0]}; at least two folders with images are needed")
print(f"{len(paths)} images of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))


# %% Preprocessing
def labels_of(names):
    """Class numbers; a class that training has not seen is an error."""
    unknown = sorted(set(names) - set(class_names))
    if unknown:
        raise SystemExit(f"there is a class that the training images lack: {unknown[0]}")
    return np.searchsorted(class_names, names)


def read_image(path):
    """One image as a tensor (CHANNELS, IMAGE_HEIGHT, IMAGE_WIDTH) of values from 0 to 1."""
    try:
        image = Image.open(path).convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT), Image.BILINEAR)
    except OSError as error:
        raise SystemExit(f"{path} cannot be opened ({error}); take it out of the folder") from error
    pixels = np.asarray(image, dtype="float32").reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS) / 255.0
    return torch.from_numpy(pixels).permute(2, 0, 1)


class ImageDataset(Dataset):
    """Images that are opened when they are asked for, with their class numbers."""

    def __init__(self, paths, labels):
        self.paths = paths
        self.labels = labels

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return read_image(self.paths[index]), int(self.labels[index])


def part(folder, share, paths, labels):
    """Training and other images: those of the other part's own class folders, or a share of the training images."""
    if folder and not SYNTHETIC:
        own_paths, own_names = list_images(folder + ("/*" if "{class}" in folder else "/{class}/**"))
        return paths, own_paths, labels, labels_of(own_names)
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    stratify = labels if counts.min() > 1 and int(share * len(labels)) >= NUM_CLASSES else None
    return train_test_split(paths, labels, test_size=share, random_state=SEED, stratify=stratify)


train_paths, test_paths, train_labels, test_labels = part(HELD_OUT_FOLDER, TEST_SPLIT, paths, labels_of(names))
train_paths, val_paths, train_labels, val_labels = part(VALIDATION_FOLDER, VALIDATION_SPLIT, train_paths, train_labels)

train_loader = DataLoader(ImageDataset(train_paths, train_labels), batch_size=BATCH_SIZE, shuffle=True)
val_loader = DataLoader(ImageDataset(val_paths, val_labels), batch_size=BATCH_SIZE)


# %% Model
class SmallCNN(nn.Module):
    """Blocks of convolution and pooling, the average over what is left of the image, and an output for each class."""

    def __init__(self):
        super().__init__()
        blocks = []
        channels = CHANNELS
        for filters in FILTERS:
            blocks += [
                nn.Conv2d(channels, filters, KERNEL_SIZE, padding="same"),
                nn.BatchNorm2d(filters),
                nn.ReLU(),
                nn.MaxPool2d(2, ceil_mode=True),
            ]
            channels = filters
        self.features = nn.Sequential(*blocks)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(DROPOUT))
        self.output = nn.Linear(channels, NUM_CLASSES)

    def forward(self, images):
        return self.output(self.pool(self.features(images)))


model = SmallCNN().to(DEVICE)
print(model)

# %% Loss and optimizer
loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch(loader):
    """One pass over the training images; the mean loss."""
    model.train()
    total = 0.0
    for images, labels in loader:
        images, labels = images.to(DEVICE), labels.to(DEVICE)
        optimizer.zero_grad()
        loss = loss_function(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    return total / len(loader.dataset)


@torch.no_grad()
def evaluate(loader):
    """The mean loss and the accuracy on images that are not trained on."""
    model.eval()
    total, correct = 0.0, 0
    for images, labels in loader:
        images, labels = images.to(DEVICE), labels.to(DEVICE)
        outputs = model(images)
        total += loss_function(outputs, labels).item() * len(labels)
        correct += (outputs.argmax(dim=1) == labels).sum().item()
    return total / len(loader.dataset), correct / len(loader.dataset)


history = {"train_loss": [], "val_loss": [], "val_accuracy": []}
for epoch in range(1, EPOCHS + 1):
    train_loss = train_epoch(train_loader)
    val_loss, val_accuracy = evaluate(val_loader)
    if epoch == 1 or val_loss < min(history["val_loss"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    history["train_loss"].append(train_loss)
    history["val_loss"].append(val_loss)
    history["val_accuracy"].append(val_accuracy)
    print(f"epoch {epoch}: loss {train_loss:.4f}, validation loss {val_loss:.4f}, accuracy {val_accuracy:.4f}")

model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
with open("classes.txt", "w", encoding="utf-8") as stream:
    stream.write("\n".join(class_names))  # what the outputs stand for, in their order


# %% Evaluate
@torch.no_grad()
def predict(paths):
    """The class number of each image file."""
    model.eval()
    loader = DataLoader(ImageDataset(paths, np.zeros(len(paths))), batch_size=BATCH_SIZE)
    return torch.cat([model(images.to(DEVICE)).argmax(dim=1).cpu() for images, _ in loader]).numpy()


predicted = predict(test_paths)
print(classification_report(class_names[test_labels], class_names[predicted], zero_division=0))
most_frequent = np.full_like(test_labels, np.bincount(train_labels).argmax())
print(
    f"held-out accuracy: {accuracy_score(test_labels, predicted):.4f} "
    f"(baseline, always the most frequent class: {accuracy_score(test_labels, most_frequent):.4f})"
)

if UNLABELLED_FOLDER and not SYNTHETIC:
    folder = os.path.join(glob.escape(os.path.join(DATA_DIR, UNLABELLED_FOLDER)), "**")
    new = [path for path in sorted(glob.glob(folder, recursive=True)) if path.lower().endswith(ENDINGS)]
    files = [os.path.relpath(path, DATA_DIR) for path in new]
    pd.DataFrame({"file": files, "class": class_names[predict(new)]}).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
figure, axes = plt.subplots(2, 4, figsize=(8, 4))
for axis, path, label, truth in zip(axes.flat, test_paths, predicted, test_labels, strict=False):
    axis.imshow(read_image(path).permute(1, 2, 0).squeeze(), cmap="gray")
    axis.set_title(f"{class_names[label]} (true: {class_names[truth]})", fontsize=8)
    axis.axis("off")
plt.tight_layout()
plt.savefig("predictions.png")
plt.show()
