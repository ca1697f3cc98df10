# %% [markdown]
# # A class and a number from the same row
# One network with two outputs: the layers they share learn from both targets, and each output has its own loss. The
# weights of the losses say how much either target counts.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
TRAIN_FILE = "train.csv"
UNLABELLED_FILE = ""  # rows whose targets are wanted
READ_OPTIONS = {}  # how the file is written, where that is not plain CSV
TARGETS = ["label", "value"]  # a column of classes and one of numbers, in any order
UNUSED_COLUMNS = []  # columns that must not be used
HIDDEN_UNITS = [64, 64]
DROPOUT = 0.1
NUMBER_LOSS_WEIGHT = 1.0  # how much the number's loss counts beside the class's
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 80
LEARNING_RATE = 0.002
PATIENCE = 8

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 15)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_table(rows=900):
    """The class follows from two numbers, the number from the class and a third one."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {rows} made-up rows, not your data.")
    rng = np.random.default_rng(42)
    table = pd.DataFrame(rng.normal(size=(rows, 3)), columns=["first", "second", "third"])
    table["kind"] = rng.choice(["a", "b"], size=rows)
    label_column, number_column = TARGETS
    corner = 2 * (table["first"] > 0).astype(int) + (table["second"] > 0).astype(int)
    table[label_column] = corner.map(["north", "east", "south", "west"].__getitem__)
    table[number_column] = 10 * corner + 5 * table["third"] + 3 * (table["kind"] == "a") + rng.normal(size=rows)
    return table


def read_table(name):
    """A CSV, Parquet or Excel table of DATA_DIR, without the columns that must not be used."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR and TRAIN_FILE to where your table lies")
    if path.endswith(".parquet"):
        table = pd.read_parquet(path)
    elif path.endswith((".xlsx", ".xlsm")):
        table = pd.read_excel(path, **READ_OPTIONS)
    else:
        table = pd.read_csv(path, **READ_OPTIONS)
    return table.rename(columns=str).drop(columns=UNUSED_COLUMNS, errors="ignore")


table = synthetic_table() if SYNTHETIC else read_table(TRAIN_FILE)
for name in TARGETS:
    if name not in table:
        raise SystemExit(f"{TRAIN_FILE} has no column {name!r}; it has {', '.join(table.columns[:20])}")
# The column with more different numbers is the one of numbers.
NUMBER_TARGET = max(TARGETS, key=lambda name: pd.to_numeric(table[name], errors="coerce").nunique())
CLASS_TARGET = next(name for name in TARGETS if name != NUMBER_TARGET)
table[NUMBER_TARGET] = pd.to_numeric(table[NUMBER_TARGET], errors="coerce")
table = table.dropna(subset=[CLASS_TARGET, NUMBER_TARGET])
classes = LabelEncoder().fit(table[CLASS_TARGET].astype(str))
NUM_CLASSES = len(classes.classes_)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {CLASS_TARGET!r} holds one class only; at least two are needed")
print(f"{len(table)} rows, {NUM_CLASSES} classes;", table[NUMBER_TARGET].describe().round(3).to_dict())

# %% Preprocessing
train, test = train_test_split(table, test_size=TEST_SPLIT, random_state=42)
train, val = train_test_split(train, test_size=VALIDATION_SPLIT, random_state=42)

numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
categories = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=30, sparse_output=False)
preprocess = make_column_transformer(
    (numbers, make_column_selector(dtype_include="number")),
    (categories, make_column_selector(dtype_exclude="number")),
)
features = [name for name in table.columns if name not in (CLASS_TARGET, NUMBER_TARGET)]
x_train = preprocess.fit_transform(train[features]).astype("float32")
x_val, x_test = preprocess.transform(val[features]), preprocess.transform(test[features])
NUM_FEATURES = x_train.shape[1]

number_scale = StandardScaler().fit(train[[NUMBER_TARGET]].to_numpy())


def targets_of(table):
    """The class as a number, and the scaled number, by the names of the outputs."""
    labels = classes.transform(table[CLASS_TARGET].astype(str))
    return {"label": labels, "number": number_scale.transform(table[[NUMBER_TARGET]].to_numpy())}


y_train, y_val = targets_of(train), targets_of(val)


# %% Model
def build_model():
    """Shared dense layers, then an output for the class and one for the number."""
    inputs = keras.Input(shape=(NUM_FEATURES,))
    x = inputs
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu")(x)
        x = layers.Dropout(DROPOUT)(x)
    label = layers.Dense(NUM_CLASSES, activation="softmax", name="label")(x)
    number = layers.Dense(1, name="number")(x)
    return keras.Model(inputs, {"label": label, "number": number})


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss={"label": "sparse_categorical_crossentropy", "number": "mean_squared_error"},
    loss_weights={"label": 1.0, "number": NUMBER_LOSS_WEIGHT},
    metrics={"label": "accuracy", "number": "mean_absolute_error"},
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
joblib.dump((preprocess, classes, number_scale), "preprocessing.joblib")


# %% Evaluate
def predict(table):
    """The class and the number of each row."""
    outputs = model.predict(preprocess.transform(table[features]), verbose=0)
    found = {
        CLASS_TARGET: classes.inverse_transform(outputs["label"].argmax(axis=-1)),
        NUMBER_TARGET: number_scale.inverse_transform(outputs["number"])[:, 0],
    }
    return pd.DataFrame(found, index=table.index)


predicted = predict(test)
true_classes, true_numbers = test[CLASS_TARGET].astype(str), test[NUMBER_TARGET]
frequent = train[CLASS_TARGET].astype(str).mode()[0]
error = mean_absolute_error(true_numbers, predicted[NUMBER_TARGET])
median_error = mean_absolute_error(true_numbers, np.full(len(test), train[NUMBER_TARGET].median()))
print(f"R2 of {NUMBER_TARGET}: {r2_score(true_numbers, predicted[NUMBER_TARGET]):.4f}")
print(
    f"held-out accuracy of {CLASS_TARGET}: {accuracy_score(true_classes, predicted[CLASS_TARGET]):.4f} "
    f"(baseline, always {frequent}: {np.mean(true_classes == frequent):.4f})"
)
print(f"held-out mean absolute error of {NUMBER_TARGET}: {error:.4f} (baseline, the median: {median_error:.4f})")

if UNLABELLED_FILE and not SYNTHETIC:
    new = read_table(UNLABELLED_FILE).drop(columns=[CLASS_TARGET, NUMBER_TARGET], errors="ignore")
    new.join(predict(new)).to_csv("predictions.csv", index=False)
    print(f"predictions.csv: {len(new)} rows")

# %% Show
fig, axes = plt.subplots(1, 2, figsize=(11, 4))
for part in ("label_loss", "number_loss"):
    axes[0].plot(history.history[f"val_{part}"], label=f"validation, {part.replace('_', ' ')}")
axes[0].set(xlabel="epoch", ylabel="loss")
axes[0].legend()
axes[1].scatter(true_numbers, predicted[NUMBER_TARGET], s=8)
axes[1].set(xlabel=f"true {NUMBER_TARGET}", ylabel=f"predicted {NUMBER_TARGET}")
fig.tight_layout()
plt.savefig("results.png")
plt.show()
