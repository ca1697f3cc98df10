# %% [markdown]
# # Classes of images by a residual network, first frozen, then fine-tuned
# ResNet-18 written out. With ImageNet's weights (torchvision brings them, where it is installed) only the new output is
# trained at first; then the last layers are trained along with it, at a lower rate.

# %% Imports
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")  # a folder for each class, images inside
UNLABELLED_FOLDER = ""  # images without classes that predictions are wanted for
CLASS_NAMES = ["class_1", "class_2"]  # of made-up data; those of real data are their folders
IMAGE_HEIGHT = 224
IMAGE_WIDTH = 224
BACKBONE_WEIGHTS = "imagenet"  # None: from the start
FINE_TUNED_LAYERS = 1  # of the four stages of the backbone, the last ones
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 10
FINE_TUNING_EPOCHS = 10
LEARNING_RATE = 0.001
FINE_TUNING_RATE = 0.0001
WEIGHT_DECAY = 0.0001
SEED = 42

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    EPOCHS = min(EPOCHS, 3)
    FINE_TUNING_EPOCHS = min(FINE_TUNING_EPOCHS, 2)
    BATCH_SIZE = min(BATCH_SIZE, 8)
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 64)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 64)


# %% Data: files
def synthetic_folder(count=64):
    """Folders of noise with stripes, the wider the further the class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    for number in range(count):
        label = number % len(CLASS_NAMES)
        image = rng.integers(0, 120, size=(IMAGE_HEIGHT, IMAGE_WIDTH, 3), dtype="uint8")
        image[np.arange(IMAGE_HEIGHT) // (1 + 3 * label) % 2 == 0] += 120
        os.makedirs(os.path.join(root, CLASS_NAMES[label]), exist_ok=True)
        Image.fromarray(image).save(os.path.join(root, CLASS_NAMES[label], f"{number}.png"))
    return root


def images_below(folder):
    """All image files below a folder."""
    found = [os.path.join(inside, name) for inside, _, names in os.walk(folder) for name in names]
    return sorted(path for path in found if path.lower().endswith(ENDINGS))


root = synthetic_folder() if SYNTHETIC else DATA_DIR
folders = [entry.name for entry in os.scandir(root) if entry.is_dir() and entry.name != UNLABELLED_FOLDER]
class_names = sorted(name for name in folders if images_below(os.path.join(root, name)))
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds {NUM_CLASSES} folders with images; at least two classes are needed")
examples = [(path, label) for label, name in enumerate(class_names) for path in images_below(os.path.join(root, name))]
print(f"{len(examples)} images of {NUM_CLASSES} classes: {', '.join(class_names[:20])}")

# %% Preprocessing
# What ResNet was trained on: colours around zero, by ImageNet's means and deviations.
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


class ImageDataset(Dataset):
    """Images in the form that the backbone expects: (3, IMAGE_HEIGHT, IMAGE_WIDTH)."""

    def __init__(self, examples):
        self.examples = examples

    def __len__(self):
        return len(self.examples)

    def __getitem__(self, index):
        path, label = self.examples[index]
        with Image.open(path) as image:
            pixels = np.array(image.convert("RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT)))
        return (torch.from_numpy(pixels).permute(2, 0, 1) / 255.0 - MEAN) / STD, label


train, test = train_test_split(examples, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
train_loader = DataLoader(ImageDataset(train), batch_size=BATCH_SIZE, shuffle=True)
val_loader = DataLoader(ImageDataset(val), batch_size=BATCH_SIZE)


# %% Model
class BasicBlock(nn.Module):
    """Two convolutions whose result is added to their input; a third fits the input where its shape changes."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.downsample = None
        if stride != 1 or channels != filters:
            shortcut = nn.Conv2d(channels, filters, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(filters))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        x = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(x)) + shortcut)


class ResNet18(nn.Module):
    """Four stages of two blocks; parts are named as torchvision names them, so that its weights fit."""

    def __init__(self, num_classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128, 1))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256, 1))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, 2), BasicBlock(512, 512, 1))
        self.fc = nn.Linear(512, num_classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean(dim=(2, 3)))


def imagenet_weights():
    """The weights that torchvision has; None where it is not installed."""
    try:
        from torchvision.models import ResNet18_Weights
    except ImportError:
        print("torchvision is not installed: the backbone starts from random weights and is not frozen")
        return None
    return ResNet18_Weights.IMAGENET1K_V1.get_state_dict(progress=True)


model = ResNet18(NUM_CLASSES)
weights = imagenet_weights() if BACKBONE_WEIGHTS == "imagenet" and not SYNTHETIC else None
if weights is not None:
    kept = {name: value for name, value in weights.items() if not name.startswith("fc.")}
    model.load_state_dict(kept, strict=False)  # all but the output, whose classes are others
    model.requires_grad_(False)
    model.fc.requires_grad_(True)
model.to(DEVICE)
print(sum(p.numel() for p in model.parameters() if p.requires_grad), "weights are trained at first")

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)


# %% Train
def train_epoch(loader):
    """One pass over the training images; the mean loss of its batches."""
    model.train()
    if weights is not None:
        for module in model.modules():  # what is frozen keeps its own means and deviations
            if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
                module.eval()
    losses = []
    for images, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(images.to(DEVICE)), labels.to(DEVICE))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(paths):
    """The probability of each class for image files: (images, NUM_CLASSES)."""
    model.eval()
    loader = DataLoader(ImageDataset([(path, 0) for path in paths]), batch_size=BATCH_SIZE)
    return torch.cat([model(images.to(DEVICE)).softmax(dim=1).cpu() for images, _ in loader])


def evaluate(examples):
    """The share of images whose class is told."""
    predicted = predict([path for path, _ in examples]).argmax(dim=1)
    return (predicted == torch.tensor([label for _, label in examples])).float().mean().item()


history = {"loss": [], "val_accuracy": []}
for epoch in range(EPOCHS + FINE_TUNING_EPOCHS):
    if epoch == EPOCHS:
        print(f"fine-tuning: the last {FINE_TUNED_LAYERS} stages are trained as well, at a rate of {FINE_TUNING_RATE}")
        for stage in [model.layer1, model.layer2, model.layer3, model.layer4][4 - FINE_TUNED_LAYERS :]:
            stage.requires_grad_(True)
        trained = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=FINE_TUNING_RATE, weight_decay=WEIGHT_DECAY)
    history["loss"].append(train_epoch(train_loader))
    history["val_accuracy"].append(evaluate(val))
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation accuracy {history['val_accuracy'][-1]:.4f}")
    if history["val_accuracy"][-1] >= max(history["val_accuracy"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far

model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
commonest = np.bincount([label for _, label in train]).argmax()
print(
    f"held-out accuracy: {evaluate(test):.4f} "
    f"(baseline, always the commonest class: {np.mean([label == commonest for _, label in test]):.4f})"
)
if UNLABELLED_FOLDER and not SYNTHETIC:
    new = images_below(os.path.join(DATA_DIR, UNLABELLED_FOLDER))
    table = pd.DataFrame(predict(new).numpy(), columns=class_names, index=new)
    table.insert(0, "class", table.idxmax(axis=1))
    table.to_csv("predictions.csv", index_label="file")

# %% Show
plt.plot(history["val_accuracy"], label="validation accuracy")
plt.plot(history["loss"], label="training loss")
plt.axvline(EPOCHS - 0.5, color="grey", linestyle=":", label="fine-tuning begins")
plt.xlabel("epoch")
plt.legend()
plt.savefig("training.png")
plt.show()
