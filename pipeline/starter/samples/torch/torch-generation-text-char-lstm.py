# %% [markdown]
# # Text in the manner of a file, character by character
# An LSTM reads a text and tells at each character which one comes next; drawing from what it tells, and feeding the
# drawn character back, makes new text.

# %% Imports
import json
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TEXT_FILE = "text.txt"
SEQUENCE_LENGTH = 100  # characters of a training example
EMBEDDING_DIM = 32
LSTM_UNITS = 256
NUM_LAYERS = 1
DROPOUT = 0.1
TEMPERATURE = 0.8  # below 1: likelier characters become likelier still
GENERATED_CHARACTERS = 400
TEST_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 20
LEARNING_RATE = 0.003
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full counts are for real data
    EPOCHS = min(EPOCHS, 5)
    BATCH_SIZE = min(BATCH_SIZE, 16)


# %% Data: files
def synthetic_folder(sentences=500):
    """A text of made-up sentences, always an article, an adjective, a noun, a verb and a place."""
    print(f"NO FOLDER {DATA_DIR!r}: this is a made-up text of {sentences} sentences, not yours.")
    rng = np.random.default_rng(SEED)
    parts = ["the a one", "old small bright quiet", "house river cat road", "stands waits sleeps sings", "here there"]
    lines = [" ".join(rng.choice(words.split()) for words in parts).capitalize() + "." for _ in range(sentences)]
    root = tempfile.mkdtemp()
    with open(os.path.join(root, TEXT_FILE), "w", encoding="utf-8") as stream:
        stream.write("\n".join(lines))
    return root


def read_text(path):
    """The text of a file; bytes that are no UTF-8 are replaced."""
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TEXT_FILE to where your text lies")
    with open(path, encoding="utf-8-sig", errors="replace") as stream:
        return stream.read()


text = read_text(os.path.join(synthetic_folder() if SYNTHETIC else DATA_DIR, TEXT_FILE))
if len(text) < 20 * SEQUENCE_LENGTH:
    raise SystemExit(f"{TEXT_FILE} has {len(text)} characters; windows of {SEQUENCE_LENGTH} need 20 times as many")
characters = sorted(set(text))
VOCAB_SIZE = len(characters)
print(f"{len(text)} characters, {VOCAB_SIZE} different ones")

# %% Preprocessing
number_of = {character: number for number, character in enumerate(characters)}
numbers = torch.tensor([number_of[character] for character in text])
# The end of the text is kept for the test: neighbouring windows overlap, and chance would put them into both parts.
cut = int(len(numbers) * (1 - TEST_SPLIT))


class Windows(Dataset):
    """Stretches of text, and the same stretches one character further on."""

    def __init__(self, numbers, step):
        self.numbers = numbers
        self.starts = range(0, max(1, len(numbers) - SEQUENCE_LENGTH), step)

    def __len__(self):
        return len(self.starts)

    def __getitem__(self, index):
        stretch = self.numbers[self.starts[index] :][: SEQUENCE_LENGTH + 1]
        return stretch[:-1], stretch[1:]


train_loader = DataLoader(Windows(numbers[:cut], max(1, SEQUENCE_LENGTH // 4)), batch_size=BATCH_SIZE, shuffle=True)
test_loader = DataLoader(Windows(numbers[cut:], SEQUENCE_LENGTH), batch_size=BATCH_SIZE)


# %% Model
class CharacterLSTM(nn.Module):
    """A vector for each character, an LSTM, and a score for each character that may come next."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCAB_SIZE, EMBEDDING_DIM)
        self.lstm = nn.LSTM(EMBEDDING_DIM, LSTM_UNITS, num_layers=NUM_LAYERS, batch_first=True)
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(LSTM_UNITS, VOCAB_SIZE)

    def forward(self, numbers, state=None):
        states, state = self.lstm(self.embedding(numbers), state)
        return self.output(self.dropout(states)), state


model = CharacterLSTM().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch(loader):
    """One pass over the training text; the mean loss of its batches."""
    model.train()
    losses = []
    for now, following in loader:
        scores, _ = model(now.to(DEVICE))
        loss = criterion(scores.flatten(0, 1), following.to(DEVICE).flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def evaluate(loader):
    """Bits that a character of the held-out text takes on average: 1 where the model hesitates between two."""
    model.eval()
    bits, count = 0.0, 0
    for now, following in loader:
        scores, _ = model(now.to(DEVICE))
        loss = criterion(scores.flatten(0, 1), following.to(DEVICE).flatten()).item()
        bits += loss / np.log(2) * following.numel()
        count += following.numel()
    return bits / count


@torch.no_grad()
def predict(beginning, count):
    """The beginning and `count` further characters, drawn one by one; characters that the text lacks are skipped."""
    model.eval()
    known = [number_of[character] for character in beginning if character in number_of] or [0]
    scores, state = model(torch.tensor([known], device=DEVICE))
    made = []
    for _ in range(count):
        chances = torch.softmax(scores[0, -1] / TEMPERATURE, dim=0)
        drawn = torch.multinomial(chances, 1)
        made.append(characters[drawn.item()])
        scores, state = model(drawn[None], state)
    return beginning + "".join(made)


history = {"loss": [], "test_bits": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch(train_loader))
    history["test_bits"].append(evaluate(test_loader))
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, held-out bits {history['test_bits'][-1]:.4f}")
    print("   ", repr(predict(text[:10], 60)))
torch.save(model.state_dict(), "model.pt")
with open("characters.json", "w", encoding="utf-8") as stream:
    json.dump(characters, stream)

# %% Evaluate
frequencies = torch.bincount(numbers[:cut], minlength=VOCAB_SIZE) + 1.0
surprise = -torch.log2(frequencies / frequencies.sum())[numbers[cut:]]
print(
    f"held-out prediction error in bits per character: {evaluate(test_loader):.4f} "
    f"(baseline, by how frequent each character is: {surprise.mean().item():.4f})"
)

# %% Show
generated = predict(text[:20], GENERATED_CHARACTERS)
print(generated)
with open("generated.txt", "w", encoding="utf-8") as stream:
    stream.write(generated)

plt.plot(history["test_bits"], marker="o")
plt.axhline(surprise.mean().item(), color="grey", linestyle=":", label="by frequency alone")
plt.xlabel("epoch")
plt.ylabel("bits per held-out character")
plt.legend()
plt.savefig("training.png")
plt.show()
