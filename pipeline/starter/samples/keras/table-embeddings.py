# %% [markdown]
# # Categories as embeddings
# Each category of a column gets a vector that is learned with the rest of the network, so that categories with like
# effects come to lie close together. That suits columns with many different values better than a column per value.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows whose target is wanted
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TARGET = "target"
NUMBER_COLUMNS = []  # where no column is named, they are found by their kind
CATEGORY_COLUMNS = []
UNUSED_COLUMNS = []
EMBEDDING_DIM = 16  # at most; columns with few categories get shorter vectors
HIDDEN_UNITS = [128, 64]
DROPOUT = 0.1
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.1
BATCH_SIZE = 32
EPOCHS = 100
LEARNING_RATE = 0.002
PATIENCE = 8

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 15)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(rows=2000):
    """A target that hangs on a number, and on which of forty categories a row is of."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(42)
    table = pd.DataFrame({name: rng.normal(10, 3, size=rows) for name in NUMBER_COLUMNS or ["size", "age"]})
    effects = rng.normal(0, 20, size=40)
    signal = 4 * table.iloc[:, 0] + rng.normal(size=rows)
    for name in CATEGORY_COLUMNS or ["place", "kind"]:
        codes = rng.integers(40, size=rows)
        table[name] = [f"{name}{code}" for code in codes]
        signal = signal + effects[codes]
    return table.assign(**{TARGET: signal.round(2)})


def read_table(name):
    """A table of DATA_DIR, from CSV, Parquet or Excel."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    ending = os.path.splitext(path)[1].lower()
    if ending == ".parquet":
        return pd.read_parquet(path)
    if ending in (".xlsx", ".xlsm"):
        return pd.read_excel(path, **READ_OPTIONS).rename(columns=str)
    return pd.read_csv(path, **READ_OPTIONS).rename(columns=str)


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
absent = [name for name in [TARGET, *NUMBER_COLUMNS, *CATEGORY_COLUMNS] if name not in table]
if absent:
    raise SystemExit(f"{TRAIN_FILE} has no column {absent[0]!r}; it has {', '.join(table.columns[:20])}")
table[TARGET] = pd.to_numeric(table[TARGET], errors="coerce")
table = table.dropna(subset=[TARGET])
print(table[TARGET].describe().to_string())

# %% Preprocessing
if not (NUMBER_COLUMNS or CATEGORY_COLUMNS):
    columns = [name for name in table if name not in (TARGET, *UNUSED_COLUMNS)]
    NUMBER_COLUMNS = [name for name in columns if pd.api.types.is_numeric_dtype(table[name])]
    CATEGORY_COLUMNS = [
        name for name in columns if name not in NUMBER_COLUMNS and table[name].nunique() < 0.5 * len(table)
    ]
if not CATEGORY_COLUMNS:
    print(
        f"{TRAIN_FILE} has no column of categories: there is nothing to embed, and the dense layers read numbers alone"
    )

train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=42)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=42)

# Everything below is learned from the training rows: medians, scales, and the list of categories.
numbers = train[NUMBER_COLUMNS].apply(pd.to_numeric, errors="coerce")
medians, means, scales = numbers.median().fillna(0), numbers.mean().fillna(0), numbers.std().fillna(0).replace(0, 1)
categories = {name: sorted(train[name].dropna().astype(str).unique()) for name in CATEGORY_COLUMNS}
target_mean, target_scale = train[TARGET].mean(), train[TARGET].std() or 1.0


def inputs_of(table):
    """The scaled numbers, and a number from 1 on for each category; 0 is missing or was not seen in training."""
    scaled = (table[NUMBER_COLUMNS].apply(pd.to_numeric, errors="coerce").fillna(medians) - means) / scales
    inputs = {"numbers": scaled.to_numpy("float32")} if NUMBER_COLUMNS else {}
    for number, (name, known) in enumerate(categories.items()):
        inputs[f"category_{number}"] = pd.Categorical(table[name].astype(str), known).codes.astype("int32") + 1
    return inputs


x_train, x_val, x_test = inputs_of(train), inputs_of(val), inputs_of(test)
y_train, y_val = (train[TARGET] - target_mean) / target_scale, (val[TARGET] - target_mean) / target_scale
y_train, y_val = y_train.to_numpy("float32"), y_val.to_numpy("float32")
print(
    f"{len(NUMBER_COLUMNS)} numbers;",
    ", ".join(f"{name}: {len(known)} categories" for name, known in categories.items()),
)


# %% Model
def build_model():
    """A vector for each category, joined with the numbers, and dense layers."""
    inputs, parts = {}, []
    if NUMBER_COLUMNS:
        inputs["numbers"] = keras.Input(shape=(len(NUMBER_COLUMNS),), name="numbers")
        parts.append(inputs["numbers"])
    for number, known in enumerate(categories.values()):
        key = f"category_{number}"
        inputs[key] = keras.Input(shape=(), dtype="int32", name=key)
        length = min(EMBEDDING_DIM, (len(known) + 2) // 2)
        parts.append(layers.Embedding(len(known) + 1, length)(inputs[key]))
    x = layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(DROPOUT)(x)
    return keras.Model(inputs, layers.Dense(1)(x))


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
    keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=3),
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True),
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
joblib.dump((medians, means, scales, categories, target_mean, target_scale), "preprocessing.joblib")


# %% Evaluate
def predict(table):
    """The target of each row, in its own unit."""
    return model.predict(inputs_of(table), verbose=0)[:, 0] * target_scale + target_mean


predicted = predict(test)
truth = test[TARGET].to_numpy()
print(f"R2: {r2_score(truth, predicted):.4f}")
print(
    f"held-out mean absolute error: {mean_absolute_error(truth, predicted):.4f} "
    f"(baseline, the median: {mean_absolute_error(truth, np.full(len(truth), train[TARGET].median())):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    new[TARGET] = predict(new)
    new.to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
# The column with most categories, seen through the two directions in which its vectors differ most.
widest = max(range(len(categories)), key=lambda number: len(list(categories.values())[number]), default=0)
embeddings = [layer for layer in model.layers if isinstance(layer, layers.Embedding)]
vectors = embeddings[widest].get_weights()[0][1:] if embeddings else np.zeros((0, 0))
if vectors.shape[0] > 2 and vectors.shape[1] > 1:
    centred = vectors - vectors.mean(axis=0)
    flat = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    plt.figure(figsize=(6, 6))
    plt.scatter(flat[:, 0], flat[:, 1], s=8)
    for point, name in list(zip(flat, list(categories.values())[widest], strict=True))[:40]:
        plt.annotate(name[:15], point, fontsize=7)
    plt.title(list(categories)[widest])
else:
    plt.scatter(truth, predicted, s=8)
plt.tight_layout()
plt.savefig("embeddings.png")
plt.show()
