# %% [markdown]
# # Classes of video clips by a CNN and an LSTM
# The same small CNN looks at each frame (TimeDistributed), and an LSTM reads what it saw in order. A clip is a folder
# of its frames, which lies in the folder of its class.

# %% Imports
import os
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

SEED = 42
keras.utils.set_random_seed(SEED)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")  # holds class/clip/frame.jpg
CLASS_NAMES = ["first", "second", "third"]
NUM_FRAMES = 20
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
FILTERS = [16, 32, 64]
LSTM_UNITS = 64
DROPOUT = 0.3
VALIDATION_SPLIT = 0.15
TEST_SPLIT = 0.2
PATIENCE = 8
BATCH_SIZE = 8
EPOCHS = 40
LEARNING_RATE = 0.001

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    # A smoke run; the full sizes and counts are for real data.
    NUM_FRAMES = min(NUM_FRAMES, 8)
    IMAGE_HEIGHT = min(IMAGE_HEIGHT, 24)
    IMAGE_WIDTH = min(IMAGE_WIDTH, 24)
    LSTM_UNITS = min(LSTM_UNITS, 32)
    EPOCHS = min(EPOCHS, 15)
    LEARNING_RATE = max(LEARNING_RATE, 0.003)


# %% Data: files
def made_up_folder(count=120, size=32):
    """Gray frames that get brighter or darker, each class in another measure."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up clips, not your data.")
    rng = np.random.default_rng(SEED)
    root = tempfile.mkdtemp()
    for number in range(count):
        label = number % len(CLASS_NAMES)
        clip = os.path.join(root, CLASS_NAMES[label], f"clip{number}")
        os.makedirs(clip)
        start = rng.uniform(90, 110)
        slope = 90 * (1 - 2 * label / max(1, len(CLASS_NAMES) - 1))
        for frame in range(NUM_FRAMES):
            pixels = rng.integers(0, 40, size=(size, size, 3)) + start + slope * frame / NUM_FRAMES
            Image.fromarray(pixels.astype("uint8")).save(os.path.join(clip, f"{frame:04}.png"))
    return root


def read_clip(folder):
    """NUM_FRAMES frames, taken evenly from a folder of frames in the order of their names; None where it holds none."""
    frames = [name for name in sorted(os.listdir(folder)) if name.lower().endswith(ENDINGS)]
    if not frames:
        return None
    clip = np.zeros((NUM_FRAMES, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS), dtype="uint8")
    chosen = np.linspace(0, len(frames) - 1, NUM_FRAMES).round().astype(int)
    for place, number in enumerate(chosen):
        with Image.open(os.path.join(folder, frames[number])) as image:
            resized = image.convert("L" if CHANNELS == 1 else "RGB").resize((IMAGE_WIDTH, IMAGE_HEIGHT))
        clip[place] = np.asarray(resized).reshape(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)
    return clip


def subfolders(folder):
    """The names of the folders in a folder."""
    return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())


root = made_up_folder() if SYNTHETIC else DATA_DIR
clips, names = [], []
for class_name in subfolders(root):
    for clip_name in subfolders(os.path.join(root, class_name)):
        clip = read_clip(os.path.join(root, class_name, clip_name))
        if clip is not None:
            clips.append(clip)
            names.append(class_name)
class_names, labels = np.unique(names, return_inverse=True)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{root} holds clips of {NUM_CLASSES} classes; wanted are frames in class/clip/, of two or more")
print(f"{len(clips)} clips of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))


# %% Preprocessing
def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


pixels = np.stack(clips).astype("float32") / 255.0
x_train, x_test, train_labels, test_labels = train_test_split(pixels, labels, test_size=TEST_SPLIT, random_state=SEED)
x_train, x_val, train_labels, val_labels = train_test_split(
    x_train, train_labels, test_size=VALIDATION_SPLIT, random_state=SEED
)
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)


# %% Model
def build_frame_reader():
    """A small CNN that turns one frame into a vector."""
    reader = keras.Sequential([keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))], name="frame_reader")
    for filters in FILTERS:
        reader.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        reader.add(layers.MaxPooling2D(2, padding="same"))
    reader.add(layers.GlobalAveragePooling2D())
    return reader


def build_model():
    """The frame reader on each frame, an LSTM over the frames, and an output for each class."""
    clip = keras.Input(shape=(NUM_FRAMES, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
    frames = layers.TimeDistributed(build_frame_reader())(clip)
    summary = layers.LSTM(LSTM_UNITS)(frames)
    summary = layers.Dropout(DROPOUT)(summary)
    return keras.Model(clip, layers.Dense(NUM_CLASSES, activation="softmax")(summary))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
best = keras.callbacks.ModelCheckpoint("model.keras", monitor="val_loss", save_best_only=True)
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE)
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[best, stop],
    verbose=2,
)
model = keras.models.load_model("model.keras")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(folder):
    """The class of the clip whose frames lie in a folder."""
    return class_names[predicted_classes(model.predict(read_clip(folder)[None] / 255.0, verbose=0))][0]


test_predictions = predicted_classes(model.predict(x_test, batch_size=BATCH_SIZE, verbose=0))
print(f"macro F1: {f1_score(test_labels, test_predictions, average='macro'):.4f}")
most_frequent = np.full_like(test_labels, np.bincount(train_labels).argmax())
print(
    f"held-out accuracy: {accuracy_score(test_labels, test_predictions):.4f} "
    f"(baseline, always the most frequent class: {accuracy_score(test_labels, most_frequent):.4f})"
)
one = os.path.join(root, class_names[0], subfolders(os.path.join(root, class_names[0]))[0])
print(f"a clip of {class_names[0]}: predicted {predict(one)}")

# %% Show
plt.figure(figsize=(6, 4))
for name, values in history.history.items():
    if "accuracy" in name:
        plt.plot(values, label=name)
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.tight_layout()
plt.savefig("learning_curves.png")
plt.show()
