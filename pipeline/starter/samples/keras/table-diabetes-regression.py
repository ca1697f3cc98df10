# %% [markdown]
# # Diabetes: progression after a year
# The diabetes data of scikit-learn: 442 patients, ten measurements, and a number that says how far the disease has gone
# a year later. So little data is easily learned by heart: the network is small, regularised, and stopped early.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
HIDDEN_UNITS = [32, 16]
L2 = 0.001
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 16
EPOCHS = 120
LEARNING_RATE = 0.003
PATIENCE = 15

x, y = load_diabetes(return_X_y=True, scaled=False)
feature_names = load_diabetes().feature_names
NUM_FEATURES = x.shape[1]
print(f"{len(x)} patients, target from {y.min():.0f} to {y.max():.0f}, columns: {', '.join(feature_names)}")

# %% Preprocessing
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=TEST_SPLIT, random_state=42)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=VALIDATION_SPLIT, random_state=42)
target_mean, target_spread = y_train.mean(), y_train.std()

# The network's first layer scales its inputs by what it has seen of the training rows: new rows go in as they are.
normalize = layers.Normalization()
normalize.adapt(x_train)


# %% Model
def build_model():
    """Normalisation, two hidden layers with weight penalties, and one number."""
    inputs = keras.Input(shape=(NUM_FEATURES,))
    hidden = normalize(inputs)
    for units in HIDDEN_UNITS:
        hidden = layers.Dense(units, activation="relu", kernel_regularizer=keras.regularizers.L2(L2))(hidden)
    return keras.Model(inputs, layers.Dense(1)(hidden))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE), loss="huber", metrics=["mean_absolute_error"]
)

# %% Train
history = model.fit(
    x_train,
    (y_train - target_mean) / target_spread,
    validation_data=(x_val, (y_val - target_mean) / target_spread),
    batch_size=BATCH_SIZE,
    epochs=EPOCHS,
    callbacks=[keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)],
    verbose=0,
)
print(f"stopped after {len(history.epoch)} epochs")
model.save("model.keras")


# %% Evaluate
def predict(measurements):
    """The progression for rows of the ten measurements in their own units."""
    return model.predict(np.asarray(measurements), verbose=0)[:, 0] * target_spread + target_mean


predicted = predict(x_test)
linear = LinearRegression().fit(x_train, y_train).predict(x_test)
print(f"R2: {r2_score(y_test, predicted):.4f} (a linear regression: {r2_score(y_test, linear):.4f})")
print(
    f"held-out mean absolute error: {mean_absolute_error(y_test, predicted):.4f} "
    f"(baseline, the median: {mean_absolute_error(y_test, np.full(len(y_test), np.median(y_train))):.4f})"
)

# %% Show
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
left.scatter(y_test, predicted, s=12)
left.axline((y_test.mean(), y_test.mean()), slope=1, color="black", linewidth=1)
left.set(xlabel="true progression", ylabel="predicted progression")
right.hist(y_test - predicted, bins=20)
right.set(xlabel="residual", ylabel="patients")
fig.tight_layout()
plt.savefig("results.png")
plt.show()
