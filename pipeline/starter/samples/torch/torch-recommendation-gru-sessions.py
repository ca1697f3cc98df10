# %% [markdown]
# # The next item of a session by a recurrent network
# A GRU reads what was looked at in a session, item by item, and scores every item for what comes next (GRU4Rec). The
# last item of each held-out session is what has to be told.

# %% Imports
import json
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "events.csv"
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
USER_COLUMN = "session"  # rows with the same value here belong together
ITEM_COLUMN = "item"
TIME_COLUMN = "time"  # rows are put in its order; "" keeps the file's
SEQUENCE_LENGTH = 30  # longer sessions count with their last items
EMBEDDING_DIM = 64
GRU_UNITS = 100
NUM_LAYERS = 1
DROPOUT = 0.25
TOP_N = 20  # an answer is a hit where the item is among so many
MOST_ITEMS = 50_000  # rarer ones are left out
VALIDATION_SPLIT = 0.1
TEST_SPLIT = 0.2
BATCH_SIZE = 64
EPOCHS = 20
LEARNING_RATE = 0.003
PADDING = 0
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 12)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 32)
    TOP_N = min(TOP_N, 5)  # of sixty made-up items


# %% Data: files
def made_up_events(sessions=600, items=60):
    """Sessions that walk along a ring of items, one or two steps at a time, and sometimes leap."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {sessions} made-up sessions, not your data.")
    rng = np.random.default_rng(SEED)
    ring = rng.permutation(items)
    lines = []
    for session in range(sessions):
        place, step = rng.integers(items), rng.choice([1, 2, -1])
        for moment in range(rng.integers(4, 14)):
            lines.append({USER_COLUMN: session, ITEM_COLUMN: f"item {ring[place % items]}", TIME_COLUMN: moment})
            place += step if rng.random() < 0.9 else rng.integers(items)
    return pd.DataFrame(lines)


def read_events():
    """The events of TRAIN_FILE, those of a session in the order of time."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your events lie")
    events = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    absent = [name for name in (USER_COLUMN, ITEM_COLUMN, TIME_COLUMN) if name and name not in events]
    if absent:
        raise SystemExit(f"{TRAIN_FILE} has no column {absent[0]!r}; it has {', '.join(map(str, events.columns))}")
    return events


events = (made_up_events() if SYNTHETIC else read_events()).dropna(subset=[USER_COLUMN, ITEM_COLUMN])
if TIME_COLUMN:
    events = events.sort_values(TIME_COLUMN, kind="stable")
popular = events[ITEM_COLUMN].astype(str).value_counts().index[:MOST_ITEMS]
items = ["", *popular]  # the number 0 fills up short sessions
item_numbers = {name: number for number, name in enumerate(items)}
NUM_ITEMS = len(items)

# %% Preprocessing
sessions = []
for _, names in events.groupby(USER_COLUMN, sort=False)[ITEM_COLUMN]:
    numbers = [item_numbers[name] for name in names.astype(str) if name in item_numbers]
    if len(numbers) > 1:
        sessions.append(torch.tensor(numbers[-SEQUENCE_LENGTH - 1 :]))
if len(sessions) < 10:
    raise SystemExit(f"{TRAIN_FILE} has {len(sessions)} sessions of two items or more: too few; check USER_COLUMN")
# Sessions that began last are the test, as tomorrow's are in use.
val_at = int(len(sessions) * (1 - TEST_SPLIT - VALIDATION_SPLIT))
test_at = int(len(sessions) * (1 - TEST_SPLIT))
train, val, test = sessions[:val_at], sessions[val_at:test_at], sessions[test_at:]
print(f"{len(sessions)} sessions, {NUM_ITEMS - 1} items")


def shifted(batch):
    """Sessions as rows of equal length, and the same one item later: what follows each item."""
    rows = pad_sequence(batch, batch_first=True, padding_value=PADDING)
    return rows[:, :-1], rows[:, 1:]


train_loader = DataLoader(train, batch_size=BATCH_SIZE, shuffle=True, collate_fn=shifted)


# %% Model
class SessionGRU(nn.Module):
    """A vector for each item, a GRU over the session, and a score for each item after every step."""

    def __init__(self):
        super().__init__()
        self.items = nn.Embedding(NUM_ITEMS, EMBEDDING_DIM, padding_idx=PADDING)
        self.gru = nn.GRU(EMBEDDING_DIM, GRU_UNITS, num_layers=NUM_LAYERS, batch_first=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(GRU_UNITS, NUM_ITEMS)

    def forward(self, rows):
        steps, _ = self.gru(self.dropout(self.items(rows)))
        return self.output(self.dropout(steps))


model = SessionGRU().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss(ignore_index=PADDING)
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training sessions; the mean loss."""
    model.train()
    losses = []
    for rows, following in train_loader:
        scores = model(rows.to(DEVICE))
        loss = criterion(scores.flatten(0, 1), following.to(DEVICE).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(sessions):
    """The numbers of the TOP_N items that most likely follow each session, the best first."""
    model.eval()
    best = []
    for session in sessions:
        scores = model(session[None].to(DEVICE))[0, -1].cpu()
        scores[PADDING] = -torch.inf
        best.append(scores.topk(min(TOP_N, NUM_ITEMS - 1)).indices)
    return torch.stack(best).numpy()


def ranks_of(recommended, sessions):
    """At which place, from 1, the last item of each session was recommended; infinity where it was not."""
    truth = np.array([session[-1].item() for session in sessions])
    hits = recommended == truth[:, None]
    return np.where(hits.any(axis=1), hits.argmax(axis=1) + 1.0, np.inf)


def evaluate(sessions):
    """Recall among TOP_N, and the mean reciprocal rank."""
    ranks = ranks_of(predict([session[:-1] for session in sessions]), sessions)
    return float(np.isfinite(ranks).mean()), float((1 / ranks).mean())


history = {"loss": [], "val_recall": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_recall"].append(evaluate(val)[0])
    if history["val_recall"][-1] >= max(history["val_recall"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation recall {history['val_recall'][-1]:.3f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
with open("items.json", "w", encoding="utf-8") as stream:
    json.dump(items, stream)

# %% Evaluate
recall_at_k, mrr = evaluate(test)
always = np.tile(np.arange(1, min(TOP_N, NUM_ITEMS - 1) + 1), (len(test), 1))  # items are numbered by frequency
baseline = np.isfinite(ranks_of(always, test)).mean()
print(f"held-out mean reciprocal rank at {TOP_N}: {mrr:.4f}")
print(f"held-out recall at {TOP_N}: {recall_at_k:.4f} (baseline, the most frequent items: {baseline:.4f})")

names = np.array(items, dtype=object)
table = pd.DataFrame(names[predict(test)], columns=[f"next {rank}" for rank in range(1, always.shape[1] + 1)])
table.insert(0, "last item", [items[session[-1]] for session in test])
table.to_csv("predictions.csv", index=False)
print(table.iloc[:5, :6].to_string(index=False))

# %% Show
plt.plot(history["val_recall"], marker="o")
plt.xlabel("epoch")
plt.ylabel(f"validation recall at {TOP_N}")
plt.savefig("training.png")
plt.show()
