# %% [markdown]
# # Numbers from the columns of a table
# A dense network predicts one number or several; targets are scaled for training and errors told in their own units.

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
TARGETS = ["target"]
NUMBER_COLUMNS = []  # where no column is named, they are found by their kind
CATEGORY_COLUMNS = []
DATE_COLUMNS = []
UNUSED_COLUMNS = []
BATCH_SIZE = 32
EPOCHS = 100
LEARNING_RATE = 0.001

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 10)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(rows=480):
    """Random rows whose targets depend on the numbers and the first category."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(42)
    numbers, categories = NUMBER_COLUMNS or ["length", "width"], CATEGORY_COLUMNS or ["colour"]
    table = pd.DataFrame({name: rng.normal(size=rows) for name in numbers})
    for name in categories:
        table[name] = rng.choice(["red", "green", "blue"], size=rows)
    for number, target in enumerate(TARGETS, start=1):
        signal = 10 * table[numbers].sum(axis=1) + 5 * number * (table[categories[0]] == "red")
        table[target] = 50 + signal + rng.normal(size=rows)
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
    table = pd.concat(tables, ignore_index=True)
    return table.rename(columns=lambda column: str(column).strip())


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
print(f"{len(table)} rows; {table[TARGETS].describe().loc[['min', 'mean', 'max']].to_dict()}")

# %% Preprocessing
if not (NUMBER_COLUMNS or CATEGORY_COLUMNS or DATE_COLUMNS):
    inputs = table.drop(columns=[*TARGETS, *UNUSED_COLUMNS], errors="ignore")
    NUMBER_COLUMNS = [name for name in inputs if pd.api.types.is_numeric_dtype(inputs[name])]
    CATEGORY_COLUMNS = [name for name in inputs if name not in NUMBER_COLUMNS and inputs[name].nunique() <= 50]


def features_of(table):
    """Numbers, parts of dates and categories, a column each; what is no number in a column of numbers is missing."""
    absent = [name for name in [*NUMBER_COLUMNS, *CATEGORY_COLUMNS, *DATE_COLUMNS] if name not in table]
    if absent:
        raise SystemExit(f"the table has no column {absent[0]!r}; it has {', '.join(table.columns[:20])}")
    features = {name: pd.to_numeric(table[name], errors="coerce") for name in NUMBER_COLUMNS}
    for name in DATE_COLUMNS:
        dates = pd.to_datetime(table[name], errors="coerce")
        features |= {f"{name} year": dates.dt.year, f"{name} month": dates.dt.month, f"{name} day": dates.dt.dayofweek}
    for name in CATEGORY_COLUMNS:
        features[name] = table[name].astype("object").where(table[name].notna(), "missing").astype(str)
    return pd.DataFrame(features, index=table.index)


if HELD_OUT_FILE and not SYNTHETIC:
    train_rows, test_rows = table, with_numbers(read_table(HELD_OUT_FILE), HELD_OUT_FILE)
else:
    train_rows, test_rows = train_test_split(table, test_size=0.2, random_state=42)
train_rows, val_rows = train_test_split(train_rows, test_size=0.15, random_state=42)

# Fitted on the training rows alone, so that nothing of the others leaks into the scales.
dates = [f"{name} {part}" for name in DATE_COLUMNS for part in ("year", "month", "day")]
numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
categories = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=50, sparse_output=False)
preprocess = ColumnTransformer(
    [("numbers", numbers, NUMBER_COLUMNS + dates), ("categories", categories, CATEGORY_COLUMNS)]
)
x_train = preprocess.fit_transform(features_of(train_rows)).astype("float32")
x_val = preprocess.transform(features_of(val_rows)).astype("float32")
x_test = preprocess.transform(features_of(test_rows)).astype("float32")

target_scaler = StandardScaler().fit(train_rows[TARGETS].to_numpy())
y_train = target_scaler.transform(train_rows[TARGETS].to_numpy()).astype("float32")
y_val = target_scaler.transform(val_rows[TARGETS].to_numpy()).astype("float32")
y_test = target_scaler.transform(test_rows[TARGETS].to_numpy()).astype("float32")
NUM_FEATURES = x_train.shape[1]


# %% Model
def build_model():
    """Two hidden layers and an output for each target."""
    return keras.Sequential(
        [
            keras.Input(shape=(NUM_FEATURES,)),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.1),
            layers.Dense(32, activation="relu"),
            layers.Dense(NUM_TARGETS),
        ]
    )


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
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=15, restore_best_weights=True)

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
joblib.dump((preprocess, target_scaler), "preprocessing.joblib")


# %% Evaluate
def predict(table):
    """The targets of each row, in their own units."""
    outputs = model.predict(preprocess.transform(features_of(table)).astype("float32"), verbose=0)
    return pd.DataFrame(target_scaler.inverse_transform(outputs), columns=TARGETS, index=table.index)


truth, predicted = test_rows[TARGETS], predict(test_rows)
print("scores in scaled units:", model.evaluate(x_test, y_test, verbose=0, return_dict=True))
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
plt.figure(figsize=(5, 5))
plt.scatter(truth[TARGETS[0]], predicted[TARGETS[0]], s=8)
plt.axline((truth[TARGETS[0]].mean(), truth[TARGETS[0]].mean()), slope=1, color="grey")
plt.xlabel(f"{TARGETS[0]}, true")
plt.ylabel(f"{TARGETS[0]}, predicted")
plt.tight_layout()
plt.savefig("predictions.png")
plt.show()
