# %% [markdown]
# # The right crop for a field
# A dense network chooses one of several crops from soil measurements (nitrogen, phosphorus, potassium, pH) and
# climate figures (temperature, humidity, rainfall, sunshine).

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
NUM_FEATURES = 8
NUM_CLASSES = 6
BATCH_SIZE = 32
EPOCHS = 50
LEARNING_RATE = 0.0005

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_data(rows=480):
    """Random fields, each near the ideal conditions of its crop."""
    print(f"No folder {DATA_DIR!r}: using {rows} synthetic fields.")
    rng = np.random.default_rng(42)
    labels = rng.integers(NUM_CLASSES, size=rows)
    ideal = rng.uniform(0, 100, size=(NUM_CLASSES, NUM_FEATURES))
    features = ideal[labels] + rng.normal(scale=8, size=(rows, NUM_FEATURES))
    names = np.array([f"crop {index}" for index in range(NUM_CLASSES)])
    return features.astype("float32"), labels, names


def load_data():
    """Read DATA_DIR/fields.csv: NUM_FEATURES numeric columns, then the name of the crop."""
    if SYNTHETIC:
        return synthetic_data()
    table = pd.read_csv(os.path.join(DATA_DIR, "fields.csv")).dropna()
    labels, names = pd.factorize(table.iloc[:, -1], sort=True)
    return table.iloc[:, :-1].to_numpy("float32"), labels, np.array(names)


features, labels, class_names = load_data()


# %% Preprocessing
def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


x_train, x_test, train_labels, test_labels = train_test_split(features, labels, test_size=0.2, random_state=42)
x_train, x_val, train_labels, val_labels = train_test_split(x_train, train_labels, test_size=0.15, random_state=42)

scaler = MinMaxScaler().fit(x_train)
x_train = scaler.transform(x_train)
x_val = scaler.transform(x_val)
x_test = scaler.transform(x_test)

y_train = encode_labels(train_labels)
y_val = encode_labels(val_labels)
y_test = encode_labels(test_labels)


# %% Model
def build_model():
    """Three hidden layers that narrow towards the softmax output."""
    return keras.Sequential(
        [
            keras.Input(shape=(NUM_FEATURES,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.25),
            layers.Dense(32, activation="relu"),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=8, restore_best_weights=True)

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
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


scores = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
print("Test:", {name: round(value, 4) for name, value in scores.items()})

test_predictions = predicted_classes(model.predict(x_test, verbose=0))
print(
    classification_report(
        test_labels,
        test_predictions,
        labels=range(len(class_names)),
        target_names=class_names,
        zero_division=0,
    )
)

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.title("Crop choice")
plt.legend()
plt.tight_layout()
plt.savefig("crop_choice_loss.png")
plt.close()
