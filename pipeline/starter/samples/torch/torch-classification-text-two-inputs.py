# %% [markdown]
# # Classes from two texts at a time
# A title and a text, a question and an answer: each text is read by an LSTM of its own, what both remember is joined,
# and hidden layers decide. A table has a column for each of the two texts and one for the class.

# %% Imports
import os
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import RocCurveDisplay, accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows without classes that predictions are wanted for
READ_OPTIONS = {}  # how the files are written, where that is not plain CSV
TEXT_COLUMNS = ["title", "text"]
TARGET = "label"
SEQUENCE_LENGTHS = [20, 200]  # words of each text that are read
VOCAB_SIZE = 20000
EMBEDDING_DIM = 64
LSTM_UNITS = 48
HIDDEN_UNITS = [32]
DROPOUT = 0.3
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 15
LEARNING_RATE = 0.002
SEED = 42

PADDING, UNKNOWN = 0, 1
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full counts are for real data
    EPOCHS = min(EPOCHS, 10)
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_table(rows=800):
    """Two texts with a mark each; the class is whether the marks are the same, which neither text tells alone."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up pairs of texts, not your data.")
    rng = np.random.default_rng(SEED)
    common = "the a it was and this that of we they on in at with".split()
    marks = rng.choice(["north", "south"], size=(rows, 2))
    table = pd.DataFrame({TARGET: np.where(marks[:, 0] == marks[:, 1], "same", "other")})
    for place, column in enumerate(TEXT_COLUMNS):
        texts = []
        for mark in marks[:, place % 2]:
            words = list(rng.choice(common, size=rng.integers(2, 6)))
            words.insert(int(rng.integers(len(words) + 1)), mark)
            texts.append(" ".join(words))
        table[column] = texts
    return table


def read_table(name, columns):
    """A table of DATA_DIR with the columns that are needed; a missing text is an empty one."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your texts lie")
    table = pd.read_csv(path, **READ_OPTIONS)
    lacking = [column for column in columns if column not in table]
    if lacking:
        raise SystemExit(f"{name} has no column {lacking[0]!r}; it has {', '.join(map(str, table.columns[:20]))}")
    return table.fillna(dict.fromkeys(TEXT_COLUMNS, ""))


if len(TEXT_COLUMNS) != 2:
    raise SystemExit(f"TEXT_COLUMNS names {len(TEXT_COLUMNS)} columns; this model takes two")
table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE, [*TEXT_COLUMNS, TARGET])
table = table.dropna(subset=[TARGET])
class_names, labels = np.unique(table[TARGET].astype(str), return_inverse=True)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds {NUM_CLASSES} class; at least two are needed")
print(f"{len(table)} pairs of texts, classes: {dict(zip(class_names[:20], np.bincount(labels), strict=False))}")

# %% Preprocessing
train, test, y_train, y_test = train_test_split(table, labels, test_size=TEST_SPLIT, random_state=SEED)
train, val, y_train, y_val = train_test_split(train, y_train, test_size=VALIDATION_SPLIT, random_state=SEED)


def words_of(text):
    """The words of a text, in lower case."""
    return re.findall(r"\w+", str(text).lower())


# Both texts share one vocabulary, that of the training rows.
words = pd.Series([word for column in TEXT_COLUMNS for text in train[column] for word in words_of(text)])
vocabulary = {word: number for number, word in enumerate(words.value_counts().index[: VOCAB_SIZE - 2], start=2)}


def encode(rows):
    """Word numbers of the two texts, filled up from the left so that an LSTM ends on the last word."""
    encoded = []
    for column, length in zip(TEXT_COLUMNS, SEQUENCE_LENGTHS, strict=True):
        numbers = torch.full((len(rows), length), PADDING)
        for row, text in zip(numbers, rows[column], strict=True):
            found = [vocabulary.get(word, UNKNOWN) for word in words_of(text)[:length]]
            if found:
                row[-len(found) :] = torch.tensor(found)
        encoded.append(numbers)
    return encoded


train_set = TensorDataset(*encode(train), torch.from_numpy(y_train))
train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)


# %% Model
class TwoTexts(nn.Module):
    """One table of word vectors, an LSTM for each text, and hidden layers over what both remember."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(vocabulary) + 2, EMBEDDING_DIM, padding_idx=PADDING)
        self.first = nn.LSTM(EMBEDDING_DIM, LSTM_UNITS, batch_first=True)
        self.second = nn.LSTM(EMBEDDING_DIM, LSTM_UNITS, batch_first=True)
        layers = []
        width = 2 * LSTM_UNITS
        for units in HIDDEN_UNITS:
            layers += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(DROPOUT)]
            width = units
        self.head = nn.Sequential(*layers, nn.Linear(width, NUM_CLASSES))

    def forward(self, first, second):
        _, (first_state, _) = self.first(self.embedding(first))
        _, (second_state, _) = self.second(self.embedding(second))
        return self.head(torch.cat([first_state[-1], second_state[-1]], dim=1))


model = TwoTexts().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training pairs; the mean loss of its batches."""
    model.train()
    total = 0.0
    for first, second, truth in train_loader:
        loss = criterion(model(first.to(DEVICE), second.to(DEVICE)), truth.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item()
    return total / len(train_loader)


@torch.no_grad()
def probabilities(rows):
    """The probability of each class: (rows, NUM_CLASSES)."""
    model.eval()
    batches = DataLoader(TensorDataset(*encode(rows)), batch_size=128)
    return torch.cat([model(first.to(DEVICE), second.to(DEVICE)).softmax(dim=1).cpu() for first, second in batches])


def evaluate(rows, truth):
    """The share of rows whose class is told."""
    return accuracy_score(truth, probabilities(rows).argmax(dim=1))


history = {"loss": [], "val_accuracy": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_accuracy"].append(evaluate(val, y_val))
    if history["val_accuracy"][-1] >= max(history["val_accuracy"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation accuracy {history['val_accuracy'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
pd.Series(vocabulary).to_csv("vocabulary.csv", index_label="word")


# %% Evaluate
def predict(rows):
    """The class of each row's two texts."""
    return class_names[probabilities(rows).argmax(dim=1).numpy()]


print(classification_report(class_names[y_test], predict(test), zero_division=0))
print(
    f"held-out accuracy: {evaluate(test, y_test):.4f} "
    f"(baseline, always the most frequent class: {(y_test == np.bincount(y_train).argmax()).mean():.4f})"
)
if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE, TEXT_COLUMNS)
    new.assign(**{TARGET: predict(new)}).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
figure, axis = plt.subplots(figsize=(5, 5))
for number, name in enumerate(class_names[:5]):
    RocCurveDisplay.from_predictions(y_test == number, probabilities(test)[:, number], name=name, ax=axis)
plt.savefig("roc.png")
plt.show()
