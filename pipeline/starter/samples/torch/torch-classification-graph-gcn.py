# %% [markdown]
# # Classes of a graph's nodes by a graph convolutional network
# Each node has features, edges join nodes, and some nodes have a class. A layer mixes each node's features with those
# of its neighbours; after two of them a node has heard of its neighbours' neighbours (Kipf and Welling).

# %% Imports
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from torch import nn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
NODES_FILE = "nodes.csv"
EDGES_FILE = "edges.csv"
ID_COLUMN = "id"
SOURCE_COLUMN = "source"  # the ids of the two nodes of an edge
DESTINATION_COLUMN = "target"
TARGET = "label"  # a column of the nodes; nodes without a class get one predicted
NUMBER_COLUMNS = []  # the nodes' features; "[]" takes all columns of numbers
HIDDEN_UNITS = [32]
DROPOUT = 0.5
WEIGHT_DECAY = 0.0005
VALIDATION_SPLIT = 0.2
TEST_SPLIT = 0.3
EPOCHS = 200
BATCH_SIZE = 1  # the whole graph at once
LEARNING_RATE = 0.01
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 80)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_folder(nodes=300, classes=3):
    """Groups of nodes with many edges inside and few between them; features that hardly tell the groups apart."""
    print(f"NO FOLDER {DATA_DIR!r}: this is a made-up graph of {nodes} nodes, not yours.")
    rng = np.random.default_rng(SEED)
    labels = rng.integers(classes, size=nodes)
    features = rng.normal(size=(nodes, 8)) + 0.6 * np.eye(8)[labels]
    table = pd.DataFrame(features, columns=NUMBER_COLUMNS or [f"feature_{number}" for number in range(8)])
    table.insert(0, ID_COLUMN, np.arange(nodes) + 1000)
    table[TARGET] = [f"class_{label + 1}" for label in labels]
    chance = np.where(labels[:, None] == labels, 0.04, 0.004)
    sources, destinations = np.nonzero(np.triu(rng.random((nodes, nodes)) < chance, 1))
    root = tempfile.mkdtemp()
    table.to_csv(os.path.join(root, NODES_FILE), index=False)
    edges = pd.DataFrame({SOURCE_COLUMN: sources + 1000, DESTINATION_COLUMN: destinations + 1000})
    edges.to_csv(os.path.join(root, EDGES_FILE), index=False)
    return root


def read_table(name, columns):
    """A CSV file of the data, with the columns that are needed."""
    path = os.path.join(root, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR, NODES_FILE and EDGES_FILE to where your graph lies")
    table = pd.read_csv(path)
    for column in columns:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(table.columns[:20])}")
    return table


root = synthetic_folder() if SYNTHETIC else DATA_DIR
nodes = read_table(NODES_FILE, [ID_COLUMN, TARGET, *NUMBER_COLUMNS]).drop_duplicates(ID_COLUMN)
edges = read_table(EDGES_FILE, [SOURCE_COLUMN, DESTINATION_COLUMN])
features = nodes[NUMBER_COLUMNS] if NUMBER_COLUMNS else nodes.drop(columns=[ID_COLUMN, TARGET]).select_dtypes("number")
features = features.fillna(0).to_numpy("float32")
NUM_NODES, NUM_FEATURES = features.shape
class_names = np.array(sorted(nodes[TARGET].dropna().astype(str).unique()))
NUM_CLASSES = len(class_names)
known = np.flatnonzero(nodes[TARGET].notna())
labels = np.zeros(NUM_NODES, dtype="int64")
labels[known] = np.searchsorted(class_names, nodes[TARGET].iloc[known].astype(str))
if NUM_CLASSES < 2 or NUM_FEATURES == 0:
    raise SystemExit(
        f"{NODES_FILE}: {NUM_CLASSES} classes and {NUM_FEATURES} features; two and one are needed at least"
    )
print(f"{NUM_NODES} nodes with {NUM_FEATURES} features, {len(edges)} edges, {NUM_CLASSES} classes")

# %% Preprocessing
train, test = train_test_split(known, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
features = (features - features[train].mean(axis=0)) / (features[train].std(axis=0) + 1e-6)

# Edges run both ways, and each node is its own neighbour. An edge weighs less the more neighbours its nodes have, so
# that nodes with many do not drown out the others: D^-1/2 (A + I) D^-1/2.
place = pd.Series(range(NUM_NODES), index=nodes[ID_COLUMN])
ends = edges[edges[SOURCE_COLUMN].isin(place.index) & edges[DESTINATION_COLUMN].isin(place.index)]
one, other = place[ends[SOURCE_COLUMN]].to_numpy(), place[ends[DESTINATION_COLUMN]].to_numpy()
itself = np.arange(NUM_NODES)
pairs = np.unique(np.stack([np.concatenate([one, other, itself]), np.concatenate([other, one, itself])]), axis=1)
neighbours = np.bincount(pairs[0], minlength=NUM_NODES)
weights = 1 / np.sqrt(neighbours[pairs[0]] * neighbours[pairs[1]])
adjacency = torch.sparse_coo_tensor(pairs, torch.tensor(weights, dtype=torch.float32), (NUM_NODES, NUM_NODES))
adjacency = adjacency.coalesce().to(DEVICE)
x, y = torch.tensor(features, device=DEVICE), torch.tensor(labels, device=DEVICE)


# %% Model
class GCN(nn.Module):
    """Linear layers, after each of which every node takes the weighted sum over its neighbours."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.ModuleList()
        width = NUM_FEATURES
        for units in HIDDEN_UNITS:
            self.hidden.append(nn.Linear(width, units))
            width = units
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(width, NUM_CLASSES)

    def forward(self, x, adjacency):
        for layer in self.hidden:
            x = self.dropout(torch.relu(torch.sparse.mm(adjacency, layer(x))))
        return torch.sparse.mm(adjacency, self.output(x))


model = GCN().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)


# %% Train
def train_epoch():
    """One step on the whole graph; only the training nodes' classes are looked at."""
    model.train()
    optimizer.zero_grad()
    loss = criterion(model(x, adjacency)[train], y[train])
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def predict():
    """The class number of each node."""
    model.eval()
    return model(x, adjacency).argmax(dim=1).cpu().numpy()


def evaluate(chosen):
    """The share of chosen nodes whose class is told."""
    return (predict()[chosen] == labels[chosen]).mean()


history = {"loss": [], "val_accuracy": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_accuracy"].append(evaluate(val))
    if history["val_accuracy"][-1] > max(history["val_accuracy"][:-1], default=-1):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    if epoch % 10 == 0:
        print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation {history['val_accuracy'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# %% Evaluate
most_frequent = np.bincount(labels[train]).argmax()
print(
    f"held-out accuracy: {evaluate(test):.4f} "
    f"(baseline, always the most frequent class: {(labels[test] == most_frequent).mean():.4f})"
)
predictions = nodes[[ID_COLUMN]].assign(**{TARGET: class_names[predict()]})
predictions.to_csv("predictions.csv", index=False)
print(f"predictions.csv: the class of each of {NUM_NODES} nodes")

# %% Show
with torch.no_grad():
    points = PCA(2).fit_transform(model(x, adjacency).cpu().numpy())
plt.figure(figsize=(6, 5))
for start, end in pairs.T[pairs[0] < pairs[1]][:500]:
    plt.plot(*points[[start, end]].T, color="lightgrey", linewidth=0.5, zorder=0)
plt.scatter(points[:, 0], points[:, 1], c=labels, s=12, cmap="tab10")
plt.title("nodes by their outputs, coloured by class")
plt.savefig("nodes.png")
plt.show()
