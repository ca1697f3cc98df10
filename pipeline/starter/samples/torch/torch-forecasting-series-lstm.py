# %% [markdown]
# # The next steps of a series by an LSTM
# An LSTM looks back at a window of one or several series and gives the next steps of the target all at once. The series
# is divided by time before windows are cut, and changes from the window's last value are learned, so that a trend does
# no harm.

# %% Imports
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import mean_absolute_error
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "series.csv"
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TARGET = "value"
TIME_COLUMN = "time"  # rows are put in its order; "" keeps the file's
SERIES_COLUMNS = []  # further series that the network sees the past of
SEQUENCE_LENGTH = 24
HORIZON = 6
LSTM_UNITS = 64
NUM_LAYERS = 1
DROPOUT = 0.1
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.15
PATIENCE = 8  # epochs without a gain after which training ends
BATCH_SIZE = 32
EPOCHS = 50
LEARNING_RATE = 0.003
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 32)


# %% Data: files
def synthetic_table():
    """Waves with noise on a slow trend, one for each series."""
    rows = max(600, 8 * (SEQUENCE_LENGTH + HORIZON))
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up steps, not your data.")
    rng = np.random.default_rng(SEED)
    steps = np.arange(rows)
    table = pd.DataFrame({TIME_COLUMN or "time": pd.date_range("2024-01-01", periods=rows, freq="h")})
    for number, name in enumerate([TARGET, *SERIES_COLUMNS]):
        table[name] = 10 + 0.005 * steps + 3 * np.sin(2 * np.pi * steps / (12 + number)) + 0.3 * rng.normal(size=rows)
    return table


def read_table():
    """The table of the series, in the order of time."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    if TIME_COLUMN in table:
        times = table[TIME_COLUMN]
        times = times if pd.api.types.is_numeric_dtype(times) else pd.to_datetime(times, errors="coerce")
        if times.notna().all():  # where one is no date, the order of the file stands
            table = table.iloc[np.argsort(times.to_numpy(), kind="stable")]
    return table


table = synthetic_table() if SYNTHETIC else read_table()
columns = [TARGET, *SERIES_COLUMNS]
for name in columns:
    if name not in table:
        raise SystemExit(f"{TRAIN_FILE} has no column {name!r}; it has {', '.join(map(str, table.columns[:20]))}")
# Gaps are filled in with the last value before them.
series = table[columns].apply(pd.to_numeric, errors="coerce").ffill().bfill().to_numpy("float32")
NUM_FEATURES = series.shape[1]
test_start = int(len(series) * (1 - TEST_SPLIT))
val_start = int(test_start - len(series) * VALIDATION_SPLIT)
if np.isnan(series).any() or min(val_start - SEQUENCE_LENGTH, len(series) - test_start) < HORIZON + 1:
    raise SystemExit(f"{len(series)} steps, or a column without numbers: too little for windows of {SEQUENCE_LENGTH}")
print(f"{len(series)} steps of {', '.join(columns)}")

# %% Preprocessing
# How much a series moves within a window, measured before the validation part begins.
starts = range(0, val_start - SEQUENCE_LENGTH)
moves = np.stack([series[start : start + SEQUENCE_LENGTH] - series[start + SEQUENCE_LENGTH - 1] for start in starts])
scale = moves.std(axis=(0, 1)) + 1e-6


class Windows(Dataset):
    """Windows whose future lies between two steps: their past, and the next HORIZON steps of the target, both as scaled
    changes from the window's last values."""

    def __init__(self, first, end):
        self.steps = range(max(first, SEQUENCE_LENGTH), end - HORIZON + 1)

    def __len__(self):
        return len(self.steps)

    def __getitem__(self, index):
        step = self.steps[index]
        last = series[step - 1]
        past = (series[step - SEQUENCE_LENGTH : step] - last) / scale
        future = (series[step : step + HORIZON, 0] - last[0]) / scale[0]
        return torch.from_numpy(past), torch.from_numpy(future)


train_set, val_set = Windows(0, val_start), Windows(val_start, test_start)
test_set = Windows(test_start, len(series))
train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)
val_loader = DataLoader(val_set, batch_size=BATCH_SIZE)
test_loader = DataLoader(test_set, batch_size=BATCH_SIZE)


# %% Model
class LSTMForecaster(nn.Module):
    """The LSTM's state after the last step, and an output for each step of the future."""

    def __init__(self):
        super().__init__()
        between = DROPOUT if NUM_LAYERS > 1 else 0.0  # dropout between layers needs more than one
        self.lstm = nn.LSTM(NUM_FEATURES, LSTM_UNITS, num_layers=NUM_LAYERS, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(LSTM_UNITS, HORIZON)

    def forward(self, windows):
        states, _ = self.lstm(windows)
        return self.output(self.dropout(states[:, -1]))


model = LSTMForecaster().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch(loader):
    """One pass over the training windows; the mean loss of its batches."""
    model.train()
    losses = []
    for past, future in loader:
        optimizer.zero_grad()
        loss = criterion(model(past.to(DEVICE)), future.to(DEVICE))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def evaluate(loader):
    """Changes that the model expects and those that came: (windows, HORIZON) each, in the target's own units."""
    model.eval()
    predicted = torch.cat([model(past.to(DEVICE)).cpu() for past, _ in loader])
    truth = torch.cat([future for _, future in loader])
    return predicted.numpy() * scale[0], truth.numpy() * scale[0]


history = {"loss": [], "val_error": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch(train_loader))
    predicted, truth = evaluate(val_loader)
    history["val_error"].append(np.abs(predicted - truth).mean())
    best = int(np.argmin(history["val_error"]))
    if best == epoch:
        torch.save(model.state_dict(), "model.pt")
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation error {history['val_error'][-1]:.4f}")
    if epoch - best >= PATIENCE:
        print(f"no gain for {PATIENCE} epochs")
        break
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
np.savez("scale.npz", scale=scale)

# %% Evaluate
last = series[[step - 1 for step in test_set.steps], :1]
test_predictions, test_values = (last + changes for changes in evaluate(test_loader))
print("error by step ahead:", np.abs(test_predictions - test_values).mean(axis=0).round(3))
print(
    f"held-out mean absolute error: {mean_absolute_error(test_values, test_predictions):.4f} "
    f"(baseline, the last value goes on: {np.abs(test_values - last).mean():.4f})"
)


@torch.no_grad()
def predict(past):
    """The HORIZON values that follow a past of at least SEQUENCE_LENGTH steps: (steps, NUM_FEATURES)."""
    model.eval()
    window = torch.from_numpy((past[-SEQUENCE_LENGTH:] - past[-1]) / scale)
    return past[-1, 0] + model(window[None].to(DEVICE))[0].cpu().numpy() * scale[0]


future = pd.DataFrame({"step": range(1, HORIZON + 1), TARGET: predict(series)})
future.to_csv("predictions.csv", index=False)
print(f"predictions.csv: the {HORIZON} steps after the last row")

# %% Show
plt.figure(figsize=(9, 4))
plt.plot(test_values[:, -1], label="true")
plt.plot(test_predictions[:, -1], label=f"predicted {HORIZON} steps before")
plt.xlabel("step of the test part")
plt.ylabel(TARGET)
plt.legend()
plt.savefig("forecast.png")
plt.show()
