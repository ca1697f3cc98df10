# %% [markdown]
# # Recipes a cook would rate highly
# Matrix factorisation: every user and every recipe has a vector and a bias, and the rating is the dot product of the
# two vectors plus the two biases. The mean rating is taken off first, so that the model learns deviations only.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
NUM_USERS = 2000
NUM_ITEMS = 800
EMBEDDING_DIM = 32
BATCH_SIZE = 128
EPOCHS = 20
LEARNING_RATE = 0.002

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_data(rows=500):
    """Random ratings by a few active users, driven by a hidden taste with two dimensions."""
    print(f"No folder {DATA_DIR!r}: using {rows} synthetic ratings.")
    rng = np.random.default_rng(42)
    users = rng.integers(min(NUM_USERS, 40), size=rows)
    items = rng.integers(min(NUM_ITEMS, 30), size=rows)
    user_tastes = rng.normal(size=(NUM_USERS, 2))
    item_tastes = rng.normal(size=(NUM_ITEMS, 2))
    ratings = 3 + (user_tastes[users] * item_tastes[items]).sum(axis=1)
    return np.column_stack([users, items]), ratings.clip(1, 5).astype("float32").reshape(-1, 1)


def load_data():
    """Read DATA_DIR/ratings.csv with columns user, item and rating; ids past NUM_USERS or NUM_ITEMS are left out."""
    if SYNTHETIC:
        return synthetic_data()
    table = pd.read_csv(os.path.join(DATA_DIR, "ratings.csv")).dropna()
    users, _ = pd.factorize(table["user"])
    items, _ = pd.factorize(table["item"])
    known = (users < NUM_USERS) & (items < NUM_ITEMS)
    return np.column_stack([users, items])[known], table[["rating"]].to_numpy("float32")[known]


pairs, ratings = load_data()


# %% Preprocessing
def model_inputs(pairs):
    """The two inputs of the model by name, from rows of (user, item)."""
    return {"user": pairs[:, 0], "item": pairs[:, 1]}


train_pairs, test_pairs, y_train, y_test = train_test_split(pairs, ratings, test_size=0.1, random_state=42)
train_pairs, val_pairs, y_train, y_val = train_test_split(train_pairs, y_train, test_size=0.1, random_state=42)

x_train = model_inputs(train_pairs)
x_val = model_inputs(val_pairs)
x_test = model_inputs(test_pairs)

mean_rating = y_train.mean()
y_train = y_train - mean_rating
y_val = y_val - mean_rating
y_test = y_test - mean_rating


# %% Model
def build_model():
    """The dot product of a user's and an item's vector, plus a bias for each."""
    user = keras.Input(shape=(), dtype="int32", name="user")
    item = keras.Input(shape=(), dtype="int32", name="item")
    user_vector = layers.Embedding(NUM_USERS, EMBEDDING_DIM)(user)
    item_vector = layers.Embedding(NUM_ITEMS, EMBEDDING_DIM)(item)
    user_bias = layers.Embedding(NUM_USERS, 1)(user)
    item_bias = layers.Embedding(NUM_ITEMS, 1)(item)
    match = layers.Dot(axes=1)([user_vector, item_vector])
    outputs = layers.Add()([match, user_bias, item_bias])
    return keras.Model([user, item], outputs)


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mse",
    metrics=["root_mean_squared_error"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)

history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[early_stopping],
    verbose=2,
)

# %% Evaluate
scores = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
print("Test:", {name: round(value, 4) for name, value in scores.items()})
print(f"Always guessing the mean rating: {np.sqrt((y_test**2).mean()):.4f}")


# %% Show
def recommend(user, top=5):
    """The items with the highest predicted ratings among those the user has not rated."""
    items = np.arange(NUM_ITEMS)
    candidates = np.column_stack([np.full_like(items, user), items])
    predicted = model.predict(model_inputs(candidates), verbose=0)[:, 0] + mean_rating
    predicted[pairs[pairs[:, 0] == user, 1]] = -np.inf
    best = predicted.argsort()[::-1][:top]
    return pd.DataFrame({"item": best, "predicted rating": predicted[best].round(2)})


example_user = test_pairs[0, 0]
print(f"Recipes for user {example_user}:")
print(recommend(example_user).to_string(index=False))

plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.tight_layout()
plt.savefig("recipes_loss.png")
plt.close()
