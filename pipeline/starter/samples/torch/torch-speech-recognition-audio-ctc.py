# %% [markdown]
# # Speech to text with CTC
# A recurrent network tells at each moment of a recording which letter is heard, or none; the CTC loss finds out by
# itself which letter belongs where. A table names WAV files and has their texts.

# %% Imports
import os
import tempfile
import wave

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TABLE_FILE = "texts.csv"
READ_OPTIONS = {}  # how the table is written, where that is not plain CSV
FILE_COLUMN = "file"
SOUNDS = "sounds/*"  # where the recordings lie below DATA_DIR; `*` stands for a cell of FILE_COLUMN
TARGET = "text"
SAMPLE_RATE = 16000
SPECTRUM_LENGTH = 400  # samples of a spectrum: 25 ms
HOP = 160  # samples from one spectrum to the next: 10 ms
NUM_BANDS = 40
FILTERS = [64]
GRU_UNITS = 96  # in each direction
DROPOUT = 0.1
VALIDATION_SPLIT = 0.1
TEST_SPLIT = 0.15
BATCH_SIZE = 16
EPOCHS = 60
LEARNING_RATE = 0.002
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:  # a smoke run; the full counts are for real data
    EPOCHS = min(EPOCHS, 25)
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: files
def synthetic_folder(count=160):
    """Made-up speech: each letter is a tone of its own, now longer, now shorter."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up recordings, not your data.")
    rng = np.random.default_rng(SEED)
    folder, rows = tempfile.mkdtemp(), []
    for number in range(count):
        text = "".join(rng.choice(list("abcde"), size=rng.integers(2, 6)))
        parts = []
        for letter in text:
            time = np.arange(int(SAMPLE_RATE * rng.uniform(0.06, 0.12))) / SAMPLE_RATE
            tone = np.sin(2 * np.pi * (300 + 250 * "abcde".index(letter)) * time)
            parts += [tone, np.zeros(int(SAMPLE_RATE * 0.03))]
        sound = np.concatenate(parts)
        sound = sound + 0.1 * rng.normal(size=len(sound))
        path = os.path.join(folder, SOUNDS.replace("*", f"{number}.wav"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with wave.open(path, "wb") as stream:
            stream.setparams((1, 2, SAMPLE_RATE, 0, "NONE", "none"))
            stream.writeframes((sound * 9000).astype("<i2").tobytes())
        rows.append({FILE_COLUMN: f"{number}.wav", TARGET: text})
    return folder, pd.DataFrame(rows)


def read_data():
    """The folder of the data, and its table."""
    path = os.path.join(DATA_DIR, TABLE_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TABLE_FILE to where your table lies")
    return DATA_DIR, pd.read_csv(path, dtype={FILE_COLUMN: str}, **READ_OPTIONS)


def path_of(cell):
    """The recording that a cell names, with or without its ending; None where it is not there."""
    path = os.path.join(folder, SOUNDS.replace("*", os.path.basename(str(cell))))
    return next((found for found in (path, path + ".wav") if os.path.isfile(found)), None)


folder, table = synthetic_folder() if SYNTHETIC else read_data()
for column in (FILE_COLUMN, TARGET):
    if column not in table:
        raise SystemExit(f"{TABLE_FILE} has no column {column!r}; it has {', '.join(map(str, table.columns[:20]))}")
table["path"] = table[FILE_COLUMN].map(path_of)
table = table.dropna(subset=["path", TARGET])
table["letters"] = table[TARGET].astype(str).str.lower()
if len(table) < 10:
    raise SystemExit(f"{len(table)} rows of {TABLE_FILE} have a text and a WAV file below {DATA_DIR}; set SOUNDS")
letters = ["", *sorted(set("".join(table["letters"])))]  # 0 is CTC's "nothing here"
NUM_CLASSES = len(letters)
print(f"{len(table)} recordings, {NUM_CLASSES - 1} letters: {''.join(letters)}")

# %% Preprocessing
edges = np.geomspace(1, SPECTRUM_LENGTH // 2, NUM_BANDS + 1).round().astype(int)  # bands that widen with the pitch


def spectrogram_of(path):
    """How loud each band is at each moment, in logarithms, scaled within the recording: (moments, NUM_BANDS)."""
    with wave.open(path, "rb") as stream:
        rate, channels, width = stream.getframerate(), stream.getnchannels(), stream.getsampwidth()
        content = stream.readframes(stream.getnframes())
    if width != 2:
        raise SystemExit(f"{path} has {8 * width} bits a sample; save it with 16")
    sound = np.frombuffer(content, "<i2").reshape(-1, channels).mean(axis=1) / 2**15
    sound = np.interp(np.arange(0, len(sound), rate / SAMPLE_RATE), np.arange(len(sound)), sound)
    sound = np.pad(sound, (0, max(0, SPECTRUM_LENGTH - len(sound))))
    frames = np.lib.stride_tricks.sliding_window_view(sound, SPECTRUM_LENGTH)[::HOP] * np.hanning(SPECTRUM_LENGTH)
    power = np.abs(np.fft.rfft(frames)) ** 2
    bands = [power[:, low : max(high, low + 1)].mean(axis=1) for low, high in zip(edges, edges[1:], strict=False)]
    loud = np.log(np.stack(bands, axis=1) + 1e-8)
    return torch.tensor((loud - loud.mean()) / (loud.std() + 1e-6), dtype=torch.float32)


class Recordings(Dataset):
    """Spectrograms and the numbers of their letters."""

    def __init__(self, rows):
        self.spectrograms = [spectrogram_of(path) for path in rows["path"]]
        self.texts = [torch.tensor([letters.index(letter) for letter in text]) for text in rows["letters"]]

    def __len__(self):
        return len(self.texts)

    def __getitem__(self, index):
        return self.spectrograms[index], self.texts[index]


def collate(batch):
    """Spectrograms filled up to the longest, texts one after the other, and the lengths of both."""
    spectrograms, texts = zip(*batch, strict=True)
    lengths = torch.tensor([len(spectrogram) for spectrogram in spectrograms])
    return pad_sequence(spectrograms, batch_first=True), lengths, torch.cat(texts), torch.tensor(list(map(len, texts)))


train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=SEED)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=SEED)
train_loader = DataLoader(Recordings(train), batch_size=BATCH_SIZE, shuffle=True, collate_fn=collate)
val_set, test_set = Recordings(val), Recordings(test)


# %% Model
class SpeechNet(nn.Module):
    """Convolutions that halve the number of moments, a GRU from both ends, and a score for each letter."""

    def __init__(self):
        super().__init__()
        layers = []
        channels = NUM_BANDS
        for filters in FILTERS:
            layers += [nn.Conv1d(channels, filters, 5, stride=2, padding=2), nn.ReLU(), nn.Dropout(DROPOUT)]
            channels = filters
        self.convolutions = nn.Sequential(*layers)
        self.gru = nn.GRU(channels, GRU_UNITS, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * GRU_UNITS, NUM_CLASSES)

    def forward(self, spectrograms):
        moments = self.convolutions(spectrograms.transpose(1, 2)).transpose(1, 2)
        states, _ = self.gru(moments)
        return self.output(states).log_softmax(dim=2)


model = SpeechNet().to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CTCLoss(blank=0, zero_infinity=True)
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


# %% Train
def train_epoch():
    """One pass over the training recordings; the mean loss of its batches."""
    model.train()
    losses = []
    for spectrograms, lengths, texts, text_lengths in train_loader:
        scores = model(spectrograms.to(DEVICE)).transpose(0, 1)  # CTC takes the moments first
        for _ in FILTERS:
            lengths = (lengths + 1) // 2
        loss = criterion(scores, texts.to(DEVICE), lengths, text_lengths)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return np.mean(losses)


@torch.no_grad()
def predict(spectrograms):
    """The text of each spectrogram: the likeliest letter at each moment, repeats and "nothing here" left out."""
    model.eval()
    texts = []
    for spectrogram in spectrograms:
        heard = model(spectrogram[None].to(DEVICE))[0].argmax(dim=1).unique_consecutive().tolist()
        texts.append("".join(letters[number] for number in heard))
    return texts


def distance(first, second):
    """How many letters have to be changed, left out or put in to make one text of another (Levenshtein)."""
    before = list(range(len(second) + 1))
    for row, one in enumerate(first, start=1):
        now = [row]
        for column, other in enumerate(second, start=1):
            now.append(min(now[-1] + 1, before[column] + 1, before[column - 1] + (one != other)))
        before = now
    return before[-1]


def evaluate(heard, truth):
    """The character error rate: changes that are needed, by the letters of the true texts."""
    changes = sum(distance(mine, true) for mine, true in zip(heard, truth, strict=True))
    return changes / max(1, sum(map(len, truth)))


history = {"loss": [], "val_error": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_error"].append(evaluate(predict(val_set.spectrograms), val["letters"]))
    if history["val_error"][-1] <= min(history["val_error"]):
        torch.save({"weights": model.state_dict(), "letters": letters}, "model.pt")  # the best weights so far
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, character errors {history['val_error'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True)["weights"])

# %% Evaluate
heard = predict(test_set.spectrograms)
usual = train["letters"].mode()[0]
print(
    f"held-out character error rate: {evaluate(heard, test['letters']):.4f} "
    f"(baseline, always the most frequent text: {evaluate([usual] * len(test), test['letters']):.4f})"
)
results = test[[FILE_COLUMN, "letters"]].assign(heard=heard)
results.to_csv("predictions.csv", index=False)

# %% Show
print(results.head().to_string(index=False))
plt.figure(figsize=(9, 3))
plt.imshow(test_set.spectrograms[0].T, origin="lower", aspect="auto")
plt.title(f"heard: {heard[0]!r}, true: {test['letters'].iloc[0]!r}")
plt.savefig("speech.png")
plt.show()
