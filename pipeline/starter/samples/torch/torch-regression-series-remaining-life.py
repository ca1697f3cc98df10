# %% [markdown]
# # Remaining useful life from the recordings of sensors
# Units run until they fail; a table has a row for each unit and cycle. A recurrent network looks at a unit's last
# cycles and tells how many are left. Units, not rows, are divided into training and test.

# %% Imports
import os

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # units that still run
READ_OPTIONS = {}  # how the files are written, where that is not plain CSV
ID_COLUMN = "unit"
TIME_COLUMN = "cycle"
TARGET = "remaining"  # where the table has no such column, it is counted back from each unit's last cycle
SERIES_COLUMNS = []  # the sensors; "[]" takes all other columns of numbers
SEQUENCE_LENGTH = 30  # cycles that are looked at
LONGEST_LIFE = 125  # a unit with more cycles left is as good as new: more cannot be seen in its sensors
GRU_UNITS = 64
NUM_LAYERS = 2
HIDDEN_UNITS = [32]
DROPOUT = 0.2
VALIDATION_SPLIT = 0.2
TEST_SPLIT = 0.2
BATCH_SIZE = 64
EPOCHS = 40
LEARNING_RATE = 0.002
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full counts are for real data
    EPOCHS = min(EPOCHS, 6)
    BATCH_SIZE = min(BATCH_SIZE, 32)


# %% Data: files
def synthetic_table(units=25):
    """Units whose wear grows ever faster until they fail, as noisy sensors see it."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {units} made-up units, not your data.")
    rng = np.random.default_rng(SEED)
    names = SERIES_COLUMNS or ["sensor_1", "sensor_2", "sensor_3"]
    weights = rng.normal(size=len(names))
    parts = []
    for unit in range(1, units + 1):
        life = int(rng.integers(80, 150))
        wear = np.exp(np.linspace(-5, 0, life))
        sensors = wear[:, None] * weights + 0.05 * rng.normal(size=(life, len(names)))
        part = pd.DataFrame(sensors, columns=names)
        parts.append(part.assign(**{ID_COLUMN: unit, TIME_COLUMN: np.arange(1, life + 1)}))
    return pd.concat(parts, ignore_index=True)


def read_table(name):
    """A table of cycles, in the order of units and cycles."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    for column in (ID_COLUMN, TIME_COLUMN):
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(map(str, table.columns[:20]))}")
    return table.sort_values([ID_COLUMN, TIME_COLUMN]).reset_index(drop=True)


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
if TARGET not in table:
    last = table.groupby(ID_COLUMN)[TIME_COLUMN].transform("max")
    table[TARGET] = last - table[TIME_COLUMN]
table[TARGET] = table[TARGET].clip(upper=LONGEST_LIFE)
if not SERIES_COLUMNS:
    others = table.drop(columns=[ID_COLUMN, TIME_COLUMN, TARGET]).select_dtypes("number")
    SERIES_COLUMNS = [name for name in others if others[name].nunique() > 1]  # a sensor that never moves says nothing
NUM_FEATURES = len(SERIES_COLUMNS)
units = table[ID_COLUMN].unique()
if NUM_FEATURES == 0 or len(units) < 5:
    raise SystemExit(f"{len(units)} units with {NUM_FEATURES} sensors; five units and one sensor are needed at least")
print(f"{len(units)} units, {len(table)} cycles, {NUM_FEATURES} sensors")

# %% Preprocessing
train_units, test_units = train_test_split(units, test_size=TEST_SPLIT, random_state=SEED)
train_units, val_units = train_test_split(train_units, test_size=VALIDATION_SPLIT, random_state=SEED)
scaler = MinMaxScaler().fit(table.loc[table[ID_COLUMN].isin(train_units), SERIES_COLUMNS].fillna(0))


