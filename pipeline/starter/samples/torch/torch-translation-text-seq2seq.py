# %% [markdown]
# # Sentences into other sentences, with attention
# An encoder reads the source, a decoder writes the target word by word and looks back at the words of the source that
# matter for the next one. A table has a column of sources and one of targets.

# %% Imports
import collections
import os
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows with a source alone
READ_OPTIONS = {}  # how the files are written, where that is not plain CSV
TEXT_COLUMN = "source"
TARGET = "target"
SEQUENCE_LENGTH = 30  # words of a sentence
VOCAB_SIZE = 10000  # of either language
EMBEDDING_DIM = 64
GRU_UNITS = 128
DROPOUT = 0.1
TEACHER_FORCING = 0.7  # how often the decoder is told the true last word in training, in place of its own
VALIDATION_SPLIT = 0.1
TEST_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.003
SEED = 42

PADDING, UNKNOWN, START, END = 0, 1, 2, 3
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full counts are for real data
    EPOCHS = min(EPOCHS, 12)
    BATCH_SIZE = min(BATCH_SIZE, 32)


# %% Data: files
def synthetic_table(rows=700):
    """Words of a made-up language, and of another that says the same with the adjective behind the noun."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up sentences, not your data.")
    rng = np.random.default_rng(SEED)
    verbs, adjectives, nouns = (
        ["see", "take", "find"],
        ["red", "old", "big", "new"],
        ["hat", "cup", "map", "box", "key"],
    )
    pairs = []
    for _ in range(rows):
        first, second = rng.choice(nouns, size=2)
        colour, verb, other = rng.choice(adjectives), rng.choice(verbs), rng.choice(adjectives)
        source = f"{colour} {first} {verb} {other} {second}"
        pairs.append((source, f"{first}o {colour}i {verb}a {second}o {other}i"))
    return pd.DataFrame(pairs, columns=[TEXT_COLUMN, TARGET])


def read_table(name, columns):
    """A table of DATA_DIR; its rows that have a text in each of the columns."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your sentences lie")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    for column in columns:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(map(str, table.columns[:20]))}")
    return table.dropna(subset=columns)


def words_of(sentence):
    """Words and marks of a sentence, in lower case."""
    return re.findall(r"\w+|[^\w\s]", str(sentence).lower())[:SEQUENCE_LENGTH]


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE, [TEXT_COLUMN, TARGET])
pairs = [(words_of(source), words_of(target)) for source, target in table[[TEXT_COLUMN, TARGET]].to_numpy()]
pairs = [pair for pair in pairs if all(pair)]
if len(pairs) < 20:
    raise SystemExit(f"{TRAIN_FILE}: {len(pairs)} pairs of sentences are too few")
print(f"{len(pairs)} pairs, such as {' '.join(pairs[0][0])!r} and {' '.join(pairs[0][1])!r}")

# %% Preprocessing
train, test = train_test_split(pairs, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)


def vocabulary_of(sentences):
    """The words of a language: the special ones, then the most frequent ones."""
    counts = collections.Counter(word for words in sentences for word in words)
    return ["<pad>", "<unknown>", "<start>", "<end>", *(word for word, _ in counts.most_common(VOCAB_SIZE - 4))]


source_words = vocabulary_of(source for source, _ in train)
target_words = vocabulary_of(target for _, target in train)
source_numbers = {word: number for number, word in enumerate(source_words)}
target_numbers = {word: number for number, word in enumerate(target_words)}


def collate(batch):
    """Word numbers of sources and targets, each with its end and filled up: (sentences, words) both."""
    sources = [torch.tensor([*(source_numbers.get(word, UNKNOWN) for word in source), END]) for source, _ in batch]
    targets = [torch.tensor([*(target_numbers.get(word, UNKNOWN) for word in target), END]) for _, target in batch]
    return pad_sequence(sources, batch_first=True), pad_sequence(targets, batch_first=True)


train_loader = DataLoader(train, batch_size=BATCH_SIZE, shuffle=True, collate_fn=collate)


