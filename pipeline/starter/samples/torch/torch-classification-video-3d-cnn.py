# %% [markdown]
# # Classes of clips by a 3-D convolutional network
# Convolutions over height, width and time see movement as well as shape. A clip is a folder of frames (or an animated
# GIF, or an `.npy` file of frames) in a folder per class; frames are taken at equal distances.

# %% Imports
import glob
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image, ImageSequence
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
CLASS_NAMES = ["class_1", "class_2", "class_3"]  # of made-up data; those of real data are their folders
NUM_FRAMES = 16
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
FILTERS = [16, 32, 64]
DROPOUT = 0.3
MOMENTUM = 0.9
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 8
EPOCHS = 30
LEARNING_RATE = 0.02
SEED = 42

MODES = {1: "L", 3: "RGB"}
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    EPOCHS = min(EPOCHS, 8)
    BATCH_SIZE = min(BATCH_SIZE, 8)
    NUM_FRAMES = min(NUM_FRAMES, 8)
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 24)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 24)


# %% Data: files
def synthetic_folder(count=120):
    """Clips of a bright bar that moves: the class is its speed."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up clips, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    for number in range(count):
        label = number % len(CLASS_NAMES)
        clip = rng.integers(0, 90, size=(NUM_FRAMES, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
        start = rng.integers(IMAGE_HEIGHT)
        for step, frame in enumerate(clip):
            rows = (start + 2 * label * step + np.arange(3)) % IMAGE_HEIGHT
            frame[rows] += 150
        os.makedirs(os.path.join(root, CLASS_NAMES[label]), exist_ok=True)
        np.save(os.path.join(root, CLASS_NAMES[label], f"{number}.npy"), clip)
    return root


def frames_of(path):
    """All frames of a clip, as Pillow images."""
    if os.path.isdir(path):
        return [Image.open(file) for file in sorted(glob.glob(os.path.join(glob.escape(path), "*.*")))]
    if path.lower().endswith(".npy"):
        return [Image.fromarray(frame.squeeze()) for frame in np.load(path)]
    return [frame.copy() for frame in ImageSequence.Iterator(Image.open(path))]


def read_clip(path):
    """NUM_FRAMES frames at equal distances: (CHANNELS, NUM_FRAMES, IMAGE_HEIGHT, IMAGE_WIDTH), values from 0 to 1."""
    frames = frames_of(path)
    if not frames:
        raise SystemExit(f"{path} holds no frames; take it out of the folder")
    chosen = np.linspace(0, len(frames) - 1, NUM_FRAMES).round().astype(int)
    sized = [frames[place].convert(MODES[CHANNELS]).resize((IMAGE_WIDTH, IMAGE_HEIGHT)) for place in chosen]
    pixels = np.stack(sized).reshape(NUM_FRAMES, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)
    return torch.from_numpy(pixels).permute(3, 0, 1, 2).float() / 255.0


def is_clip(path):
    """Whether a path is a folder of frames, a GIF or an array."""
    return os.path.isdir(path) or path.lower().endswith((".npy", ".gif"))


root = synthetic_folder() if SYNTHETIC else DATA_DIR
clips = [path for path in sorted(glob.glob(os.path.join(glob.escape(root), "*", "*"))) if is_clip(path)]
if not clips:
    raise SystemExit(f"{DATA_DIR}: no folders, .gif or .npy files in class folders; cut videos into frames first")
class_names, labels = np.unique([os.path.basename(os.path.dirname(path)) for path in clips], return_inverse=True)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds clips of one class, {class_names[0]}; at least two are needed")
print(f"{len(clips)} clips of {NUM_CLASSES} classes: {', '.join(class_names[:20])}")


# %% Preprocessing
class Clips(Dataset):
    """Clips that are read when they are asked for, with class numbers."""

    def __init__(self, paths, labels):
        self.paths = paths
        self.labels = labels

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return read_clip(self.paths[index]), self.labels[index]


train_clips, test_clips, y_train, y_test = train_test_split(clips, labels, test_size=TEST_SPLIT, random_state=SEED)
train_clips, val_clips, y_train, y_val = train_test_split(
    train_clips, y_train, test_size=VALIDATION_SPLIT, random_state=SEED
)
train_loader = DataLoader(Clips(train_clips, y_train), batch_size=BATCH_SIZE, shuffle=True)


# %% Model
class VideoCNN(nn.Module):
    """Blocks of convolutions over time and space; the first one halves the space alone, the others time as well."""

    def __init__(self):
        super().__init__()
        layers, channels, pool = [], CHANNELS, (1, 2, 2)
        for filters in FILTERS:
            layers.append(nn.Conv3d(channels, filters, 3, padding=1, bias=False))
            layers.append(nn.BatchNorm3d(filters))
            layers.append(nn.ReLU())
            layers.append(nn.MaxPool3d(pool, ceil_mode=True))
            channels, pool = filters, 2
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool3d(1)
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(channels, NUM_CLASSES)

    def forward(self, clips):
        return self.output(self.dropout(self.pool(self.features(clips)).flatten(1)))


model = VideoCNN().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM, nesterov=True)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)


# %% Train
def train_epoch():
    """One pass over the training clips; the mean loss of its batches."""
    model.train()
    losses = []
    for batch, truth in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(batch.to(DEVICE)), truth.to(DEVICE))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    scheduler.step()
    return np.mean(losses)


@torch.no_grad()
def predict(paths):
    """The class number of each clip."""
    model.eval()
    return np.array([model(read_clip(path)[None].to(DEVICE)).argmax().item() for path in paths])


def evaluate(paths, truth):
    """The share of clips whose class is told."""
    return accuracy_score(truth, predict(paths))


history = {"loss": [], "val_accuracy": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_accuracy"].append(evaluate(val_clips, y_val))
    if history["val_accuracy"][-1] >= max(history["val_accuracy"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation accuracy {history['val_accuracy'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
predicted = predict(test_clips)
print(classification_report(class_names[y_test], class_names[predicted], zero_division=0))
always = np.full_like(y_test, np.bincount(y_train).argmax())
print(
    f"held-out accuracy: {accuracy_score(y_test, predicted):.4f} "
    f"(baseline, always the most frequent class: {accuracy_score(y_test, always):.4f})"
)
pd.DataFrame({"clip": test_clips, "class": class_names[predicted]}).to_csv("predictions.csv", index=False)

# %% Show
figure, axes = plt.subplots(2, 6, figsize=(11, 4))
for row, path, label in zip(axes, test_clips, predicted, strict=False):
    clip = read_clip(path)
    for axis, step in zip(row, np.linspace(0, NUM_FRAMES - 1, 6).astype(int), strict=True):
        axis.imshow(clip[:, step].permute(1, 2, 0).squeeze(), cmap="gray")
        axis.axis("off")
    row[0].set_title(class_names[label], loc="left")
plt.savefig("clips.png")
plt.show()
