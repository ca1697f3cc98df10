# %% [markdown]
# # A number from categories and numbers, with a vector for each category
# Columns with many categories would become many columns of zeros and ones. Here each category has a small vector that
# is learned along with the rest, and what is alike comes to lie close together.

# %% Imports
import os

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows without the target that predictions are wanted for
READ_OPTIONS = {}  # how the files are written, where that is not plain CSV
TARGET = "target"
NUMBER_COLUMNS = []  # where no column is named, they are found by their kind
CATEGORY_COLUMNS = []
UNUSED_COLUMNS = []
EMBEDDING_DIM = 8  # at most; a column of few categories gets less
HIDDEN_UNITS = [100, 50]
DROPOUT = 0.1
WEIGHT_DECAY = 0.01
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 64
EPOCHS = 40
LEARNING_RATE = 0.005
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full counts are for real data
    EPOCHS = min(EPOCHS, 20)
    BATCH_SIZE = min(BATCH_SIZE, 64)


# %% Data: files
def synthetic_table(rows=1500):
    """Each category has a level of its own, which raises the target; a number does the rest."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(SEED)
    table = pd.DataFrame()
    target = 100 + 3 * rng.normal(size=rows)
    for name in CATEGORY_COLUMNS or ["category_1", "category_2"]:
        levels = 10 * rng.normal(size=30)
        drawn = rng.integers(30, size=rows)
        table[name] = [f"{name} {number}" for number in drawn]
        target = target + levels[drawn]
    for name in NUMBER_COLUMNS or ["number_1", "number_2"]:
        table[name] = rng.normal(size=rows)
        target = target + 5 * table[name]
    return table.assign(**{TARGET: target})


def read_table(name):
    """A CSV, Parquet or Excel file of DATA_DIR."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    return pd.read_excel(path, **READ_OPTIONS) if path.endswith(".xlsx") else pd.read_csv(path, **READ_OPTIONS)


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
if TARGET not in table:
    raise SystemExit(f"{TRAIN_FILE} has no column {TARGET!r}; it has {', '.join(map(str, table.columns[:20]))}")
table[TARGET] = pd.to_numeric(table[TARGET], errors="coerce")
table = table.dropna(subset=[TARGET]).reset_index(drop=True)
if not NUMBER_COLUMNS and not CATEGORY_COLUMNS:
    inputs = table.drop(columns=[TARGET, *UNUSED_COLUMNS], errors="ignore")
    NUMBER_COLUMNS = inputs.select_dtypes("number").columns.tolist()
    others = [name for name in inputs if name not in NUMBER_COLUMNS]
    CATEGORY_COLUMNS = [name for name in others if inputs[name].nunique() < 0.5 * len(table)]
print(f"{len(table)} rows; numbers: {NUMBER_COLUMNS}, categories: {CATEGORY_COLUMNS}")

# %% Preprocessing
train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)

# Categories, means and deviations are those of the training rows; 0 is a category that they lack.
categories = {name: sorted(train[name].dropna().astype(str).unique()) for name in CATEGORY_COLUMNS}
means, deviations = train[NUMBER_COLUMNS].mean(), train[NUMBER_COLUMNS].std().replace(0, 1).fillna(1)
center, spread = train[TARGET].mean(), train[TARGET].std()


def encode(rows):
    """Category numbers (rows, columns of categories) and scaled numbers (rows, columns of numbers)."""
    for name in [*CATEGORY_COLUMNS, *NUMBER_COLUMNS]:
        if name not in rows:
            raise SystemExit(f"there is no column {name!r}; the table has {', '.join(map(str, rows.columns[:20]))}")
    codes = np.zeros((len(rows), len(CATEGORY_COLUMNS)), dtype="int64")
    for place, name in enumerate(CATEGORY_COLUMNS):
        codes[:, place] = pd.Categorical(rows[name].astype(str), categories=categories[name]).codes + 1
    numbers = rows[NUMBER_COLUMNS].apply(pd.to_numeric, errors="coerce")
    scaled = ((numbers - means) / deviations).fillna(0).to_numpy("float32")
    return torch.from_numpy(codes), torch.from_numpy(scaled)


def make_loader(rows, shuffle=False):
    """Batches of categories, numbers and targets in standard units."""
    targets = torch.tensor(((rows[TARGET] - center) / spread).to_numpy("float32"))
    return DataLoader(TensorDataset(*encode(rows), targets), batch_size=BATCH_SIZE, shuffle=shuffle)


train_loader, val_loader = make_loader(train, shuffle=True), make_loader(val)


# %% Model
class EmbeddingMLP(nn.Module):
    """A table of vectors for each column of categories; vectors and numbers side by side go through hidden layers."""

    def __init__(self):
        super().__init__()
        self.embeddings = nn.ModuleList()
        width = len(NUMBER_COLUMNS)
        for name in CATEGORY_COLUMNS:
            size = min(EMBEDDING_DIM, (len(categories[name]) + 1) // 2)
            self.embeddings.append(nn.Embedding(len(categories[name]) + 1, size))
            width += size
        layers = []
        for units in HIDDEN_UNITS:
            layers += [nn.Linear(width, units), nn.SiLU(), nn.Dropout(DROPOUT)]
            width = units
        self.hidden = nn.Sequential(*layers)
        self.output = nn.Linear(width, 1)

    def forward(self, codes, numbers):
        vectors = [embedding(codes[:, place]) for place, embedding in enumerate(self.embeddings)]
        return self.output(self.hidden(torch.cat([*vectors, numbers], dim=1))).squeeze(1)


model = EmbeddingMLP().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.HuberLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=EPOCHS * len(train_loader))


# %% Train
def train_epoch():
    """One pass over the training rows; the mean loss of its batches."""
    model.train()
    losses = []
    for codes, numbers, targets in train_loader:
        loss = criterion(model(codes.to(DEVICE), numbers.to(DEVICE)), targets.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(rows):
    """The target of each row, in its own units."""
    model.eval()
    codes, numbers = encode(rows)
    return model(codes.to(DEVICE), numbers.to(DEVICE)).cpu().numpy() * spread + center


def evaluate(rows):
    """The root of the mean squared error."""
    return mean_squared_error(rows[TARGET], predict(rows)) ** 0.5


history = {"loss": [], "val_rmse": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_rmse"].append(evaluate(val))
    if history["val_rmse"][-1] <= min(history["val_rmse"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation RMSE {history['val_rmse'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
joblib.dump((categories, means, deviations, center, spread), "preprocessing.joblib")

# %% Evaluate
print(f"R2 {r2_score(test[TARGET], predict(test)):.4f}")
constant = mean_squared_error(test[TARGET], np.full(len(test), center)) ** 0.5
print(
    f"held-out root mean squared error of {TARGET}: {evaluate(test):.4f} "
    f"(baseline, always the mean of the training rows: {constant:.4f})"
)
if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    new.assign(**{TARGET: predict(new)}).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
residuals = test[TARGET] - predict(test)
left.hist(residuals, bins=30)
left.set(xlabel="true minus predicted", ylabel="rows")
if CATEGORY_COLUMNS:
    name = CATEGORY_COLUMNS[0]
    vectors = model.embeddings[0].weight.detach().cpu()[1:]
    usual = train.groupby(train[name].astype(str))[TARGET].mean().reindex(categories[name])
    right.scatter(vectors[:, 0], vectors[:, -1], c=usual)
    right.set_title(f"vectors of {name}, coloured by the mean of {TARGET}", fontsize=9)
plt.tight_layout()
plt.savefig("residuals.png")
plt.show()
