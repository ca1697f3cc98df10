# %% [markdown]
# # Classes from the columns of a table
# Fully connected layers with layer normalisation; the learning rate falls along half a cosine. Columns of numbers and
# of categories are found by their kind where none is named.

# %% Imports
import os

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
HELD_OUT_FILE = ""  # rows with their classes that are kept for the test; "" splits them off
UNLABELLED_FILE = ""  # rows without classes that predictions are wanted for
READ_OPTIONS = {}  # how the files are written, where that is not plain CSV
TARGET = "target"
CLASS_NAMES = ["class_1", "class_2", "class_3"]  # of made-up data; those of real data are counted
NUMBER_COLUMNS = []
CATEGORY_COLUMNS = []
UNUSED_COLUMNS = []
HIDDEN_UNITS = [128, 64]
DROPOUT = 0.2
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 60
LEARNING_RATE = 0.002
WEIGHT_DECAY = 0.01
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 15)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 32)


# %% Data: files
def synthetic_table(rows=500):
    """Random rows whose class is the third of a sum that they fall in; some cells are missing."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(SEED)
    names = NUMBER_COLUMNS or ["number_1", "number_2", "number_3"]
    table = pd.DataFrame({name: rng.normal(size=rows) for name in names})
    score = table.sum(axis=1)
    for name in CATEGORY_COLUMNS or ["category"]:
        table[name] = rng.choice(["x", "y"], size=rows)
        score += 2.0 * (table[name] == "x")
    table[TARGET] = pd.qcut(score, len(CLASS_NAMES), labels=CLASS_NAMES).astype(str)
    table.loc[rng.random(rows) < 0.03, names[0]] = np.nan
    return table


def read_table(name):
    """A CSV, Parquet or Excel file of DATA_DIR."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    if path.endswith((".parquet", ".pq")):
        return pd.read_parquet(path)
    table = pd.read_excel(path, **READ_OPTIONS) if path.endswith(".xlsx") else pd.read_csv(path, **READ_OPTIONS)
    return table.rename(columns=str)


def need(table, columns):
    """Ends the program where a column is missing."""
    missing = [name for name in columns if name not in table]
    if missing:
        raise SystemExit(f"there is no column {missing[0]!r}; the table has {', '.join(table.columns[:20])}")


def labelled(table):
    """The rows that have a class."""
    need(table, [TARGET])
    return table.dropna(subset=[TARGET]).astype({TARGET: str})


table = labelled(synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE))
encoder = LabelEncoder().fit(table[TARGET])
NUM_CLASSES = len(encoder.classes_)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds {NUM_CLASSES} class; at least two are needed")
if not NUMBER_COLUMNS and not CATEGORY_COLUMNS:
    inputs = table.drop(columns=[TARGET, *UNUSED_COLUMNS], errors="ignore")
    NUMBER_COLUMNS = inputs.select_dtypes("number").columns.tolist()
    others = inputs.drop(columns=NUMBER_COLUMNS)
    CATEGORY_COLUMNS = [name for name in others if others[name].nunique() <= 50]
print(f"{len(table)} rows, {NUM_CLASSES} classes; numbers: {NUMBER_COLUMNS}, categories: {CATEGORY_COLUMNS}")


# %% Preprocessing
def split(table, share):
    """Two parts, with the classes alike in both where every class is there often enough."""
    counts = table[TARGET].value_counts()
    alike = table[TARGET] if counts.min() > 1 and share * len(table) >= NUM_CLASSES else None
    return train_test_split(table, test_size=share, random_state=SEED, stratify=alike)


if HELD_OUT_FILE and not SYNTHETIC:
    train, test = table, labelled(read_table(HELD_OUT_FILE))
    test = test[test[TARGET].isin(encoder.classes_)]
else:
    train, test = split(table, TEST_SPLIT)
train, val = split(train, VALIDATION_SPLIT)

# Fitted on the training rows alone, so that nothing of the others leaks into the scales.
to_features = make_column_transformer(
    (make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()), NUMBER_COLUMNS),
    (OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORY_COLUMNS),
)