# %% Model
class Seq2Seq(nn.Module):
    """A bidirectional encoder, attention after Bahdanau, and a decoder that goes word by word."""

    def __init__(self):
        super().__init__()
        self.source_embedding = nn.Embedding(len(source_words), EMBEDDING_DIM, padding_idx=PADDING)
        self.encoder = nn.GRU(EMBEDDING_DIM, GRU_UNITS, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(2 * GRU_UNITS, GRU_UNITS)
        self.target_embedding = nn.Embedding(len(target_words), EMBEDDING_DIM, padding_idx=PADDING)
        self.ask = nn.Linear(GRU_UNITS, GRU_UNITS)
        self.answer = nn.Linear(2 * GRU_UNITS, GRU_UNITS)
        self.score = nn.Linear(GRU_UNITS, 1)
        self.decoder = nn.GRUCell(EMBEDDING_DIM + 2 * GRU_UNITS, GRU_UNITS)
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(3 * GRU_UNITS, len(target_words))

    def forward(self, sources, length, targets=None):
        """Scores of the target's words (sentences, length, words), and how much each looked at which source word."""
        states, last = self.encoder(self.dropout(self.source_embedding(sources)))
        state = torch.tanh(self.bridge(torch.cat([last[0], last[1]], dim=1)))
        answers = self.answer(states)
        word = torch.full((len(sources),), START, device=sources.device)
        scores, attention = [], []
        for place in range(length):
            match = self.score(torch.tanh(self.ask(state).unsqueeze(1) + answers)).squeeze(-1)
            weights = match.masked_fill(sources == PADDING, float("-inf")).softmax(dim=1)
            context = (weights.unsqueeze(-1) * states).sum(dim=1)
            state = self.decoder(torch.cat([self.target_embedding(word), context], dim=1), state)
            scores.append(self.output(self.dropout(torch.cat([state, context], dim=1))))
            attention.append(weights)
            word = scores[-1].argmax(dim=1)
            if targets is not None and torch.rand(1).item() < TEACHER_FORCING:
                word = targets[:, place]
        return torch.stack(scores, dim=1), torch.stack(attention, dim=1)


model = Seq2Seq().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss(ignore_index=PADDING)
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training pairs; the mean loss of its batches."""
    model.train()
    losses = []
    for sources, targets in train_loader:
        sources, targets = sources.to(DEVICE), targets.to(DEVICE)
        scores, _ = model(sources, targets.shape[1], targets)
        loss = criterion(scores.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(sources):
    """The target's words for each source, a list of words; the likeliest word is taken at each place."""
    model.eval()
    written = []
    for start in range(0, len(sources), 64):
        numbers, _ = collate([(words or ["?"], []) for words in sources[start : start + 64]])
        scores, _ = model(numbers.to(DEVICE), SEQUENCE_LENGTH + 1)
        for sentence in scores.argmax(dim=2).tolist():
            end = sentence.index(END) if END in sentence else len(sentence)
            written.append([target_words[number] for number in sentence[:end]])
    return written


def evaluate(written, truth):
    """The mean share of words in their places, by the longer of the two sentences."""
    shares = []
    for mine, true in zip(written, truth, strict=True):
        right = sum(a == b for a, b in zip(mine, true, strict=False))
        shares.append(right / max(len(mine), len(true)))
    return np.mean(shares)


val_sources, val_targets = [source for source, _ in val], [target for _, target in val]
history = {"loss": [], "val_accuracy": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_accuracy"].append(evaluate(predict(val_sources), val_targets))
    if history["val_accuracy"][-1] >= max(history["val_accuracy"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, words in place {history['val_accuracy'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
pd.Series(source_words).to_csv("source_words.csv")
pd.Series(target_words).to_csv("target_words.csv")

# %% Evaluate
test_sources, test_targets = [source for source, _ in test], [target for _, target in test]
commonest = collections.Counter(" ".join(target) for _, target in train).most_common(1)[0][0].split()
print(
    f"held-out share of words in place: {evaluate(predict(test_sources), test_targets):.4f} "
    f"(baseline, always the same sentence: {evaluate([commonest] * len(test), test_targets):.4f})"
)
if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE, [TEXT_COLUMN])
    new[TARGET] = [" ".join(words) for words in predict([words_of(source) for source in new[TEXT_COLUMN]])]
    new.to_csv("predictions.csv", index=False)

# %% Show
source, written = test_sources[0], predict(test_sources[:1])[0]
print(" ".join(source), "->", " ".join(written), "(true:", " ".join(test_targets[0]) + ")")
with torch.no_grad():
    _, attention = model(collate([(source, [])])[0].to(DEVICE), len(written) + 1)
plt.imshow(attention[0].cpu(), cmap="gray")
plt.xticks(range(len(source) + 1), [*source, "<end>"], rotation=90)
plt.yticks(range(len(written) + 1), [*written, "<end>"])
plt.title("which word of the source each word looked at")
plt.tight_layout()
plt.savefig("attention.png")
plt.show()
