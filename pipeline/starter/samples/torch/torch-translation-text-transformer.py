# %% [markdown]
# # Sentences into other sentences by a Transformer
# The encoder lets every word of the source look at every other one; the decoder writes the target word by word, looking
# at what it has written and at the encoded source. The learning rate warms up and then falls.

# %% Imports
import collections
import json
import math
import os
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "pairs.txt"  # a pair a line: source, tab, target
READ_OPTIONS = {"sep": "\t"}  # how the file is written
TEXT_COLUMN = "source"  # where the file has no such column, the first two are source and target
TARGET = "target"
SEQUENCE_LENGTH = 30  # words of a sentence; longer ones are cut
VOCAB_SIZE = 15000  # of either language
EMBEDDING_DIM = 128
NUM_HEADS = 8
NUM_BLOCKS = 3  # of the encoder, and as many of the decoder
FEED_FORWARD_UNITS = 512
DROPOUT = 0.1
LABEL_SMOOTHING = 0.1
WARMUP_SHARE = 0.1  # of all steps; over these the learning rate rises
VALIDATION_SPLIT = 0.1
TEST_SPLIT = 0.1
BATCH_SIZE = 64
EPOCHS = 20
LEARNING_RATE = 0.0005
SEED = 42

PADDING, START, END, UNKNOWN = 0, 1, 2, 3
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    EPOCHS = min(EPOCHS, 14)
    BATCH_SIZE = min(BATCH_SIZE, 32)
    EMBEDDING_DIM = min(EMBEDDING_DIM, 64)
    NUM_HEADS = min(NUM_HEADS, 4)
    NUM_BLOCKS = min(NUM_BLOCKS, 1)
    FEED_FORWARD_UNITS = min(FEED_FORWARD_UNITS, 128)
    LEARNING_RATE = max(LEARNING_RATE, 0.002)


# %% Data: files
def made_up_pairs(rows=900):
    """A language in which numbers of things are said the other way round, with endings of their own."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up pairs, not your data.")
    rng = np.random.default_rng(SEED)
    numbers, colours = ["two", "three", "four", "five"], ["red", "blue", "green", "old", "new"]
    things = ["boats", "houses", "birds", "trees", "books", "roads"]
    pairs = []
    for _ in range(rows):
        number, colour, thing = rng.choice(numbers), rng.choice(colours), rng.choice(things)
        verb, other = rng.choice(["see", "sell", "paint"]), rng.choice(things)
        source = f"we {verb} {number} {colour} {thing} and {other}"
        pairs.append((source, f"{thing[:-1]}im {colour}im {number}a ol {other[:-1]}im {verb}emos"))
    return pd.DataFrame(pairs, columns=[TEXT_COLUMN, TARGET])


def read_pairs():
    """The pairs of TRAIN_FILE, in the columns TEXT_COLUMN and TARGET."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your pairs lie")
    table = pd.read_csv(path, **READ_OPTIONS)
    if {TEXT_COLUMN, TARGET} <= set(table):
        return table[[TEXT_COLUMN, TARGET]].dropna()
    table = pd.read_csv(path, **{**READ_OPTIONS, "header": None})  # a file without names of columns
    if table.shape[1] < 2:
        raise SystemExit(f"{TRAIN_FILE} has one column; set READ_OPTIONS to what separates source and target")
    return table.iloc[:, :2].set_axis([TEXT_COLUMN, TARGET], axis=1).dropna()


def words_of(sentence):
    """Words and marks in lower case."""
    return re.findall(r"\w+|[^\w\s]", str(sentence).lower())[: SEQUENCE_LENGTH - 2]


pairs = (made_up_pairs() if SYNTHETIC else read_pairs()).sample(frac=1, random_state=SEED).reset_index(drop=True)
sources, targets = pairs[TEXT_COLUMN].map(words_of).tolist(), pairs[TARGET].map(words_of).tolist()
if len(pairs) < 20:
    raise SystemExit(f"{TRAIN_FILE} has {len(pairs)} pairs: too few")

# %% Preprocessing
test_from = int(len(pairs) * (1 - TEST_SPLIT))
val_from = int(len(pairs) * (1 - TEST_SPLIT - VALIDATION_SPLIT))


def vocabulary(sentences):
    """The most frequent words of the training sentences; the first four numbers are marks."""
    counts = collections.Counter(word for sentence in sentences for word in sentence)
    return ["", "[start]", "[end]", "[unknown]", *(word for word, _ in counts.most_common(VOCAB_SIZE - 4))]


source_words, target_words = vocabulary(sources[:val_from]), vocabulary(targets[:val_from])
source_vocab = {word: number for number, word in enumerate(source_words)}
target_vocab = {word: number for number, word in enumerate(target_words)}


def encode(sentences, vocab):
    """Sentences as rows of numbers between marks, as long as the longest of them: (sentences, words)."""
    rows = [[START, *(vocab.get(word, UNKNOWN) for word in sentence), END] for sentence in sentences]
    longest = max(map(len, rows))
    return torch.tensor([row + [PADDING] * (longest - len(row)) for row in rows], device=DEVICE)


print(f"{len(pairs)} pairs, {len(source_vocab)} and {len(target_vocab)} words")


# %% Model
class Positions(nn.Module):
    """Vectors of words, with waves of all lengths added that tell where each word stands."""

    def __init__(self, words):
        super().__init__()
        self.words = nn.Embedding(words, EMBEDDING_DIM, padding_idx=PADDING)
        place = torch.arange(SEQUENCE_LENGTH)[:, None]
        rate = torch.exp(torch.arange(0, EMBEDDING_DIM, 2) * (-math.log(10000.0) / EMBEDDING_DIM))
        waves = torch.zeros(SEQUENCE_LENGTH, EMBEDDING_DIM)
        waves[:, 0::2], waves[:, 1::2] = torch.sin(place * rate), torch.cos(place * rate)
        self.register_buffer("waves", waves)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, rows):
        return self.dropout(self.words(rows) * math.sqrt(EMBEDDING_DIM) + self.waves[: rows.shape[1]])


