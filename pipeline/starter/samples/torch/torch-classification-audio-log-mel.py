# %% [markdown]
# # Classes of sounds from their log-mel spectrograms
# A recording becomes a picture: time along one side, pitch along the other, brightness for loudness. A small
# convolutional network looks at it. WAV files lie in a folder per class.

# %% Imports
import glob
import os
import tempfile
import wave

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import balanced_accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_SOUNDS = "{class}/*"  # where a WAV file lies below DATA_DIR; {class} stands for its class
UNLABELLED_FOLDER = ""  # sounds without classes that predictions are wanted for
CLASS_NAMES = ["class_1", "class_2", "class_3"]  # of made-up data; those of real data are their folders
SAMPLE_RATE = 16000
CLIP_SECONDS = 2
NUM_MELS = 64
SPECTRUM_LENGTH = 1024  # samples of a spectrum
HOP = 512  # samples from one spectrum to the next
FILTERS = [16, 32, 64]
DROPOUT = 0.3
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 16
EPOCHS = 30
LEARNING_RATE = 0.001
SEED = 42

SYNTHETIC = not os.path.isdir(DATA_DIR)
torch.manual_seed(SEED)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data
    BATCH_SIZE = min(BATCH_SIZE, 8)


# %% Data: files
def synthetic_folder(count=96):
    """Chirps in noise; the class is how fast they rise."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up sounds, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    time = np.arange(SAMPLE_RATE * CLIP_SECONDS) / SAMPLE_RATE
    for number in range(count):
        label = number % len(CLASS_NAMES)
        pitch = rng.uniform(200, 300) * 2 ** (label * time / CLIP_SECONDS)
        sound = np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE) + 0.3 * rng.normal(size=len(time))
        folder = os.path.join(root, CLASS_NAMES[label])
        os.makedirs(folder, exist_ok=True)
        with wave.open(os.path.join(folder, f"{number}.wav"), "wb") as stream:
            stream.setnchannels(1)
            stream.setsampwidth(2)
            stream.setframerate(SAMPLE_RATE)
            stream.writeframes((sound * 8000).astype("<i2").tobytes())
    return root


def read_wav(path):
    """A recording at SAMPLE_RATE, its channels' mean, from -1 to 1, cut or filled up to CLIP_SECONDS."""
    try:
        with wave.open(path, "rb") as stream:
            rate, width, channels = stream.getframerate(), stream.getsampwidth(), stream.getnchannels()
            content = stream.readframes(stream.getnframes())
    except (wave.Error, EOFError) as error:
        raise SystemExit(f"{path}: {error}; only plain WAV files are read") from error
    if width == 3:  # numpy has no numbers of three bytes: a fourth is put before them
        content = np.pad(np.frombuffer(content, "uint8").reshape(-1, 3), ((0, 0), (1, 0))).tobytes()
    kind, largest = {1: ("uint8", 128), 2: ("<i2", 2**15), 3: ("<i4", 2**31), 4: ("<i4", 2**31)}[width]
    sound = np.frombuffer(content, kind).astype("float32") / largest - (1.0 if width == 1 else 0.0)
    sound = sound.reshape(-1, channels).mean(axis=1)
    if rate != SAMPLE_RATE:
        places = np.arange(0, len(sound), rate / SAMPLE_RATE)
        sound = np.interp(places, np.arange(len(sound)), sound).astype("float32")
    length = SAMPLE_RATE * CLIP_SECONDS
    return np.pad(sound[:length], (0, max(0, length - len(sound))))


root = synthetic_folder() if SYNTHETIC else DATA_DIR
pattern = "{class}/*" if SYNTHETIC else TRAIN_SOUNDS
found = glob.glob(os.path.join(glob.escape(root), pattern.replace("{class}", "*")), recursive=True)
paths = [path for path in sorted(found) if path.lower().endswith(".wav")]
if not paths:
    raise SystemExit(f"{os.path.join(DATA_DIR, TRAIN_SOUNDS)}: no WAV files; set DATA_DIR to the folder of your sounds")
position = pattern.split("/").index("{class}")
class_names, labels = np.unique(
    [os.path.relpath(path, root).split(os.sep)[position] for path in paths], return_inverse=True
)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds one class, {class_names[0]}; at least two folders with sounds are needed")
print(f"{len(paths)} sounds of {NUM_CLASSES} classes: {', '.join(class_names[:20])}")


