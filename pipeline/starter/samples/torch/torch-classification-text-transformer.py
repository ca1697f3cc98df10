# %% [markdown]
# # Classes of texts by a Transformer encoder
# Every word of a text looks at every other one. Words get a vector for what they are and one for where they stand, a
# few encoder layers mix them, and the average over the text is classified.

# %% Imports
import collections
import os
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import classification_report, f1_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows without classes that predictions are wanted for
READ_OPTIONS = {}  # how the files are written, where that is not plain CSV
TEXT_COLUMN = "text"
TARGET = "label"
CLASS_NAMES = ["class_1", "class_2"]  # of made-up data; those of real data are counted
SEQUENCE_LENGTH = 128  # words of a text that are read
VOCAB_SIZE = 20000
EMBEDDING_DIM = 64
NUM_HEADS = 4
NUM_BLOCKS = 2
HIDDEN_UNITS = [128]  # of the feed-forward part of a block
DROPOUT = 0.1
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 12
LEARNING_RATE = 0.001
WEIGHT_DECAY = 0.01
WARMUP_SHARE = 0.1  # of all steps; the learning rate rises over them
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full sizes are for real data
    EPOCHS = min(EPOCHS, 6)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 24)


# %% Data: files
def synthetic_table(rows=480):
    """Texts of common words in which a mark of the class stands twice, and that of any class once."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up texts, not your data.")
    rng = np.random.default_rng(SEED)
    common = "the a it was and this that of we they on in at with from".split()
    examples = []
    for name in rng.choice(CLASS_NAMES, size=rows):
        marks = [f"mark_{name}", f"mark_{name}", f"mark_{rng.choice(CLASS_NAMES)}"]
        words = rng.permutation([*marks, *rng.choice(common, size=rng.integers(4, 12))])
        examples.append({TEXT_COLUMN: " ".join(words), TARGET: name})
    return pd.DataFrame(examples)


def load_table(name):
    """A CSV or Parquet file of DATA_DIR that has a column of texts."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your texts lie")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    if TEXT_COLUMN not in table:
        raise SystemExit(f"{name} has no column {TEXT_COLUMN!r}; it has {', '.join(map(str, table.columns[:20]))}")
    return table.assign(**{TEXT_COLUMN: table[TEXT_COLUMN].fillna("").astype(str)})


table = synthetic_table() if SYNTHETIC else load_table(TRAIN_FILE)
if TARGET not in table:
    raise SystemExit(f"{TRAIN_FILE} has no column {TARGET!r}; it has {', '.join(map(str, table.columns[:20]))}")
table = table.dropna(subset=[TARGET])
labels, class_names = pd.factorize(table[TARGET].astype(str), sort=True)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds {NUM_CLASSES} class; at least two are needed")
print(table[TARGET].value_counts().head(20).to_string())

# %% Preprocessing
PADDING, UNKNOWN = 0, 1
texts = table[TEXT_COLUMN].tolist()
train_texts, test_texts, y_train, y_test = train_test_split(texts, labels, test_size=TEST_SPLIT, random_state=SEED)
train_texts, val_texts, y_train, y_val = train_test_split(
    train_texts, y_train, test_size=VALIDATION_SPLIT, random_state=SEED
)


def tokens(text):
    """Words and marks of a text, in lower case."""
    return re.findall(r"\w+|[^\w\s]", text.lower())


frequencies = collections.Counter()
for text in train_texts:
    frequencies.update(tokens(text))
vocabulary = {token: number for number, (token, _) in enumerate(frequencies.most_common(VOCAB_SIZE - 2), start=2)}


def encode(texts):
    """Token numbers, cut or filled up to SEQUENCE_LENGTH: (texts, SEQUENCE_LENGTH)."""
    numbers = torch.full((len(texts), SEQUENCE_LENGTH), PADDING)
    for row, text in zip(numbers, texts, strict=True):
        found = [vocabulary.get(token, UNKNOWN) for token in tokens(text)[:SEQUENCE_LENGTH]] or [UNKNOWN]
        row[: len(found)] = torch.tensor(found)
    return numbers


