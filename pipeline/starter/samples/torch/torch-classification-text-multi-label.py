# %% [markdown]
# # Several labels for a text
# Any number of labels may fit a text, so each has a sigmoid of its own. The vectors of a text's words are weighed by
# how telling they are and added up. A table has a column of texts and a column of zeros and ones for each label.

# %% Imports
import collections
import os

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows without labels that predictions are wanted for
READ_OPTIONS = {}  # how the files are written, where that is not plain CSV
TEXT_COLUMN = "text"
TARGETS = ["label_1", "label_2", "label_3", "label_4"]  # columns of labels, or one column of labels separated by "|"
SEPARATOR = "|"
SEQUENCE_LENGTH = 256
VOCAB_SIZE = 20000
EMBEDDING_DIM = 64
GRU_UNITS = 48  # in each direction
DROPOUT = 0.3
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 15
LEARNING_RATE = 0.002
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full counts are for real data
    EPOCHS = min(EPOCHS, 8)
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_table(rows=500):
    """Texts with one word for each label that they have, among common words."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up texts, not your data.")
    rng = np.random.default_rng(SEED)
    common = "the a it was and this that of we they on in at with from".split()
    names = TARGETS if len(TARGETS) > 1 else ["label_1", "label_2", "label_3"]
    given = rng.random((rows, len(names))) < 0.35
    texts = []
    for labels in given:
        telling = [f"about_{names[place]}" for place in np.flatnonzero(labels)]
        texts.append(" ".join(rng.permutation([*telling, *rng.choice(common, size=rng.integers(5, 15))])))
    if len(TARGETS) > 1:
        return pd.DataFrame(given.astype(int), columns=TARGETS).assign(**{TEXT_COLUMN: texts})
    joined = [SEPARATOR.join(np.array(names)[labels]) for labels in given]
    return pd.DataFrame({TEXT_COLUMN: texts, TARGETS[0]: joined})


def read_table(name, columns):
    """A CSV or Parquet file with the columns that are needed."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your texts lie")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    for column in columns:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(map(str, table.columns[:20]))}")
    return table.assign(**{TEXT_COLUMN: table[TEXT_COLUMN].fillna("").astype(str)})


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE, [TEXT_COLUMN, *TARGETS])
if len(TARGETS) > 1:
    labels = (table[TARGETS].apply(pd.to_numeric, errors="coerce") > 0).astype(int)
else:
    labels = table[TARGETS[0]].fillna("").astype(str).str.get_dummies(SEPARATOR)
