# %% [markdown]
# # Ratings by matrix factorisation with biases
# A rating is the mean of all, plus how generous the user is, plus how well liked the item is, plus the product of two
# short vectors: what the user likes and what the item offers.

# %% Imports
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "ratings.csv"
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
USER_COLUMN = "user"
ITEM_COLUMN = "item"
TARGET = "rating"
EMBEDDING_DIM = 16  # numbers in the vector of a user or an item
WEIGHT_DECAY = 0.0001
NUM_RECOMMENDED = 10
PATIENCE = 5
VALIDATION_SPLIT = 0.1
TEST_SPLIT = 0.2
BATCH_SIZE = 256
EPOCHS = 40
LEARNING_RATE = 0.01
SEED = 42

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 25)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 64)


# %% Data: files
def made_up_ratings(users=120, items=80, each=30):
    """Users who are generous or strict, items of all qualities, and two tastes."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {users * each} made-up ratings, not your data.")
    rng = np.random.default_rng(SEED)
    generous, quality = rng.normal(0, 0.5, users), rng.normal(0, 0.8, items)
    tastes, offers = rng.choice([-1, 1], size=(users, 2)), rng.choice([-1, 1], size=(items, 2))
    parts = []
    for user in range(users):
        rated = rng.choice(items, size=each, replace=False)
        value = 3 + generous[user] + quality[rated] + 0.5 * offers[rated] @ tastes[user] + rng.normal(0, 0.3, each)
        parts.append(pd.DataFrame({USER_COLUMN: f"u{user}", ITEM_COLUMN: rated, TARGET: value.round().clip(1, 5)}))
    return pd.concat(parts, ignore_index=True)


def load_ratings():
    """A row for each rating: user, item, how much."""
    if SYNTHETIC:
        return made_up_ratings()
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your ratings lie")
    rows = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    for name in (USER_COLUMN, ITEM_COLUMN, TARGET):
        if name not in rows:
            raise SystemExit(f"{TRAIN_FILE} has no column {name!r}; it has {', '.join(map(str, rows.columns[:20]))}")
    return rows[[USER_COLUMN, ITEM_COLUMN, TARGET]].dropna()


rows = load_ratings()
user_codes, users = pd.factorize(rows[USER_COLUMN])
item_codes, items = pd.factorize(rows[ITEM_COLUMN])
given = rows[TARGET].astype("float32").to_numpy()
NUM_USERS, NUM_ITEMS = len(users), len(items)
print(f"{len(rows)} ratings by {NUM_USERS} users of {NUM_ITEMS} items")

# %% Preprocessing
order = np.random.default_rng(SEED).permutation(len(rows))
test_count, val_count = int(TEST_SPLIT * len(rows)), int(VALIDATION_SPLIT * len(rows))
parts = {
    "test": order[:test_count],
    "val": order[test_count : test_count + val_count],
    "train": order[test_count + val_count :],
}
pairs = torch.from_numpy(np.stack([user_codes, item_codes], axis=1)).long().to(DEVICE)  # (ratings, 2)
ratings = torch.from_numpy(given).to(DEVICE)
mean_rating = float(given[parts["train"]].mean())
lowest, highest = float(given.min()), float(given.max())


# %% Model
class MatrixFactorization(nn.Module):
    """The mean, a bias of the user, a bias of the item, and the product of their vectors."""

    def __init__(self):
        super().__init__()
        self.user_vectors = nn.Embedding(NUM_USERS, EMBEDDING_DIM)
        self.item_vectors = nn.Embedding(NUM_ITEMS, EMBEDDING_DIM)
        self.user_biases = nn.Embedding(NUM_USERS, 1)
        self.item_biases = nn.Embedding(NUM_ITEMS, 1)
        for vectors in (self.user_vectors, self.item_vectors):
            nn.init.normal_(vectors.weight, std=0.05)
        for biases in (self.user_biases, self.item_biases):
            nn.init.zeros_(biases.weight)

    def forward(self, pairs):
        user, item = pairs[:, 0], pairs[:, 1]
        fit = (self.user_vectors(user) * self.item_vectors(item)).sum(dim=1)
        return mean_rating + self.user_biases(user)[:, 0] + self.item_biases(item)[:, 0] + fit


model = MatrixFactorization().to(DEVICE)

# %% Loss and optimizer
criterion = nn.MSELoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)


# %% Train
def train_epoch():
    """One pass over the training ratings in random order; the mean loss."""
    model.train()
    total = 0.0
    shuffled = np.random.default_rng(SEED + epoch).permutation(parts["train"])
    for start in range(0, len(shuffled), BATCH_SIZE):
        chosen = shuffled[start : start + BATCH_SIZE]
        optimizer.zero_grad()
        loss = criterion(model(pairs[chosen]), ratings[chosen])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(chosen)
    return total / len(shuffled)


@torch.no_grad()
def predict(pairs):
    """Ratings of pairs of user and item numbers (pairs, 2), none beyond what has been given."""
    model.eval()
    return model(pairs).clamp(lowest, highest)


def rmse(part):
    """The root mean squared error on a part of the ratings."""
    error = predict(pairs[parts[part]]) - ratings[parts[part]]
    return error.square().mean().sqrt().item()


history = {"loss": [], "val_rmse": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_rmse"].append(rmse("val"))
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation RMSE {history['val_rmse'][-1]:.4f}")
    if history["val_rmse"][-1] == min(history["val_rmse"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    elif min(history["val_rmse"]) not in history["val_rmse"][-PATIENCE:]:
        break
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
by_mean = (ratings[parts["test"]] - mean_rating).square().mean().sqrt().item()
print(f"held-out root mean squared error: {rmse('test'):.4f} (baseline, always the mean rating: {by_mean:.4f})")


def recommend(user, count=NUM_RECOMMENDED):
    """The items that a user has not rated, those first that the model rates highest."""
    number = users.get_loc(user)
    rated = set(item_codes[user_codes == number])
    new = [item for item in range(NUM_ITEMS) if item not in rated]
    scores = predict(torch.tensor([[number, item] for item in new], device=DEVICE).reshape(-1, 2)).cpu().numpy()
    best = np.argsort(-scores)[:count]
    return pd.DataFrame({USER_COLUMN: user, ITEM_COLUMN: items[np.array(new, dtype=int)[best]], TARGET: scores[best]})


recommended = pd.concat([recommend(user) for user in users[:50]])
recommended.to_csv("predictions.csv", index=False)
print(f"the best {NUM_RECOMMENDED} new items for {users[0]!r}:")
print(recommend(users[0]).to_string(index=False))

# %% Show
figure, axis = plt.subplots()
axis.plot(np.sqrt(history["loss"]), label="training")
axis.plot(history["val_rmse"], label="validation")
axis.set(xlabel="epoch", ylabel=f"RMSE of {TARGET}")
axis.legend()
figure.savefig("training.png")
plt.show()
