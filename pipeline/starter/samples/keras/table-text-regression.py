# %% [markdown]
# # Numbers from a table with text
# A convolution finds short phrases that matter; they are joined with the other columns of the table, where it has some.

# %% Imports
import glob
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
HELD_OUT_FILE = ""  # rows with the target that are kept for the test; "" splits them off
UNLABELLED_FILE = ""  # rows without the target that predictions are wanted for
PREDICTION_COLUMNS = []
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TARGETS = ["rating"]
TEXT_COLUMNS = ["text"]
NUMBER_COLUMNS = []
CATEGORY_COLUMNS = []
SEQUENCE_LENGTH = 120
VOCAB_SIZE = 20000
BATCH_SIZE = 32
EPOCHS = 30
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 8)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(rows=400):
    """Rows whose number counts how often their texts say one word."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(42)
    common = "the a it was and room food staff we they on in at night day again never always very".split()
    counts = rng.integers(0, 6, size=rows)
    table = pd.DataFrame({target: 10.0 * counts for target in TARGETS})
    for name in TEXT_COLUMNS:
        table[name] = [" ".join([*rng.choice(common, size=15), *["splendid"] * count]) for count in counts]
    for name in NUMBER_COLUMNS:
        table[name] = rng.normal(size=rows)
    for name in CATEGORY_COLUMNS:
        table[name] = rng.choice(["red", "green"], size=rows)
    return table


def read_table(name):
    """A table of DATA_DIR: CSV, Parquet or Excel; a `*` in the name stands for files with the same columns."""
    path = os.path.join(DATA_DIR, name)
    paths = [path] if os.path.isfile(path) else sorted(glob.glob(path, recursive=True))
    if not paths:
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    tables = []
    for path in paths:
        if path.lower().endswith((".parquet", ".pq")):
            tables.append(pd.read_parquet(path))
        elif path.lower().endswith((".xlsx", ".xlsm")):
            tables.append(pd.read_excel(path, **READ_OPTIONS))
        else:
            tables.append(pd.read_csv(path, **READ_OPTIONS))
    table = pd.concat(tables, ignore_index=True).rename(columns=lambda column: str(column).strip())
    absent = [column for column in [*TEXT_COLUMNS, *NUMBER_COLUMNS, *CATEGORY_COLUMNS] if column not in table]
    if absent:
        raise SystemExit(f"{name} has no column {absent[0]!r}; it has {', '.join(table.columns[:20])}")
    return table


def with_numbers(table, name):
    """The rows in which every target is a number."""
    absent = [target for target in TARGETS if target not in table]
    if absent:
        raise SystemExit(f"{name} has no column {absent[0]!r}; it has {', '.join(table.columns[:20])}")
    table[TARGETS] = table[TARGETS].apply(pd.to_numeric, errors="coerce")
    complete = table.dropna(subset=TARGETS).reset_index(drop=True)
    if complete.empty:
        raise SystemExit(f"{name}: no row has a number in {', '.join(TARGETS)}")
    return complete


table = with_numbers(synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE), TRAIN_FILE)
NUM_TARGETS = len(TARGETS)
print(f"{len(table)} rows; targets: {', '.join(TARGETS)}")


# %% Preprocessing
def texts_of(table):
    """The text columns of each row, one after another."""
    return table[TEXT_COLUMNS].fillna("").astype(str).agg(" ".join, axis=1).to_numpy()


def others_of(table):
    """Numbers and categories; what is no number in a column of numbers is missing."""
    features = {name: pd.to_numeric(table[name], errors="coerce") for name in NUMBER_COLUMNS}
    for name in CATEGORY_COLUMNS:
        features[name] = table[name].astype("object").where(table[name].notna(), "missing").astype(str)
    return pd.DataFrame(features, index=table.index)


if HELD_OUT_FILE and not SYNTHETIC:
    train_rows, test_rows = table, with_numbers(read_table(HELD_OUT_FILE), HELD_OUT_FILE)
else:
    train_rows, test_rows = train_test_split(table, test_size=0.2, random_state=42)
train_rows, val_rows = train_test_split(train_rows, test_size=0.15, random_state=42)

vectorize = layers.TextVectorization(max_tokens=VOCAB_SIZE, output_sequence_length=SEQUENCE_LENGTH)
vectorize.adapt(texts_of(train_rows))
numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
categories = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=50, sparse_output=False)
preprocess = ColumnTransformer([("numbers", numbers, NUMBER_COLUMNS), ("categories", categories, CATEGORY_COLUMNS)])
preprocess.fit(others_of(train_rows))


def inputs_of(table):
    """What the model is given: word numbers, and the other columns where there are some."""
    words = np.asarray(vectorize(texts_of(table)))
    others = np.asarray(preprocess.transform(others_of(table)), dtype="float32")
    return [words, others] if others.shape[1] else words


x_train, x_val, x_test = inputs_of(train_rows), inputs_of(val_rows), inputs_of(test_rows)
target_scaler = StandardScaler().fit(train_rows[TARGETS].to_numpy())
y_train = target_scaler.transform(train_rows[TARGETS].to_numpy()).astype("float32")
y_val = target_scaler.transform(val_rows[TARGETS].to_numpy()).astype("float32")
NUM_FEATURES = x_train[1].shape[1] if isinstance(x_train, list) else 0


# %% Model
def build_model():
    """Phrases found in the text beside the other columns, and an output for each target."""
    words = keras.Input(shape=(SEQUENCE_LENGTH,), dtype="int64")
    inputs, x = [words], layers.Embedding(VOCAB_SIZE, 48)(words)
    x = layers.Conv1D(64, 3, padding="same", activation="relu")(x)
    x = layers.Concatenate()([layers.GlobalMaxPooling1D()(x), layers.GlobalAveragePooling1D()(x)])
    if NUM_FEATURES:
        others = keras.Input(shape=(NUM_FEATURES,))
        inputs.append(others)
        x = layers.Concatenate()([x, layers.Dense(32, activation="relu")(others)])
    x = layers.Dropout(0.2)(x)
    x = layers.Dense(64, activation="relu")(x)
    outputs = layers.Dense(NUM_TARGETS)(x)
    return keras.Model(inputs if NUM_FEATURES else words, outputs)


model = build_model()
model.summary()
if model.output_shape[-1] != NUM_TARGETS:
    raise SystemExit(f"the model gives {model.output_shape[-1]} numbers and there are {NUM_TARGETS} targets")

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mean_squared_error",
    metrics=["mean_absolute_error"],
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
joblib.dump((preprocess, vectorize.get_vocabulary(), target_scaler), "preprocessing.joblib")


# %% Evaluate
def predict(table):
    """The targets of each row, in their own units."""
    outputs = target_scaler.inverse_transform(model.predict(inputs_of(table), verbose=0))
    return pd.DataFrame(outputs, columns=TARGETS, index=table.index)


truth, predicted = test_rows[TARGETS], predict(test_rows)
for target in TARGETS:
    print(f"{target}: R2 {r2_score(truth[target], predicted[target]):.3f}")
medians = np.broadcast_to(train_rows[TARGETS].median().to_numpy(), truth.shape)
print(
    f"held-out mean absolute error: {mean_absolute_error(truth, predicted):.4f} "
    f"(baseline, always the median: {mean_absolute_error(truth, medians):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    unlabelled = read_table(UNLABELLED_FILE)
    predictions = unlabelled.drop(columns=TARGETS, errors="ignore").join(predict(unlabelled))
    wanted = [name for name in PREDICTION_COLUMNS if name in predictions]
    predictions[wanted or list(predictions)].to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(predictions)} rows")

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
