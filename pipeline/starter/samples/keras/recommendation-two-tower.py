# %% [markdown]
# # Two-tower retrieval with features of the items
# One tower turns a user into a vector, the other an item and its features; items that a user chose get vectors close to
# the user's. Each training batch contrasts a chosen item with the other items of the batch.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tensorflow import keras
from tensorflow.keras import layers, ops

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "interactions.csv"  # a row for each time that a user chose an item
ITEMS_FILE = "items.csv"  # a row for each item with its features
READ_OPTIONS = {}  # how the files are written, where that is not plain CSV
USER_COLUMN = "user"
ITEM_COLUMN = "item"
NUMBER_COLUMNS = []  # features of the items; where none is named, they are found by their kind
CATEGORY_COLUMNS = []
EMBEDDING_DIM = 32
HIDDEN_UNITS = [64]
TEMPERATURE = 0.1
TOP_N = 10  # an answer counts as a hit where the item is among so many
TEST_SPLIT = 0.15
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 128
EPOCHS = 20
LEARNING_RATE = 0.003

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 12)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_tables(users=300, items=150, rows=6000):
    """Users who mostly choose items of the kind that they like."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up choices, not your data.")
    rng = np.random.default_rng(42)
    kinds = rng.choice(["a", "b", "c", "d", "e"], size=items)
    features = pd.DataFrame({ITEM_COLUMN: np.arange(items)})
    for name in NUMBER_COLUMNS or ["size"]:
        features[name] = rng.normal(size=items)
    for name in CATEGORY_COLUMNS or ["kind"]:
        features[name] = kinds
    choices = []
    for user in rng.integers(0, users, size=rows):
        liked = np.flatnonzero(kinds == "abcde"[user % 5])
        choices.append((user, rng.choice(liked) if len(liked) and rng.random() < 0.85 else rng.integers(items)))
    return pd.DataFrame(choices, columns=[USER_COLUMN, ITEM_COLUMN]), features


def read_table(name, needed):
    """A table of DATA_DIR with the columns that are needed."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR, TRAIN_FILE and ITEMS_FILE to where your tables lie")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    table = table.rename(columns=str)
    for column in needed:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(table.columns[:20])}")
    return table


if SYNTHETIC:
    choices, features = synthetic_tables()
else:
    choices = read_table(TRAIN_FILE, [USER_COLUMN, ITEM_COLUMN])
    features = read_table(ITEMS_FILE, [ITEM_COLUMN, *NUMBER_COLUMNS, *CATEGORY_COLUMNS])
features = features.drop_duplicates(ITEM_COLUMN).reset_index(drop=True)
choices = choices[choices[ITEM_COLUMN].isin(features[ITEM_COLUMN])].dropna(subset=[USER_COLUMN])
if not len(choices):
    raise SystemExit(f"no {ITEM_COLUMN} of {TRAIN_FILE} stands in {ITEMS_FILE}; both must name items alike")

# %% Preprocessing
if not (NUMBER_COLUMNS or CATEGORY_COLUMNS):
    described = features.drop(columns=ITEM_COLUMN)
    NUMBER_COLUMNS = [name for name in described if pd.api.types.is_numeric_dtype(described[name])]
    CATEGORY_COLUMNS = [name for name in described if name not in NUMBER_COLUMNS and described[name].nunique() <= 50]

# Features of all items are known beforehand: they hold nothing of who chose what.
describe = ColumnTransformer(
    [
        ("numbers", make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()), NUMBER_COLUMNS),
        ("categories", OneHotEncoder(sparse_output=False), CATEGORY_COLUMNS),
    ]
)
item_features = describe.fit_transform(features.astype(dict.fromkeys(CATEGORY_COLUMNS, str))).astype("float32")
NUM_ITEMS, NUM_FEATURES = item_features.shape