# %% Preprocessing
def mel_filters():
    """How much each frequency counts in each mel band, bands that are narrow for low tones: (NUM_MELS, frequencies)."""
    highest = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, highest, NUM_MELS + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(SPECTRUM_LENGTH, 1 / SAMPLE_RATE)
    rising = (frequencies - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - frequencies) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling))


MEL_FILTERS = mel_filters()


def log_mel(sound):
    """The log-mel spectrogram of a recording: (1, NUM_MELS, steps)."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, SPECTRUM_LENGTH)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(SPECTRUM_LENGTH))) ** 2
    return torch.tensor(np.log(MEL_FILTERS @ power.T + 1e-6), dtype=torch.float32).unsqueeze(0)


class Sounds(Dataset):
    """Spectrograms with class numbers; all are computed once."""

    def __init__(self, paths, labels):
        self.spectrograms = [log_mel(read_wav(path)) for path in paths]
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.spectrograms[index], self.labels[index]


train_paths, test_paths, y_train, y_test = train_test_split(paths, labels, test_size=TEST_SPLIT, random_state=SEED)
train_paths, val_paths, y_train, y_val = train_test_split(
    train_paths, y_train, test_size=VALIDATION_SPLIT, random_state=SEED
)
train_set, val_set, test_set = Sounds(train_paths, y_train), Sounds(val_paths, y_val), Sounds(test_paths, y_test)
loudness = torch.stack(train_set.spectrograms)
mean, std = loudness.mean().item(), loudness.std().item()
train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)

# %% Model
layers = []
channels = 1
for filters in FILTERS:
    layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.BatchNorm2d(filters), nn.ReLU(), nn.MaxPool2d(2)]
    channels = filters
model = nn.Sequential(
    *layers, nn.AdaptiveAvgPool2d((4, 4)), nn.Flatten(), nn.Dropout(DROPOUT), nn.Linear(16 * channels, NUM_CLASSES)
).to(DEVICE)
print(model)

# %% Loss and optimizer
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)


# %% Train
def train_epoch():
    """One pass over the training sounds; the mean loss of its batches."""
    model.train()
    losses = []
    for spectrograms, truth in train_loader:
        optimizer.zero_grad()
        loss = criterion(model((spectrograms.to(DEVICE) - mean) / std), truth.to(DEVICE))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    scheduler.step()
    return np.mean(losses)


@torch.no_grad()
def predict(sounds):
    """The class number of each sound of a set."""
    model.eval()
    batches = DataLoader(sounds, batch_size=BATCH_SIZE)
    return torch.cat([model((x.to(DEVICE) - mean) / std).argmax(dim=1).cpu() for x, _ in batches]).numpy()


def evaluate(sounds):
    """The balanced accuracy: the mean over the classes of the share that is told."""
    return balanced_accuracy_score(sounds.labels, predict(sounds))


history = {"loss": [], "val_accuracy": []}
for epoch in range(EPOCHS):
    history["loss"].append(train_epoch())
    history["val_accuracy"].append(evaluate(val_set))
    if history["val_accuracy"][-1] == max(history["val_accuracy"]):
        torch.save({"weights": model.state_dict(), "mean": mean, "std": std}, "model.pt")
    print(f"epoch {epoch + 1}: loss {history['loss'][-1]:.4f}, validation {history['val_accuracy'][-1]:.4f}")
model.load_state_dict(torch.load("model.pt", map_location=DEVICE, weights_only=True)["weights"])

# %% Evaluate
always = np.full_like(y_test, np.bincount(y_train).argmax())
print(
    f"held-out balanced accuracy: {evaluate(test_set):.4f} "
    f"(baseline, always the most frequent class: {balanced_accuracy_score(y_test, always):.4f})"
)
print(pd.DataFrame(confusion_matrix(y_test, predict(test_set), labels=range(NUM_CLASSES)), class_names, class_names))
if UNLABELLED_FOLDER and not SYNTHETIC:
    new = sorted(glob.glob(os.path.join(glob.escape(DATA_DIR), UNLABELLED_FOLDER, "**", "*.wav"), recursive=True))
    classes = class_names[predict(Sounds(new, np.zeros(len(new))))]
    pd.DataFrame({"file": new, "class": classes}).to_csv("predictions.csv", index=False)

# %% Show
figure, axes = plt.subplots(1, 3, figsize=(11, 3))
for axis, (spectrogram, label) in zip(axes, test_set, strict=False):
    axis.imshow(spectrogram[0], origin="lower", aspect="auto")
    axis.set(title=class_names[label], xlabel="time", ylabel="mel band")
plt.tight_layout()
plt.savefig("spectrograms.png")
plt.show()
