# %% [markdown]
# # Where in a text a question is answered
# Extractive question answering: the network reads question and context with one bidirectional LSTM, lets each word of
# the context look at the question, and scores each word as the first and as the last of the answer.

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
UNLABELLED_FILE = ""  # questions and contexts without answers
READ_OPTIONS = {}  # how the files are written, where that is not plain CSV
CONTEXT_COLUMN = "context"
QUESTION_COLUMN = "question"
TARGET = "answer"  # words of the context
SEQUENCE_LENGTH = 200  # words of a context that are read
VOCAB_SIZE = 20000
EMBEDDING_DIM = 64
LSTM_UNITS = 64  # in each direction
DROPOUT = 0.2
LONGEST_ANSWER = 15
VALIDATION_SPLIT = 0.1
TEST_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 20
LEARNING_RATE = 0.003
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full counts are for real data
    EPOCHS = min(EPOCHS, 10)
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_table(rows=600):
    """Contexts of three facts, each a key and one or two words for it, and a question for one of the keys."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up questions, not your data.")
    rng = np.random.default_rng(SEED)
    keys, words = ["colour", "size", "place", "price", "age"], [f"word{number}" for number in range(25)]
    examples = []
    for _ in range(rows):
        asked = list(rng.choice(keys, size=3, replace=False))
        answers = {key: " ".join(rng.choice(words, size=rng.integers(1, 3))) for key in asked}
        context = " and ".join(f"the {key} is {answer}" for key, answer in answers.items()) + " ."
        key = rng.choice(asked)
        examples.append((context, f"what is the {key} ?", answers[key]))
    return pd.DataFrame(examples, columns=[CONTEXT_COLUMN, QUESTION_COLUMN, TARGET])


def read_table(name, columns):
    """The rows of a table that have a text in each of the columns."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your questions lie")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    absent = set(columns) - set(table.columns)
    if absent:
        raise SystemExit(f"{name} has no column {absent.pop()!r}; it has {', '.join(map(str, table.columns[:20]))}")
    return table.dropna(subset=columns)


def words_of(text):
    """Words and marks, as they are written."""
    return re.findall(r"\w+|[^\w\s]", str(text))


def find_answer(context, answer):
    """The places of an answer's first and last word among a context's words; None where it is not there."""
    for start in range(len(context) - len(answer) + 1):
        if answer and context[start : start + len(answer)] == answer:
            return start, start + len(answer) - 1
    return None


columns = [CONTEXT_COLUMN, QUESTION_COLUMN, TARGET]
table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE, columns)
examples = []
for context, question, answer in table[columns].itertuples(index=False):
    context_words = words_of(context)[:SEQUENCE_LENGTH]
    span = find_answer(context_words, words_of(answer))
    if span is not None:
        examples.append((context_words, words_of(question), span))
if len(examples) < 20:
    raise SystemExit(f"{len(examples)} of {len(table)} answers stand in their context; that is too few")
print(f"{len(examples)} questions, {len(table) - len(examples)} left out whose answer is not in its context")

