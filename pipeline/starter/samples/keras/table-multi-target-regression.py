# %% [markdown]
# # Several numbers from each row
# A dense network that predicts all targets of a row together. Each target is scaled, so that none drowns the others,
# and has its own error at the end.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows whose targets are wanted
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TARGETS = ["target_1", "target_2", "target_3"]
UNUSED_COLUMNS = []  # columns that must not be used
HIDDEN_UNITS = [64, 32]
WEIGHT_DECAY = 0.001
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 150
LEARNING_RATE = 0.003
PATIENCE = 15

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 20)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(rows=800):
    """Six numbers, and targets of very different sizes that are bent mixtures of them."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(42)
    inputs = rng.uniform(-1, 1, size=(rows, 6))
    mixed = np.tanh(inputs @ rng.normal(size=(6, len(TARGETS)))) + 0.05 * rng.normal(size=(rows, len(TARGETS)))
    table = pd.DataFrame(inputs, columns=[f"input_{number}" for number in range(1, 7)])
    for number, name in enumerate(TARGETS):
        table[name] = mixed[:, number] * 10 ** (number % 4)
    return table


def read_table(name):
    """A table of DATA_DIR; what is no number becomes one column for each of its values."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    reader = pd.read_excel if path.endswith((".xlsx", ".xls")) else pd.read_csv
    return pd.get_dummies(
        reader(path, **READ_OPTIONS).rename(columns=str).drop(columns=UNUSED_COLUMNS, errors="ignore")
    )


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
absent = [name for name in TARGETS if name not in table]
if absent:
    raise SystemExit(f"{TRAIN_FILE} has no column of numbers {absent[0]!r}; it has {', '.join(table.columns[:20])}")
table = table.dropna(subset=TARGETS)
features = [name for name in table.columns if name not in TARGETS]
NUM_FEATURES, NUM_TARGETS = len(features), len(TARGETS)
print(table[TARGETS].describe().loc[["mean", "std", "min", "max"]].to_string())

# %% Preprocessing
train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=42)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=42)

scale_x = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()).fit(
    train[features].astype("float32")
)
scale_y = StandardScaler().fit(train[TARGETS])


def inputs_of(table):
    """Scaled columns; one that new rows lack is 0, which stands for a value that did not occur."""
    return scale_x.transform(table.reindex(columns=features, fill_value=0).astype("float32"))


x_train, x_val, x_test = inputs_of(train), inputs_of(val), inputs_of(test)
y_train, y_val = scale_y.transform(train[TARGETS]), scale_y.transform(val[TARGETS])


# %% Model
def build_model():
    """Hidden layers, and one linear output for each target."""
    model = keras.Sequential([keras.Input(shape=(NUM_FEATURES,))])
    for units in HIDDEN_UNITS:
        model.add(layers.Dense(units, activation="relu"))
        model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.Dense(NUM_TARGETS))
    return model


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=LEARNING_RATE, weight_decay=WEIGHT_DECAY),
    loss="mean_squared_error",
    metrics=["mean_absolute_error"],
)

# %% Train
history = model.fit(
    x_train,
    y_train,
    validation_data=(x_val, y_val),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)],
    verbose=2,
)
model.save("model.keras")
joblib.dump((features, scale_x, scale_y), "preprocessing.joblib")


# %% Evaluate
def predict(table):
    """All targets of each row in their own units."""
    outputs = scale_y.inverse_transform(model.predict(inputs_of(table), verbose=0))
    return pd.DataFrame(outputs, columns=TARGETS, index=table.index)


predicted = predict(test)
for name in TARGETS:
    error, score = mean_absolute_error(test[name], predicted[name]), r2_score(test[name], predicted[name])
    print(f"{name}: mean absolute error {error:.4g}, R2 {score:.4f}")
# Over all targets errors are compared in units of each target's spread.
spread = scale_y.scale_
scaled_error = np.abs((test[TARGETS] - predicted) / spread).to_numpy().mean()
scaled_baseline = np.abs((test[TARGETS] - train[TARGETS].mean()) / spread).to_numpy().mean()
print(
    f"held-out mean absolute error, scaled: {scaled_error:.4f} "
    f"(baseline, the mean of each target: {scaled_baseline:.4f})"
)

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE)
    predict(new).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
fig, axes = plt.subplots(1, NUM_TARGETS, figsize=(4 * NUM_TARGETS, 4), squeeze=False)
for axis, name in zip(axes[0], TARGETS, strict=True):
    axis.scatter(test[name], predicted[name], s=8)
    axis.axline((test[name].mean(), test[name].mean()), slope=1, color="black", linewidth=1)
    axis.set(title=name, xlabel="true", ylabel="predicted")
fig.tight_layout()
plt.savefig("predictions.png")
plt.show()
