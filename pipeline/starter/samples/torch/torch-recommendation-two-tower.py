# %% [markdown]
# # Recommendations by two towers
# One network gives each user a vector, another each item; a user likes the items whose vectors point where theirs
# does. It learns from what users took alone: in each batch the items of the others stand for what a user did not take.

# %% Imports
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
TRAIN_FILE = "interactions.csv"  # a row for each time that a user took an item
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
USER_COLUMN = "user"
ITEM_COLUMN = "item"
TIME_COLUMN = ""  # each user's last item is kept for the test: by this column, or by the order of the file
EMBEDDING_DIM = 32
HIDDEN_UNITS = [64]
TEMPERATURE = 0.1
NUM_RECOMMENDED = 10
WEIGHT_DECAY = 0.0001
BATCH_SIZE = 256
EPOCHS = 20
LEARNING_RATE = 0.003
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full counts are for real data
    EPOCHS = min(EPOCHS, 12)
    BATCH_SIZE = min(BATCH_SIZE, 64)


# %% Data: files
def synthetic_table(users=150, items=120):
    """Each user takes items of one of six groups for the most part."""
    rng = np.random.default_rng(SEED)
    rows = []
    for user in range(users):
        group = user % 6
        own = np.arange(items)[np.arange(items) % 6 == group]
        taken = np.concatenate([rng.choice(own, size=12, replace=False), rng.choice(items, size=3, replace=False)])
        rows += [(f"u{user}", f"i{item}") for item in dict.fromkeys(rng.permutation(taken).tolist())]
    print(f"NO FOLDER {DATA_DIR!r}: these are {len(rows)} made-up interactions, not your data.")
    table = pd.DataFrame(rows, columns=[USER_COLUMN, ITEM_COLUMN])
    return table.assign(**{TIME_COLUMN: np.arange(len(table))}) if TIME_COLUMN else table


