# %% [markdown]
# # A tag for each word by a bidirectional LSTM
# Words of a sentence are tagged in the BIO form: B- begins a name, I- goes on with it, O is none. Sentences come from a
# table with a row each, words and tags separated by spaces, or from a CoNLL file with a word and its tag a line.

# %% Imports
import collections
import json
import os

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
TRAIN_FILE = "train.csv"  # or a CoNLL file: .txt, .conll
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
TOKENS_COLUMN = "tokens"
TARGET = "tags"
SEQUENCE_LENGTH = 75  # words of a sentence that are read
VOCAB_SIZE = 20000
EMBEDDING_DIM = 100
LSTM_UNITS = 64  # in each direction
DROPOUT = 0.3
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 15
LEARNING_RATE = 0.005
SEED = 42

PADDING, UNKNOWN = 0, 1
IGNORED = -100  # the tag number of filling, which the loss leaves out
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full counts are for real data
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_table(rows=400):
    """Sentences in which the word before a name says of what kind it is: the name alone does not."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up sentences, not your data.")
    rng = np.random.default_rng(SEED)
    common = "the a it was and then there of on very old new seen again".split()
    sentences = []
    for _ in range(rows):
        words, tags = list(rng.choice(common, size=4)), ["O"] * 4
        for cue, kind in rng.permutation([("in", "LOC"), ("mr", "PER")])[: rng.integers(1, 3)]:
            name = [f"name{number}" for number in rng.integers(30, size=rng.integers(1, 3))]
            words += [cue, *name, *rng.choice(common, size=2)]
            tags += ["O", f"B-{kind}", *[f"I-{kind}"] * (len(name) - 1), "O", "O"]
        sentences.append({TOKENS_COLUMN: " ".join(words), TARGET: " ".join(tags)})
    return pd.DataFrame(sentences)


def read_conll(path):
    """Sentences of a file with a word and, last on its line, its tag; an empty line ends a sentence."""
    sentences, words, tags = [], [], []
    with open(path, encoding="utf-8") as stream:
        for line in [*stream, ""]:
            parts = line.split()
            if parts and parts[0] != "-DOCSTART-":
                words.append(parts[0])
                tags.append(parts[-1])
            elif words:
                sentences.append((words, tags))
                words, tags = [], []
    return sentences


def read_sentences():
    """Pairs of a list of words and a list of as many tags."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not SYNTHETIC and not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your sentences lie")
    if not SYNTHETIC and path.endswith((".txt", ".conll")):
        return read_conll(path)
    table = synthetic_table() if SYNTHETIC else pd.read_csv(path, **READ_OPTIONS)
    for column in (TOKENS_COLUMN, TARGET):
        if column not in table:
            raise SystemExit(f"{TRAIN_FILE} has no column {column!r}; it has {', '.join(map(str, table.columns))}")
    table = table.dropna(subset=[TOKENS_COLUMN, TARGET])
    pairs = [
        (str(words).split(), str(tags).split()) for words, tags in zip(table[TOKENS_COLUMN], table[TARGET], strict=True)
    ]
    return [(words, tags) for words, tags in pairs if len(words) == len(tags)]


sentences = [(words[:SEQUENCE_LENGTH], tags[:SEQUENCE_LENGTH]) for words, tags in read_sentences()]
if len(sentences) < 10:
    raise SystemExit(f"{TRAIN_FILE}: {len(sentences)} sentences with a tag for each word; that is too few")
tag_names = sorted({tag for _, tags in sentences for tag in tags})
NUM_CLASSES = len(tag_names)
print(f"{len(sentences)} sentences, {NUM_CLASSES} tags: {', '.join(tag_names)}")

# %% Preprocessing
train, test = train_test_split(sentences, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)

# The vocabulary is that of the training sentences. Words that stand there once are left out, so that the network
# learns what to do with unknown ones.
counts = collections.Counter(word.lower() for words, _ in train for word in words)
kept = [word for word, count in counts.most_common(VOCAB_SIZE - 2) if count > 1]
vocabulary = {word: number for number, word in enumerate(kept, start=2)}


