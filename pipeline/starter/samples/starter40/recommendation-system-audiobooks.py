# %% [markdown]
# # The next audiobook
# Neural collaborative filtering on listening records: no ratings, only which user listened to which book. Books a user
# did not listen to are drawn at random as negative examples. One branch multiplies the embeddings (generalised matrix
# factorisation), the other feeds them through dense layers; the last layer weighs both.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
NUM_USERS = 3000
NUM_ITEMS = 1200
EMBEDDING_DIM = 16
NEGATIVES = 4
BATCH_SIZE = 256
EPOCHS = 15
LEARNING_RATE = 0.001

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_data(rows=300):
    """Random listening records: users and books fall into four genres, and users stay within theirs."""
    print(f"No folder {DATA_DIR!r}: using {rows} synthetic listening records.")
    rng = np.random.default_rng(42)
    genre = rng.integers(4, size=rows)
    users = (genre + 4 * rng.integers(10, size=rows)) % NUM_USERS
    items = (genre + 4 * rng.integers(8, size=rows)) % NUM_ITEMS
    return np.unique(np.column_stack([users, items]), axis=0)


def load_data():
    """Read DATA_DIR/listens.csv with columns user and item, a row per listening; ids past NUM_* are left out."""
    if SYNTHETIC:
        return synthetic_data()
    table = pd.read_csv(os.path.join(DATA_DIR, "listens.csv")).dropna()
    users, _ = pd.factorize(table["user"])
    items, _ = pd.factorize(table["item"])
    known = (users < NUM_USERS) & (items < NUM_ITEMS)
    return np.unique(np.column_stack([users, items])[known], axis=0)


positives = load_data()


# %% Preprocessing
def model_inputs(pairs):
    """The two inputs of the model by name, from rows of (user, item)."""
    return {"user": pairs[:, 0], "item": pairs[:, 1]}


def with_negatives(pairs, rng):
    """The pairs, labelled 1, and up to NEGATIVES random books per pair that the user never heard, labelled 0."""
    users = np.repeat(pairs[:, 0], NEGATIVES)
    drawn = np.column_stack([users, rng.integers(NUM_ITEMS, size=len(users))])
    heard = set(map(tuple, positives))
    negatives = [pair for pair in map(tuple, drawn) if pair not in heard]
    negatives = np.array(negatives, dtype=pairs.dtype).reshape(-1, 2)
    labels = np.concatenate([np.ones(len(pairs)), np.zeros(len(negatives))])
    return model_inputs(np.concatenate([pairs, negatives])), labels.astype("float32").reshape(-1, 1)


train_pairs, test_pairs = train_test_split(positives, test_size=0.15, random_state=42)
train_pairs, val_pairs = train_test_split(train_pairs, test_size=0.15, random_state=42)

rng = np.random.default_rng(7)
x_train, y_train = with_negatives(train_pairs, rng)
x_val, y_val = with_negatives(val_pairs, rng)
x_test, y_test = with_negatives(test_pairs, rng)


# %% Model
def build_model():
    """Two branches, a product of embeddings and a dense tower, joined before a sigmoid output."""
    user = keras.Input(shape=(), dtype="int32", name="user")
    item = keras.Input(shape=(), dtype="int32", name="item")

    user_factors = layers.Embedding(NUM_USERS, EMBEDDING_DIM)(user)
    item_factors = layers.Embedding(NUM_ITEMS, EMBEDDING_DIM)(item)
    product = layers.Multiply()([user_factors, item_factors])

    user_vector = layers.Embedding(NUM_USERS, EMBEDDING_DIM)(user)
    item_vector = layers.Embedding(NUM_ITEMS, EMBEDDING_DIM)(item)
    tower = layers.Concatenate()([user_vector, item_vector])
    tower = layers.Dense(64, activation="relu")(tower)
    tower = layers.Dropout(0.2)(tower)
    tower = layers.Dense(32, activation="relu")(tower)
    tower = layers.Dense(16, activation="relu")(tower)

    joined = layers.Concatenate()([product, tower])
    outputs = layers.Dense(1, activation="sigmoid")(joined)
    return keras.Model([user, item], outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=LEARNING_RATE),
    loss="binary_crossentropy",
    metrics=["auc"],
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    verbose=2,
)


# %% Evaluate
def hit_rate(pairs, top=10, rivals=99):
    """Share of pairs whose book ranks in the top among itself and some random rivals."""
    items = np.column_stack([pairs[:, 1], rng.integers(NUM_ITEMS, size=(len(pairs), rivals))])
    users = np.repeat(pairs[:, :1], rivals + 1, axis=1)
    candidates = np.column_stack([users.ravel(), items.ravel()])
    scores = model.predict(model_inputs(candidates), verbose=0).reshape(items.shape)
    better = (scores[:, 1:] > scores[:, :1]).sum(axis=1)
    return (better < top).mean()


scores = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
print("Test:", {name: round(value, 4) for name, value in scores.items()})
print(f"Hit rate at 10, against 99 random books: {hit_rate(test_pairs):.3f}")


# %% Show
def recommend(user, top=5):
    """The books with the highest scores among those the user has not heard."""
    books = np.arange(NUM_ITEMS)
    candidates = np.column_stack([np.full_like(books, user), books])
    scores = model.predict(model_inputs(candidates), verbose=0)[:, 0]
    scores[positives[positives[:, 0] == user, 1]] = -1
    best = scores.argsort()[::-1][:top]
    return pd.DataFrame({"book": best, "score": scores[best].round(3)})


example_user = test_pairs[0, 0]
print(f"Audiobooks for user {example_user}:")
print(recommend(example_user).to_string(index=False))
