# %% [markdown]
# # Ratings by matrix factorisation
# Each user and each item gets a short vector. How well the two vectors agree, together with how generous the user and
# how popular the item is (their biases), gives the rating.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "ratings.csv"
UNLABELLED_FILE = ""  # pairs of users and items whose ratings are wanted
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
USER_COLUMN = "user"
ITEM_COLUMN = "item"
TARGET = "rating"
EMBEDDING_DIM = 32  # factors of a user and of an item
NUM_RECOMMENDED = 5  # items that a user is shown
L2 = 0.00002
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 64
EPOCHS = 40
LEARNING_RATE = 0.003
PATIENCE = 4

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 20)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(users=150, items=80, rows=6000):
    """Made-up ratings from 1 to 5: each user has a taste, each item a character."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up ratings, not your data.")
    rng = np.random.default_rng(42)
    taste, character = rng.normal(size=(users, 2)), rng.normal(size=(items, 2))
    generous, popular = rng.normal(size=users), rng.normal(size=items)
    user, item = rng.integers(0, users, rows), rng.integers(0, items, rows)
    opinion = (taste[user] * character[item]).sum(axis=1) + generous[user] + popular[item]
    rating = np.clip(np.round(3 + 0.8 * opinion + 0.2 * rng.normal(size=rows)), 1, 5)
    return pd.DataFrame({USER_COLUMN: user, ITEM_COLUMN: item, TARGET: rating})


def read_table(name, columns):
    """A table of DATA_DIR (CSV, Parquet or Excel) that has to hold the columns."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your ratings lie")
    if path.lower().endswith(".parquet"):
        table = pd.read_parquet(path)
    elif path.lower().endswith(".xlsx"):
        table = pd.read_excel(path, **READ_OPTIONS)
    else:
        table = pd.read_csv(path, **READ_OPTIONS)
    table.columns = table.columns.astype(str).str.strip()
    for column in columns:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(map(str, table.columns[:20]))}")
    return table


ratings = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE, [USER_COLUMN, ITEM_COLUMN, TARGET])
ratings[TARGET] = pd.to_numeric(ratings[TARGET], errors="coerce")
ratings = ratings.dropna(subset=[USER_COLUMN, ITEM_COLUMN, TARGET])
print(ratings[TARGET].describe().to_string())

# %% Preprocessing
train_rows, test_rows = train_test_split(ratings, test_size=TEST_SPLIT, random_state=42)
train_rows, val_rows = train_test_split(train_rows, test_size=VALIDATION_SPLIT, random_state=42)

# Users and items are numbered from 1; 0 stands for one that is not among the training ratings.
user_numbers = {user: number for number, user in enumerate(train_rows[USER_COLUMN].unique(), 1)}
item_numbers = {item: number for number, item in enumerate(train_rows[ITEM_COLUMN].unique(), 1)}
NUM_USERS = len(user_numbers) + 1
NUM_ITEMS = len(item_numbers) + 1
mean_rating = train_rows[TARGET].mean()
lowest, highest = train_rows[TARGET].min(), train_rows[TARGET].max()


def inputs_of(table):
    """The numbers of the users and those of the items."""
    users = table[USER_COLUMN].map(user_numbers).fillna(0).to_numpy("int32")
    items = table[ITEM_COLUMN].map(item_numbers).fillna(0).to_numpy("int32")
    return [users, items]


x_train, x_val, x_test = inputs_of(train_rows), inputs_of(val_rows), inputs_of(test_rows)
# The network learns by how much a rating differs from the mean.
y_train, y_val = train_rows[TARGET].to_numpy() - mean_rating, val_rows[TARGET].to_numpy() - mean_rating
y_test = test_rows[TARGET].to_numpy()
print(f"{len(ratings)} ratings of {NUM_ITEMS - 1} items by {NUM_USERS - 1} users")


# %% Model
def build_model():
    """The product of a user's and an item's vector, plus a bias of each."""
    user = keras.Input(shape=(), dtype="int32", name="user")
    item = keras.Input(shape=(), dtype="int32", name="item")
    penalty = keras.regularizers.L2(L2)
    user_vector = layers.Embedding(NUM_USERS, EMBEDDING_DIM, embeddings_regularizer=penalty)(user)
    item_vector = layers.Embedding(NUM_ITEMS, EMBEDDING_DIM, embeddings_regularizer=penalty)(item)
    user_bias = layers.Embedding(NUM_USERS, 1, embeddings_initializer="zeros")(user)
    item_bias = layers.Embedding(NUM_ITEMS, 1, embeddings_initializer="zeros")(item)
    agreement = layers.Dot(axes=1)([user_vector, item_vector])
    rating = layers.Add()([agreement, user_bias, item_bias])
    return keras.Model([user, item], rating)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mean_squared_error",
    metrics=["mean_absolute_error"],
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
joblib.dump((user_numbers, item_numbers, mean_rating), "numbers.joblib")


# %% Evaluate
def predict(table):
    """The rating of each row's item by its user, within the range of the known ratings."""
    outputs = model.predict(inputs_of(table), batch_size=1024, verbose=0)[:, 0]
    return np.clip(outputs + mean_rating, lowest, highest)


def rmse(truth, predicted):
    """Root of the mean squared error: how far off a rating typically is."""
    return np.sqrt(np.mean((truth - predicted) ** 2))


predicted = predict(test_rows)
print(f"mean absolute error: {mean_absolute_error(y_test, predicted):.4f}")
print(
    f"held-out root mean squared error: {rmse(y_test, predicted):.4f} "
    f"(baseline, the mean {TARGET}: {rmse(y_test, mean_rating):.4f})"
)


# %% Evaluate: recommendations
def recommend(user, count=NUM_RECOMMENDED):
    """The items that a user has not rated yet, those with the highest predicted ratings first."""
    rated = set(ratings.loc[ratings[USER_COLUMN] == user, ITEM_COLUMN])
    others = [item for item in ratings[ITEM_COLUMN].unique() if item not in rated]
    pairs = pd.DataFrame({USER_COLUMN: [user] * len(others), ITEM_COLUMN: others})
    if pairs.empty:
        return pairs
    return pairs.assign(**{TARGET: predict(pairs)}).nlargest(count, TARGET)


print(recommend(ratings[USER_COLUMN].iloc[0]).to_string(index=False))

# %% Evaluate: new pairs
if UNLABELLED_FILE and not SYNTHETIC:
    pairs = read_table(UNLABELLED_FILE, [USER_COLUMN, ITEM_COLUMN])
    pairs[TARGET] = predict(pairs)
    pairs.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(pairs)} rows")

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("mean squared error")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
