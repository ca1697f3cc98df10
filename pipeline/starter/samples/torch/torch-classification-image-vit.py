# %% [markdown]
# # Classes of images by a Vision Transformer
# An image is cut into patches, each patch becomes a vector, and a Transformer encoder lets all patches look at each
# other. One vector more, that belongs to no patch, gathers what is needed to tell the class.

# %% Imports
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")  # a folder for each class, images inside
UNLABELLED_FOLDER = ""  # images without classes that predictions are wanted for
CLASS_NAMES = ["class_1", "class_2", "class_3"]  # of made-up data; those of real data are their folders
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
PATCH_SIZE = 8
EMBEDDING_DIM = 64
NUM_HEADS = 4
NUM_BLOCKS = 4
HIDDEN_UNITS = [128]  # of the network at each patch
DROPOUT = 0.1
LABEL_SMOOTHING = 0.1
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 60
LEARNING_RATE = 0.001
WEIGHT_DECAY = 0.05
SEED = 42

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".webp")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full counts are for real data
    EPOCHS = min(EPOCHS, 10)
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_folder(count=180):
    """Noise with a bright band across, the lower the further the class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    band = IMAGE_HEIGHT // len(CLASS_NAMES)
    for number in range(count):
        label = number % len(CLASS_NAMES)
        pixels = rng.integers(0, 120, size=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
        pixels[label * band : (label + 1) * band] += 100
        path = os.path.join(root, CLASS_NAMES[label], f"{number}.png")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray(pixels.squeeze()).save(path)
    return root


def find_images(folder):
    """The image files below a folder, in order."""
    found = []
    for inside, _, names in os.walk(folder):
        found += [os.path.join(inside, name) for name in names if name.lower().endswith(ENDINGS)]
    return sorted(found)


root = synthetic_folder() if SYNTHETIC else DATA_DIR
by_class = {}
for name in sorted(os.listdir(root)):
    if name != UNLABELLED_FOLDER and os.path.isdir(os.path.join(root, name)):
        by_class[name] = find_images(os.path.join(root, name))
class_names = np.array([name for name, found in by_class.items() if found])
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds {NUM_CLASSES} folders with images; at least two classes are needed")
table = pd.DataFrame([(path, label) for label, name in enumerate(class_names) for path in by_class[name]])
table.columns = ["path", "label"]
print(table["label"].map(dict(enumerate(class_names))).value_counts().to_string())


# %% Preprocessing
class Images(Dataset):
    """Images of one size, values from -1 to 1; in training cut at a random place out of a slightly larger one."""

    def __init__(self, table, augment=False):
        self.paths = table["path"].tolist()
        self.labels = table["label"].tolist()
        self.margin = 4 if augment else 0

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        size = (IMAGE_WIDTH + self.margin, IMAGE_HEIGHT + self.margin)
        with Image.open(self.paths[index]) as image:
            pixels = np.array(image.convert(MODES[CHANNELS]).resize(size, Image.BILINEAR))
        top, left = torch.randint(self.margin + 1, (2,)).tolist()
        pixels = pixels.reshape(size[1], size[0], CHANNELS)[top : top + IMAGE_HEIGHT, left : left + IMAGE_WIDTH]
        return torch.from_numpy(pixels).permute(2, 0, 1) / 127.5 - 1.0, self.labels[index]


train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
train_loader = DataLoader(Images(train, augment=True), batch_size=BATCH_SIZE, shuffle=True)


# %% Model
class VisionTransformer(nn.Module):
    """Patches as vectors, their places, encoder blocks, and an output for each class."""

    def __init__(self):
        super().__init__()
        # A convolution that steps from patch to patch is one linear layer for all patches.
        self.patches = nn.Conv2d(CHANNELS, EMBEDDING_DIM, PATCH_SIZE, stride=PATCH_SIZE)
        count = (IMAGE_HEIGHT // PATCH_SIZE) * (IMAGE_WIDTH // PATCH_SIZE)
        self.gathering = nn.Parameter(torch.zeros(1, 1, EMBEDDING_DIM))
        self.places = nn.Parameter(0.02 * torch.randn(1, count + 1, EMBEDDING_DIM))
        self.blocks = nn.ModuleList()
        for _ in range(NUM_BLOCKS):
            block = nn.TransformerEncoderLayer(
                EMBEDDING_DIM,
                NUM_HEADS,
                dim_feedforward=HIDDEN_UNITS[0],
                dropout=DROPOUT,
                activation="gelu",
                batch_first=True,
                norm_first=True,
            )
            self.blocks.append(block)
        self.norm = nn.LayerNorm(EMBEDDING_DIM)
        self.output = nn.Linear(EMBEDDING_DIM, NUM_CLASSES)

    def forward(self, images):
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.gathering.expand(len(x), -1, -1), x], dim=1) + self.places
        for block in self.blocks:
            x = block(x)
        return self.output(self.norm(x[:, 0]))


if IMAGE_HEIGHT < PATCH_SIZE or IMAGE_WIDTH < PATCH_SIZE or EMBEDDING_DIM % NUM_HEADS:
    raise SystemExit("PATCH_SIZE may not exceed the image, and EMBEDDING_DIM has to be a multiple of NUM_HEADS")
model = VisionTransformer().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss(label_smoothing=LABEL_SMOOTHING)
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=EPOCHS * len(train_loader))


# %% Train
def train_epoch():
    """One pass over the training images; the mean loss of its batches."""
    model.train()
    total = 0.0
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(images.to(DEVICE)), labels.to(DEVICE))
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item()
    return total / len(train_loader)


@torch.no_grad()
def predict(table):
    """The class number for the image of each row."""
    model.eval()
    return torch.cat(
        [model(images.to(DEVICE)).argmax(dim=1).cpu() for images, _ in DataLoader(Images(table), batch_size=BATCH_SIZE)]
    ).numpy()


def evaluate(table):
    """F1, the mean over the classes."""
    return f1_score(table["label"], predict(table), average="macro", zero_division=0)


history = {"loss": [], "val_f1": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_f1"].append(evaluate(val))
    if history["val_f1"][-1] >= max(history["val_f1"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation macro F1 {history['val_f1'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
always = np.full(len(test), train["label"].mode()[0])
print(
    f"held-out macro F1: {evaluate(test):.4f} "
    f"(baseline, always the most frequent class: {f1_score(test['label'], always, average='macro'):.4f})"
)
new = test[["path"]]
if UNLABELLED_FOLDER and not SYNTHETIC:
    new = pd.DataFrame({"path": find_images(os.path.join(root, UNLABELLED_FOLDER))})
new = new.assign(label=0)
new["class"] = class_names[predict(new)]
new[["path", "class"]].to_csv("predictions.csv", index=False)

# %% Show
figure, axes = plt.subplots(2, 5, figsize=(10, 4.5))
for axis, path, name in zip(axes.flat, new["path"], new["class"], strict=False):
    axis.imshow(Image.open(path), cmap="gray")
    axis.set_title(name, fontsize=9)
    axis.axis("off")
plt.savefig("predictions.png")
plt.show()