shuffled = choices.sample(frac=1, random_state=42)
test_count, val_count = int(TEST_SPLIT * len(shuffled)), int(VALIDATION_SPLIT * len(shuffled))
test, rest = shuffled[:test_count], shuffled[test_count:]
val, train = rest[:val_count], rest[val_count:]
users = pd.Index(train[USER_COLUMN].unique())
NUM_USERS = len(users) + 1  # number 0 is a user without training rows
item_index = pd.Index(features[ITEM_COLUMN])


def pairs_of(table):
    """The number of each row's user, and that of its item."""
    return users.get_indexer(table[USER_COLUMN]) + 1, item_index.get_indexer(table[ITEM_COLUMN])


def dataset(table, training=False):
    """Batches of users and of the items that they chose; the target of a row is its own place in the batch."""
    user, item = pairs_of(table)
    batches = tf.data.Dataset.from_tensor_slices({"user": user, "item": item, "features": item_features[item]})
    batches = batches.shuffle(10000, seed=42) if training else batches
    return batches.batch(BATCH_SIZE).map(lambda batch: (batch, tf.range(tf.shape(batch["user"])[0])))


train_ds, val_ds = dataset(train, training=True), dataset(val)
test_users, test_items = pairs_of(test)
print(f"{len(train)} training rows, {NUM_USERS - 1} users, {NUM_ITEMS} items with {NUM_FEATURES} features")


# %% Model
def tower(x, name):
    """Dense layers and a vector of length 1, so that products of vectors are cosines."""
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu")(x)
    return layers.UnitNormalization(name=name)(layers.Dense(EMBEDDING_DIM)(x))


def build_model():
    """Both towers, and the likeness of every user to every item of the batch."""
    user = keras.Input(shape=(), dtype="int32", name="user")
    item = keras.Input(shape=(), dtype="int32", name="item")
    item_details = keras.Input(shape=(NUM_FEATURES,), name="features")
    user_vector = tower(layers.Embedding(NUM_USERS, EMBEDDING_DIM)(user), "user_vector")
    item_id = layers.Embedding(NUM_ITEMS, EMBEDDING_DIM)(item)
    item_vector = tower(layers.Concatenate()([item_id, item_details]), "item_vector")
    scores = ops.matmul(user_vector, ops.transpose(item_vector)) / TEMPERATURE
    return keras.Model({"user": user, "item": item, "features": item_details}, scores)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
history = model.fit(train_ds, validation_data=val_ds, epochs=EPOCHS, callbacks=[early_stopping], verbose=2)
model.save("model.keras")

# %% Evaluate
vector_of_user = keras.Model(model.input["user"], model.get_layer("user_vector").output)
vector_of_item = keras.Model([model.input["item"], model.input["features"]], model.get_layer("item_vector").output)
item_vectors = vector_of_item.predict([np.arange(NUM_ITEMS), item_features], verbose=0)


def predict(user_numbers):
    """The TOP_N items closest to each user, best first, as numbers."""
    likeness = vector_of_user.predict(user_numbers, verbose=0) @ item_vectors.T
    return np.argsort(-likeness, axis=1)[:, :TOP_N]


def hit_rate(recommended, chosen):
    """The share of rows whose chosen item is among those that were recommended."""
    return float(np.mean((recommended == chosen[:, None]).any(axis=1)))


most_chosen = np.bincount(pairs_of(train)[1], minlength=NUM_ITEMS).argsort()[::-1][:TOP_N]
print(
    f"held-out hit rate at {TOP_N}: {hit_rate(predict(test_users), test_items):.4f} "
    f"(baseline, the {TOP_N} most chosen items: {hit_rate(most_chosen[None], test_items):.4f})"
)

best = pd.DataFrame(item_index.to_numpy()[predict(np.arange(1, NUM_USERS))], index=users)
best.to_csv("recommendations.csv", index_label=USER_COLUMN)
print(f"recommendations.csv: {best.shape[1]} items for each of {len(best)} users")

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("contrastive loss")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