class TranslationTransformer(nn.Module):
    """Encoder and decoder, and a score for each word of the target language."""

    def __init__(self):
        super().__init__()
        self.source, self.target = Positions(len(source_vocab)), Positions(len(target_vocab))
        self.transformer = nn.Transformer(
            d_model=EMBEDDING_DIM,
            nhead=NUM_HEADS,
            num_encoder_layers=NUM_BLOCKS,
            num_decoder_layers=NUM_BLOCKS,
            dim_feedforward=FEED_FORWARD_UNITS,
            dropout=DROPOUT,
            batch_first=True,
        )
        self.output = nn.Linear(EMBEDDING_DIM, len(target_vocab))

    def forward(self, source, target):
        """Scores (sentences, words, vocabulary) for the word that follows each word of the target."""
        length = target.shape[1]
        future = torch.ones(length, length, dtype=torch.bool, device=target.device).triu(1)  # not to be looked at
        hidden = self.transformer(
            self.source(source),
            self.target(target),
            tgt_mask=future,
            src_key_padding_mask=source == PADDING,
            tgt_key_padding_mask=target == PADDING,
            memory_key_padding_mask=source == PADDING,
        )
        return self.output(hidden)


if EMBEDDING_DIM % NUM_HEADS or EMBEDDING_DIM % 2:
    raise SystemExit(f"EMBEDDING_DIM ({EMBEDDING_DIM}) has to be even and a multiple of NUM_HEADS ({NUM_HEADS})")
model = TranslationTransformer().to(DEVICE)
print(f"{sum(weights.numel() for weights in model.parameters()):,} weights")

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss(ignore_index=PADDING, label_smoothing=LABEL_SMOOTHING)
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98))
total_steps = EPOCHS * math.ceil(val_from / BATCH_SIZE)
warmup_steps = max(1, int(WARMUP_SHARE * total_steps))
scheduler = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda step: min((step + 1) / warmup_steps, (warmup_steps / (step + 1)) ** 0.5)
)


# %% Train
def loss_of(start, stop):
    """The loss on the pairs from one number to another."""
    source = encode(sources[start:stop], source_vocab)
    target = encode(targets[start:stop], target_vocab)
    scores = model(source, target[:, :-1])
    return criterion(scores.flatten(0, 1), target[:, 1:].flatten())


def train_epoch():
    """One pass over the training pairs, the batches in random order; the mean loss."""
    model.train()
    losses = []
    for number in torch.randperm(math.ceil(val_from / BATCH_SIZE)).tolist():
        loss = loss_of(number * BATCH_SIZE, min(val_from, (number + 1) * BATCH_SIZE))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def evaluate():
    """The mean loss on the validation pairs."""
    model.eval()
    starts = range(val_from, test_from, BATCH_SIZE)
    return np.mean([loss_of(start, min(test_from, start + BATCH_SIZE)).item() for start in starts])


history = {"loss": [], "val_loss": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_loss"].append(evaluate())
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation loss {history['val_loss'][-1]:.4f}")
    if history["val_loss"][-1] == min(history["val_loss"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
with open("vocabulary.json", "w", encoding="utf-8") as stream:
    json.dump({"source": source_words, "target": target_words}, stream)


# %% Evaluate
@torch.no_grad()
def predict(sentences):
    """Translations of sentences, each a list of words: the likeliest word at each place."""
    model.eval()
    source = encode(sentences, source_vocab)
    written = torch.full((len(sentences), 1), START, device=DEVICE)
    for _ in range(SEQUENCE_LENGTH - 1):
        following = model(source, written)[:, -1].argmax(dim=1)
        following[(written == END).any(dim=1)] = PADDING
        written = torch.cat([written, following[:, None]], dim=1)
        if (written == END).any(dim=1).all():
            break
    return [[target_words[number] for number in row if number > END] for row in written.tolist()]


def bleu(references, translations):
    """BLEU of Papineni et al. (2002): shares of one to four words in a row that the reference has, and its length."""
    matched, made = np.zeros(4), np.zeros(4)
    for reference, translation in zip(references, translations, strict=True):
        for size in range(1, 5):
            grams = collections.Counter(zip(*(translation[start:] for start in range(size)), strict=False))
            known = collections.Counter(zip(*(reference[start:] for start in range(size)), strict=False))
            matched[size - 1] += sum((grams & known).values())
            made[size - 1] += sum(grams.values())
    if not matched.all():
        return 0.0
    length = sum(map(len, translations)) / max(1, sum(map(len, references)))
    return float(np.exp(np.log(matched / made).mean()) * min(1.0, math.exp(1 - 1 / length)))


references, translations = targets[test_from:], predict(sources[test_from:])
always = [max(targets[:val_from], key=targets[:val_from].count)] * len(references)
print(f"held-out BLEU: {bleu(references, translations):.4f} (baseline, one sentence: {bleu(references, always):.4f})")
table = pd.DataFrame({TEXT_COLUMN: sources[test_from:], TARGET: references, "translation": translations})
table = table.map(" ".join)
table.to_csv("predictions.csv", index=False)
print(table.head().to_string(index=False))

# %% Show
plt.plot(history["loss"], label="training")
plt.plot(history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.savefig("training.png")
plt.show()
