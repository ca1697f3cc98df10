# %% [markdown]
# # Classes of texts by a bidirectional LSTM
# Texts stand in a column of a table, their classes in another. Words become numbers, numbers become vectors, and an
# LSTM reads these from both ends.

# %% Imports
import collections
import json
import os
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
HELD_OUT_FILE = ""  # rows with their classes that are kept for the test; "" splits them off
UNLABELLED_FILE = ""  # rows without classes that predictions are wanted for
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TEXT_COLUMN = "text"
TARGET = "label"
CLASS_NAMES = ["class_1", "class_2"]  # of made-up data; those of real data are counted
SEQUENCE_LENGTH = 200  # words of a text that are read
VOCAB_SIZE = 20000
EMBEDDING_DIM = 128
LSTM_UNITS = 64  # in each direction
DROPOUT = 0.3
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 10
LEARNING_RATE = 0.001
SEED = 42

PADDING, UNKNOWN = 0, 1  # the numbers of "no word here" and of words that are not in the vocabulary
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 4)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 32)


# %% Data: files
def synthetic_table(rows=400):
    """Texts of common words, with one word in each that only its class has."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up texts, not your data.")
    rng = np.random.default_rng(SEED)
    common = "the a it was and this that of we they on in at never always very with from some more".split()
    classes = rng.choice(CLASS_NAMES, size=rows)
    texts = []
    for name in classes:
        words = list(rng.choice(common, size=rng.integers(5, 15)))
        words.insert(rng.integers(len(words)), f"word_of_{name}")
        texts.append(" ".join(words))
    return pd.DataFrame({TEXT_COLUMN: texts, TARGET: classes})


def read_table(name):
    """A CSV, Parquet or Excel file of DATA_DIR."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your texts lie")
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    return pd.read_excel(path, **READ_OPTIONS) if path.endswith(".xlsx") else pd.read_csv(path, **READ_OPTIONS)


def labelled(table):
    """The rows that have a class; an empty text is a text."""
    for column in (TEXT_COLUMN, TARGET):
        if column not in table:
            raise SystemExit(f"there is no column {column!r}; the table has {', '.join(map(str, table.columns[:20]))}")
    rows = table.dropna(subset=[TARGET]).fillna({TEXT_COLUMN: ""})
    return rows.astype({TEXT_COLUMN: str, TARGET: str})


