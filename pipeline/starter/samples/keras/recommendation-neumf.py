# %% [markdown]
# # Neural matrix factorisation
# Two views of a user and an item are joined: the product of their vectors (matrix factorisation) and a dense network
# that reads another pair of vectors. The model predicts ratings and recommends items that a user has not rated yet.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, root_mean_squared_error
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "ratings.csv"
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
USER_COLUMN = "user"
ITEM_COLUMN = "item"
TARGET = "rating"
ITEMS_FILE = ""  # a table with a name for each item; "" shows items as they stand in TRAIN_FILE
NAME_COLUMN = "title"
EMBEDDING_DIM = 32
HIDDEN_UNITS = [64, 32, 16]
DROPOUT = 0.2
TOP_N = 10  # items recommended to a user
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 64
EPOCHS = 20
LEARNING_RATE = 0.001
PATIENCE = 3

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 12)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_ratings(rows=8000):
    """Made-up ratings: users and items of one of four groups like each other, one side is a bit more generous."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up ratings, not your data.")
    rng = np.random.default_rng(42)
    users, items = rng.integers(1, 201, rows), rng.integers(1, 121, rows)
    alike = users % 4 == items % 4
    rating = 2 + 2.2 * alike + (users % 3 - 1) * 0.5 + 0.3 * rng.normal(size=rows)
    table = pd.DataFrame({USER_COLUMN: users, ITEM_COLUMN: items, TARGET: np.clip(2 * rating, 1, 10).round() / 2})
    return table.drop_duplicates([USER_COLUMN, ITEM_COLUMN])


def read(name):
    """A table of DATA_DIR, in CSV or Parquet."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your ratings lie")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    return table.rename(columns=str)


ratings = synthetic_ratings() if SYNTHETIC else read(TRAIN_FILE)
absent = {USER_COLUMN, ITEM_COLUMN, TARGET} - set(ratings.columns)
if absent:
    raise SystemExit(f"{TRAIN_FILE} has no column {min(absent)!r}; it has {', '.join(ratings.columns[:20])}")
ratings = ratings[[USER_COLUMN, ITEM_COLUMN, TARGET]].dropna()

# %% Preprocessing
shuffled = ratings.sample(frac=1, random_state=42)
test_count = int(TEST_SPLIT * len(shuffled))
val_count = int(VALIDATION_SPLIT * len(shuffled))
test, val = shuffled[:test_count], shuffled[test_count : test_count + val_count]
train = shuffled[test_count + val_count :]

# Only users and items with training ratings have a vector; index 0 is kept for all others.
users = pd.Index(train[USER_COLUMN].unique())
items = pd.Index(train[ITEM_COLUMN].unique())
NUM_USERS = len(users) + 1
NUM_ITEMS = len(items) + 1
low, high = float(train[TARGET].min()), float(train[TARGET].max())
print(f"{len(train)} training ratings from {low:g} to {high:g}, {len(users)} users, {len(items)} items")


def encode(table):
    """User indices and item indices, both from 1 on."""
    return {
        "user": users.get_indexer(table[USER_COLUMN]) + 1,
        "item": items.get_indexer(table[ITEM_COLUMN]) + 1,
    }


def scale(ratings):
    """Ratings between 0 and 1, the range of the sigmoid."""
    return (ratings.to_numpy("float32") - low) / max(high - low, 1e-6)


x_train, x_val, x_test = encode(train), encode(val), encode(test)
y_train, y_val = scale(train[TARGET]), scale(val[TARGET])
y_test = test[TARGET].to_numpy()


# %% Model
def build_model():
    """Matrix factorisation and a dense network side by side, each with embeddings of its own."""
    user = keras.Input(shape=(), dtype="int32", name="user")
    item = keras.Input(shape=(), dtype="int32", name="item")

    mf_user = layers.Embedding(NUM_USERS, EMBEDDING_DIM)(user)
    mf_item = layers.Embedding(NUM_ITEMS, EMBEDDING_DIM)(item)
    product = layers.Multiply()([mf_user, mf_item])

    mlp_user = layers.Embedding(NUM_USERS, EMBEDDING_DIM)(user)
    mlp_item = layers.Embedding(NUM_ITEMS, EMBEDDING_DIM)(item)
    x = layers.Concatenate()([mlp_user, mlp_item])
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(DROPOUT)(x)

    x = layers.Concatenate()([product, x])
    outputs = layers.Dense(1, activation="sigmoid")(x)
    return keras.Model({"user": user, "item": item}, outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mean_squared_error",
    metrics=["mean_absolute_error"],
)

# %% Train
callbacks = [
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True),
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=2),
]
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=callbacks,
    verbose=2,
)
model.save("model.keras")


# %% Evaluate
def predict(table):
    """The rating that each row's user would give to its item."""
    outputs = model.predict(encode(table), batch_size=2048, verbose=0).ravel()
    return low + outputs * (high - low)


predicted = predict(test)
average = np.full(len(y_test), train[TARGET].mean())
print(f"mean absolute error: {mean_absolute_error(y_test, predicted):.4f}")
print(
    f"held-out root mean squared error: {root_mean_squared_error(y_test, predicted):.4f} "
    f"(baseline, the mean {TARGET}: {root_mean_squared_error(y_test, average):.4f})"
)

# %% Evaluate: recommendations
names = {}
if ITEMS_FILE and not SYNTHETIC:
    names = read(ITEMS_FILE).set_index(ITEM_COLUMN)[NAME_COLUMN].to_dict()


def recommend(user, count=TOP_N):
    """The items with the highest predicted ratings among those that the user has not rated."""
    rated = set(ratings.loc[ratings[USER_COLUMN] == user, ITEM_COLUMN])
    new = [item for item in items if item not in rated]
    candidates = pd.DataFrame({USER_COLUMN: user, ITEM_COLUMN: new}, index=range(len(new)))
    if not len(candidates):
        return candidates.assign(name=[], predicted=[])
    candidates["name"] = [names.get(item, item) for item in new]
    candidates["predicted"] = predict(candidates)
    return candidates.nlargest(count, "predicted")


recommendations = pd.concat([recommend(user) for user in users[:20]])
recommendations.to_csv("recommendations.csv", index=False)
print(f"recommendations.csv: the best {TOP_N} new items for each of {min(20, len(users))} users")
print(recommendations.head(TOP_N).to_string(index=False))

# %% Show
plt.figure(figsize=(5, 5))
plt.scatter(y_test, predicted, s=6, alpha=0.3)
plt.plot([low, high], [low, high], color="black", linewidth=1)
plt.xlabel(f"true {TARGET}")
plt.ylabel(f"predicted {TARGET}")
plt.tight_layout()
plt.savefig("predictions.png")
plt.show()
