# %% [markdown]
# # Classes of texts by TF-IDF and a dense network
# A text becomes the weights of its words and pairs of words: high where a word is frequent in it and rare elsewhere.
# The dense network on top trains in seconds and is hard to beat on longer texts.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # texts without classes that predictions are wanted for
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TEXT_COLUMN = "text"
TARGET = "label"
CLASS_NAMES = ["first", "second", "third"]  # of the made-up texts; real classes are found in the file
VOCAB_SIZE = 20000  # words and pairs of words that are kept at most
HIDDEN_UNITS = [128]
DROPOUT = 0.5
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 20
LEARNING_RATE = 0.001
PATIENCE = 3

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 15)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(rows=500):
    """Texts of made-up words; each class uses some of them more often than the others do."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up texts, not your data.")
    rng = np.random.default_rng(42)
    words = np.array([a + b for a in ("ba", "de", "ki", "lo", "mu", "na") for b in ("ro", "sa", "ti", "vo", "we")])
    habits = rng.dirichlet(np.full(len(words), 0.5), size=len(CLASS_NAMES))
    numbers = rng.integers(len(CLASS_NAMES), size=rows)
    texts = [" ".join(rng.choice(words, size=20, p=0.4 * habits[number] + 0.6 / len(words))) for number in numbers]
    return pd.DataFrame({TEXT_COLUMN: texts, TARGET: [CLASS_NAMES[number] for number in numbers]})


def read_table(name, needed):
    """A CSV, Parquet or Excel table of DATA_DIR."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your texts lie")
    ending = os.path.splitext(path)[1].lower()
    if ending == ".parquet":
        table = pd.read_parquet(path)
    else:
        table = pd.read_excel(path, **READ_OPTIONS) if ending == ".xlsx" else pd.read_csv(path, **READ_OPTIONS)
    table = table.rename(columns=str)
    for column in needed:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(table.columns[:20])}")
    return table.dropna(subset=needed).reset_index(drop=True)


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE, [TEXT_COLUMN, TARGET])
texts, names = table[TEXT_COLUMN].astype(str), table[TARGET].astype(str)
class_names = sorted(names.unique())
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} holds one class only; at least two are needed")
print(names.value_counts().head(20).to_string())

# %% Preprocessing
train_texts, test_texts, train_names, test_names = train_test_split(
    texts, names, test_size=TEST_SPLIT, random_state=42, stratify=names if names.value_counts().min() > 4 else None
)
train_texts, val_texts, train_names, val_names = train_test_split(
    train_texts, train_names, test_size=VALIDATION_SPLIT, random_state=42
)

# The weights are learned from the training texts alone.
tfidf = TfidfVectorizer(ngram_range=(1, 2), max_features=VOCAB_SIZE, sublinear_tf=True)
x_train = tfidf.fit_transform(train_texts).toarray().astype("float32")
x_val = tfidf.transform(val_texts).toarray().astype("float32")
x_test = tfidf.transform(test_texts).toarray().astype("float32")
NUM_FEATURES = x_train.shape[1]


def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


train_labels = np.array([class_names.index(name) for name in train_names])
val_labels = np.array([class_names.index(name) for name in val_names])
test_labels = np.array([class_names.index(name) for name in test_names])
y_train, y_val = encode_labels(train_labels), encode_labels(val_labels)


# %% Model
def build_model():
    """Dense layers on the weights of the words."""
    model = keras.Sequential([keras.Input(shape=(NUM_FEATURES,))])
    for units in HIDDEN_UNITS:
        model.add(layers.Dense(units, activation="relu"))
        model.add(layers.Dropout(DROPOUT))
    model.add(layers.Dense(NUM_CLASSES, activation="softmax"))
    return model


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)
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
joblib.dump((tfidf, class_names), "tfidf.joblib")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(texts):
    """The name of each text's class."""
    weights = tfidf.transform(texts).toarray().astype("float32")
    return [class_names[number] for number in predicted_classes(model.predict(weights, verbose=0))]


predictions = predicted_classes(model.predict(x_test, verbose=0))
frequent = np.bincount(train_labels).argmax()
print(
    f"held-out accuracy: {accuracy_score(test_labels, predictions):.4f} "
    f"(baseline, always {class_names[frequent]}: {np.mean(test_labels == frequent):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE, [TEXT_COLUMN])
    new[TARGET] = predict(new[TEXT_COLUMN].astype(str))
    new.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
for number, name in enumerate(class_names[:10]):
    typical = x_train[train_labels == number].mean(axis=0) - x_train.mean(axis=0)
    words = tfidf.get_feature_names_out()[typical.argsort()[::-1][:8]]
    print(f"typical of {name}: {', '.join(words)}")
ConfusionMatrixDisplay.from_predictions(
    test_labels, predictions, labels=range(NUM_CLASSES), display_labels=class_names, xticks_rotation=45
)
plt.tight_layout()
plt.savefig("confusion.png")
plt.show()
