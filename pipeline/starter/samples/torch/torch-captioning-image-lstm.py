# %% [markdown]
# # Captions of images
# A convolutional network looks at an image, an LSTM writes the caption word by word and looks at the part of the image
# that matters for the next word. A table names image files and has a caption for each.

# %% Imports
import collections
import functools
import glob
import operator
import os
import re
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.model_selection import GroupShuffleSplit
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "captions.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "image"
IMAGES = "images/*"  # where the images lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TARGET = "caption"
UNLABELLED_FOLDER = ""  # images that captions are wanted for
IMAGE_HEIGHT = 96
IMAGE_WIDTH = 96
FILTERS = [32, 64, 128]
SEQUENCE_LENGTH = 20  # words of a caption
VOCAB_SIZE = 5000
EMBEDDING_DIM = 64
LSTM_UNITS = 128
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 40
LEARNING_RATE = 0.002
SEED = 42

PADDING, UNKNOWN, START, END = 0, 1, 2, 3
SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; sizes and counts are for real data
    EPOCHS = min(EPOCHS, 12)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 32)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 32)


# %% Data: files
def synthetic_folder(count=240):
    """A coloured bar, level or upright, on another ground, and a sentence that says so."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up images, not your data.")
    rng = np.random.default_rng(SEED)
    colours = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 220), "white": (240, 240, 240)}
    folder, rows = tempfile.mkdtemp(), []
    os.makedirs(os.path.join(folder, os.path.dirname(IMAGES)), exist_ok=True)
    for number in range(count):
        bar, ground = rng.choice(list(colours), size=2, replace=False)
        level = rng.random() < 0.5
        pixels = np.full((IMAGE_HEIGHT, IMAGE_WIDTH, 3), colours[ground]) + rng.integers(-20, 15, size=3)
        inside = np.arange(IMAGE_HEIGHT // 4) + rng.integers(IMAGE_HEIGHT // 2)
        pixels[inside if level else (slice(None), inside)] = colours[bar]
        path = os.path.join(folder, IMAGES.replace("*", f"{number}.png"))
        Image.fromarray(pixels.clip(0, 255).astype("uint8")).save(path)
        rows.append((f"{number}.png", f"a {bar} bar that is {'level' if level else 'upright'} on {ground} ground"))
    return folder, pd.DataFrame(rows, columns=[FILE_COLUMN, TARGET])


def read_data():
    """The folder of the data, and its table."""
    path = os.path.join(DATA_DIR, TABLE_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your captions lie")
    return DATA_DIR, pd.read_csv(path, dtype=str, **READ_OPTIONS)


def words_of(caption):
    """The words of a caption, in lower case."""
    return re.findall(r"\w+", caption.lower())[:SEQUENCE_LENGTH]


folder, table = synthetic_folder() if SYNTHETIC else read_data()
for column in (FILE_COLUMN, TARGET):
    if column not in table:
        raise SystemExit(f"{TABLE_FILE} has no column {column!r}; it has {', '.join(table.columns[:20])}")
table["path"] = [os.path.join(folder, IMAGES.replace("*", os.path.basename(str(cell)))) for cell in table[FILE_COLUMN]]
table = table[table["path"].map(os.path.isfile)].dropna(subset=[TARGET]).reset_index(drop=True)
print(f"{len(table)} captions of {table['path'].nunique()} images")
if table["path"].nunique() < 10:
    raise SystemExit(f"too few images of {TABLE_FILE} are there; set DATA_DIR and IMAGES")

# %% Preprocessing
# An image may have several captions: all of them go into the same part.
splitter = GroupShuffleSplit(n_splits=1, test_size=TEST_SPLIT, random_state=SEED)
train, test = (table.iloc[rows] for rows in next(splitter.split(table, groups=table["path"])))
counts = collections.Counter(word for caption in train[TARGET] for word in words_of(caption))
words = ["<pad>", "<unknown>", "<start>", "<end>", *(word for word, _ in counts.most_common(VOCAB_SIZE - 4))]
numbers = {word: number for number, word in enumerate(words)}


def read_image(path):
    """An image as (3, IMAGE_HEIGHT, IMAGE_WIDTH), values from -1 to 1."""
    pixels = np.array(Image.open(path).convert("RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT)))
    return torch.from_numpy(pixels).permute(2, 0, 1) / 127.5 - 1.0


def collate(batch):
    """Images, and word numbers of captions between their start and their end, filled up: (captions, words)."""
    encoded = []
    for _, caption in batch:
        encoded.append(torch.tensor([START, *(numbers.get(word, UNKNOWN) for word in words_of(caption)), END]))
    return torch.stack([read_image(path) for path, _ in batch]), pad_sequence(encoded, batch_first=True)


train_loader = DataLoader(train[["path", TARGET]].to_numpy(), batch_size=BATCH_SIZE, shuffle=True, collate_fn=collate)


# %% Model
class Captioner(nn.Module):
    """Convolutions give a vector for each part of the image; the LSTM's state decides how much each part counts."""

    def __init__(self):
        super().__init__()
        layers = []
        channels = 3
        for filters in FILTERS:
            layers += [nn.Conv2d(channels, filters, 3, stride=2, padding=1), nn.BatchNorm2d(filters), nn.ReLU()]
            channels = filters
        self.encoder = nn.Sequential(*layers)
        self.first_state = nn.Linear(channels, LSTM_UNITS)
        self.embedding = nn.Embedding(len(words), EMBEDDING_DIM, padding_idx=PADDING)
        self.ask = nn.Linear(LSTM_UNITS, channels)
        self.decoder = nn.LSTMCell(EMBEDDING_DIM + channels, LSTM_UNITS)
        self.output = nn.Linear(LSTM_UNITS, len(words))

    def look(self, images):
        """The image's parts (images, parts, filters), and the state to begin with."""
        parts = self.encoder(images).flatten(2).transpose(1, 2)
        state = torch.tanh(self.first_state(parts.mean(dim=1)))
        return parts, (state, torch.zeros_like(state))

    def step(self, word, parts, state):
        """Scores for the next word, and the new state."""
        weights = (parts @ self.ask(state[0]).unsqueeze(2)).softmax(dim=1)
        seen = (weights * parts).sum(dim=1)
        state = self.decoder(torch.cat([self.embedding(word), seen], dim=1), state)
        return self.output(state[0]), state

    def forward(self, images, captions):
        parts, state = self.look(images)
        scores = []
        for words_here in captions[:, :-1].T:
            score, state = self.step(words_here, parts, state)
            scores.append(score)
        return torch.stack(scores, dim=1)


