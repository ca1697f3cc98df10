# %% [markdown]
# # Anomalies in a series by an LSTM autoencoder
# An LSTM reads a window and keeps a few numbers of it, a second one writes the window again from them. It learns from
# normal windows alone; what it writes badly is unlike all that it has seen.

# %% Imports
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import average_precision_score, precision_recall_fscore_support
from torch import nn
from torch.utils.data import DataLoader

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "series.csv"  # a row for each moment, in order
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TIME_COLUMN = ""  # "" where the rows lie in order
NUMBER_COLUMNS = []  # the series to watch; where none is named, all other columns of numbers
TARGET = "anomaly"  # where there is such a column: 1 for unusual moments, which only the test needs
NUM_FEATURES = 2  # series of made-up data; those of real data are counted
SEQUENCE_LENGTH = 24  # steps of a window
LSTM_UNITS = 32
LATENT_DIM = 8
QUANTILE = 0.99  # the share of normal windows that are not to be flagged
TRAIN_SHARE = 0.6  # the first part of the series, taken for normal
VALIDATION_SPLIT = 0.2  # of that part, at its end
BATCH_SIZE = 32
EPOCHS = 50
LEARNING_RATE = 0.002
PATIENCE = 6
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full count is for real data
    EPOCHS = min(EPOCHS, 12)
    LEARNING_RATE = max(LEARNING_RATE, 0.005)


