"""A small PyTorch project in the form of the samples (docs/starter.md); learns two kinds of stripes in seconds."""

SCRIPT = '''\
# %% [markdown]
# Stripes, "größer" than noise

# %% Imports
import matplotlib.pyplot as plt
import torch
from sklearn.metrics import accuracy_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
NUM_CLASSES = 2
DROPOUT = 0.3
BATCH_SIZE = 8
EPOCHS = 3
LEARNING_RATE = 0.01
SEED = 42
torch.manual_seed(SEED)

images = torch.rand(48, 1, 8, 8)
labels = torch.arange(48) % NUM_CLASSES
images[labels == 1, :, ::2] += 1.0

# %% Preprocessing
train_loader = DataLoader(TensorDataset(images[:32], labels[:32]), batch_size=BATCH_SIZE, shuffle=True)
val_loader = DataLoader(TensorDataset(images[32:], labels[32:]), batch_size=BATCH_SIZE)


# %% Model
class SmallCNN(nn.Module):
    """One convolution, the average, and an output for each class."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(8, NUM_CLASSES)

    def forward(self, x):
        return self.output(self.dropout(self.features(x)))


model = SmallCNN().to(DEVICE)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch(loader):
    """One pass over the training images; the mean loss."""
    model.train()
    total = 0.0
    for x, y in loader:
        x, y = x.to(DEVICE), y.to(DEVICE)
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def evaluate(loader):
    """The mean loss of what is held out."""
    model.eval()
    return sum(criterion(model(x.to(DEVICE)), y.to(DEVICE)).item() for x, y in loader) / len(loader)


history = {"train_loss": [], "val_loss": []}
for epoch in range(EPOCHS):
    history["train_loss"].append(train_epoch(train_loader))
    history["val_loss"].append(evaluate(val_loader))
    print(f"epoch {epoch + 1}: {history['val_loss'][-1]:.4f}")

# %% Evaluate
with torch.no_grad():
    predicted = model.eval()(images[32:].to(DEVICE)).argmax(dim=1).cpu()
print(f"held-out accuracy: {accuracy_score(labels[32:], predicted):.4f}")

# %% Show
plt.imshow(images[0, 0])
plt.savefig("image.png")
'''
