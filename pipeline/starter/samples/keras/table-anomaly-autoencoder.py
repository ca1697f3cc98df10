# %% [markdown]
# # Unusual rows of a table by an autoencoder
# The autoencoder learns to squeeze normal rows through a narrow layer and to restore them. What it restores badly is
# not like the rows that it knows: rows with an error above the threshold are flagged.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.metrics import average_precision_score, classification_report, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # further rows to look for unusual ones in
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TARGET = "anomaly"  # tells normal rows from others; only the test needs it
NORMAL_CLASS = "0"  # what stands in TARGET for a normal row
NUMBER_COLUMNS = []  # where no column is named, all columns of numbers are used
UNUSED_COLUMNS = []
HIDDEN_UNITS = [32, 16]  # of the encoder; the decoder has the same in reverse
LATENT_DIM = 8
QUANTILE = 0.99  # the share of normal rows that are not to be flagged
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.2
BATCH_SIZE = 64
EPOCHS = 50
LEARNING_RATE = 0.001
PATIENCE = 5

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 25)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(rows=3000):
    """Normal rows lie on a curved surface; one row in forty lies anywhere."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(42)
    names = NUMBER_COLUMNS or [f"v{number}" for number in range(1, 11)]
    hidden = rng.normal(size=(rows, 2))
    mixing = rng.normal(size=(2, len(names)))
    values = np.tanh(hidden @ mixing) + 0.1 * rng.normal(size=(rows, len(names)))
    odd = rng.random(rows) < 1 / 40
    values[odd] = rng.uniform(-1.2, 1.2, size=(odd.sum(), len(names)))
    return pd.DataFrame(values, columns=names).assign(**{TARGET: np.where(odd, "odd", NORMAL_CLASS)})


def read_table(name):
    """A CSV or Parquet table of DATA_DIR."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    return table.rename(columns=lambda column: str(column).strip())


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
if TARGET not in table:
    raise SystemExit(
        f"{TRAIN_FILE} has no column {TARGET!r}, which tells the normal rows; it has {', '.join(table.columns[:20])}"
    )
marks = table[TARGET].astype(str).str.strip().str.removesuffix(".0")
is_normal = (marks == NORMAL_CLASS).to_numpy()
if is_normal.sum() < 50 or is_normal.all():
    raise SystemExit(
        f"column {TARGET!r} has {is_normal.sum()} rows of {NORMAL_CLASS!r} among {len(table)}; set NORMAL_CLASS"
    )

# %% Preprocessing
if not NUMBER_COLUMNS:
    inputs = table.drop(columns=[TARGET, *UNUSED_COLUMNS], errors="ignore")
    NUMBER_COLUMNS = inputs.select_dtypes("number").columns.tolist()


def numbers_of(table):
    """The columns that are looked at, as numbers."""
    absent = [name for name in NUMBER_COLUMNS if name not in table]
    if absent:
        raise SystemExit(f"the table has no column {absent[0]!r}; it has {', '.join(table.columns[:20])}")
    return table[NUMBER_COLUMNS].apply(pd.to_numeric, errors="coerce")


# Training and validation see normal rows only; all others wait in the test part.
normal_train, normal_test = train_test_split(table[is_normal], test_size=TEST_SPLIT, random_state=42)
normal_train, normal_val = train_test_split(normal_train, test_size=VALIDATION_SPLIT, random_state=42)
test_rows = pd.concat([normal_test, table[~is_normal]])
is_odd = np.repeat([0, 1], [len(normal_test), (~is_normal).sum()])

scale = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
x_train = scale.fit_transform(numbers_of(normal_train))
x_val, x_test = scale.transform(numbers_of(normal_val)), scale.transform(numbers_of(test_rows))
NUM_FEATURES = x_train.shape[1]
print(f"{len(x_train)} normal rows to learn from; test: {len(normal_test)} normal rows and {is_odd.sum()} others")


# %% Model
def build_model():
    """Dense layers down to LATENT_DIM numbers and up again."""
    inputs = keras.Input(shape=(NUM_FEATURES,))
    x = inputs
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu")(x)
    encoded = layers.Dense(LATENT_DIM, activation="relu")(x)
    x = encoded
    for units in reversed(HIDDEN_UNITS):
        x = layers.Dense(units, activation="relu")(x)
    decoded = layers.Dense(NUM_FEATURES)(x)
    return keras.Model(inputs, decoded, name="autoencoder")


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
    x_train,
    validation_data=(x_val, x_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[early_stopping],
    verbose=2,
)
model.save("model.keras")


# %% Evaluate
def errors_of(x):
    """How badly each row is restored: the mean squared error of its columns."""
    return np.mean((x - model.predict(x, verbose=0)) ** 2, axis=1)


# The threshold comes from normal rows that the model has not learned from.
THRESHOLD = float(np.quantile(errors_of(x_val), QUANTILE))
joblib.dump((scale, THRESHOLD), "preprocessing.joblib")


def predict(table):
    """The error of each row, and whether it is flagged."""
    errors = errors_of(scale.transform(numbers_of(table)))
    return pd.DataFrame({"error": errors, "flagged": errors > THRESHOLD}, index=table.index)


found = predict(test_rows)
print(f"threshold {THRESHOLD:.4f}, {found['flagged'].sum()} rows flagged")
print(classification_report(is_odd, found["flagged"], target_names=["normal", "unusual"], zero_division=0))
# The baseline needs no network: how far a row lies from the mean row.
distance = np.mean(x_test**2, axis=1)
print(f"PR AUC: {average_precision_score(is_odd, found['error']):.4f}")
print(
    f"held-out ROC AUC: {roc_auc_score(is_odd, found['error']):.4f} "
    f"(baseline, the distance from the mean row: {roc_auc_score(is_odd, distance):.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    rows = read_table(UNLABELLED_FILE)
else:
    rows = test_rows
flagged = rows.join(predict(rows)).sort_values("error", ascending=False)
flagged.to_csv("predictions.csv", index=False)
print(f"predictions.csv: {len(flagged)} rows, the most unusual ones first")

# %% Show
plt.figure(figsize=(7, 4))
bins = np.geomspace(max(found["error"].min(), 1e-6), found["error"].max(), 50)
plt.hist(found["error"][is_odd == 0], bins=bins, alpha=0.6, label="normal rows")
plt.hist(found["error"][is_odd == 1], bins=bins, alpha=0.6, label="other rows")
plt.axvline(THRESHOLD, color="black", linewidth=1, label="threshold")
plt.xscale("log")
plt.xlabel("reconstruction error")
plt.ylabel("rows")
plt.legend()
plt.tight_layout()
plt.savefig("errors.png")
plt.show()
