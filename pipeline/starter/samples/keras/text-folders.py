# %% [markdown]
# # Classes from texts in a folder per class
# A text is cut into words, each becomes a vector, and a network reads their average: quick, and hard to beat where
# texts are few. Folders' names are the classes.

# %% Imports
import glob
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_TEXTS = "{class}/*"  # where a text lies below DATA_DIR; {class} stands for its class
HELD_OUT_FOLDER = ""  # class folders of their own for the test, where the data have them
UNLABELLED_FOLDER = ""  # texts without classes that predictions are wanted for
CLASS_NAMES = ["praise", "complaint"]
SEQUENCE_LENGTH = 200
VOCAB_SIZE = 20000
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_texts(count=400):
    """Texts of common words, with one word in each that only its class has."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up texts, not your data.")
    rng = np.random.default_rng(42)
    common = "the a it was and room food staff we they on in at night day again never always very".split()
    names = rng.choice(CLASS_NAMES, size=count)
    texts = [" ".join([*rng.choice(common, size=12), f"{name}word", *rng.choice(common, size=8)]) for name in names]
    return texts, names


def read_text(path):
    """One text; bytes that are not UTF-8 are read as Windows-1252."""
    with open(path, "rb") as stream:
        data = stream.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def read_texts(pattern):
    """All texts that lie as the pattern says, and the class of each."""
    before, _, after = pattern.partition("{class}")
    root = os.path.join(DATA_DIR, before)
    texts, names = [], []
    for class_name in sorted(os.listdir(root)) if os.path.isdir(root) else []:
        paths = glob.glob(os.path.join(glob.escape(os.path.join(root, class_name)), after.strip("/")), recursive=True)
        files = [path for path in sorted(paths) if os.path.isfile(path)]
        texts += [read_text(path) for path in files]
        names += [class_name] * len(files)
    if not texts:
        raise SystemExit(f"{os.path.join(DATA_DIR, pattern)}: no texts; set DATA_DIR to the folder of your texts")
    return texts, np.array(names)


texts, names = synthetic_texts() if SYNTHETIC else read_texts(TRAIN_TEXTS)
class_names = np.array(sorted(set(names)))
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"{DATA_DIR} holds one class, {class_names[0]}; at least two folders with texts are needed")
print(f"{len(texts)} texts of {NUM_CLASSES} classes:", ", ".join(class_names[:20]))


# %% Preprocessing
def labels_of(names):
    """Class numbers; a class that training has not seen is an error."""
    unknown = sorted(set(names) - set(class_names))
    if unknown:
        raise SystemExit(f"there is a class that the training texts lack: {unknown[0]}")
    return np.searchsorted(class_names, names)


def split(texts, labels, share):
    """Two parts, with the classes alike in both where every class has texts enough."""
    counts = np.bincount(labels, minlength=NUM_CLASSES)
    stratify = labels if counts.min() > 1 and int(share * len(labels)) >= NUM_CLASSES else None
    return train_test_split(texts, labels, test_size=share, random_state=42, stratify=stratify)


def encode_labels(labels):
    """Integer labels, the form sparse categorical cross-entropy expects."""
    return np.asarray(labels, dtype="int64")


train_texts, train_labels = texts, labels_of(names)
if HELD_OUT_FOLDER and not SYNTHETIC:
    held_out_pattern = HELD_OUT_FOLDER + ("/*" if "{class}" in HELD_OUT_FOLDER else "/{class}/**")
    test_texts, test_names = read_texts(held_out_pattern)
    test_labels = labels_of(test_names)
else:
    train_texts, test_texts, train_labels, test_labels = split(train_texts, train_labels, 0.2)
train_texts, val_texts, train_labels, val_labels = split(train_texts, train_labels, 0.15)

# The vocabulary is that of the training texts; all other words are one unknown word.
vectorize = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
vectorize.adapt(train_texts)
x_train = np.asarray(vectorize(train_texts))
x_val = np.asarray(vectorize(val_texts))
x_test = np.asarray(vectorize(test_texts))
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)


# %% Model
def build_model():
    """Word vectors, their average over the text, and an output for each class."""
    return keras.Sequential(
        [
            keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64"),
            layers.Embedding(VOCAB_SIZE, 64, mask_zero=True),
            layers.GlobalAveragePooling1D(),
            layers.Dropout(0.3),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()
model.summary()
if model.output_shape[-1] != NUM_CLASSES and (model.output_shape[-1], NUM_CLASSES) != (1, 2):
    raise SystemExit(f"the model tells {model.output_shape[-1]} classes apart and the data hold {NUM_CLASSES}")

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=6, restore_best_weights=True)

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
with open("vocabulary.txt", "w", encoding="utf-8") as stream:
    stream.write("\n".join(vectorize.get_vocabulary()))


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


test_predictions = predicted_classes(model.predict(x_test, verbose=0))
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


# %% Evaluate: new texts
def predict(texts):
    """The class of each text."""
    return class_names[predicted_classes(model.predict(np.asarray(vectorize(texts)), verbose=0))]


if UNLABELLED_FOLDER and not SYNTHETIC:
    folder = os.path.join(glob.escape(os.path.join(DATA_DIR, UNLABELLED_FOLDER)), "**")
    new = [path for path in sorted(glob.glob(folder, recursive=True)) if os.path.isfile(path)]
    predictions = predict([read_text(path) for path in new])
    table = pd.DataFrame({"file": [os.path.relpath(path, DATA_DIR) for path in new], "class": predictions})
    table.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(table)} rows")

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