class Windows(Dataset):
    """The last SEQUENCE_LENGTH cycles before each cycle of the units, and the life that is left as a share."""

    def __init__(self, table):
        self.windows = []
        self.targets = []
        for _, unit in table.groupby(ID_COLUMN, sort=False):
            sensors = scaler.transform(unit[SERIES_COLUMNS].fillna(0)).astype("float32")
            # Young units: the first cycle is repeated before the beginning.
            padded = np.concatenate([np.repeat(sensors[:1], SEQUENCE_LENGTH - 1, axis=0), sensors])
            for end in range(len(unit)):
                self.windows.append(padded[end : end + SEQUENCE_LENGTH])
            self.targets += (unit[TARGET] / LONGEST_LIFE).tolist()

    def __len__(self):
        return len(self.windows)

    def __getitem__(self, index):
        return torch.from_numpy(self.windows[index]), torch.tensor(self.targets[index], dtype=torch.float32)


def rows_of(chosen):
    """The cycles of some units."""
    return table[table[ID_COLUMN].isin(chosen)]


train_loader = DataLoader(Windows(rows_of(train_units)), batch_size=BATCH_SIZE, shuffle=True)


# %% Model
class LifeGRU(nn.Module):
    """Recurrent layers over the cycles, hidden layers, and one number that is never negative."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(NUM_FEATURES, GRU_UNITS, num_layers=NUM_LAYERS, batch_first=True)
        layers = []
        width = GRU_UNITS
        for units in HIDDEN_UNITS:
            layers += [nn.Dropout(DROPOUT), nn.Linear(width, units), nn.ReLU()]
            width = units
        self.head = nn.Sequential(*layers, nn.Linear(width, 1), nn.Softplus())

    def forward(self, windows):
        states, _ = self.gru(windows)
        return self.head(states[:, -1]).squeeze(1)


model = LifeGRU().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training windows; the mean loss of its batches."""
    model.train()
    losses = []
    for windows, targets in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(windows.to(DEVICE)), targets.to(DEVICE))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(table):
    """The cycles that are left at each row of a table, rows in the order of units and cycles."""
    model.eval()
    loader = DataLoader(Windows(table), batch_size=512)
    return torch.cat([model(windows.to(DEVICE)).cpu() for windows, _ in loader]).numpy() * LONGEST_LIFE


def evaluate(chosen):
    """The root of the mean squared error, in cycles, over all cycles of some units."""
    rows = rows_of(chosen)
    return mean_squared_error(rows[TARGET], predict(rows)) ** 0.5


history = {"loss": [], "val_rmse": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_rmse"].append(evaluate(val_units))
    if history["val_rmse"][-1] <= min(history["val_rmse"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation RMSE {history['val_rmse'][-1]:.2f} cycles")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
joblib.dump((scaler, SERIES_COLUMNS), "preprocessing.joblib")

# %% Evaluate
held_out = rows_of(test_units)
always = np.full(len(held_out), rows_of(train_units)[TARGET].mean())
print(
    f"held-out root mean squared error in cycles: {evaluate(test_units):.4f} "
    f"(baseline, always the mean: {mean_squared_error(held_out[TARGET], always) ** 0.5:.4f})"
)
if UNLABELLED_FILE and not SYNTHETIC:
    running = read_table(UNLABELLED_FILE).assign(**{TARGET: 0})
    running[TARGET] = predict(running).round(1)
    # What counts for a unit that runs is its last cycle.
    running.groupby(ID_COLUMN).tail(1)[[ID_COLUMN, TIME_COLUMN, TARGET]].to_csv("predictions.csv", index=False)

# %% Show
figure, axes = plt.subplots(1, 3, figsize=(12, 3.5))
for axis, unit in zip(axes, test_units, strict=False):
    rows = rows_of([unit])
    axis.plot(rows[TIME_COLUMN], rows[TARGET], label="true")
    axis.plot(rows[TIME_COLUMN], predict(rows), label="predicted")
    axis.set(title=f"{ID_COLUMN} {unit}", xlabel=TIME_COLUMN, ylabel="cycles left")
    axis.legend()
plt.tight_layout()
plt.savefig("remaining.png")
plt.show()
