# %% [markdown]
# # A rare class in a table
# One of two classes is rare, so that accuracy says little: the loss weighs the rare class up, the area under the ROC
# curve measures how well rows are ordered, and the threshold from which on a row is called rare is chosen afterwards.

# %% Imports
import os

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import classification_report, precision_recall_curve, roc_auc_score, roc_curve
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import QuantileTransformer
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows without classes that predictions are wanted for
READ_OPTIONS = {}  # how the files are written, where that is not plain CSV
TARGET = "target"
POSITIVE_CLASS = ""  # the class that is looked for; "" takes the rarer one
UNUSED_COLUMNS = []
HIDDEN_UNITS = [64, 32]
DROPOUT = 0.3
VALIDATION_SPLIT = 0.2
TEST_SPLIT = 0.2
PATIENCE = 10
BATCH_SIZE = 64
EPOCHS = 50
LEARNING_RATE = 0.002
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 12)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 64)


# %% Data: files
def synthetic_table(rows=1500):
    """Rows of which one in twelve is positive: those with the largest sum of two columns and a category."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(SEED)
    table = pd.DataFrame(rng.exponential(size=(rows, 4)), columns=[f"number_{i}" for i in range(1, 5)])
    table["category"] = rng.choice(["a", "b", "c"], size=rows)
    score = table["number_1"] + table["number_2"] + (table["category"] == "a") + 0.5 * rng.normal(size=rows)
    table[TARGET] = np.where(score > score.quantile(11 / 12), "yes", "no")
    return table


def read_table(name):
    """A CSV or Parquet file of DATA_DIR."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    return pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
if TARGET not in table:
    raise SystemExit(f"{TRAIN_FILE} has no column {TARGET!r}; it has {', '.join(map(str, table.columns[:20]))}")
table = table.dropna(subset=[TARGET]).reset_index(drop=True)
counts = table[TARGET].astype(str).value_counts()
if len(counts) != 2:
    raise SystemExit(f"column {TARGET!r} holds {len(counts)} classes ({', '.join(counts.index[:5])}); two are needed")
positive = POSITIVE_CLASS or counts.index[-1]
negative = next(name for name in counts.index if name != positive)
labels = (table[TARGET].astype(str) == positive).to_numpy("float32")
print(f"{len(table)} rows, {labels.mean():.1%} of them {positive!r}")

# %% Preprocessing
inputs = table.drop(columns=[TARGET, *UNUSED_COLUMNS], errors="ignore")
train, test, y_train, y_test = train_test_split(
    inputs, labels, test_size=TEST_SPLIT, stratify=labels, random_state=SEED
)
train, val, y_train, y_val = train_test_split(
    train, y_train, test_size=VALIDATION_SPLIT, stratify=y_train, random_state=SEED
)
number_columns = train.select_dtypes("number").columns
category_columns = [name for name in train.columns.difference(number_columns) if train[name].nunique() <= 50]
# All that is known of the columns is learned from the training rows: medians, ranks, categories.
medians = train[number_columns].median().fillna(0)
dummy_columns = pd.get_dummies(train[category_columns], dummy_na=True).columns if category_columns else []
ranks = QuantileTransformer(n_quantiles=min(200, len(train)), output_distribution="normal", random_state=SEED)
ranks.fit(train[number_columns].fillna(medians))


def features_of(rows):
    """Numbers by their rank, so that long tails do no harm, and a column for each category: (rows, NUM_FEATURES)."""
    missing = [name for name in [*number_columns, *category_columns] if name not in rows]
    if missing:
        raise SystemExit(f"there is no column {missing[0]!r}; the table has {', '.join(map(str, rows.columns[:20]))}")
    numbers = ranks.transform(rows[number_columns].apply(pd.to_numeric, errors="coerce").fillna(medians))
    if not category_columns:
        return torch.tensor(numbers, dtype=torch.float32)
    dummies = pd.get_dummies(rows[category_columns], dummy_na=True).reindex(columns=dummy_columns, fill_value=False)
    return torch.tensor(np.hstack([numbers, dummies.to_numpy(float)]), dtype=torch.float32)


x_train, x_val, x_test = features_of(train), features_of(val), features_of(test)
NUM_FEATURES = x_train.shape[1]
train_loader = DataLoader(TensorDataset(x_train, torch.from_numpy(y_train)), batch_size=BATCH_SIZE, shuffle=True)

# %% Model
widths = [NUM_FEATURES, *HIDDEN_UNITS]
hidden = []
for inputs_count, units in zip(widths[:-1], widths[1:], strict=True):
    hidden += [nn.Linear(inputs_count, units), nn.ReLU(), nn.Dropout(DROPOUT)]
model = nn.Sequential(*hidden, nn.Linear(widths[-1], 1), nn.Flatten(0)).to(DEVICE)
print(model)

# %% Loss and optimizer
# A positive row weighs as much as there are negative ones for it.
pos_weight = torch.tensor((y_train == 0).sum() / max((y_train == 1).sum(), 1), dtype=torch.float32, device=DEVICE)
loss_function = nn.BCEWithLogitsLoss(pos_weight=pos_weight)
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training rows; the mean loss of its batches."""
    model.train()
    losses = []
    for features, truth in train_loader:
        loss = loss_function(model(features.to(DEVICE)), truth.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(features):
    """The probability of the positive class for rows of features, as the weighted loss has it."""
    model.eval()
    return model(features.to(DEVICE)).sigmoid().cpu().numpy()


def evaluate(features, truth):
    """The area under the ROC curve."""
    return roc_auc_score(truth, predict(features))


history = {"loss": [], "val_auc": []}
best_epoch = 0
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_auc"].append(evaluate(x_val, y_val))
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation AUC {history['val_auc'][-1]:.4f}")
    if history["val_auc"][-1] > history["val_auc"][best_epoch] or epoch == 0:
        best_epoch = epoch
        torch.save(model.state_dict(), "model.pt")
    if epoch - best_epoch >= PATIENCE:
        break
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# The threshold with the best F1 on the validation rows.
precision, recall, thresholds = precision_recall_curve(y_val, predict(x_val))
f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
threshold = float(thresholds[np.argmax(f1[:-1])])
joblib.dump((medians, ranks, category_columns, dummy_columns, threshold), "preprocessing.joblib")

# %% Evaluate
scores = predict(x_test)
print(f"called {positive!r} from a probability of {threshold:.3f} on:")
print(classification_report(y_test, scores >= threshold, target_names=[negative, positive], zero_division=0))
print(
    f"held-out area under the ROC curve: {evaluate(x_test, y_test):.4f} "
    f"(baseline, the same score for every row: {roc_auc_score(y_test, np.zeros(len(y_test))):.4f})"
)
if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    new["probability"] = predict(features_of(new))
    new[TARGET] = np.where(new["probability"] >= threshold, positive, negative)
    new.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
false_alarms, found, _ = roc_curve(y_test, scores)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
left.plot(false_alarms, found)
left.plot([0, 1], [0, 1], color="grey", linestyle=":")
left.set(xlabel="false alarms", ylabel=f"share of {positive!r} that is found")
right.hist([scores[y_test == 0], scores[y_test == 1]], bins=20, density=True, label=[negative, positive])
right.axvline(threshold, color="black")
right.set(xlabel="probability", ylabel="share of rows")
right.legend()
plt.tight_layout()
plt.savefig("scores.png")
plt.show()
