# %% [markdown]
# # A small network that learns from a large one
# Knowledge distillation: a teacher is trained first; the student then learns the classes and, with them, how sure the
# teacher is of each. Arrays of images come from an `.npz` file.

# %% Imports
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
ARRAYS_FILE = "images.npz"
IMAGE_ARRAY = "x"  # (images, height, width) or (images, height, width, channels)
LABEL_ARRAY = "y"
TEACHER_FILTERS = [64, 128]
FILTERS = [8, 16]  # of the student
TEMPERATURE = 4.0  # the higher, the more the teacher's second and third choices count
TEACHER_WEIGHT = 0.7  # against the true classes
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 64
EPOCHS = 20
LEARNING_RATE = 0.002
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full counts are for real data
    EPOCHS = min(EPOCHS, 8)
    BATCH_SIZE = min(BATCH_SIZE, 32)


# %% Data: files
def synthetic_folder(count=600, size=16):
    """Noise with a bright cross whose place says the class, of four."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    labels = rng.integers(4, size=count)
    images = rng.integers(0, 170, size=(count, size, size), dtype="uint8")
    for image, label in zip(images, labels, strict=True):
        row, column = 3 + 8 * (label // 2) + rng.integers(2), 3 + 8 * (label % 2) + rng.integers(2)
        image[row - 2 : row + 3, column] = 220
        image[row, column - 2 : column + 3] = 220
    root = tempfile.mkdtemp()
    np.savez(os.path.join(root, ARRAYS_FILE), **{IMAGE_ARRAY: images, LABEL_ARRAY: labels})
    return root


path = os.path.join(synthetic_folder() if SYNTHETIC else DATA_DIR, ARRAYS_FILE)
if not os.path.isfile(path):
    raise SystemExit(f"{path}: no such file; set DATA_DIR and ARRAYS_FILE to where your arrays lie")
with np.load(path) as arrays:
    for name in (IMAGE_ARRAY, LABEL_ARRAY):
        if name not in arrays:
            raise SystemExit(f"{ARRAYS_FILE} has no array {name!r}; it has {', '.join(arrays.files)}")
    images, truth = arrays[IMAGE_ARRAY], arrays[LABEL_ARRAY]
images = images[..., None] if images.ndim == 3 else images
class_names, labels = np.unique(truth, return_inverse=True)
labels = labels.reshape(-1)
NUM_CLASSES = len(class_names)
CHANNELS = images.shape[3]
print(f"{len(images)} images of {images.shape[1:]}, {NUM_CLASSES} classes")

# %% Preprocessing
x_train, x_test, y_train, y_test = train_test_split(images, labels, test_size=TEST_SPLIT, random_state=SEED)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=VALIDATION_SPLIT, random_state=SEED)
brightest = float(x_train.max())


def as_tensor(images):
    """Images with the channels first, values from 0 to 1."""
    return torch.from_numpy(images.astype("float32") / brightest).permute(0, 3, 1, 2)


train_set = TensorDataset(as_tensor(x_train), torch.from_numpy(y_train))
train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)


# %% Model
def build_model(filters_of_blocks):
    """A convolutional network: the teacher with many filters, the student with few."""
    layers = []
    channels = CHANNELS
    for filters in filters_of_blocks:
        layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU()]
        layers += [nn.MaxPool2d(2, ceil_mode=True)]
        channels = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(channels * 4, NUM_CLASSES))


def weights_of(model):
    """How many weights a network has."""
    return sum(weights.numel() for weights in model.parameters())


teacher, student = build_model(TEACHER_FILTERS).to(DEVICE), build_model(FILTERS).to(DEVICE)
print(f"teacher: {weights_of(teacher):,} weights, student: {weights_of(student):,}")

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()


def teacher_loss(scores, labels, images):
    """The classes alone."""
    return criterion(scores, labels)


def student_loss(scores, labels, images):
    """The classes, and the teacher's probabilities at TEMPERATURE."""
    with torch.no_grad():
        soft = (teacher(images) / TEMPERATURE).softmax(dim=1)
    mine = (scores / TEMPERATURE).log_softmax(dim=1)
    # The square of the temperature makes up for the smaller slopes that it brings (Hinton et al., 2015).
    distilled = nn.functional.kl_div(mine, soft, reduction="batchmean") * TEMPERATURE**2
    return TEACHER_WEIGHT * distilled + (1 - TEACHER_WEIGHT) * criterion(scores, labels)


# %% Train
def train_epoch(model, optimizer, loss_function):
    """One pass over the training images; the mean loss of its batches."""
    model.train()
    losses = []
    for x, y in train_loader:
        x, y = x.to(DEVICE), y.to(DEVICE)
        loss = loss_function(model(x), y, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(model, images):
    """The class number of each image of an array."""
    model.eval()
    return torch.cat([model(x.to(DEVICE)).argmax(dim=1).cpu() for x in as_tensor(images).split(256)]).numpy()


def evaluate(model, images, labels):
    """The share of images whose class is told."""
    return (predict(model, images) == labels).mean()


history = {}
for name, model, loss_function in (("teacher", teacher, teacher_loss), ("student", student, student_loss)):
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    history[name] = []
    for epoch in range(EPOCHS):
        loss = train_epoch(model, optimizer, loss_function)
        history[name].append(evaluate(model, x_val, y_val))
        print(f"{name}, epoch {epoch + 1}: loss {loss:.4f}, validation accuracy {history[name][-1]:.4f}")
    teacher.eval()  # from here on it only judges
torch.save(student.state_dict(), "model.pt")
torch.save(teacher.state_dict(), "teacher.pt")

# %% Evaluate
print(f"teacher, held-out accuracy: {evaluate(teacher, x_test, y_test):.4f}")
most_frequent = np.bincount(y_train).argmax()
print(
    f"held-out accuracy of the student: {evaluate(student, x_test, y_test):.4f} "
    f"(baseline, always the most frequent class: {(y_test == most_frequent).mean():.4f})"
)
np.savetxt("predictions.csv", class_names[predict(student, x_test)], fmt="%s", header="class", comments="")

# %% Show
for name, values in history.items():
    plt.plot(range(1, EPOCHS + 1), values, marker="o", label=name)
plt.xlabel("epoch")
plt.ylabel("validation accuracy")
plt.legend()
plt.savefig("training.png")
plt.show()
