# %% [markdown]
# # Unusual windows of a signal by a 1-D convolutional autoencoder
# The network squeezes windows of normal operation into a few numbers and restores them. A window that it restores
# badly is unlike all that it has learned from.

# %% Imports
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from torch import nn

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "signals.csv"  # a row for each moment, in order
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TARGET = "anomaly"  # where there is such a column: 1 for unusual moments, which only the test needs
TIME_COLUMN = ""  # "" where the rows lie in order
NUMBER_COLUMNS = []  # the channels; where none is named, all other columns of numbers
SEQUENCE_LENGTH = 128  # rows of a window
STRIDE = 32  # rows from one window to the next
FILTERS = [16, 32]
KERNEL_SIZE = 7
LATENT_DIM = 16
QUANTILE = 0.99  # the share of normal windows that are not to be flagged
VALIDATION_SPLIT = 0.2
TEST_SPLIT = 0.3
BATCH_SIZE = 32
EPOCHS = 60
LEARNING_RATE = 0.001
SEED = 42

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 20)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)
    STRIDE = min(STRIDE, max(1, SEQUENCE_LENGTH // 4))


# %% Data: files
def made_up_signals():
    """A machine that turns steadily; towards the end one of its tones is higher now and then, and no louder."""
    rows = 260 * STRIDE + SEQUENCE_LENGTH
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up moments, not your data.")
    rng = np.random.default_rng(SEED)
    moments = np.arange(rows)
    anomaly = np.zeros(rows, dtype=int)
    table = pd.DataFrame()
    for number, name in enumerate(NUMBER_COLUMNS or ["channel_1", "channel_2", "channel_3"]):
        table[name] = np.sin(moments / 5 + number) + 0.5 * np.sin(moments / 2.3) + 0.1 * rng.normal(size=rows)
    for start in range(int(0.72 * rows), rows - SEQUENCE_LENGTH, 5 * SEQUENCE_LENGTH // 2):
        higher = moments[start : start + SEQUENCE_LENGTH]
        table.loc[higher] += (0.5 * np.sin(higher / 1.4) - 0.5 * np.sin(higher / 2.3))[:, None]
        anomaly[higher] = 1
    return table.assign(**{TARGET: anomaly})


def read_signals():
    """The rows of TRAIN_FILE in the order of time."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your signals lie")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    if TIME_COLUMN and TIME_COLUMN not in table:
        raise SystemExit(f"{TRAIN_FILE} has no column {TIME_COLUMN!r}; it has {', '.join(map(str, table.columns))}")
    return table.sort_values(TIME_COLUMN) if TIME_COLUMN else table


table = made_up_signals() if SYNTHETIC else read_signals()
channels = NUMBER_COLUMNS or table.select_dtypes("number").columns.drop([TARGET, TIME_COLUMN], errors="ignore").tolist()
absent = [name for name in channels if name not in table]
if absent or not channels:
    raise SystemExit(f"{TRAIN_FILE} has no column {(absent or ['of numbers'])[0]!r}; set NUMBER_COLUMNS")
NUM_FEATURES = len(channels)
signal = table[channels].interpolate(limit_direction="both").fillna(0).to_numpy("float32")
unusual = table[TARGET].fillna(0).to_numpy() > 0 if TARGET in table else np.zeros(len(table), dtype=bool)
starts = np.arange(0, len(signal) - SEQUENCE_LENGTH + 1, STRIDE)
if len(starts) < 10:
    raise SystemExit(f"{TRAIN_FILE} gives {len(starts)} windows of {SEQUENCE_LENGTH} rows: too few")

# %% Preprocessing
# The end of the recording is the test; of what comes before it, only normal windows are learned from.
labels = np.array([unusual[start : start + SEQUENCE_LENGTH].mean() > 0.25 for start in starts])
test_from = int((1 - TEST_SPLIT) * len(starts))
normal = np.flatnonzero(~labels[:test_from])
val_from = int((1 - VALIDATION_SPLIT) * len(normal))
learned = signal[: starts[normal[val_from - 1]] + SEQUENCE_LENGTH]
mean, spread = learned.mean(axis=0), learned.std(axis=0) + 1e-6


def windows_at(places):
    """Scaled windows, channels before steps: (windows, NUM_FEATURES, SEQUENCE_LENGTH)."""
    cut = np.stack([signal[place : place + SEQUENCE_LENGTH] for place in places])
    return torch.from_numpy(((cut - mean) / spread).transpose(0, 2, 1).copy())


x_train, x_val = windows_at(starts[normal[:val_from]]), windows_at(starts[normal[val_from:]])
x_test, y_test = windows_at(starts[test_from:]), labels[test_from:]
print(f"{len(x_train)} normal windows to learn from, {len(x_test)} for the test, {y_test.sum()} of them unusual")


# %% Model
class ConvAutoencoder(nn.Module):
    """Convolutions that halve the steps, a bottleneck of LATENT_DIM numbers, and the same way back."""

    def __init__(self):
        super().__init__()
        sizes = [NUM_FEATURES, *FILTERS]
        down, up = [], []
        for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True):
            down += [nn.Conv1d(inputs, outputs, KERNEL_SIZE, stride=2, padding=KERNEL_SIZE // 2), nn.ReLU()]
        for inputs, outputs in zip(sizes[:0:-1], [*FILTERS[-2::-1], FILTERS[0]], strict=True):
            up += [nn.Upsample(scale_factor=2), nn.Conv1d(inputs, outputs, KERNEL_SIZE, padding="same"), nn.ReLU()]
        self.steps = -(-SEQUENCE_LENGTH // 2 ** len(FILTERS))  # steps that are left, rounded up
        flat = FILTERS[-1] * self.steps
        self.encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(flat, LATENT_DIM))
        self.from_bottleneck = nn.Linear(LATENT_DIM, flat)
        self.decoder = nn.Sequential(*up, nn.Conv1d(FILTERS[0], NUM_FEATURES, KERNEL_SIZE, padding="same"))

    def forward(self, x):
        spread_out = torch.relu(self.from_bottleneck(self.encoder(x)))
        return self.decoder(spread_out.view(len(x), -1, self.steps))[..., :SEQUENCE_LENGTH]


model = ConvAutoencoder().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the normal windows in random order; the mean loss."""
    model.train()
    losses = []
    for batch in x_train[torch.randperm(len(x_train))].split(BATCH_SIZE):
        batch = batch.to(DEVICE)
        optimizer.zero_grad()
        loss = criterion(model(batch), batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(windows):
    """The reconstruction error of each window: the mean of its squared differences."""
    model.eval()
    errors = [(model(batch.to(DEVICE)).cpu() - batch).square().mean(dim=(1, 2)) for batch in windows.split(BATCH_SIZE)]
    return torch.cat(errors).numpy()


history = {"loss": [], "val_loss": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_loss"].append(float(predict(x_val).mean()))
    if history["val_loss"][-1] == min(history["val_loss"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation loss {history['val_loss'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
# The threshold comes from normal windows that the model has not learned from.
threshold = float(np.quantile(predict(x_val), QUANTILE))
np.savez("scaling.npz", mean=mean, spread=spread, threshold=threshold)
errors = predict(x_test)
flagged = errors > threshold
print(f"threshold {threshold:.4f}: {flagged.sum()} of {len(flagged)} windows flagged")
if 0 < y_test.sum() < len(y_test):
    print(f"{flagged[y_test].mean():.1%} of the unusual windows are found, {flagged[~y_test].mean():.1%} false alarms")
    by_size = x_test.square().mean(dim=(1, 2)).numpy()
    print(
        f"held-out area under the ROC curve: {roc_auc_score(y_test, errors):.4f} "
        f"(baseline, how far a window swings: {roc_auc_score(y_test, by_size):.4f})"
    )
first_rows = starts[test_from:]
pd.DataFrame({"first row": first_rows, "error": errors, "flagged": flagged}).to_csv("predictions.csv", index=False)

# %% Show
plt.figure(figsize=(10, 3))
plt.plot(first_rows, errors, label="reconstruction error")
plt.axhline(threshold, color="black", linewidth=1, label="threshold")
plt.xlabel("first row of the window")
plt.legend()
plt.savefig("errors.png")
plt.show()
