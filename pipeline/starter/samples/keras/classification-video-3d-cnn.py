# %% [markdown]
# # Classes of video clips by 3-D convolutions
# Convolutions over time, height and width see movement as well as form. Clips lie in a folder per class: GIF files,
# arrays in .npy files, or films (read by OpenCV where it is installed).

# %% Imports
import glob
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image, ImageSequence
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_CLIPS = "{class}/*"  # where a clip lies below DATA_DIR; {class} stands for its class
UNLABELLED_FOLDER = ""  # clips without classes that predictions are wanted for
CLASS_NAMES = ["left", "right", "up", "down"]
NUM_FRAMES = 16
IMAGE_HEIGHT = 112
IMAGE_WIDTH = 112
CHANNELS = 3
FILTERS = [32, 64, 128]
HIDDEN_UNITS = 64
DROPOUT = 0.4
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
BATCH_SIZE = 8
EPOCHS = 40
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    NUM_FRAMES = min(NUM_FRAMES, 8)
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 24)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 24)
    FILTERS = [min(filters, 24) for filters in FILTERS]
    EPOCHS = min(EPOCHS, 12)


# %% Data: files
def write_made_up_clips(folder, count=120, size=32, frames=10):
    """GIF files of a bright square that moves, each class in another direction."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up clips, not your data.")
    rng = np.random.default_rng(SEED)
    for number in range(count):
        label = number % len(CLASS_NAMES)
        angle = 2 * np.pi * label / len(CLASS_NAMES)
        start = rng.uniform(0, size, size=2)
        clip = []
        for frame in range(frames):
            image = rng.integers(0, 90, size=(size, size), dtype="uint8")
            y, x = start + frame * 2.5 * np.array((np.sin(angle), np.cos(angle)))
            rows, columns = np.arange(int(y), int(y) + 8) % size, np.arange(int(x), int(x) + 8) % size
            image[np.ix_(rows, columns)] = 250
            clip.append(Image.fromarray(image))
        place = os.path.join(folder, os.path.dirname(TRAIN_CLIPS.replace("{class}", CLASS_NAMES[label])))
        os.makedirs(place, exist_ok=True)
        clip[0].save(os.path.join(place, f"{number}.gif"), save_all=True, append_images=clip[1:])


def read_film(path):
    """The frames of a film as Pillow's images."""
    try:
        import cv2
    except ImportError:
        raise SystemExit(f"{path}: films need `pip install opencv-python`, or make GIF files of them") from None
    film, frames = cv2.VideoCapture(path), []
    while (grabbed := film.read())[0]:
        frames.append(Image.fromarray(grabbed[1][..., ::-1].copy()))  # OpenCV has blue first
    return frames


def read_clip(path):
    """NUM_FRAMES frames, taken evenly from the whole clip, at the wanted size; None for a file that holds no clip."""
    ending = os.path.splitext(path)[1].lower()
    if ending == ".npy":
        frames = [Image.fromarray(frame.astype("uint8").squeeze()) for frame in np.load(path)]
    elif ending == ".gif":
        with Image.open(path) as image:
            frames = [frame.copy() for frame in ImageSequence.Iterator(image)]
    else:
        frames = read_film(path) if ending in (".mp4", ".avi", ".mov", ".mkv", ".webm") else []
    if not frames:
        return None
    chosen = np.linspace(0, len(frames) - 1, NUM_FRAMES).round().astype(int)
    mode = "L" if CHANNELS == 1 else "RGB"
    clip = [np.asarray(frames[number].convert(mode).resize((IMAGE_WIDTH, IMAGE_HEIGHT))) for number in chosen]
    return np.stack(clip).reshape(NUM_FRAMES, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)


