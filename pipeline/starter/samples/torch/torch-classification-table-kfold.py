# %% [markdown]
# # A small table, judged by cross-validation
# With few rows one split says little. The rows are divided into folds; each fold is predicted by a network that was
# trained on the others, and all rows together give the result. New rows are predicted by all networks together.

# %% Imports
import os

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows without classes that predictions are wanted for
READ_OPTIONS = {}  # how the files are written, where that is not plain CSV
TARGET = "target"
UNUSED_COLUMNS = []
NUM_FOLDS = 5
HIDDEN_UNITS = [32, 16]
DROPOUT = 0.1
WEIGHT_DECAY = 0.001
BATCH_SIZE = 16
EPOCHS = 60
LEARNING_RATE = 0.003
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 20)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_table(rows=150):
    """Few rows, in three clouds that touch each other."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(SEED)
    labels = rng.integers(3, size=rows)
    centers = rng.normal(scale=2.0, size=(3, 4))
    table = pd.DataFrame(centers[labels] + rng.normal(size=(rows, 4)), columns=["a", "b", "c", "d"])
    return table.assign(**{TARGET: np.array(["class_1", "class_2", "class_3"])[labels]})


def read_table(name):
    """A CSV, Parquet or Excel file of DATA_DIR."""
    path = os.path.join(DATA_DIR, name)
    readers = {".parquet": pd.read_parquet, ".xlsx": pd.read_excel}
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    return readers.get(os.path.splitext(path)[1], pd.read_csv)(path, **READ_OPTIONS)


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
if TARGET not in table:
    raise SystemExit(f"{TRAIN_FILE} has no column {TARGET!r}; it has {', '.join(map(str, table.columns[:20]))}")
table = table.dropna(subset=[TARGET]).reset_index(drop=True)
inputs = table.drop(columns=[TARGET, *UNUSED_COLUMNS], errors="ignore")
class_names, labels = np.unique(table[TARGET].astype(str), return_inverse=True)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2 or len(table) < 2 * NUM_FOLDS:
    raise SystemExit(f"{len(table)} rows of {NUM_CLASSES} classes are too few for {NUM_FOLDS} folds")
print(f"{len(table)} rows, {inputs.shape[1]} columns, {NUM_CLASSES} classes")


# %% Preprocessing
def new_preprocessing():
    """Fills in and scales numbers, and makes columns of categories; each fold has one of its own, fitted on the rows
    that it trains on."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    categories = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=30, sparse_output=False)
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (categories, make_column_selector(dtype_exclude="number")),
    )


# Folds with the classes alike in all, where every class has rows enough.
enough = np.bincount(labels).min() >= NUM_FOLDS
folds = (StratifiedKFold if enough else KFold)(NUM_FOLDS, shuffle=True, random_state=SEED)


# %% Model
def build_model(num_features):
    """A small network: few rows bear few weights."""
    layers = []
    width = num_features
    for units in HIDDEN_UNITS:
        layers += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(DROPOUT)]
        width = units
    layers.append(nn.Linear(width, NUM_CLASSES))
    return nn.Sequential(*layers).to(DEVICE)


# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()


def build_optimizer(model):
    """Adam with weight decay, anew for each fold."""
    return torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)


# %% Train
def train_epoch(model, optimizer, x, y):
    """One pass over the rows in a new order; the mean loss of its batches."""
    model.train()
    losses = []
    for rows in torch.randperm(len(x)).split(BATCH_SIZE):
        loss = criterion(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def evaluate(model, x):
    """The probability of each class for each row: (rows, NUM_CLASSES)."""
    model.eval()
    return model(x).softmax(dim=1).cpu().numpy()


probabilities = np.zeros((len(table), NUM_CLASSES))
models, preprocessings = [], []
history = {"fold": [], "accuracy": []}
for fold, (train_rows, test_rows) in enumerate(folds.split(inputs, labels), start=1):
    preprocessing = new_preprocessing().fit(inputs.iloc[train_rows])
    x = torch.tensor(preprocessing.transform(inputs), dtype=torch.float32, device=DEVICE)
    y = torch.tensor(labels, device=DEVICE)
    model = build_model(x.shape[1])
    optimizer = build_optimizer(model)
    for _ in range(EPOCHS):
        train_loss = train_epoch(model, optimizer, x[train_rows], y[train_rows])
    probabilities[test_rows] = evaluate(model, x[test_rows])
    accuracy = accuracy_score(labels[test_rows], probabilities[test_rows].argmax(axis=1))
    print(f"fold {fold}: loss {train_loss:.4f}, accuracy on its {len(test_rows)} rows {accuracy:.4f}")
    history["fold"].append(fold)
    history["accuracy"].append(accuracy)
    models.append(model)
    preprocessings.append(preprocessing)

torch.save([model.state_dict() for model in models], "model.pt")
joblib.dump((preprocessings, class_names), "preprocessing.joblib")

# %% Evaluate
predicted = probabilities.argmax(axis=1)
print(
    f"accuracy of the folds: {np.mean(history['accuracy']):.4f} with a deviation of {np.std(history['accuracy']):.4f}"
)
print(
    f"held-out accuracy: {accuracy_score(labels, predicted):.4f} "
    f"(baseline, always the most frequent class: {np.bincount(labels).max() / len(labels):.4f})"
)


def predict(rows):
    """The class of new rows, by the mean of the probabilities that the folds' networks give."""
    together = np.zeros((len(rows), NUM_CLASSES))
    for model, preprocessing in zip(models, preprocessings, strict=True):
        x = torch.tensor(preprocessing.transform(rows[inputs.columns]), dtype=torch.float32, device=DEVICE)
        together += evaluate(model, x) / NUM_FOLDS
    return class_names[together.argmax(axis=1)]


if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    new.assign(**{TARGET: predict(new)}).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
left.bar(history["fold"], history["accuracy"])
left.set(xlabel="fold", ylabel="accuracy")
ConfusionMatrixDisplay.from_predictions(class_names[labels], class_names[predicted], ax=right, colorbar=False)
plt.tight_layout()
plt.savefig("folds.png")
plt.show()
