# %% [markdown]
# # Iris: three species from four measurements
# The iris data come with scikit-learn: 150 flowers, length and width of sepals and petals. A small dense network tells
# the three species apart.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, classification_report
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
HIDDEN_UNITS = [16, 16]
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.2
BATCH_SIZE = 8
EPOCHS = 60
LEARNING_RATE = 0.01
PATIENCE = 15

iris = load_iris(as_frame=True)
features, labels = iris.data, iris.target.to_numpy()
class_names = iris.target_names
NUM_CLASSES = len(class_names)
NUM_FEATURES = features.shape[1]
print(features.describe().loc[["mean", "std", "min", "max"]].round(2).to_string())
print("flowers of each species:", dict(zip(class_names, np.bincount(labels), strict=True)))


# %% Preprocessing
def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


train, test, train_labels, test_labels = train_test_split(
    features, labels, test_size=TEST_SPLIT, random_state=42, stratify=labels
)
train, val, train_labels, val_labels = train_test_split(
    train, train_labels, test_size=VALIDATION_SPLIT, random_state=42, stratify=train_labels
)

# The scale is measured on the training flowers alone.
scaler = StandardScaler().fit(train)
x_train, x_val, x_test = scaler.transform(train), scaler.transform(val), scaler.transform(test)
y_train, y_val = encode_labels(train_labels), encode_labels(val_labels)


# %% Model
def build_model():
    """Two small hidden layers, and an output for each species."""
    model = keras.Sequential([keras.Input(shape=(NUM_FEATURES,))])
    for units in HIDDEN_UNITS:
        model.add(layers.Dense(units, activation="relu"))
    model.add(layers.Dense(NUM_CLASSES, activation="softmax"))
    return model


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
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
joblib.dump(scaler, "scaler.joblib")


# %% Evaluate
def predicted_classes(outputs):
    """Class indices from probabilities, for one output (sigmoid) or one per class."""
    return (outputs[:, 0] > 0.5).astype(int) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def predict(measurements):
    """The species of each flower: sepal length, sepal width, petal length and petal width in centimetres."""
    scaled = (np.asarray(measurements, dtype="float32") - scaler.mean_) / scaler.scale_
    return class_names[predicted_classes(model.predict(scaled, verbose=0))]


predictions = predicted_classes(model.predict(x_test, verbose=0))
print(classification_report(test_labels, predictions, target_names=class_names, zero_division=0))
print(
    f"held-out accuracy: {accuracy_score(test_labels, predictions):.4f} "
    f"(baseline, always one species: {np.bincount(test_labels).max() / len(test_labels):.4f})"
)
print("a flower of 5.1, 3.5, 1.4 and 0.2 cm:", predict([[5.1, 3.5, 1.4, 0.2]])[0])

# %% Show
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
left.plot(history.history["accuracy"], label="training")
left.plot(history.history["val_accuracy"], label="validation")
left.set(xlabel="epoch", ylabel="accuracy")
left.legend()
ConfusionMatrixDisplay.from_predictions(test_labels, predictions, display_labels=class_names, ax=right, colorbar=False)
fig.tight_layout()
plt.savefig("results.png")
plt.show()
