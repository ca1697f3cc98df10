# %% [markdown]
# # A forecast with its uncertainty by a temporal convolutional network
# Causal convolutions with growing gaps look far back at little cost. For each step to come the network gives several
# quantiles: a middle value and the bounds that the truth is to lie between.

# %% Imports
import glob
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "series.csv"
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TARGET = "value"
TIME_COLUMN = "time"
SERIES_COLUMNS = []  # further series that the network sees the past of
SEQUENCE_LENGTH = 48
HORIZON = 12
QUANTILES = [0.1, 0.5, 0.9]
FILTERS = [32, 32, 32, 32]  # a block each, the gap doubling from block to block
KERNEL_SIZE = 3
DROPOUT = 0.1
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.002
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 32)


# %% Data: files
def synthetic_table():
    """Two cycles on top of each other, with noise that is wide at the crests and narrow in the valleys."""
    rows = max(800, 8 * (SEQUENCE_LENGTH + HORIZON))
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up steps, not your data.")
    rng = np.random.default_rng(SEED)
    steps = np.arange(rows)
    cycle = np.sin(2 * np.pi * steps / 24) + 0.5 * np.sin(2 * np.pi * steps / 8)
    names = [TARGET, *SERIES_COLUMNS]
    values = {name: 20 + 4 * cycle + (0.2 + 0.6 * (cycle > 0.5)) * rng.normal(size=rows) for name in names}
    return pd.DataFrame({"step": steps, **values})


def read_table():
    """The tables that fit TRAIN_FILE, one after the other, in the order of TIME_COLUMN where there is one."""
    paths = sorted(glob.glob(os.path.join(DATA_DIR, TRAIN_FILE)))
    if not paths:
        raise SystemExit(f"{os.path.join(DATA_DIR, TRAIN_FILE)}: no such file; set DATA_DIR and TRAIN_FILE")
    table = pd.concat([pd.read_csv(path, **READ_OPTIONS) for path in paths])
    if TIME_COLUMN in table:
        try:
            table = table.sort_values(TIME_COLUMN, key=pd.to_datetime)
        except (ValueError, TypeError):
            print(f"column {TIME_COLUMN!r} holds no times; the order of the file is kept")
    return table


table = synthetic_table() if SYNTHETIC else read_table()
absent = [name for name in [TARGET, *SERIES_COLUMNS] if name not in table]
if absent:
    raise SystemExit(f"{TRAIN_FILE} has no column {absent[0]!r}; it has {', '.join(map(str, table.columns[:20]))}")
numbers = table[[TARGET, *SERIES_COLUMNS]].apply(pd.to_numeric, errors="coerce")
series = numbers.interpolate(limit_direction="both").to_numpy("float32")
NUM_FEATURES = series.shape[1]
val_start = int(len(series) * (1 - TEST_SPLIT - VALIDATION_SPLIT))
test_start = int(len(series) * (1 - TEST_SPLIT))
if val_start < SEQUENCE_LENGTH + HORIZON or len(series) - test_start < HORIZON or np.isnan(series).any():
    raise SystemExit(f"{len(series)} steps, or a column without numbers: too little to forecast {HORIZON} steps")
print(f"{len(series)} steps of {NUM_FEATURES} series")

# %% Preprocessing
# The scale is that of the steps before the validation part; windows never reach over a border into their future.
center = series[:val_start].mean(axis=0)
spread = series[:val_start].std(axis=0) + 1e-6
scaled = torch.from_numpy((series - center) / spread)


def windows(start, end):
    """Pasts (windows, NUM_FEATURES, SEQUENCE_LENGTH) and futures (windows, HORIZON) that lie in [start, end)."""
    steps = range(max(start, SEQUENCE_LENGTH), end - HORIZON + 1)
    pasts = torch.stack([scaled[step - SEQUENCE_LENGTH : step].T for step in steps])
    futures = torch.stack([scaled[step : step + HORIZON, 0] for step in steps])
    return TensorDataset(pasts, futures)


train_loader = DataLoader(windows(0, val_start), batch_size=BATCH_SIZE, shuffle=True)
val_loader = DataLoader(windows(val_start, test_start), batch_size=256)
test_loader = DataLoader(windows(test_start, len(series)), batch_size=256)