model = Captioner().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss(ignore_index=PADDING)
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training captions; the mean loss of its batches."""
    model.train()
    losses = []
    for images, captions in train_loader:
        captions = captions.to(DEVICE)
        scores = model(images.to(DEVICE), captions)
        loss = criterion(scores.flatten(0, 1), captions[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(path):
    """The caption of an image file; the likeliest word is taken at each place."""
    model.eval()
    parts, state = model.look(read_image(path)[None].to(DEVICE))
    word, caption = torch.tensor([START], device=DEVICE), []
    for _ in range(SEQUENCE_LENGTH):
        scores, state = model.step(word, parts, state)
        word = scores.argmax(dim=1)
        if word.item() == END:
            break
        caption.append(words[word.item()])
    return " ".join(caption)


def bleu(caption, references, longest=2):
    """BLEU up to pairs of words: how much of the caption stands in its references, less where it is too short."""
    shares = []
    for size in range(1, longest + 1):
        mine, *theirs = (
            collections.Counter(zip(*(text[i:] for i in range(size)), strict=False)) for text in (caption, *references)
        )
        best = functools.reduce(operator.or_, theirs)  # each piece as often as the reference that has it most
        shares.append((mine & best).total() / max(1, mine.total()))
    nearest = min((len(reference) for reference in references), key=lambda length: abs(length - len(caption)))
    return min(1.0, np.exp(1 - nearest / max(1, len(caption)))) * np.prod(shares) ** (1 / longest)


def evaluate(captions):
    """The mean BLEU of captions for the held-out images, given by path."""
    references = test.groupby("path")[TARGET].apply(lambda texts: [words_of(text) for text in texts])
    return np.mean([bleu(words_of(captions[path]), references[path]) for path in references.index])


history = {"loss": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}")
torch.save({"weights": model.state_dict(), "words": words}, "model.pt")

# %% Evaluate
captions = {path: predict(path) for path in test["path"].unique()}
usual = dict.fromkeys(captions, train[TARGET].mode()[0])
print(
    f"held-out BLEU of captions: {evaluate(captions):.4f} "
    f"(baseline, the most frequent caption of the training part for every image: {evaluate(usual):.4f})"
)
new = list(captions)
if UNLABELLED_FOLDER and not SYNTHETIC:
    new = sorted(glob.glob(os.path.join(glob.escape(os.path.join(folder, UNLABELLED_FOLDER)), "*.*")))
pd.DataFrame({FILE_COLUMN: new, TARGET: [predict(path) for path in new]}).to_csv("predictions.csv", index=False)

# %% Show
figure, axes = plt.subplots(1, 3, figsize=(12, 3.5))
for axis, path in zip(axes, new, strict=False):
    axis.imshow(Image.open(path))
    axis.set_title(predict(path), fontsize=8)
plt.savefig("captions.png")
plt.show()