x_train, x_val, x_test = encode(train_texts), encode(val_texts), encode(test_texts)
train_loader = DataLoader(TensorDataset(x_train, torch.from_numpy(y_train)), batch_size=BATCH_SIZE, shuffle=True)


# %% Model
class TransformerClassifier(nn.Module):
    """Embeddings of words and places, encoder blocks, the average over the words that are there, and the classes."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(len(vocabulary) + 2, EMBEDDING_DIM, padding_idx=PADDING)
        self.places = nn.Embedding(SEQUENCE_LENGTH, EMBEDDING_DIM)
        block = nn.TransformerEncoderLayer(
            EMBEDDING_DIM, NUM_HEADS, dim_feedforward=HIDDEN_UNITS[0], dropout=DROPOUT, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(block, NUM_BLOCKS, enable_nested_tensor=False)
        self.output = nn.Linear(EMBEDDING_DIM, NUM_CLASSES)

    def forward(self, numbers):
        filling = numbers == PADDING
        places = torch.arange(numbers.shape[1], device=numbers.device)
        mixed = self.encoder(self.words(numbers) + self.places(places), src_key_padding_mask=filling)
        there = (~filling).unsqueeze(-1)
        return self.output((mixed * there).sum(dim=1) / there.sum(dim=1))


if EMBEDDING_DIM % NUM_HEADS:
    raise SystemExit(f"EMBEDDING_DIM ({EMBEDDING_DIM}) has to be a multiple of NUM_HEADS ({NUM_HEADS})")
model = TransformerClassifier().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
total_steps = EPOCHS * len(train_loader)
warmup_steps = max(1, int(WARMUP_SHARE * total_steps))
# Transformers learn badly from large first steps: the rate rises at first, then falls to nothing.
scheduler = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda step: min((step + 1) / warmup_steps, (total_steps - step) / (total_steps - warmup_steps + 1))
)


# %% Train
def train_epoch():
    """One pass over the training texts; the mean loss of its batches."""
    model.train()
    losses = []
    for numbers, truth in train_loader:
        loss = criterion(model(numbers.to(DEVICE)), truth.to(DEVICE))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def probabilities(numbers):
    """The probability of each class for encoded texts: (texts, NUM_CLASSES)."""
    model.eval()
    return torch.cat([model(batch.to(DEVICE)).softmax(dim=1).cpu() for batch in numbers.split(64)]).numpy()


def evaluate(numbers, truth):
    """F1, the mean over the classes: rare ones count as much as frequent ones."""
    return f1_score(truth, probabilities(numbers).argmax(axis=1), average="macro", zero_division=0)


history = {"loss": [], "val_f1": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_f1"].append(evaluate(x_val, y_val))
    if history["val_f1"][-1] >= max(history["val_f1"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation macro F1 {history['val_f1'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
pd.Series(vocabulary).to_csv("vocabulary.csv", index_label="token")

# %% Evaluate
predicted = probabilities(x_test).argmax(axis=1)
print(classification_report(class_names[y_test], class_names[predicted], zero_division=0))
constant = np.full_like(y_test, np.bincount(y_train).argmax())
print(
    f"held-out macro F1: {evaluate(x_test, y_test):.4f} "
    f"(baseline, always the most frequent class: {f1_score(y_test, constant, average='macro', zero_division=0):.4f})"
)


def predict(texts):
    """The class of each text and its probability, as a table."""
    chances = probabilities(encode(texts))
    return pd.DataFrame({TARGET: class_names[chances.argmax(axis=1)], "probability": chances.max(axis=1)})


if UNLABELLED_FILE and not SYNTHETIC:
    new = load_table(UNLABELLED_FILE).drop(columns=TARGET, errors="ignore").reset_index(drop=True)
    new.join(predict(new[TEXT_COLUMN].tolist())).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
print(predict(test_texts[:3]))
figure, axis = plt.subplots(figsize=(6, 4))
axis.plot(history["loss"], color="C0")
axis.set(xlabel="epoch", ylabel="training loss")
axis.twinx().plot(history["val_f1"], color="C1")
axis.set_title("blue: training loss, orange: validation macro F1", fontsize=9)
plt.savefig("training.png")
plt.show()
