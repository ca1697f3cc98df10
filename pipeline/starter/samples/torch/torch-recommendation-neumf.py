# %% [markdown]
# # Ratings by matrix factorisation and a network
# Each user and each item has two vectors: the products of one pair and a network over the other pair together give
# the rating (neural matrix factorisation). Items that a user has not rated are ranked by it.

# %% Imports
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "ratings.csv"
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
USER_COLUMN = "user"
ITEM_COLUMN = "item"
TARGET = "rating"
EMBEDDING_DIM = 32
HIDDEN_UNITS = [64, 32]
DROPOUT = 0.2
WEIGHT_DECAY = 0.0001
NUM_RECOMMENDED = 10
VALIDATION_SPLIT = 0.1
TEST_SPLIT = 0.2
BATCH_SIZE = 256
EPOCHS = 20
LEARNING_RATE = 0.003
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 15)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 128)


# %% Data: files
def synthetic_table(users=80, items=60, rows=2500):
    """Ratings from 1 to 5 by how well three tastes of a user fit three traits of an item."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up ratings, not your data.")
    rng = np.random.default_rng(SEED)
    tastes, traits = rng.normal(size=(users, 3)), rng.normal(size=(items, 3))
    popular = rng.normal(size=items)
    pairs = rng.choice(users * items, size=rows, replace=False)
    user, item = pairs // items, pairs % items
    fit = (tastes[user] * traits[item]).sum(axis=1) * 0.6 + popular[item] + 0.2 * rng.normal(size=rows)
    ratings = (3 + fit).round().clip(1, 5)
    return pd.DataFrame({USER_COLUMN: user + 1, ITEM_COLUMN: item + 100, TARGET: ratings})


def read_table():
    """The table of ratings, a row each."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your ratings lie")
    return pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)


ratings = synthetic_table() if SYNTHETIC else read_table()
for column in (USER_COLUMN, ITEM_COLUMN, TARGET):
    if column not in ratings:
        raise SystemExit(f"{TRAIN_FILE} has no column {column!r}; it has {', '.join(map(str, ratings.columns[:20]))}")
ratings[TARGET] = pd.to_numeric(ratings[TARGET], errors="coerce")
ratings = ratings.dropna(subset=[USER_COLUMN, ITEM_COLUMN, TARGET]).reset_index(drop=True)
users, items = sorted(ratings[USER_COLUMN].unique()), sorted(ratings[ITEM_COLUMN].unique())
NUM_USERS, NUM_ITEMS = len(users), len(items)
print(f"{len(ratings)} ratings of {NUM_ITEMS} items by {NUM_USERS} users")

# %% Preprocessing
train, test = train_test_split(ratings, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
mean, deviation = train[TARGET].mean(), train[TARGET].std() + 1e-6
lowest, highest = train[TARGET].min(), train[TARGET].max()
user_numbers = pd.Series(range(NUM_USERS), index=users)
item_numbers = pd.Series(range(NUM_ITEMS), index=items)


def make_loader(rows, shuffle=False):
    """Batches of user numbers, item numbers and ratings in standard units."""
    user = torch.tensor(user_numbers[rows[USER_COLUMN]].to_numpy())
    item = torch.tensor(item_numbers[rows[ITEM_COLUMN]].to_numpy())
    rating = torch.tensor((rows[TARGET].to_numpy() - mean) / deviation, dtype=torch.float32)
    return DataLoader(TensorDataset(user, item, rating), batch_size=BATCH_SIZE, shuffle=shuffle)


train_loader, val_loader, test_loader = make_loader(train, shuffle=True), make_loader(val), make_loader(test)


# %% Model
class NeuMF(nn.Module):
    """Matrix factorisation and a network side by side, joined by the output."""

    def __init__(self):
        super().__init__()
        self.user_factors = nn.Embedding(NUM_USERS, EMBEDDING_DIM)
        self.item_factors = nn.Embedding(NUM_ITEMS, EMBEDDING_DIM)
        self.user_features = nn.Embedding(NUM_USERS, EMBEDDING_DIM)
        self.item_features = nn.Embedding(NUM_ITEMS, EMBEDDING_DIM)
        layers = []
        width = 2 * EMBEDDING_DIM
        for units in HIDDEN_UNITS:
            layers += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(DROPOUT)]
            width = units
        self.network = nn.Sequential(*layers)
        self.output = nn.Linear(EMBEDDING_DIM + width, 1)
        for embedding in (self.user_factors, self.item_factors, self.user_features, self.item_features):
            nn.init.normal_(embedding.weight, std=0.1)

    def forward(self, user, item):
        products = self.user_factors(user) * self.item_factors(item)
        features = self.network(torch.cat([self.user_features(user), self.item_features(item)], dim=1))
        return self.output(torch.cat([products, features], dim=1)).squeeze(1)


model = NeuMF().to(DEVICE)
print(model)

# %% Loss and optimizer
loss_function = nn.MSELoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)


# %% Train
def train_epoch():
    """One pass over the training ratings; the mean loss."""
    model.train()
    total = 0.0
    for user, item, rating in train_loader:
        optimizer.zero_grad()
        loss = loss_function(model(user.to(DEVICE), item.to(DEVICE)), rating.to(DEVICE))
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rating)
    return total / len(train)


@torch.no_grad()
def predict(loader):
    """Ratings in their own units, none beyond what has been given."""
    model.eval()
    outputs = torch.cat([model(user.to(DEVICE), item.to(DEVICE)).cpu() for user, item, _ in loader]).numpy()
    return (mean + deviation * outputs).clip(lowest, highest)


def evaluate(loader, rows):
    """The mean absolute error of ratings."""
    return np.abs(predict(loader) - rows[TARGET].to_numpy()).mean()


history = {"loss": [], "val_error": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_error"].append(evaluate(val_loader, val))
    if history["val_error"][-1] == min(history["val_error"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation error {history['val_error'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
print(
    f"held-out mean absolute error: {evaluate(test_loader, test):.4f} "
    f"(baseline, always the mean rating: {(test[TARGET] - mean).abs().mean():.4f})"
)


def recommend(user):
    """The items that a user has not rated, those first that the model rates highest."""
    rated = set(ratings.loc[ratings[USER_COLUMN] == user, ITEM_COLUMN])
    new = pd.DataFrame({ITEM_COLUMN: [item for item in items if item not in rated]})
    new[USER_COLUMN] = user
    new[TARGET] = mean  # a place for the prediction
    if new.empty:
        return new
    new[TARGET] = predict(make_loader(new)).round(3)
    return new.nlargest(NUM_RECOMMENDED, TARGET)[[USER_COLUMN, ITEM_COLUMN, TARGET]]


best = pd.concat([recommend(user) for user in users[:100]])
best.to_csv("predictions.csv", index=False)
print(f"predictions.csv: the best {NUM_RECOMMENDED} new items for each of {min(100, NUM_USERS)} users")
print(best.head(NUM_RECOMMENDED).to_string(index=False))

# %% Show
plt.plot(history["val_error"], marker="o")
plt.xlabel("epoch")
plt.ylabel(f"validation error of {TARGET}")
plt.savefig("training.png")
plt.show()
