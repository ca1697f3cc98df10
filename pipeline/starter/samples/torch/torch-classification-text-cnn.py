# %% [markdown]
# # Classes of texts by convolutions of several widths
# Filters over two, three, four words in a row find telling phrases wherever they stand; the strongest find of each
# filter decides (Kim, 2014). Texts lie in a folder per class.

# %% Imports
import glob
import os
import re
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import balanced_accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_TEXTS = "{class}/*"  # where a text lies below DATA_DIR; {class} stands for its class
HELD_OUT_FOLDER = ""  # class folders of their own for the test, where the data have them
UNLABELLED_FOLDER = ""  # texts without classes that predictions are wanted for
CLASS_NAMES = ["class_1", "class_2", "class_3"]  # of made-up data; those of real data are their folders
SEQUENCE_LENGTH = 200
VOCAB_SIZE = 20000
EMBEDDING_DIM = 100
FILTERS = 64  # of each width
KERNEL_SIZES = [2, 3, 4]
DROPOUT = 0.5
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 32
EPOCHS = 15
LEARNING_RATE = 0.001
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full counts are for real data
    EPOCHS = min(EPOCHS, 8)
    BATCH_SIZE = min(BATCH_SIZE, 16)
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 40)


# %% Data: files
def synthetic_folder(count=360):
    """Texts of common words, and one pair of words in a row for each class; either word alone stands in all classes."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up texts, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    common = "the a it was and this that of we they on in at never always very with from some more".split()
    for number in range(count):
        name = CLASS_NAMES[number % len(CLASS_NAMES)]
        words = list(rng.choice(common, size=rng.integers(8, 20)))
        words.insert(int(rng.integers(len(words))), f"telling {name}word")
        words.insert(int(rng.integers(len(words))), f"{rng.choice(CLASS_NAMES)}word")
        path = os.path.join(root, name, f"{number}.txt")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(" ".join(words))
    return root


def read_text(path):
    """One text; bytes that are not UTF-8 are read as Windows-1252."""
    with open(path, "rb") as stream:
        content = stream.read()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def read_folders(pattern):
    """A table of the texts that lie as the pattern says, with their classes."""
    place = pattern.split("/").index("{class}")
    rows = []
    for path in sorted(glob.glob(os.path.join(glob.escape(root), pattern.replace("{class}", "*")), recursive=True)):
        if os.path.isfile(path):
            rows.append((read_text(path), os.path.relpath(path, root).split(os.sep)[place]))
    if not rows:
        raise SystemExit(f"{os.path.join(DATA_DIR, pattern)}: no texts; set DATA_DIR to the folder of your texts")
    return pd.DataFrame(rows, columns=["text", "class"])


root = synthetic_folder() if SYNTHETIC else DATA_DIR
table = read_folders("{class}/*" if SYNTHETIC else TRAIN_TEXTS)
class_names = sorted(table["class"].unique())
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds one class, {class_names[0]}; at least two folders with texts are needed")
print(table["class"].value_counts().to_string())

# %% Preprocessing
if HELD_OUT_FOLDER and not SYNTHETIC:
    held_out = read_folders(HELD_OUT_FOLDER + ("/*" if "{class}" in HELD_OUT_FOLDER else "/{class}/**"))
    train, test = table, held_out[held_out["class"].isin(class_names)]
else:
    train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)

# The vocabulary is that of the training texts. 0 is filling, 1 a word that is not in it.
counter = CountVectorizer(max_features=VOCAB_SIZE - 2, token_pattern=r"\w+").fit(train["text"])
numbers = {word: number + 2 for word, number in counter.vocabulary_.items()}


def encode(texts):
    """Word numbers, cut or filled up to SEQUENCE_LENGTH: (texts, SEQUENCE_LENGTH)."""
    encoded = np.zeros((len(texts), SEQUENCE_LENGTH), dtype="int64")
    for row, text in enumerate(texts):
        words = re.findall(r"\w+", text.lower())[:SEQUENCE_LENGTH]
        encoded[row, : len(words)] = [numbers.get(word, 1) for word in words]
    return torch.from_numpy(encoded)


def tensors(rows):
    """Encoded texts and class numbers."""
    return encode(rows["text"]), torch.tensor([class_names.index(name) for name in rows["class"]])


(x_train, y_train), (x_val, y_val), (x_test, y_test) = tensors(train), tensors(val), tensors(test)
train_loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH_SIZE, shuffle=True)


# %% Model
class TextCNN(nn.Module):
    """Word vectors, convolutions of each width side by side, the maximum of each filter, and the classes."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(numbers) + 2, EMBEDDING_DIM, padding_idx=0)
        self.convolutions = nn.ModuleList()
        for kernel_size in KERNEL_SIZES:
            self.convolutions.append(nn.Conv1d(EMBEDDING_DIM, FILTERS, kernel_size, padding="same"))
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(FILTERS * len(KERNEL_SIZES), NUM_CLASSES)

    def forward(self, x):
        vectors = self.embedding(x).transpose(1, 2)  # convolutions take the words last
        found = []
        for convolution in self.convolutions:
            found.append(torch.relu(convolution(vectors)).amax(dim=2))
        return self.output(self.dropout(torch.cat(found, dim=1)))


model = TextCNN().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training texts; the mean loss of its batches."""
    model.train()
    losses = []
    for texts, labels in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(texts.to(DEVICE)), labels.to(DEVICE))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def scores(encoded):
    """A score for each class: (texts, NUM_CLASSES)."""
    model.eval()
    return torch.cat([model(batch.to(DEVICE)).cpu() for batch in encoded.split(BATCH_SIZE)])


def evaluate(encoded, labels):
    """The loss, and the balanced accuracy."""
    outputs = scores(encoded)
    return criterion(outputs, labels).item(), balanced_accuracy_score(labels, outputs.argmax(dim=1))


history = {"train_loss": [], "val_loss": []}
for epoch in range(EPOCHS):
    history["train_loss"].append(train_epoch())
    val_loss, val_accuracy = evaluate(x_val, y_val)
    history["val_loss"].append(val_loss)
    if val_loss <= min(history["val_loss"]):
        torch.save(model.state_dict(), "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: {history['train_loss'][-1]:.4f}, validation {val_loss:.4f}, accuracy {val_accuracy:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True))
with open("vocabulary.txt", "w", encoding="utf-8") as stream:
    stream.write("\n".join(sorted(numbers, key=numbers.get)))

# %% Evaluate
_, accuracy = evaluate(x_test, y_test)
always = np.full(len(y_test), y_train.mode().values.item())
print(
    f"held-out balanced accuracy: {accuracy:.4f} "
    f"(baseline, always the most frequent class: {balanced_accuracy_score(y_test, always):.4f})"
)
counts = confusion_matrix(y_test, scores(x_test).argmax(dim=1), labels=range(NUM_CLASSES))
print(pd.DataFrame(counts, index=class_names, columns=class_names).to_string())


def predict(texts):
    """The class of each text."""
    return [class_names[number] for number in scores(encode(texts)).argmax(dim=1)]


if UNLABELLED_FOLDER and not SYNTHETIC:
    found = glob.glob(os.path.join(glob.escape(os.path.join(DATA_DIR, UNLABELLED_FOLDER)), "**"), recursive=True)
    new = [path for path in sorted(found) if os.path.isfile(path)]
    classes = predict([read_text(path) for path in new])
    pd.DataFrame({"file": new, "class": classes}).to_csv("predictions.csv", index=False)

# %% Show
plt.plot(history["train_loss"], label="training")
plt.plot(history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.savefig("training.png")
plt.show()