def input_columns(table):
    """Numbers as numbers, categories as texts."""
    need(table, NUMBER_COLUMNS + CATEGORY_COLUMNS)
    numbers = table[NUMBER_COLUMNS].apply(pd.to_numeric, errors="coerce")
    return pd.concat([numbers, table[CATEGORY_COLUMNS].astype(str)], axis=1)


to_features.fit(input_columns(train))


def tensors(table):
    """Features (rows, NUM_FEATURES) and class numbers."""
    features = to_features.transform(input_columns(table))
    return torch.from_numpy(features).float(), torch.from_numpy(encoder.transform(table[TARGET])).long()


x_train, y_train = tensors(train)
x_val, y_val = tensors(val)
x_test, y_test = tensors(test)
NUM_FEATURES = x_train.shape[1]
train_loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH_SIZE, shuffle=True)


# %% Model
class MLP(nn.Module):
    """Hidden layers, each normalised, and an output for each class."""

    def __init__(self):
        super().__init__()
        layers = []
        width = NUM_FEATURES
        for units in HIDDEN_UNITS:
            layers.extend([nn.Linear(width, units), nn.LayerNorm(units), nn.GELU(), nn.Dropout(DROPOUT)])
            width = units
        self.hidden = nn.Sequential(*layers)
        self.output = nn.Linear(width, NUM_CLASSES)

    def forward(self, features):
        return self.output(self.hidden(features))


model = MLP().to(DEVICE)
print(model)

# %% Loss and optimizer
loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)


# %% Train
def train_epoch(model, loader):
    """One pass over the training rows; the mean loss."""
    model.train()
    total = 0.0
    for features, labels in loader:
        optimizer.zero_grad()
        loss = loss_function(model(features.to(DEVICE)), labels.to(DEVICE))
        loss.backward()
        optimizer.step()
        total += len(labels) * loss.item()
    scheduler.step()
    return total / len(loader.dataset)


@torch.no_grad()
def evaluate(model, features, labels):
    """The loss and the accuracy on rows that are not trained on; a table fits into one batch."""
    model.eval()
    outputs = model(features.to(DEVICE)).cpu()
    return loss_function(outputs, labels).item(), (outputs.argmax(dim=1) == labels).float().mean().item()


history = {"train_loss": [], "val_loss": [], "val_accuracy": []}
best_loss = np.inf
for epoch in range(1, EPOCHS + 1):
    train_loss = train_epoch(model, train_loader)
    val_loss, val_accuracy = evaluate(model, x_val, y_val)
    for name, value in zip(history, (train_loss, val_loss, val_accuracy), strict=True):
        history[name].append(value)
    if val_loss < best_loss or epoch == 1:
        best_loss = val_loss
        torch.save(model.state_dict(), "model.pt")
    print(f"epoch {epoch:3d}  loss {train_loss:.4f}  validation loss {val_loss:.4f}  accuracy {val_accuracy:.4f}")

model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
joblib.dump((to_features, encoder), "preprocessing.joblib")


# %% Evaluate
@torch.no_grad()
def predict(table):
    """The class of each row."""
    model.eval()
    features = torch.from_numpy(to_features.transform(input_columns(table))).float()
    return encoder.inverse_transform(model(features.to(DEVICE)).argmax(dim=1).cpu().numpy())


print(classification_report(test[TARGET], predict(test), zero_division=0))
accuracy = evaluate(model, x_test, y_test)[1]
print(
    f"held-out accuracy: {accuracy:.4f} "
    f"(baseline, always the most frequent class: {(test[TARGET] == train[TARGET].mode()[0]).mean():.4f})"
)
if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    new.assign(**{TARGET: predict(new)}).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
pd.DataFrame(history)[["train_loss", "val_loss"]].plot(xlabel="epoch", ylabel="loss", figsize=(6, 4))
plt.tight_layout()
plt.savefig("training.png")
plt.show()
