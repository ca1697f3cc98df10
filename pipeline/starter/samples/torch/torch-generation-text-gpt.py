# %% [markdown]
# # A small GPT
# A Transformer decoder written out: each character looks back at all before it, through several heads, and tells
# which one comes next. Trained on one text, it writes more of its kind.

# %% Imports
import math
import os

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TEXT_FILE = "text.txt"
SEQUENCE_LENGTH = 128  # characters that the model looks back at
EMBEDDING_DIM = 128
NUM_HEADS = 4
NUM_BLOCKS = 4
DROPOUT = 0.1
STEPS_PER_EPOCH = 200
TEMPERATURE = 0.8
TOP_K = 20  # only the likeliest characters are drawn
GENERATED_CHARACTERS = 300
TEST_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 20
LEARNING_RATE = 0.001
WEIGHT_DECAY = 0.1
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full sizes are for real data
    EPOCHS = min(EPOCHS, 4)
    STEPS_PER_EPOCH = min(STEPS_PER_EPOCH, 50)
    BATCH_SIZE = min(BATCH_SIZE, 8)
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 48)
    NUM_BLOCKS = min(NUM_BLOCKS, 2)


# %% Data: files
def synthetic_text(lines=800):
    """Lines that count: a number word, and the two that follow it."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {lines} made-up lines, not your text.")
    words = "one two three four five six seven eight nine ten".split()
    starts = np.random.default_rng(SEED).integers(len(words), size=lines)
    return "\n".join(" ".join(words[(start + step) % len(words)] for step in range(3)) for start in starts)


def read_text():
    """The text of the file."""
    path = os.path.join(DATA_DIR, TEXT_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TEXT_FILE to where your text lies")
    with open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read()


text = synthetic_text() if SYNTHETIC else read_text()
characters = sorted(set(text))
VOCAB_SIZE = len(characters)
if len(text) < 12 * SEQUENCE_LENGTH:
    raise SystemExit(f"{len(text)} characters are too few for a SEQUENCE_LENGTH of {SEQUENCE_LENGTH}")
print(f"{len(text)} characters, {VOCAB_SIZE} different ones")

# %% Preprocessing
index = {character: number for number, character in enumerate(characters)}
encoded = torch.tensor([index[character] for character in text])
cut = min(int((1 - TEST_SPLIT) * len(encoded)), len(encoded) - SEQUENCE_LENGTH - 1)
train_text, test_text = encoded[:cut], encoded[cut:]


def random_batch(numbers):
    """Stretches from anywhere in a text, and the same one character further on: (BATCH_SIZE, SEQUENCE_LENGTH) each."""
    starts = torch.randint(len(numbers) - SEQUENCE_LENGTH, (BATCH_SIZE,)).tolist()
    stretches = torch.stack([numbers[start : start + SEQUENCE_LENGTH + 1] for start in starts]).to(DEVICE)
    return stretches[:, :-1], stretches[:, 1:]


# %% Model
class SelfAttention(nn.Module):
    """Each place asks all places before it, by the product of queries and keys, for their values."""

    def __init__(self):
        super().__init__()
        self.queries_keys_values = nn.Linear(EMBEDDING_DIM, 3 * EMBEDDING_DIM)
        self.output = nn.Linear(EMBEDDING_DIM, EMBEDDING_DIM)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x):
        batch, length, width = x.shape
        parts = self.queries_keys_values(x).view(batch, length, 3, NUM_HEADS, width // NUM_HEADS)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)  # each (batch, heads, length, width of a head)
        scores = queries @ keys.transpose(-2, -1) / math.sqrt(width // NUM_HEADS)
        future = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        weights = scores.masked_fill(future, float("-inf")).softmax(dim=-1)
        mixed = (self.dropout(weights) @ values).transpose(1, 2).reshape(batch, length, width)
        return self.output(mixed)


class Block(nn.Module):
    """Attention, then a small network at each place; both add to what was there."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(EMBEDDING_DIM), nn.LayerNorm(EMBEDDING_DIM)
        self.attention = SelfAttention()
        self.network = nn.Sequential(
            nn.Linear(EMBEDDING_DIM, 4 * EMBEDDING_DIM),
            nn.GELU(),
            nn.Linear(4 * EMBEDDING_DIM, EMBEDDING_DIM),
            nn.Dropout(DROPOUT),
        )

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.network(self.norm2(x))