# %% Preprocessing
PADDING, UNKNOWN = 0, 1
train, test = train_test_split(examples, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
counts = collections.Counter()
for context, question, _ in train:
    counts.update(word.lower() for word in context + question)
vocabulary = {word: number for number, (word, _) in enumerate(counts.most_common(VOCAB_SIZE - 2), start=2)}


def encode(words):
    """The numbers of words."""
    return torch.tensor([vocabulary.get(word.lower(), UNKNOWN) for word in words] or [UNKNOWN])


def collate(batch):
    """Contexts and questions as numbers, filled up to the longest, and the answers' first and last places."""
    contexts, questions, spans = zip(*batch, strict=True)
    padded = [pad_sequence([encode(words) for words in texts], batch_first=True) for texts in (contexts, questions)]
    return *padded, torch.tensor(spans)


train_loader = DataLoader(train, batch_size=BATCH_SIZE, shuffle=True, collate_fn=collate)


# %% Model
class SpanReader(nn.Module):
    """An LSTM for both texts, attention from the context to the question, a second LSTM, and two scores a word."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(vocabulary) + 2, EMBEDDING_DIM, padding_idx=PADDING)
        self.dropout = nn.Dropout(DROPOUT)
        self.reader = nn.LSTM(EMBEDDING_DIM, LSTM_UNITS, batch_first=True, bidirectional=True)
        self.modeling = nn.LSTM(6 * LSTM_UNITS, LSTM_UNITS, batch_first=True, bidirectional=True)
        self.scores = nn.Linear(2 * LSTM_UNITS, 2)

    def forward(self, contexts, questions):
        context, _ = self.reader(self.dropout(self.embedding(contexts)))
        question, _ = self.reader(self.dropout(self.embedding(questions)))
        match = context @ question.transpose(1, 2) / context.shape[2] ** 0.5
        match = match.masked_fill((questions == PADDING).unsqueeze(1), float("-inf"))
        heard = match.softmax(dim=2) @ question  # for each word of the context what the question says about it
        states, _ = self.modeling(self.dropout(torch.cat([context, heard, context * heard], dim=2)))
        scores = self.scores(states).masked_fill((contexts == PADDING).unsqueeze(2), -1e9)
        return scores[..., 0], scores[..., 1]


model = SpanReader().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training questions; the mean loss of its batches."""
    model.train()
    losses = []
    for contexts, questions, spans in train_loader:
        starts, ends = model(contexts.to(DEVICE), questions.to(DEVICE))
        spans = spans.to(DEVICE)
        loss = criterion(starts, spans[:, 0]) + criterion(ends, spans[:, 1])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def find_spans(examples):
    """The likeliest first and last place for each example, the last not before the first nor too far behind it."""
    model.eval()
    spans = []
    for context, question, _ in examples:
        starts, ends = model(encode(context)[None].to(DEVICE), encode(question)[None].to(DEVICE))
        both = (starts[0].unsqueeze(1) + ends[0].unsqueeze(0)).cpu()
        allowed = torch.ones_like(both).triu().tril(LONGEST_ANSWER - 1).bool()
        best = both.masked_fill(~allowed, float("-inf")).argmax().item()
        spans.append(divmod(best, len(context)))
    return spans


def overlap(span, true_span):
    """F1 of the places of two spans."""
    common = len(range(max(span[0], true_span[0]), min(span[1], true_span[1]) + 1))
    return 2 * common / (span[1] - span[0] + true_span[1] - true_span[0] + 2)


def evaluate(examples, spans):
    """How often the span is exactly right, and the mean F1 of places."""
    truth = [span for _, _, span in examples]
    exact = np.mean([tuple(mine) == tuple(true) for mine, true in zip(spans, truth, strict=True)])
    return exact, np.mean([overlap(mine, true) for mine, true in zip(spans, truth, strict=True)])


history = {"loss": [], "val_f1": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    exact, f1 = evaluate(val, find_spans(val))
    history["val_f1"].append(f1)
    if f1 >= max(history["val_f1"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation exact match {exact:.4f}, F1 {f1:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
pd.Series(vocabulary).to_csv("vocabulary.csv", index_label="word")

# %% Evaluate
exact, f1 = evaluate(test, find_spans(test))
usual_start, usual_end = (int(np.median([span[side] for *_, span in train])) for side in (0, 1))
_, usual_f1 = evaluate(test, [(usual_start, max(usual_start, usual_end))] * len(test))
print(f"held-out exact match: {exact:.4f}")
print(
    f"held-out F1 of the answers' words: {f1:.4f} "
    f"(baseline, always the place where most answers of the training part are: {usual_f1:.4f})"
)


def predict(contexts, questions):
    """The answer to each question, words of its context."""
    examples = [(words_of(c)[:SEQUENCE_LENGTH], words_of(q), None) for c, q in zip(contexts, questions, strict=True)]
    spans = find_spans(examples)
    return [" ".join(words[start : end + 1]) for (words, _, _), (start, end) in zip(examples, spans, strict=True)]


if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE, columns[:2])
    new.assign(**{TARGET: predict(new[CONTEXT_COLUMN], new[QUESTION_COLUMN])}).to_csv("predictions.csv", index=False)

# %% Show
for context, question, (start, end) in test[:3]:
    print(" ".join(question), "->", predict([" ".join(context)], [" ".join(question)])[0], end=" ")
    print("(true: " + " ".join(context[start : end + 1]) + ")")
plt.plot(history["val_f1"], marker="o")
plt.xlabel("epoch")
plt.ylabel("validation F1")
plt.savefig("training.png")
plt.show()
