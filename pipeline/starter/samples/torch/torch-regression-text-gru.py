# %% [markdown]
# # A number from a text by a bidirectional GRU
# Words become numbers and vectors, a GRU reads them from both ends, and one output gives the number. Texts and numbers
# stand in two columns of a table.

# %% Imports
import collections
import json
import os
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn.utils.rnn import pack_sequence

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
HELD_OUT_FILE = ""  # rows with their numbers that are kept for the test; "" splits them off
UNLABELLED_FILE = ""  # texts without numbers that predictions are wanted for
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TEXT_COLUMN = "text"
TARGET = "target"
SEQUENCE_LENGTH = 200  # words of a text that are read
VOCAB_SIZE = 20000
EMBEDDING_DIM = 100
GRU_UNITS = 64  # in each direction
HIDDEN_UNITS = [32]
DROPOUT = 0.2
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 20
LEARNING_RATE = 0.001
SEED = 42

UNKNOWN = 0  # the number of words that are not in the vocabulary
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full counts are for real data
    EPOCHS = min(EPOCHS, 8)
    LEARNING_RATE = max(LEARNING_RATE, 0.003)


# %% Data: files
def made_up_table(rows=500):
    """Texts of common words; those that praise or complain move the number up or down."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up texts, not your data.")
    rng = np.random.default_rng(SEED)
    common = "the a it was and this that of we they on in at for always very with from some more".split()
    good = rng.integers(0, 4, size=rows)
    bad = rng.integers(0, 4, size=rows)
    texts = []
    for praise, complaint in zip(good, bad, strict=True):
        words = [*rng.choice(common, size=rng.integers(6, 14)), *["splendid"] * praise, *["awful"] * complaint]
        texts.append(" ".join(rng.permutation(words)))
    return pd.DataFrame({TEXT_COLUMN: texts, TARGET: 3.0 + 0.6 * (good - bad) + 0.1 * rng.normal(size=rows)})


def read_table(name):
    """A CSV, Parquet or Excel file of DATA_DIR; an empty text is a text."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your texts lie")
    if path.endswith(".parquet"):
        rows = pd.read_parquet(path)
    else:
        rows = (pd.read_excel if path.endswith(".xlsx") else pd.read_csv)(path, **READ_OPTIONS)
    if TEXT_COLUMN not in rows:
        raise SystemExit(f"{name} has no column {TEXT_COLUMN!r}; it has {', '.join(map(str, rows.columns[:20]))}")
    return rows.assign(**{TEXT_COLUMN: rows[TEXT_COLUMN].fillna("").astype(str)})


def with_numbers(rows):
    """The rows whose target is a number."""
    if TARGET not in rows:
        raise SystemExit(f"there is no column {TARGET!r}; the table has {', '.join(map(str, rows.columns[:20]))}")
    numbers = pd.to_numeric(rows[TARGET], errors="coerce")
    if numbers.notna().sum() < 10:
        raise SystemExit(f"column {TARGET!r} holds {numbers.notna().sum()} numbers: too few to learn from")
    return rows.assign(**{TARGET: numbers}).dropna(subset=[TARGET])


table = with_numbers(made_up_table() if SYNTHETIC else read_table(TRAIN_FILE))
print(f"{len(table)} texts; {TARGET} from {table[TARGET].min():g} to {table[TARGET].max():g}")

# %% Preprocessing
if HELD_OUT_FILE and not SYNTHETIC:
    train, test = table, with_numbers(read_table(HELD_OUT_FILE))
else:
    train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)


def words_of(text):
    """The words of a text in lower case."""
    return re.findall(r"\w+(?:'\w+)?", text.lower())


# Vocabulary and scale are those of the training rows.
counts = collections.Counter(word for text in train[TEXT_COLUMN] for word in words_of(text))
vocabulary = {word: number for number, (word, _) in enumerate(counts.most_common(VOCAB_SIZE - 1), start=1)}
MEAN = float(train[TARGET].mean())
STD = float(train[TARGET].std()) or 1.0


def encode(text):
    """The numbers of a text's first words; a text without words is one unknown word."""
    return torch.tensor([vocabulary.get(word, UNKNOWN) for word in words_of(text)[:SEQUENCE_LENGTH]] or [UNKNOWN])


def examples_of(rows):
    """The word numbers of each text, and the scaled numbers to predict."""
    return [encode(text) for text in rows[TEXT_COLUMN]], torch.tensor((rows[TARGET].to_numpy() - MEAN) / STD).float()


x_train, y_train = examples_of(train)
x_val, y_val = examples_of(val)


# %% Model
class TextRegressor(nn.Module):
    """Word vectors, a GRU from both ends, hidden layers, and one number."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(vocabulary) + 1, EMBEDDING_DIM)
        self.gru = nn.GRU(EMBEDDING_DIM, GRU_UNITS, batch_first=True, bidirectional=True)
        hidden, width = [], 2 * GRU_UNITS
        for units in HIDDEN_UNITS:
            hidden += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(DROPOUT)]
            width = units
        self.head = nn.Sequential(*hidden, nn.Linear(width, 1))

    def forward(self, texts):
        # Packed, so that the GRU stops at the end of each text.
        packed = pack_sequence([self.embedding(text) for text in texts], enforce_sorted=False)
        _, hidden = self.gru(packed)
        return self.head(torch.cat([hidden[-2], hidden[-1]], dim=1)).squeeze(1)


model = TextRegressor().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def on_device(texts):
    """A batch of texts where the model is."""
    return [text.to(DEVICE) for text in texts]


def train_epoch():
    """One pass over the training texts in random order; the mean loss."""
    model.train()
    losses = []
    for batch in torch.randperm(len(x_train)).split(BATCH_SIZE):
        optimizer.zero_grad()
        loss = criterion(model(on_device([x_train[number] for number in batch])), y_train[batch].to(DEVICE))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # recurrent networks are prone to sudden large steps
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def outputs(texts):
    """The scaled number of each encoded text."""
    model.eval()
    starts = range(0, len(texts), BATCH_SIZE)
    return torch.cat([model(on_device(texts[start : start + BATCH_SIZE])).cpu() for start in starts])


def predict(texts):
    """The number of each text, in its own unit."""
    return outputs([encode(text) for text in texts]).numpy() * STD + MEAN


history = {"loss": [], "val_loss": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_loss"].append(criterion(outputs(x_val), y_val).item())
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation loss {history['val_loss'][-1]:.4f}")
    if history["val_loss"][-1] <= min(history["val_loss"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
with open("vocabulary.json", "w", encoding="utf-8") as stream:
    json.dump({"words": vocabulary, "mean": MEAN, "std": STD}, stream)

# %% Evaluate
truth, predicted = test[TARGET].to_numpy(), predict(test[TEXT_COLUMN])
print(f"R2 {r2_score(truth, predicted):.3f}")
medians = np.full(len(truth), train[TARGET].median())
print(
    f"held-out mean absolute error: {mean_absolute_error(truth, predicted):.4f} "
    f"(baseline, always the median: {mean_absolute_error(truth, medians):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    new.assign(**{TARGET: predict(new[TEXT_COLUMN])}).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
for text, number, true in zip(test[TEXT_COLUMN][:3], predicted, truth, strict=False):
    print(f"{number:.2f} (true: {true:.2f}): {text[:80]}")
plt.figure(figsize=(5, 5))
plt.scatter(truth, predicted, s=8)
plt.axline((truth.mean(), truth.mean()), slope=1, color="grey")
plt.xlabel(f"{TARGET}, true")
plt.ylabel(f"{TARGET}, predicted")
plt.savefig("predictions.png")
plt.show()
