# %% [markdown]
# # Do two texts mean the same? A Siamese BiLSTM
# One and the same network reads both texts of a pair; how close the two results lie says whether they belong together.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers, ops

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "pairs.csv"
UNLABELLED_FILE = ""  # pairs that predictions are wanted for
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TEXT_COLUMN = "text_a"
SECOND_TEXT_COLUMN = "text_b"
TARGET = "similar"  # 1 for pairs that belong together, 0 for others
SEQUENCE_LENGTH = 30
VOCAB_SIZE = 20000
EMBEDDING_DIM = 64
LSTM_UNITS = 32
HIDDEN_UNITS = [32]
DROPOUT = 0.2
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 64
EPOCHS = 20
LEARNING_RATE = 0.002
PATIENCE = 4

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data
    SEQUENCE_LENGTH = min(SEQUENCE_LENGTH, 15)  # the made-up texts are short


# %% Data: files
def synthetic_pairs(count=1500):
    """Pairs of questions about one of ten subjects, in other words each time; half of them share their subject."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up pairs, not your data.")
    rng = np.random.default_rng(42)
    frames = ["how do i {} please", "what is the best way to {}", "can anyone explain how to {} here", "i want to {}"]
    pairs = []
    for _ in range(count):
        similar = int(rng.integers(2))
        subject = int(rng.integers(10))
        other = subject if similar else (subject + int(rng.integers(1, 10))) % 10
        first, second = (f"act{number}form{rng.integers(3)} things" for number in (subject, other))
        pairs.append((rng.choice(frames).format(first), rng.choice(frames).format(second), similar))
    return pd.DataFrame(pairs, columns=[TEXT_COLUMN, SECOND_TEXT_COLUMN, TARGET])


def read_pairs(name, columns):
    """The pairs of a table in DATA_DIR without those that lack a text."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your pairs lie")
    pairs = pd.read_csv(path, **READ_OPTIONS)
    pairs.columns = pairs.columns.astype(str)
    for column in columns:
        if column not in pairs:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(pairs.columns[:20])}")
    return pairs.dropna(subset=columns)


pairs = synthetic_pairs() if SYNTHETIC else read_pairs(TRAIN_FILE, [TEXT_COLUMN, SECOND_TEXT_COLUMN, TARGET])
names = sorted(pairs[TARGET].unique(), key=str)
if len(names) != 2:
    raise SystemExit(f"column {TARGET!r} holds {len(names)} different values; a pair is similar or it is not: two")
# The larger of two numbers, or the later of two words, stands for similar pairs.
pairs["same"] = (pairs[TARGET] == names[1]).astype("float32")
print(f"{len(pairs)} pairs, {pairs['same'].mean():.1%} of them similar")

# %% Preprocessing
train, test = train_test_split(pairs, test_size=TEST_SPLIT, random_state=42, stratify=pairs["same"])
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=42, stratify=train["same"])

vectorize = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
vectorize.adapt(pd.concat([train[TEXT_COLUMN], train[SECOND_TEXT_COLUMN]]).astype(str).to_numpy(dtype=str))


def inputs_of(pairs):
    """Word numbers of the left and of the right texts."""
    left = vectorize(pairs[TEXT_COLUMN].astype(str).to_numpy(dtype=str))
    right = vectorize(pairs[SECOND_TEXT_COLUMN].astype(str).to_numpy(dtype=str))
    return [np.asarray(left), np.asarray(right)]


x_train, x_val, x_test = inputs_of(train), inputs_of(val), inputs_of(test)
y_train, y_val, y_test = train["same"].to_numpy(), val["same"].to_numpy(), test["same"].to_numpy()


# %% Model
def build_encoder():
    """The twin: word vectors and an LSTM in both directions."""
    return keras.Sequential(
        [
            keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64"),
            layers.Embedding(VOCAB_SIZE, EMBEDDING_DIM, mask_zero=True),
            layers.Bidirectional(layers.LSTM(LSTM_UNITS)),
            layers.Dropout(DROPOUT),
        ],
        name="encoder",
    )


def build_model():
    """The same encoder on both sides; the differences and products of its results tell how alike the texts are."""
    shared_encoder = build_encoder()
    left = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64", name="left")
    right = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64", name="right")
    a, b = shared_encoder(left), shared_encoder(right)
    x = layers.Concatenate()([ops.abs(a - b), layers.Multiply()([a, b])])
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu")(x)
    return keras.Model([left, right], layers.Dense(1, activation="sigmoid")(x))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="binary_crossentropy",
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


# %% Evaluate
def predict(pairs):
    """How similar the two texts of each pair are, from 0 to 1."""
    return model.predict(inputs_of(pairs), verbose=0)[:, 0]


similarity = predict(test)
frequent = float(y_train.mean() > 0.5)
print(f"AUC: {roc_auc_score(y_test, similarity):.4f}")
print(
    f"held-out accuracy: {accuracy_score(y_test, similarity > 0.5):.4f} "
    f"(baseline, always the more frequent answer: {np.mean(y_test == frequent):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_pairs(UNLABELLED_FILE, [TEXT_COLUMN, SECOND_TEXT_COLUMN])
    new["similarity"] = predict(new)
    new.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
examples = test.assign(similarity=similarity)[[TEXT_COLUMN, SECOND_TEXT_COLUMN, TARGET, "similarity"]]
print(examples.head(6).to_string(index=False))
plt.figure(figsize=(6, 4))
for value, label in ((1, "similar pairs"), (0, "other pairs")):
    plt.hist(similarity[y_test == value], bins=20, range=(0, 1), alpha=0.6, label=label)
plt.xlabel("predicted similarity")
plt.ylabel("pairs")
plt.legend()
plt.tight_layout()
plt.savefig("similarity.png")
plt.show()
