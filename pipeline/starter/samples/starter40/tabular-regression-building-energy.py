# %% [markdown]
# # Heating, cooling and lighting of a building
# One network predicts several yearly loads of a building at once from its geometry, insulation and glazing, so that the
# targets share what the hidden layers learn.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

matplotlib.use("Agg")
keras.utils.set_random_seed(42)

# %% Data
NUM_FEATURES = 10
NUM_TARGETS = 3
BATCH_SIZE = 16
EPOCHS = 100
LEARNING_RATE = 0.0005

DATA_DIR = os.environ.get("DATA_DIR", "data")
SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_data(rows=320):
    """Random buildings whose loads bend with a few hidden properties they have in common."""
    print(f"No folder {DATA_DIR!r}: using {rows} synthetic buildings.")
    rng = np.random.default_rng(42)
    features = rng.uniform(-1, 1, size=(rows, NUM_FEATURES))
    hidden = np.tanh(features @ rng.normal(size=(NUM_FEATURES, 4)))
    targets = 50 + 20 * hidden @ rng.normal(size=(4, NUM_TARGETS)) + rng.normal(size=(rows, NUM_TARGETS))
    names = [f"load {index + 1}" for index in range(NUM_TARGETS)]
    return features.astype("float32"), targets.astype("float32"), names


def load_data():
    """Read DATA_DIR/buildings.csv: NUM_FEATURES numeric columns, then one column per load (NUM_TARGETS of them)."""
    if SYNTHETIC:
        return synthetic_data()
    table = pd.read_csv(os.path.join(DATA_DIR, "buildings.csv")).dropna()
    values = table.to_numpy("float32")
    return values[:, :-NUM_TARGETS], values[:, -NUM_TARGETS:], list(table.columns[-NUM_TARGETS:])


features, targets, target_names = load_data()

# %% Preprocessing
x_train, x_test, y_train, y_test = train_test_split(features, targets, test_size=0.15, random_state=42)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.15, random_state=42)

feature_scaler = StandardScaler().fit(x_train)
x_train = feature_scaler.transform(x_train)
x_val = feature_scaler.transform(x_val)
x_test = feature_scaler.transform(x_test)

# Without this the load with the largest numbers would rule the loss.
target_scaler = StandardScaler().fit(y_train)
y_train = target_scaler.transform(y_train)
y_val = target_scaler.transform(y_val)
y_test = target_scaler.transform(y_test)


# %% Model
def build_model():
    """A shared trunk with layer normalization and one linear output per target."""
    return keras.Sequential(
        [
            keras.Input(shape=(NUM_FEATURES,)),
            layers.Dense(128, activation="gelu"),
            layers.LayerNormalization(),
            layers.Dense(64, activation="gelu"),
            layers.LayerNormalization(),
            layers.Dense(32, activation="gelu"),
            layers.Dense(NUM_TARGETS),
        ]
    )


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="mse",
    metrics=["root_mean_squared_error"],
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

# %% Evaluate
scores = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
print("Test (standardized):", {name: round(value, 4) for name, value in scores.items()})

actual = target_scaler.inverse_transform(y_test)
predicted = target_scaler.inverse_transform(model.predict(x_test, verbose=0))
report = pd.DataFrame(
    {
        "mae": mean_absolute_error(actual, predicted, multioutput="raw_values"),
        "r2": r2_score(actual, predicted, multioutput="raw_values"),
    },
    index=target_names,
)
print(report.round(3))

# %% Show
figure, axes = plt.subplots(1, NUM_TARGETS, figsize=(4 * NUM_TARGETS, 4), squeeze=False)
for index, axis in enumerate(axes[0]):
    axis.scatter(actual[:, index], predicted[:, index], s=12, alpha=0.6)
    axis.axline((actual[:, index].mean(),) * 2, slope=1, color="grey", linestyle="--")
    axis.set(title=target_names[index], xlabel="actual", ylabel="predicted")
figure.tight_layout()
figure.savefig("building_energy.png")
plt.close(figure)
