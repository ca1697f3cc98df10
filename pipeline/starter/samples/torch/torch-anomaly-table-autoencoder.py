# %% [markdown]
# # Unusual rows of a table by an autoencoder
# The network squeezes normal rows through a few numbers and gives them back. A row that it cannot give back well is
# unlike those that it learned from.

# %% Imports
import os

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import classification_report, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows that are to be judged
READ_OPTIONS = {}  # how the files are written, where that is not plain CSV
TARGET = "anomaly"  # the column that tells normal rows from others
NORMAL_CLASS = ""  # its value for normal rows; "" takes the most frequent one
UNUSED_COLUMNS = []
HIDDEN_UNITS = [32, 16]  # of the encoder; the decoder has them the other way round
LATENT_DIM = 3
QUANTILE = 0.98  # the share of normal rows that are to pass
VALIDATION_SPLIT = 0.2
TEST_SPLIT = 0.2
BATCH_SIZE = 64
EPOCHS = 60
LEARNING_RATE = 0.003
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 25)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 64)


# %% Data: files
def synthetic_table(rows=1200, columns=8):
    """Normal rows hang together by two hidden numbers; in unusual ones each column is on its own."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(SEED)
    hidden = rng.normal(size=(rows, 2))
    values = np.tanh(hidden @ rng.normal(size=(2, columns))) + 0.05 * rng.normal(size=(rows, columns))
    unusual = rng.random(rows) < 0.05
    for column in range(columns):
        values[unusual, column] = rng.permutation(values[:, column])[: unusual.sum()]
    table = pd.DataFrame(values, columns=[f"number_{i + 1}" for i in range(columns)])
    return table.assign(**{TARGET: unusual.astype(int)})


def read_table(name):
    """A CSV or Parquet file of DATA_DIR."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    return pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
if TARGET not in table:
    raise SystemExit(f"{TRAIN_FILE} has no column {TARGET!r}; it has {', '.join(map(str, table.columns[:20]))}")
names = table[TARGET].astype(str)
normal_class = NORMAL_CLASS or names.mode()[0]
unusual = (names != normal_class).to_numpy()
inputs = table.drop(columns=[TARGET, *UNUSED_COLUMNS], errors="ignore").select_dtypes("number")
NUM_FEATURES = inputs.shape[1]
if NUM_FEATURES == 0 or not 0 < unusual.sum() < len(table):
    raise SystemExit(
        f"{NUM_FEATURES} columns of numbers and {unusual.sum()} unusual rows: at least one of each is needed"
    )
print(f"{len(table)} rows of {NUM_FEATURES} numbers, {unusual.mean():.1%} of them not {normal_class!r}")

# %% Preprocessing
# The network sees normal rows alone; the unusual ones are kept for the test.
normal_train, normal_test = train_test_split(inputs[~unusual], test_size=TEST_SPLIT, random_state=SEED)
normal_train, normal_val = train_test_split(normal_train, test_size=VALIDATION_SPLIT, random_state=SEED)
medians = normal_train.median().fillna(0)
scaler = StandardScaler().fit(normal_train.fillna(medians))


def features_of(rows):
    """Scaled numbers: (rows, NUM_FEATURES). Far values are cut off, or one cell could outweigh all others."""
    absent = [name for name in inputs if name not in rows]
    if absent:
        raise SystemExit(f"there is no column {absent[0]!r}; the table has {', '.join(map(str, rows.columns[:20]))}")
    numbers = rows[inputs.columns].apply(pd.to_numeric, errors="coerce").fillna(medians)
    return torch.tensor(scaler.transform(numbers), dtype=torch.float32).clamp(-10, 10)


x_train, x_val = features_of(normal_train), features_of(normal_val)
x_test = torch.cat([features_of(normal_test), features_of(inputs[unusual])])
y_test = np.repeat([0, 1], [len(normal_test), unusual.sum()])


# %% Model
def dense_stack(width, hidden, outputs):
    """Hidden layers with an activation each, and a last one without."""
    layers = []
    for units in hidden:
        layers += [nn.Linear(width, units), nn.ELU()]
        width = units
    return nn.Sequential(*layers, nn.Linear(width, outputs))


class Autoencoder(nn.Module):
    """An encoder to LATENT_DIM numbers, and a decoder back to the row."""

    def __init__(self):
        super().__init__()
        self.encoder = dense_stack(NUM_FEATURES, HIDDEN_UNITS, LATENT_DIM)
        self.decoder = dense_stack(LATENT_DIM, HIDDEN_UNITS[::-1], NUM_FEATURES)

    def forward(self, rows):
        return self.decoder(self.encoder(rows))


model = Autoencoder().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the normal training rows; the mean loss of its batches."""
    model.train()
    losses = []
    for chosen in torch.randperm(len(x_train)).split(BATCH_SIZE):
        rows = x_train[chosen].to(DEVICE)
        loss = criterion(model(rows), rows)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(rows):
    """How badly each row is given back, the mean squared error over its columns: the higher, the more unusual."""
    model.eval()
    return ((model(rows.to(DEVICE)).cpu() - rows) ** 2).mean(dim=1).numpy()


def evaluate(scores, truth):
    """The area under the ROC curve: how surely an unusual row scores higher than a normal one."""
    return roc_auc_score(truth, scores)


history = {"loss": [], "val_loss": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_loss"].append(predict(x_val).mean())
    if history["val_loss"][-1] == min(history["val_loss"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation loss {history['val_loss'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
threshold = float(np.quantile(predict(x_val), QUANTILE))
joblib.dump((medians, scaler, threshold), "preprocessing.joblib")

# %% Evaluate
scores = predict(x_test)
print(f"rows with an error of {threshold:.4f} or more are called unusual:")
print(classification_report(y_test, scores >= threshold, target_names=["normal", "unusual"], zero_division=0))
from_mean = (x_test**2).mean(dim=1).numpy()
print(
    f"held-out area under the ROC curve: {evaluate(scores, y_test):.4f} "
    f"(baseline, the distance from the mean row: {evaluate(from_mean, y_test):.4f})"
)
if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    new["error"] = predict(features_of(new))
    new["unusual"] = new["error"] >= threshold
    new.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {new['unusual'].sum()} of {len(new)} rows are unusual")

# %% Show
bins = np.geomspace(scores.min() + 1e-9, scores.max() + 1e-9, 40)
plt.hist(scores[y_test == 0], bins=bins, alpha=0.6, density=True, label="normal")
plt.hist(scores[y_test == 1], bins=bins, alpha=0.6, density=True, label="unusual")
plt.axvline(threshold, color="black", label="threshold")
plt.xscale("log")
plt.xlabel("reconstruction error")
plt.legend()
plt.savefig("errors.png")
plt.show()