# %% Data: files
def made_up_series():
    """Waves that come again every 24 steps; later on some stretches jump about within the same range."""
    steps = max(1200, 14 * SEQUENCE_LENGTH)
    print(f"NO FOLDER {DATA_DIR!r}: these are {steps} made-up steps, not your data.")
    rng = np.random.default_rng(SEED)
    odd = np.zeros(steps, dtype=int)
    for start in np.linspace(0.7 * steps, steps - SEQUENCE_LENGTH - 1, 4).astype(int):
        odd[start : start + max(10, SEQUENCE_LENGTH // 2)] = 1
    frame = pd.DataFrame(index=range(steps))
    for number, name in enumerate(NUMBER_COLUMNS or [f"series_{count + 1}" for count in range(NUM_FEATURES)]):
        regular = np.sin(2 * np.pi * (np.arange(steps) + 3 * number) / 24)
        frame[name] = np.where(odd, rng.uniform(-1, 1, steps), regular) + 0.1 * rng.normal(size=steps)
    frame[TARGET] = odd
    return frame


def read_series():
    """The rows of TRAIN_FILE in the order of time."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your series lies")
    frame = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    if TIME_COLUMN and TIME_COLUMN not in frame:
        raise SystemExit(f"{TRAIN_FILE} has no column {TIME_COLUMN!r}; it has {', '.join(map(str, frame.columns))}")
    return frame.sort_values(TIME_COLUMN, ignore_index=True) if TIME_COLUMN else frame


frame = made_up_series() if SYNTHETIC else read_series()
watched = NUMBER_COLUMNS or [name for name in frame.select_dtypes("number") if name not in (TARGET, TIME_COLUMN)]
absent = [name for name in watched if name not in frame]
if absent or not watched:
    raise SystemExit(
        f"{TRAIN_FILE} lacks {absent or 'columns of numbers'}; it has {', '.join(map(str, frame.columns))}"
    )
values = torch.tensor(frame[watched].interpolate(limit_direction="both").fillna(0).to_numpy("float32"))
NUM_FEATURES = values.shape[1]
is_odd = torch.zeros(len(values), dtype=torch.bool)
if TARGET in frame:
    is_odd = torch.tensor(pd.to_numeric(frame[TARGET], errors="coerce").fillna(0).to_numpy() > 0)

# %% Preprocessing
test_from = int(TRAIN_SHARE * len(values))
val_from = int((1 - VALIDATION_SPLIT) * test_from)
if min(val_from, test_from - val_from, len(values) - test_from) <= SEQUENCE_LENGTH:
    raise SystemExit(f"{len(values)} steps are too few for windows of {SEQUENCE_LENGTH}; lower SEQUENCE_LENGTH")
mean, std = values[:val_from].mean(dim=0), values[:val_from].std(dim=0) + 1e-6
scaled = (values - mean) / std


def windows(start, end):
    """All windows of a part, (windows, SEQUENCE_LENGTH, NUM_FEATURES), and whether a known anomaly lies in each."""
    cut = scaled[start:end].unfold(0, SEQUENCE_LENGTH, 1).transpose(1, 2).contiguous()
    return cut, is_odd[start:end].unfold(0, SEQUENCE_LENGTH, 1).any(dim=1)


(x_train, train_odd), (x_val, val_odd) = windows(0, val_from), windows(val_from, test_from)
x_train, x_val = x_train[~train_odd], x_val[~val_odd]
x_test, test_odd = windows(test_from, len(values))
if not len(x_train) or not len(x_val):
    raise SystemExit(f"no window of {SEQUENCE_LENGTH} steps is without an anomaly in the first {TRAIN_SHARE:.0%}")
train_loader = DataLoader(x_train, batch_size=BATCH_SIZE, shuffle=True)
print(f"{len(x_train)} normal windows of {NUM_FEATURES} series, {int(test_odd.sum())} odd ones in the test")


# %% Model
class LSTMAutoencoder(nn.Module):
    """An LSTM encoder down to LATENT_DIM numbers, and an LSTM decoder that is given them at every step."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.LSTM(NUM_FEATURES, LSTM_UNITS, batch_first=True)
        self.bottleneck = nn.Linear(LSTM_UNITS, LATENT_DIM)
        self.decoder = nn.LSTM(LATENT_DIM, LSTM_UNITS, batch_first=True)
        self.output = nn.Linear(LSTM_UNITS, NUM_FEATURES)

    def forward(self, x):
        _, (last, _) = self.encoder(x)
        code = torch.tanh(self.bottleneck(last[-1]))
        restored, _ = self.decoder(code[:, None].expand(-1, x.shape[1], -1))
        return self.output(restored)


model = LSTMAutoencoder().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.L1Loss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the normal windows; the mean loss of its batches."""
    model.train()
    losses = []
    for batch in train_loader:
        batch = batch.to(DEVICE)
        loss = criterion(model(batch), batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # recurrent networks are prone to sudden large steps
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(x):
    """How badly each window is restored: its mean absolute difference."""
    model.eval()
    return torch.cat([(model(part.to(DEVICE)).cpu() - part).abs().mean(dim=(1, 2)) for part in x.split(256)]).numpy()


history = {"loss": [], "val_loss": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_loss"].append(float(predict(x_val).mean()))
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation loss {history['val_loss'][-1]:.4f}")
    best = int(np.argmin(history["val_loss"]))
    if best == epoch:
        torch.save(model.state_dict(), "model.pt")
    if epoch - best >= PATIENCE:
        break  # no better for PATIENCE epochs
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
# The threshold comes from normal windows that the model has not learned from.
threshold = float(np.quantile(predict(x_val), QUANTILE))
np.savez("scaling.npz", mean=mean, std=std, threshold=threshold)
errors = predict(x_test)
flagged = errors > threshold
print(f"threshold {threshold:.4f}: {flagged.sum()} of {len(flagged)} windows flagged")
if test_odd.any():
    scores = precision_recall_fscore_support(test_odd, flagged, average="binary", zero_division=0)
    print("precision {:.4f}, recall {:.4f}, F1 {:.4f}".format(*scores))
    distance = x_test.abs().mean(dim=(1, 2)).numpy()
    print(
        f"held-out average precision: {average_precision_score(test_odd, errors):.4f} "
        f"(baseline, the distance from the mean: {average_precision_score(test_odd, distance):.4f})"
    )
found = pd.DataFrame({"first row": np.arange(len(errors)) + test_from, "error": errors, "flagged": flagged})
found.to_csv("predictions.csv", index=False)

# %% Show
figure, axes = plt.subplots(2, 1, figsize=(11, 5), sharex=True)
axes[0].plot(np.arange(test_from, len(values)), values[test_from:])
axes[0].set_ylabel("value")
axes[1].plot(found["first row"], found["error"], label="reconstruction error")
axes[1].axhline(threshold, color="black", linewidth=1, label="threshold")
axes[1].set_xlabel("step")
axes[1].legend()
plt.savefig("anomalies.png")
plt.show()
