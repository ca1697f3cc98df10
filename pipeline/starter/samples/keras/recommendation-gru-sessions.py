# %% [markdown]
# # The next item of a session
# A recurrent network reads the items of a session one after the other and predicts which comes next. It learns from
# every place of a session at once: after each item, the following one is the answer.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "events.csv"
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
USER_COLUMN = "session"  # rows with the same value here belong together
ITEM_COLUMN = "item"
TIME_COLUMN = "time"  # rows are put in its order; "" keeps the file's
SEQUENCE_LENGTH = 20  # longer sessions count with their last items
EMBEDDING_DIM = 32
GRU_UNITS = 64
DROPOUT = 0.2
TOP_N = 5  # an answer counts as a hit where the item is among so many
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.003
PATIENCE = 4

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 15)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_events(sessions=700, items=40):
    """Sessions in which one of three items usually follows another."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {sessions} made-up sessions, not your data.")
    rng = np.random.default_rng(42)
    followers = rng.integers(0, items, size=(items, 3))
    rows = []
    for session in range(sessions):
        item = rng.integers(items)
        for time in range(rng.integers(3, 15)):
            rows.append((session, f"item {item}", time))
            item = rng.choice(followers[item]) if rng.random() < 0.9 else rng.integers(items)
    return pd.DataFrame(rows, columns=[USER_COLUMN, ITEM_COLUMN, TIME_COLUMN or "time"])


def read_events():
    """The rows of TRAIN_FILE in the order of time."""
    path = os.path.join(DATA_DIR, TRAIN_FILE)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your events lie")
    events = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    events.columns = [str(column).strip() for column in events.columns]
    for column in filter(None, [USER_COLUMN, ITEM_COLUMN, TIME_COLUMN]):
        if column not in events:
            raise SystemExit(f"{TRAIN_FILE} has no column {column!r}; it has {', '.join(events.columns[:20])}")
    return events.sort_values(TIME_COLUMN, kind="stable") if TIME_COLUMN else events


events = synthetic_events() if SYNTHETIC else read_events()
events = events.dropna(subset=[USER_COLUMN, ITEM_COLUMN])
sessions = [list(items) for _, items in events.groupby(USER_COLUMN, sort=False)[ITEM_COLUMN] if len(items) > 1]
if len(sessions) < 10:
    raise SystemExit(f"{len(sessions)} sessions of two items or more in {TRAIN_FILE}: too few; check USER_COLUMN")

# %% Preprocessing
# Later sessions are the test: what people will do next is predicted from what they did before.
test_start = int((1 - TEST_SPLIT) * len(sessions))
val_start = int((1 - TEST_SPLIT - VALIDATION_SPLIT) * len(sessions))
train_sessions, val_sessions = sessions[:val_start], sessions[val_start:test_start]
test_sessions = sessions[test_start:]

# 0 fills up short sessions, 1 is an item that no training session has.
items = sorted({item for session in train_sessions for item in session}, key=str)
numbers = {item: number for number, item in enumerate(items, 2)}
NUM_ITEMS = len(items) + 2


def padded(sessions):
    """The last SEQUENCE_LENGTH items of each session as numbers, short sessions filled up with zeros behind."""
    rows = np.zeros((len(sessions), SEQUENCE_LENGTH), dtype="int32")
    for row, session in zip(rows, sessions, strict=True):
        codes = [numbers.get(item, 1) for item in session[-SEQUENCE_LENGTH:]]
        row[: len(codes)] = codes
    return rows


def steps_of(sessions):
    """The items so far, the items that follow, and which places count: those of known items."""
    inputs = padded([session[:-1] for session in sessions])
    targets = padded([session[1:] for session in sessions])
    return inputs, targets, (targets > 1).astype("float32")


x_train, y_train, train_weights = steps_of(train_sessions)
x_val, y_val, val_weights = steps_of(val_sessions)
x_test = padded([session[:-1] for session in test_sessions])
last_items = np.array([numbers.get(session[-1], 1) for session in test_sessions])
print(f"{len(sessions)} sessions, {len(items)} items")


# %% Model
def build_model():
    """Vectors of the items, a GRU over the session, and a score for each item after each step."""
    return keras.Sequential(
        [
            keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int32"),
            layers.Embedding(NUM_ITEMS, EMBEDDING_DIM, mask_zero=True),
            layers.GRU(GRU_UNITS, return_sequences=True),
            layers.Dropout(DROPOUT),
            layers.Dense(NUM_ITEMS, activation="softmax"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    weighted_metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)
history = model.fit(
    x_train,
    y_train,
    sample_weight=train_weights,
    validation_data=(x_val, y_val, val_weights),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[early_stopping],
    verbose=2,
)
model.save("model.keras")
joblib.dump(items, "items.joblib")


# %% Evaluate
def predict(sessions, count=TOP_N):
    """The most likely next items of each session, best first, as numbers."""
    rows = padded(sessions)
    scores = model.predict(rows, verbose=0)[np.arange(len(rows)), np.maximum((rows > 0).sum(axis=1) - 1, 0)]
    scores[:, :2] = 0  # only items that exist
    return np.argsort(-scores, axis=1)[:, :count]


recommended = predict([session[:-1] for session in test_sessions])
hit_rate = (recommended == last_items[:, None]).any(axis=1).mean()
most_frequent = np.bincount(y_train[y_train > 1], minlength=NUM_ITEMS).argsort()[::-1][:TOP_N]
print(
    f"held-out hit rate at {TOP_N}: {hit_rate:.4f} "
    f"(baseline, the {TOP_N} most frequent items: {np.isin(last_items, most_frequent).mean():.4f})"
)

# %% Evaluate: what comes next
names = np.array(["", "", *items], dtype=object)
table = pd.DataFrame(names[predict(test_sessions)], columns=[f"next {rank}" for rank in range(1, TOP_N + 1)])
table.insert(0, "last item", [session[-1] for session in test_sessions])
table.to_csv("predictions.csv", index=False)
print(f"predictions.csv: how {len(table)} sessions go on")
print(table.head().to_string(index=False))

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["accuracy"], label="training")
plt.plot(history.history["val_accuracy"], label="validation")
plt.xlabel("epoch")
plt.ylabel("accuracy of the next item")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