def read_table():
    """The table of interactions."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    return pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)


table = synthetic_table() if SYNTHETIC else read_table()
for column in [USER_COLUMN, ITEM_COLUMN, *([TIME_COLUMN] if TIME_COLUMN else [])]:
    if column not in table:
        raise SystemExit(f"{TRAIN_FILE} has no column {column!r}; it has {', '.join(map(str, table.columns[:20]))}")
if TIME_COLUMN:
    table = table.sort_values(TIME_COLUMN, kind="stable")
table = table.dropna(subset=[USER_COLUMN, ITEM_COLUMN]).drop_duplicates([USER_COLUMN, ITEM_COLUMN])
table = table.reset_index(drop=True)
table["user_number"], users = pd.factorize(table[USER_COLUMN])
table["item_number"], items = pd.factorize(table[ITEM_COLUMN])
NUM_USERS, NUM_ITEMS = len(users), len(items)
if NUM_ITEMS <= NUM_RECOMMENDED:
    raise SystemExit(f"{NUM_ITEMS} items are too few to recommend {NUM_RECOMMENDED} of them")
print(f"{len(table)} interactions of {NUM_USERS} users with {NUM_ITEMS} items")

# %% Preprocessing
# Of each user with three items or more the last is kept for the test and the one before it for validation.
from_end = table.groupby("user_number").cumcount(ascending=False)
enough = table.groupby("user_number")["item_number"].transform("size") >= 3
test, val = table[enough & (from_end == 0)], table[enough & (from_end == 1)]
train = table.drop(index=test.index.union(val.index))
pairs = torch.tensor(train[["user_number", "item_number"]].to_numpy())
train_loader = DataLoader(TensorDataset(pairs), batch_size=BATCH_SIZE, shuffle=True)
taken = torch.zeros(NUM_USERS, NUM_ITEMS, dtype=torch.bool)
taken[pairs[:, 0], pairs[:, 1]] = True
popularity = torch.tensor(np.bincount(train["item_number"], minlength=NUM_ITEMS) + 1.0)
popularity = (popularity / popularity.sum()).float()


# %% Model
def build_tower(count):
    """A table of vectors, hidden layers and a vector of EMBEDDING_DIM numbers for each user or item."""
    layers = [nn.Embedding(count, EMBEDDING_DIM)]
    width = EMBEDDING_DIM
    for units in HIDDEN_UNITS:
        layers += [nn.Linear(width, units), nn.ReLU()]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, EMBEDDING_DIM))


class TwoTowers(nn.Module):
    """The angle between a user's and an item's vector is how well they fit."""

    def __init__(self):
        super().__init__()
        self.users = build_tower(NUM_USERS)
        self.items = build_tower(NUM_ITEMS)

    def forward(self, user_numbers, item_numbers):
        """How well each user fits each item: (users, items)."""
        users = nn.functional.normalize(self.users(user_numbers), dim=1)
        items = nn.functional.normalize(self.items(item_numbers), dim=1)
        return users @ items.T / TEMPERATURE


model = TwoTowers().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)


# %% Train
def train_epoch():
    """One pass over the interactions; the mean loss of its batches."""
    model.train()
    losses = []
    for (batch,) in train_loader:
        user_numbers, item_numbers = batch.T.to(DEVICE)
        fit = model(user_numbers, item_numbers)
        # Popular items are often in a batch, and would be taught as not taken too often: that is made up for.
        fit = fit - popularity.to(DEVICE)[item_numbers].log()
        same = item_numbers.unsqueeze(0) == item_numbers.unsqueeze(1)
        itself = torch.eye(len(batch), dtype=torch.bool, device=DEVICE)
        fit = fit.masked_fill(same & ~itself, float("-inf"))  # the same item once more is no other item
        loss = criterion(fit, torch.arange(len(batch), device=DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(user_numbers):
    """How well each item fits each user, those that the user has taken last: (users, NUM_ITEMS)."""
    model.eval()
    user_numbers = torch.as_tensor(user_numbers)
    fit = model(user_numbers.to(DEVICE), torch.arange(NUM_ITEMS, device=DEVICE)).cpu()
    return fit.masked_fill(taken[user_numbers], float("-inf"))


def evaluate(rows, fit):
    """How often the item that a user took next is among the NUM_RECOMMENDED best."""
    best = fit.topk(NUM_RECOMMENDED, dim=1).indices
    wanted = torch.tensor(rows["item_number"].to_numpy()).unsqueeze(1)
    return (best == wanted).any(dim=1).float().mean().item()


history = {"loss": [], "val_hit_rate": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_hit_rate"].append(evaluate(val, predict(val["user_number"].to_numpy())))
    if history["val_hit_rate"][-1] >= max(history["val_hit_rate"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, hit rate {history['val_hit_rate'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
test_users = test["user_number"].to_numpy()
popular = popularity.expand(len(test), -1).masked_fill(taken[test_users], float("-inf"))
print(
    f"held-out hit rate at {NUM_RECOMMENDED}: {evaluate(test, predict(test_users)):.4f} "
    f"(baseline, the most popular items for everyone: {evaluate(test, popular):.4f})"
)
best = predict(np.arange(NUM_USERS)).topk(NUM_RECOMMENDED, dim=1)
recommended = pd.DataFrame(
    {
        USER_COLUMN: np.repeat(np.asarray(users), NUM_RECOMMENDED),
        ITEM_COLUMN: np.asarray(items)[best.indices.flatten().numpy()],
        "fit": best.values.flatten().numpy(),
    }
)
recommended[np.isfinite(recommended["fit"])].to_csv("predictions.csv", index=False)
print(f"predictions.csv: {NUM_RECOMMENDED} new items for each of {NUM_USERS} users")

# %% Show
print(recommended.head(NUM_RECOMMENDED).to_string(index=False))
plt.plot(history["val_hit_rate"], marker="o")
plt.xlabel("epoch")
plt.ylabel(f"validation hit rate at {NUM_RECOMMENDED}")
plt.savefig("training.png")
plt.show()