table = labelled(synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE))
class_names = sorted(table[TARGET].unique())
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds {NUM_CLASSES} class; at least two are needed")
print(f"{len(table)} texts of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))


# %% Preprocessing
def words_of(text):
    """The words of a text in lower case."""
    return re.findall(r"\w+(?:'\w+)?", text.lower())


def split(table, share):
    """Two parts, with the classes alike in both where every class has texts enough."""
    counts = table[TARGET].value_counts()
    stratify = table[TARGET] if counts.min() > 1 and int(share * len(table)) >= NUM_CLASSES else None
    return train_test_split(table, test_size=share, random_state=SEED, stratify=stratify)


if HELD_OUT_FILE and not SYNTHETIC:
    train_rows, test_rows = table, labelled(read_table(HELD_OUT_FILE))
else:
    train_rows, test_rows = split(table, TEST_SPLIT)
train_rows, val_rows = split(train_rows, VALIDATION_SPLIT)

# The vocabulary is that of the training texts: the most frequent words, numbered from 2 on.
counts = collections.Counter(word for text in train_rows[TEXT_COLUMN] for word in words_of(text))
vocabulary = {word: number for number, (word, _) in enumerate(counts.most_common(VOCAB_SIZE - 2), start=2)}


def encode(text):
    """The numbers of a text's first words; a text without words is one unknown word."""
    numbers = [vocabulary.get(word, UNKNOWN) for word in words_of(text)[:SEQUENCE_LENGTH]]
    return torch.tensor(numbers or [UNKNOWN])


def encode_labels(names):
    """Class numbers; a class that training has not seen is an error."""
    unknown = set(names) - set(class_names)
    if unknown:
        raise SystemExit(f"column {TARGET!r} holds a class that the training rows lack: {unknown.pop()}")
    return [class_names.index(name) for name in names]


def collate(examples):
    """A batch: word numbers filled up with zeros to the longest text, the texts' lengths, and the class numbers."""
    texts, labels = zip(*examples, strict=True)
    lengths = torch.tensor([len(text) for text in texts])
    return pad_sequence(texts, batch_first=True, padding_value=PADDING), lengths, torch.tensor(labels)


def make_loader(texts, labels, shuffle=False):
    """Batches of texts with their classes."""
    examples = list(zip([encode(text) for text in texts], labels, strict=True))
    return DataLoader(examples, batch_size=BATCH_SIZE, shuffle=shuffle, collate_fn=collate)


train_labels, test_labels = encode_labels(train_rows[TARGET]), encode_labels(test_rows[TARGET])
train_loader = make_loader(train_rows[TEXT_COLUMN], train_labels, shuffle=True)
val_loader = make_loader(val_rows[TEXT_COLUMN], encode_labels(val_rows[TARGET]))
test_loader = make_loader(test_rows[TEXT_COLUMN], test_labels)


# %% Model
class BiLSTMClassifier(nn.Module):
    """Word vectors, an LSTM from both ends, and an output for each class from what it remembers at either end."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(vocabulary) + 2, EMBEDDING_DIM, padding_idx=PADDING)
        self.lstm = nn.LSTM(EMBEDDING_DIM, LSTM_UNITS, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(2 * LSTM_UNITS, NUM_CLASSES)

    def forward(self, numbers, lengths):
        vectors = self.dropout(self.embedding(numbers))
        # Packed, so that the LSTM stops at the end of each text and never reads the filling.
        packed = pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
        _, (hidden, _) = self.lstm(packed)
        both_ends = torch.cat([hidden[0], hidden[1]], dim=1)
        return self.output(self.dropout(both_ends))


model = BiLSTMClassifier().to(DEVICE)
print(model)

# %% Loss and optimizer
loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch(loader):
    """One pass over the training texts; the mean loss of its batches."""
    model.train()
    total = 0.0
    for numbers, lengths, labels in loader:
        optimizer.zero_grad()
        loss = loss_function(model(numbers.to(DEVICE), lengths), labels.to(DEVICE))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # recurrent networks are prone to sudden large steps
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def evaluate(loader):
    """The class number that the model gives each text, and the share of right ones."""
    model.eval()
    predicted, right = [], 0
    for numbers, lengths, labels in loader:
        classes = model(numbers.to(DEVICE), lengths).argmax(dim=1).cpu()
        predicted += classes.tolist()
        right += (classes == labels).sum().item()
    return predicted, right / len(predicted)


history = {"loss": [], "val_accuracy": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch(train_loader))
    _, accuracy = evaluate(val_loader)
    if accuracy > max(history["val_accuracy"], default=-1):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    history["val_accuracy"].append(accuracy)
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation accuracy {accuracy:.4f}")

model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
with open("vocabulary.json", "w", encoding="utf-8") as stream:
    json.dump({"words": vocabulary, "classes": class_names}, stream)

# %% Evaluate
predicted, accuracy = evaluate(test_loader)
names = np.array(class_names)
print(classification_report(names[test_labels], names[predicted], zero_division=0))
most_frequent = np.bincount(train_labels).argmax()
print(
    f"held-out accuracy: {accuracy:.4f} "
    f"(baseline, always the most frequent class: {np.mean(np.array(test_labels) == most_frequent):.4f})"
)


def predict(texts):
    """The class name of each text."""
    numbers, _ = evaluate(make_loader(texts, [0] * len(texts)))
    return names[numbers]


if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    new[TARGET] = predict(new[TEXT_COLUMN].fillna("").astype(str))
    new.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
for text in test_rows[TEXT_COLUMN][:3]:
    print(f"{predict([text])[0]}: {text[:80]}")
ConfusionMatrixDisplay.from_predictions(names[test_labels], names[predicted], xticks_rotation="vertical")
plt.tight_layout()
plt.savefig("confusion_matrix.png")
plt.show()