def read_clips(pattern):
    """The files that hold a clip and lie as the pattern says, and the clips."""
    paths = sorted(glob.glob(os.path.join(glob.escape(folder), pattern), recursive=True))
    read = {path: clip for path in paths if os.path.isfile(path) and (clip := read_clip(path)) is not None}
    if not read:
        raise SystemExit(f"{os.path.join(folder, pattern)}: no clips (.gif, .npy or films); set DATA_DIR to yours")
    return list(read), np.stack(list(read.values()))


folder = tempfile.mkdtemp() if SYNTHETIC else DATA_DIR
if SYNTHETIC:
    write_made_up_clips(folder)
paths, clips = read_clips(TRAIN_CLIPS.replace("{class}", "*"))
depth = TRAIN_CLIPS.split("/").index("{class}")
names = [os.path.relpath(path, folder).split(os.sep)[depth] for path in paths]
class_names, labels = np.unique(names, return_inverse=True)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds one class, {class_names[0]}; at least two folders with clips are needed")
print(f"{len(clips)} clips of {NUM_CLASSES} classes, {clips.shape[1:]} each")


# %% Preprocessing
def split(clips, labels, share):
    """Two parts, with the classes alike in both where every class has clips enough."""
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    stratify = labels if counts.min() > 1 and int(share * len(labels)) >= NUM_CLASSES else None
    return train_test_split(clips, labels, test_size=share, random_state=SEED, stratify=stratify)


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


x_train, x_test, train_labels, test_labels = split(clips.astype("float32") / 255.0, labels, TEST_SPLIT)
x_train, x_val, train_labels, val_labels = split(x_train, train_labels, VALIDATION_SPLIT)
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)


# %% Model
def build_model():
    """3-D convolutions; the first pooling keeps the frames apart, so that movement is not averaged away at once."""
    model = keras.Sequential([keras.Input(shape=(NUM_FRAMES, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))])
    for number, filters in enumerate(FILTERS):
        model.add(layers.Conv3D(filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling3D((2 if number else 1, 2, 2), padding="same"))
    model.add(layers.GlobalAveragePooling3D())
    model.add(layers.Dense(HIDDEN_UNITS, activation="relu"))
    model.add(layers.Dropout(DROPOUT))
    model.add(layers.Dense(NUM_CLASSES, activation="softmax"))
    return model


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=8, restore_best_weights=True)
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[early_stopping],
    verbose=2,
)
model.save("model.keras")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(pattern):
    """The class of each clip that lies as the pattern says, as a table."""
    paths, clips = read_clips(pattern)
    outputs = model.predict(clips.astype("float32") / 255.0, batch_size=BATCH_SIZE, verbose=0)
    return pd.DataFrame({"file": paths, "class": class_names[predicted_classes(outputs)]})


test_predictions = predicted_classes(model.predict(x_test, batch_size=BATCH_SIZE, verbose=0))
print(
    classification_report(
        test_labels, test_predictions, labels=range(NUM_CLASSES), target_names=class_names, zero_division=0
    )
)
most_frequent = np.full_like(test_labels, np.bincount(train_labels).argmax())
print(
    f"held-out accuracy: {accuracy_score(test_labels, test_predictions):.4f} "
    f"(baseline, always the most frequent class: {accuracy_score(test_labels, most_frequent):.4f})"
)

if UNLABELLED_FOLDER and not SYNTHETIC:
    table = predict(UNLABELLED_FOLDER + "/**")
    table.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(table)} rows")

# %% Show
figure, axes = plt.subplots(3, 4, figsize=(8, 6))
moments = np.linspace(0, NUM_FRAMES - 1, 4).astype(int)
for row, clip, label, truth in zip(axes, x_test, test_predictions, test_labels, strict=False):
    for axis, moment in zip(row, moments, strict=True):
        axis.imshow(clip[moment].squeeze(), cmap="gray" if CHANNELS == 1 else None)
        axis.axis("off")
    row[0].set_title(f"{class_names[label]} ({class_names[truth]})", fontsize=9)
plt.suptitle("predicted (true)")
plt.tight_layout()
plt.savefig("clips.png")
plt.show()