# %% Model
class CausalBlock(nn.Module):
    """Two convolutions that look back only, and a way around them."""

    def __init__(self, channels, filters, dilation):
        super().__init__()
        self.gap = nn.ConstantPad1d(((KERNEL_SIZE - 1) * dilation, 0), 0.0)  # zeros before the first step
        self.conv1 = nn.Conv1d(channels, filters, KERNEL_SIZE, dilation=dilation)
        self.conv2 = nn.Conv1d(filters, filters, KERNEL_SIZE, dilation=dilation)
        self.dropout = nn.Dropout(DROPOUT)
        self.around = nn.Conv1d(channels, filters, 1)

    def forward(self, x):
        y = self.dropout(torch.relu(self.conv1(self.gap(x))))
        y = self.dropout(torch.relu(self.conv2(self.gap(y))))
        return torch.relu(y + self.around(x))


class TCN(nn.Module):
    """Causal blocks, and from the last step an output for each quantile of each step to come."""

    def __init__(self):
        super().__init__()
        blocks = []
        channels = NUM_FEATURES
        dilation = 1
        for filters in FILTERS:
            blocks.append(CausalBlock(channels, filters, dilation))
            channels = filters
            dilation *= 2
        self.blocks = nn.Sequential(*blocks)
        self.output = nn.Linear(channels, HORIZON * len(QUANTILES))

    def forward(self, pasts):
        last = self.blocks(pasts)[:, :, -1]
        return self.output(last).view(-1, HORIZON, len(QUANTILES))


model = TCN().to(DEVICE)
print(f"{sum(p.numel() for p in model.parameters()):,} weights; the last step sees", end=" ")
print(f"{1 + 2 * (KERNEL_SIZE - 1) * (2 ** len(FILTERS) - 1)} steps back")

# %% Loss and optimizer
levels = torch.tensor(QUANTILES, device=DEVICE)
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)


def quantile_loss(outputs, futures):
    """The pinball loss: a miss from below counts `level`, one from above `1 - level`, so that the balance is found
    where that share of the values lies below."""
    misses = futures.unsqueeze(-1) - outputs
    return torch.maximum(levels * misses, (levels - 1) * misses).mean()


# %% Train
def train_epoch():
    """One pass over the training windows; the mean loss of its batches."""
    model.train()
    losses = []
    for pasts, futures in train_loader:
        loss = quantile_loss(model(pasts.to(DEVICE)), futures.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    scheduler.step()
    return np.mean(losses)


@torch.no_grad()
def predict(pasts):
    """Quantiles of the next HORIZON values, sorted, in the target's own units: (windows, HORIZON, quantiles)."""
    model.eval()
    outputs = model(pasts.to(DEVICE)).cpu().sort(dim=-1).values
    return outputs.numpy() * spread[0] + center[0]


def pinball(quantiles, truth):
    """The mean pinball loss in the target's own units."""
    misses = truth[..., None] - quantiles
    return np.maximum(QUANTILES * misses, (np.array(QUANTILES) - 1) * misses).mean()


def evaluate(loader):
    """Predicted quantiles and true values of a part."""
    quantiles = np.concatenate([predict(pasts) for pasts, _ in loader])
    return quantiles, np.concatenate([futures.numpy() for _, futures in loader]) * spread[0] + center[0]


history = {"loss": [], "val_loss": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_loss"].append(pinball(*evaluate(val_loader)))
    if history["val_loss"][-1] == min(history["val_loss"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation loss {history['val_loss'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
np.savez("scale.npz", center=center, spread=spread)

# %% Evaluate
quantiles, truth = evaluate(test_loader)
inside = ((truth >= quantiles[..., 0]) & (truth <= quantiles[..., -1])).mean()
print(f"{inside:.1%} of the held-out values lie between quantiles {QUANTILES[0]} and {QUANTILES[-1]}")
usual = np.broadcast_to(np.quantile(series[:val_start, 0], QUANTILES), quantiles.shape)
print(
    f"held-out quantile error: {pinball(quantiles, truth):.4f} "
    f"(baseline, the quantiles of the whole past: {pinball(usual, truth):.4f})"
)
future = predict(scaled[-SEQUENCE_LENGTH:].T[None])[0]
pd.DataFrame(future, columns=[f"{TARGET} {level}" for level in QUANTILES]).to_csv("predictions.csv", index_label="step")

# %% Show
steps = np.arange(HORIZON)
plt.figure(figsize=(8, 4))
plt.plot(np.arange(-len(series[-SEQUENCE_LENGTH:]), 0), series[-SEQUENCE_LENGTH:, 0], label="past")
plt.fill_between(steps, future[:, 0], future[:, -1], alpha=0.3, label=f"{QUANTILES[0]} to {QUANTILES[-1]}")
plt.plot(steps, future[:, len(QUANTILES) // 2], label="middle")
plt.ylabel(TARGET)
plt.legend()
plt.savefig("forecast.png")
plt.show()