label_names = labels.columns.tolist()
NUM_CLASSES = len(label_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{TRAIN_FILE}: {NUM_CLASSES} label in {TARGETS}; set TARGETS and SEPARATOR")
print(f"{len(table)} texts; share with each label: {labels.mean().round(2).to_dict()}")

# %% Preprocessing
texts, truth = table[TEXT_COLUMN].tolist(), labels.to_numpy("float32")
train_texts, test_texts, y_train, y_test = train_test_split(texts, truth, test_size=TEST_SPLIT, random_state=SEED)
train_texts, val_texts, y_train, y_val = train_test_split(
    train_texts, y_train, test_size=VALIDATION_SPLIT, random_state=SEED
)
counts = collections.Counter(word for text in train_texts for word in text.lower().split())
vocabulary = {word: number for number, (word, _) in enumerate(counts.most_common(VOCAB_SIZE - 2), start=2)}


class LabelledTexts(Dataset):
    """The numbers of a text's words, 0 for filling and 1 for unknown ones, and its row of zeros and ones."""

    def __init__(self, texts, labels):
        self.texts = texts
        self.labels = torch.tensor(labels)

    def __len__(self):
        return len(self.texts)

    def __getitem__(self, index):
        words = self.texts[index].lower().split()[:SEQUENCE_LENGTH] or [""]
        numbers = torch.zeros(SEQUENCE_LENGTH, dtype=torch.long)
        numbers[: len(words)] = torch.tensor([vocabulary.get(word, 1) for word in words])
        return numbers, self.labels[index]


def make_loader(texts, labels, shuffle=False):
    """Batches, cut to their longest text."""

    def cut(batch):
        numbers, labels = (torch.stack(part) for part in zip(*batch, strict=True))
        return numbers[:, : (numbers > 0).sum(dim=1).max()], labels

    return DataLoader(LabelledTexts(texts, labels), batch_size=BATCH_SIZE, shuffle=shuffle, collate_fn=cut)


train_loader = make_loader(train_texts, y_train, shuffle=True)


# %% Model
class AttentiveGRU(nn.Module):
    """Word vectors read from both ends, a weight for each word, and a score for each label from the weighted sum."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(vocabulary) + 2, EMBEDDING_DIM, padding_idx=0)
        self.gru = nn.GRU(EMBEDDING_DIM, GRU_UNITS, batch_first=True, bidirectional=True)
        self.weigh = nn.Linear(2 * GRU_UNITS, 1)
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(2 * GRU_UNITS, NUM_CLASSES)

    def forward(self, numbers):
        states, _ = self.gru(self.dropout(self.embedding(numbers)))
        telling = self.weigh(states).masked_fill((numbers == 0).unsqueeze(2), float("-inf"))
        return self.output(self.dropout((telling.softmax(dim=1) * states).sum(dim=1)))


model = AttentiveGRU().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training texts; the mean loss of its batches."""
    model.train()
    losses = []
    for numbers, given in train_loader:
        loss = criterion(model(numbers.to(DEVICE)), given.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def probabilities(texts):
    """The probability of each label for each text: (texts, NUM_CLASSES)."""
    model.eval()
    loader = make_loader(texts, np.zeros((len(texts), NUM_CLASSES)))
    return torch.cat([torch.sigmoid(model(numbers.to(DEVICE))).cpu() for numbers, _ in loader]).numpy()


def evaluate(chances, given, thresholds):
    """F1 over all labels of all texts."""
    return f1_score(given, chances >= thresholds, average="micro", zero_division=0)


history = {"loss": [], "val_f1": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_f1"].append(evaluate(probabilities(val_texts), y_val, 0.5))
    if history["val_f1"][-1] >= max(history["val_f1"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation micro F1 {history['val_f1'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))

# A rare label is seldom given a probability of a half: each label has the threshold that suits the validation texts.
chances = probabilities(val_texts)
steps = np.linspace(0.1, 0.9, 17)
thresholds = np.array(
    [
        steps[np.argmax([f1_score(y_val[:, place], chances[:, place] >= step, zero_division=0) for step in steps])]
        for place in range(NUM_CLASSES)
    ]
)
pd.Series(vocabulary).to_csv("vocabulary.csv", index_label="word")

# %% Evaluate
chances = probabilities(test_texts)
for place, name in enumerate(label_names):
    score = f1_score(y_test[:, place], chances[:, place] >= thresholds[place], zero_division=0)
    print(f"{name}: F1 {score:.4f} from a probability of {thresholds[place]:.2f} on")
print(
    f"held-out micro F1: {evaluate(chances, y_test, thresholds):.4f} "
    f"(baseline, every label for every text: {evaluate(np.ones_like(chances), y_test, thresholds):.4f})"
)


def predict(texts):
    """Zeros and ones for each label, as a table."""
    return pd.DataFrame((probabilities(texts) >= thresholds).astype(int), columns=label_names)


if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE, [TEXT_COLUMN]).reset_index(drop=True)
    found = predict(new[TEXT_COLUMN].tolist())
    new.drop(columns=label_names, errors="ignore").join(found).to_csv("predictions.csv", index=False)

# %% Show
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
left.plot(history["val_f1"], marker="o")
left.set(xlabel="epoch", ylabel="validation micro F1")
right.boxplot([chances[y_test[:, place] > 0, place] for place in range(NUM_CLASSES)])
right.set_xticks(range(1, NUM_CLASSES + 1), label_names, rotation=45)
right.set_ylabel("probability where the label fits")
plt.tight_layout()
plt.savefig("labels.png")
plt.show()