class GPT(nn.Module):
    """Vectors of characters and of places, blocks, and a score for each character that may come next."""

    def __init__(self):
        super().__init__()
        self.characters = nn.Embedding(VOCAB_SIZE, EMBEDDING_DIM)
        self.places = nn.Embedding(SEQUENCE_LENGTH, EMBEDDING_DIM)
        self.blocks = nn.Sequential(*[Block() for _ in range(NUM_BLOCKS)])
        self.norm = nn.LayerNorm(EMBEDDING_DIM)
        self.output = nn.Linear(EMBEDDING_DIM, VOCAB_SIZE)

    def forward(self, numbers):
        places = self.places(torch.arange(numbers.shape[1], device=numbers.device))
        return self.output(self.norm(self.blocks(self.characters(numbers) + places)))


if EMBEDDING_DIM % NUM_HEADS:
    raise SystemExit(f"EMBEDDING_DIM ({EMBEDDING_DIM}) has to be a multiple of NUM_HEADS ({NUM_HEADS})")
model = GPT().to(DEVICE)
print(f"{sum(weights.numel() for weights in model.parameters()):,} weights")

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
scheduler = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, max_lr=LEARNING_RATE, total_steps=EPOCHS * STEPS_PER_EPOCH, pct_start=0.1
)


# %% Train
def train_epoch():
    """STEPS_PER_EPOCH batches; their mean loss."""
    model.train()
    total = 0.0
    for _ in range(STEPS_PER_EPOCH):
        now, following = random_batch(train_text)
        loss = criterion(model(now).flatten(0, 1), following.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        total += loss.item()
    return total / STEPS_PER_EPOCH


@torch.no_grad()
def evaluate():
    """The perplexity of the held-out text: among how many characters the model is undecided, on average."""
    model.eval()
    losses = []
    for start in range(0, len(test_text) - SEQUENCE_LENGTH, SEQUENCE_LENGTH):
        stretch = test_text[start : start + SEQUENCE_LENGTH + 1].to(DEVICE)
        losses.append(criterion(model(stretch[None, :-1])[0], stretch[1:]).item())
    return math.exp(np.mean(losses))


@torch.no_grad()
def predict(beginning):
    """The beginning and what the model writes after it."""
    model.eval()
    numbers = torch.tensor([[index[character] for character in beginning if character in index] or [0]], device=DEVICE)
    for _ in range(GENERATED_CHARACTERS):
        scores = model(numbers[:, -SEQUENCE_LENGTH:])[0, -1] / TEMPERATURE
        likeliest = scores.topk(min(TOP_K, VOCAB_SIZE))
        drawn = likeliest.indices[torch.multinomial(likeliest.values.softmax(dim=0), 1)]
        numbers = torch.cat([numbers, drawn[None]], dim=1)
    return "".join(characters[number] for number in numbers[0].tolist())


history = {"loss": [], "test_perplexity": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["test_perplexity"].append(evaluate())
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, perplexity {history['test_perplexity'][-1]:.3f}")
torch.save({"weights": model.state_dict(), "characters": characters}, "model.pt")

# %% Evaluate
shares = (torch.bincount(train_text, minlength=VOCAB_SIZE) + 1.0) / (len(train_text) + VOCAB_SIZE)
by_frequency = math.exp(-shares.log()[test_text].mean().item())
print(
    f"held-out prediction error as perplexity: {evaluate():.4f} "
    f"(baseline, by how frequent each character is: {by_frequency:.4f})"
)

# %% Show
written = predict(text[:10])
print(written)
with open("generated.txt", "w", encoding="utf-8") as stream:
    stream.write(written)
plt.plot(history["test_perplexity"], marker="o")
plt.xlabel("epoch")
plt.ylabel("perplexity of the held-out text")
plt.savefig("training.png")
plt.show()