def collate(batch):
    """Word numbers and tag numbers of a batch of sentences, filled up to the longest: (sentences, words) each."""
    words = [torch.tensor([vocabulary.get(word.lower(), UNKNOWN) for word in words]) for words, _ in batch]
    tags = [torch.tensor([tag_names.index(tag) for tag in tags]) for _, tags in batch]
    return (
        pad_sequence(words, batch_first=True, padding_value=PADDING),
        pad_sequence(tags, batch_first=True, padding_value=IGNORED),
    )


train_loader = DataLoader(train, batch_size=BATCH_SIZE, shuffle=True, collate_fn=collate)


# %% Model
class BiLSTMTagger(nn.Module):
    """Word vectors, an LSTM from both ends, and a score for each tag at each word."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(vocabulary) + 2, EMBEDDING_DIM, padding_idx=PADDING)
        self.dropout = nn.Dropout(DROPOUT)
        self.lstm = nn.LSTM(EMBEDDING_DIM, LSTM_UNITS, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * LSTM_UNITS, NUM_CLASSES)

    def forward(self, words):
        states, _ = self.lstm(self.dropout(self.embedding(words)))
        return self.output(self.dropout(states))


model = BiLSTMTagger().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss(ignore_index=IGNORED)
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training sentences; the mean loss of its batches."""
    model.train()
    losses = []
    for words, tags in train_loader:
        scores = model(words.to(DEVICE))
        loss = criterion(scores.flatten(0, 1), tags.to(DEVICE).flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def predict(sentences):
    """The tags of each sentence, a list of words; words beyond SEQUENCE_LENGTH get none."""
    model.eval()
    predicted = []
    for words in sentences:
        numbers, _ = collate([(words[:SEQUENCE_LENGTH], [])])
        predicted.append([tag_names[tag] for tag in model(numbers.to(DEVICE))[0].argmax(dim=-1).tolist()])
    return predicted


def names_in(tags):
    """The names of a tagged sentence: their first word, the word after their last, and their kind."""
    found, start = set(), None
    for position, tag in enumerate([*tags, "O"]):
        if start is not None and not (tag.startswith("I-") and tag[2:] == tags[start][2:]):
            found.add((start, position, tags[start].removeprefix("B-").removeprefix("I-")))
            start = None
        if tag != "O" and start is None:
            start = position
    return found


def evaluate(predicted, truth):
    """F1 of whole names: one counts where its words and its kind are right."""
    pairs = [(names_in(mine), names_in(true)) for mine, true in zip(predicted, truth, strict=True)]
    right = sum(len(mine & true) for mine, true in pairs)
    return 2 * right / max(1, sum(len(mine) + len(true) for mine, true in pairs))


val_words, val_tags = zip(*val, strict=True)
history = {"loss": [], "val_f1": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_f1"].append(evaluate(predict(val_words), val_tags))
    if history["val_f1"][-1] == max(history["val_f1"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation F1 {history['val_f1'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
with open("vocabulary.json", "w", encoding="utf-8") as stream:
    json.dump({"words": vocabulary, "tags": tag_names}, stream)

# %% Evaluate
test_words, test_tags = zip(*test, strict=True)
seen = collections.defaultdict(collections.Counter)
for words, tags in train:
    for word, tag in zip(words, tags, strict=True):
        seen[word][tag] += 1
by_word = [[seen[word].most_common(1)[0][0] if word in seen else "O" for word in words] for words in test_words]
print(
    f"held-out F1 of names: {evaluate(predict(test_words), test_tags):.4f} "
    f"(baseline, each word's most frequent tag: {evaluate(by_word, test_tags):.4f})"
)
tagged = {"words": [" ".join(words) for words in test_words], "tags": [" ".join(tags) for tags in predict(test_words)]}
pd.DataFrame(tagged).to_csv("predictions.csv", index=False)

# %% Show
for word, tag, truth in zip(test_words[0], predict(test_words[:1])[0], test_tags[0], strict=True):
    print(f"{word:20s} {tag:10s} (true: {truth})")
plt.plot(history["val_f1"], marker="o")
plt.xlabel("epoch")
plt.ylabel("validation F1 of names")
plt.savefig("training.png")
plt.show()
