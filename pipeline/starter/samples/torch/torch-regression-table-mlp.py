# %% [markdown]
# # A number from the columns of a table
# A network of fully connected layers predicts one column, or several, from the others. Numbers are scaled, categories
# become columns of zeros and ones, and errors are told in the target's own units.

# %% Imports
import glob
import os

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
HELD_OUT_FILE = ""  # rows with the target that are kept for the test; "" splits them off
UNLABELLED_FILE = ""  # rows without the target that predictions are wanted for
PREDICTION_COLUMNS = []
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TARGETS = ["target"]
NUMBER_COLUMNS = []  # where no column is named, they are found by their kind
CATEGORY_COLUMNS = []
UNUSED_COLUMNS = []
HIDDEN_UNITS = [64, 32]
DROPOUT = 0.1
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
PATIENCE = 15  # epochs without a gain after which training ends
BATCH_SIZE = 32
EPOCHS = 100
LEARNING_RATE = 0.001
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 20)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 32)


# %% Data: files
def synthetic_table(rows=600):
    """Random rows whose targets depend on the numbers and the first category."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(SEED)
    numbers = NUMBER_COLUMNS or ["number_1", "number_2", "number_3"]
    categories = CATEGORY_COLUMNS or ["category"]
    table = pd.DataFrame(rng.normal(size=(rows, len(numbers))), columns=numbers)
    for name in categories:
        table[name] = rng.choice(["a", "b", "c"], size=rows)
    for position, target in enumerate(TARGETS):
        signal = table[numbers].sum(axis=1) + (position + 1) * (table[categories[0]] == "a")
        table[target] = 50 + 10 * signal + rng.normal(size=rows)
    return table


def read_table(name):
    """A table of DATA_DIR: CSV, Parquet or Excel; a `*` in the name stands for files with the same columns."""
    path = os.path.join(DATA_DIR, name)
    paths = [path] if os.path.isfile(path) else sorted(glob.glob(path, recursive=True))
    if not paths:
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    tables = []
    for path in paths:
        if path.lower().endswith((".parquet", ".pq")):
            tables.append(pd.read_parquet(path))
        elif path.lower().endswith((".xlsx", ".xlsm")):
            tables.append(pd.read_excel(path, **READ_OPTIONS))
        else:
            tables.append(pd.read_csv(path, **READ_OPTIONS))
    table = pd.concat(tables, ignore_index=True)
    return table.rename(columns=lambda column: str(column).strip())


def need_columns(table, columns):
    """Ends the program where a column is missing."""
    for column in columns:
        if column not in table:
            raise SystemExit(f"there is no column {column!r}; the table has {', '.join(table.columns[:20])}")


def with_targets(table):
    """The rows in which every target is a number."""
    need_columns(table, TARGETS)
    table[TARGETS] = table[TARGETS].apply(pd.to_numeric, errors="coerce")
    complete = table.dropna(subset=TARGETS)
    if complete.empty:
        raise SystemExit(f"no row has a number in {', '.join(TARGETS)}")
    return complete


table = with_targets(synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE))
print(f"{len(table)} rows; {table[TARGETS].describe().loc[['min', 'mean', 'max']].to_dict()}")

# %% Preprocessing
if not (NUMBER_COLUMNS or CATEGORY_COLUMNS):
    inputs = table.drop(columns=[*TARGETS, *UNUSED_COLUMNS], errors="ignore")
    NUMBER_COLUMNS = list(inputs.select_dtypes("number"))
    CATEGORY_COLUMNS = [name for name in inputs if name not in NUMBER_COLUMNS and inputs[name].nunique() <= 50]


def features_of(table):
    """The input columns; what is no number in a column of numbers is missing."""
    need_columns(table, [*NUMBER_COLUMNS, *CATEGORY_COLUMNS])
    numbers = table[NUMBER_COLUMNS].apply(pd.to_numeric, errors="coerce")
    return numbers.join(table[CATEGORY_COLUMNS].fillna("missing").astype(str))


if HELD_OUT_FILE and not SYNTHETIC:
    train_rows, test_rows = table, with_targets(read_table(HELD_OUT_FILE))
else:
    train_rows, test_rows = train_test_split(table, test_size=TEST_SPLIT, random_state=SEED)
train_rows, val_rows = train_test_split(train_rows, test_size=VALIDATION_SPLIT, random_state=SEED)

# Fitted on the training rows alone, so that nothing of the others leaks into the scales.
numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
scale_features = ColumnTransformer([("numbers", numbers, NUMBER_COLUMNS), ("categories", categories, CATEGORY_COLUMNS)])
scale_features.fit(features_of(train_rows))
scale_targets = StandardScaler().fit(train_rows[TARGETS].to_numpy())


def inputs_of(rows):
    """Scaled features of rows as a tensor: (rows, features)."""
    return torch.tensor(scale_features.transform(features_of(rows)), dtype=torch.float32)


def make_loader(rows, shuffle):
    """Batches of inputs and scaled targets."""
    targets = torch.tensor(scale_targets.transform(rows[TARGETS].to_numpy()), dtype=torch.float32)
    return DataLoader(TensorDataset(inputs_of(rows), targets), batch_size=BATCH_SIZE, shuffle=shuffle)


train_loader, val_loader = make_loader(train_rows, shuffle=True), make_loader(val_rows, shuffle=False)
NUM_FEATURES = train_loader.dataset.tensors[0].shape[1]
NUM_TARGETS = len(TARGETS)


# %% Model
def build_model():
    """Hidden layers with dropout, and an output for each target."""
    layers = []
    inputs = NUM_FEATURES
    for units in HIDDEN_UNITS:
        layers += [nn.Linear(inputs, units), nn.ReLU(), nn.Dropout(DROPOUT)]
        inputs = units
    return nn.Sequential(*layers, nn.Linear(inputs, NUM_TARGETS))


model = build_model().to(DEVICE)
print(model)

# %% Loss and optimizer
loss_function = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch(model, loader):
    """One pass over the training rows; the mean loss of its batches."""
    model.train()
    losses = []
    for features, targets in loader:
        loss = loss_function(model(features.to(DEVICE)), targets.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def evaluate(model, loader):
    """The mean loss of batches that are not trained on."""
    model.eval()
    return np.mean([loss_function(model(x.to(DEVICE)), y.to(DEVICE)).item() for x, y in loader])


history = {"train_loss": [], "val_loss": []}
waited = 0
for epoch in range(1, EPOCHS + 1):
    history["train_loss"].append(train_epoch(model, train_loader))
    history["val_loss"].append(evaluate(model, val_loader))
    print(f"epoch {epoch}: loss {history['train_loss'][-1]:.4f}, validation loss {history['val_loss'][-1]:.4f}")
    waited += 1
    if history["val_loss"][-1] <= min(history["val_loss"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
        waited = 0
    if waited == PATIENCE:
        break

model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
joblib.dump((scale_features, scale_targets), "preprocessing.joblib")


# %% Evaluate
@torch.no_grad()
def predict(rows):
    """The targets of each row, in their own units."""
    model.eval()
    outputs = model(inputs_of(rows).to(DEVICE)).cpu().numpy()
    return pd.DataFrame(scale_targets.inverse_transform(outputs), columns=TARGETS, index=rows.index)


truth, predicted = test_rows[TARGETS], predict(test_rows)
for target in TARGETS:
    print(f"{target}: R2 {r2_score(truth[target], predicted[target]):.3f}")
medians = np.broadcast_to(train_rows[TARGETS].median().to_numpy(), truth.shape)
print(
    f"held-out mean absolute error: {mean_absolute_error(truth, predicted):.4f} "
    f"(baseline, always the median: {mean_absolute_error(truth, medians):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    unlabelled = read_table(UNLABELLED_FILE)
    predictions = unlabelled.drop(columns=TARGETS, errors="ignore").join(predict(unlabelled))
    wanted = [name for name in PREDICTION_COLUMNS if name in predictions]
    predictions[wanted or list(predictions)].to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(predictions)} rows")

# %% Show
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
left.plot(history["train_loss"], label="training")
left.plot(history["val_loss"], label="validation")
left.set(xlabel="epoch", ylabel="loss")
left.legend()
right.scatter(truth[TARGETS[0]], predicted[TARGETS[0]], s=8)
right.axline((truth[TARGETS[0]].mean(), truth[TARGETS[0]].mean()), slope=1, color="grey")
right.set(xlabel=f"{TARGETS[0]}, true", ylabel=f"{TARGETS[0]}, predicted")
plt.tight_layout()
plt.savefig("predictions.png")
plt.show()
