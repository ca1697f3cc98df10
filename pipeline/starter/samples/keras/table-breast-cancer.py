# %% [markdown]
# # Breast cancer (Wisconsin): malignant or benign
# 569 tumours with 30 measurements of their cell nuclei, as they come with scikit-learn. A dense network with one
# output gives the probability of a malignant tumour; what it overlooks matters more than a false alarm.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.inspection import permutation_importance
from sklearn.metrics import RocCurveDisplay, balanced_accuracy_score, confusion_matrix, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
HIDDEN_UNITS = [32, 16]
DROPOUT = 0.2
L2 = 0.001
THRESHOLD = 0.5  # lower finds more malignant tumours and raises more false alarms
TEST_SPLIT = 0.2
VALIDATION_SPLIT = 0.15
BATCH_SIZE = 32
EPOCHS = 60
LEARNING_RATE = 0.002
PATIENCE = 8

data = load_breast_cancer(as_frame=True)
features = data.data
# scikit-learn counts benign as 1; here the class to find is 1.
malignant = (data.target == list(data.target_names).index("malignant")).astype(int).to_numpy()
NUM_FEATURES = features.shape[1]
print(f"{len(features)} tumours, {NUM_FEATURES} measurements, {malignant.mean():.1%} malignant")


# %% Preprocessing
def encode_labels(labels):
    """Zero or one in a column, the form of a single output."""
    return np.asarray(labels, dtype="float32").reshape(-1, 1)


x_train, x_test, train_labels, test_labels = train_test_split(
    features, malignant, test_size=TEST_SPLIT, random_state=42, stratify=malignant
)
x_train, x_val, train_labels, val_labels = train_test_split(
    x_train, train_labels, test_size=VALIDATION_SPLIT, random_state=42, stratify=train_labels
)
scaler = StandardScaler()
x_train = scaler.fit_transform(x_train)
x_val, x_test = scaler.transform(x_val), scaler.transform(x_test)
y_train, y_val, y_test = encode_labels(train_labels), encode_labels(val_labels), encode_labels(test_labels)


# %% Model
def build_model():
    """Regularised dense layers and the probability of a malignant tumour."""
    inputs = keras.Input(shape=(NUM_FEATURES,))
    x = inputs
    for units in HIDDEN_UNITS:
        x = layers.Dense(units, activation="relu", kernel_regularizer=keras.regularizers.L2(L2))(x)
        x = layers.Dropout(DROPOUT)(x)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="binary_crossentropy",
    metrics=["accuracy", keras.metrics.Recall(name="recall")],
)

# %% Train
callbacks = [
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True),
    keras.callbacks.ModelCheckpoint("best.keras", monitor="val_loss", save_best_only=True),
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
joblib.dump(scaler, "scaler.joblib")


# %% Evaluate
def predict(table):
    """The probability of a malignant tumour for each row of unscaled measurements."""
    return model.predict(scaler.transform(table), verbose=0)[:, 0]


probability = model.predict(x_test, verbose=0)[:, 0]
found = (probability >= THRESHOLD).astype(int)
(true_negative, false_alarm), (overlooked, hit) = confusion_matrix(test_labels, found)
print(f"recall (sensitivity): {hit / (hit + overlooked):.4f}, {overlooked} overlooked")
print(f"specificity: {true_negative / (true_negative + false_alarm):.4f}, {false_alarm} false alarms")
print(f"ROC AUC: {roc_auc_score(test_labels, probability):.4f}")
always = np.full(len(test_labels), round(train_labels.mean()))
print(
    f"held-out balanced accuracy: {balanced_accuracy_score(test_labels, found):.4f} "
    f"(baseline, always the more frequent class: {balanced_accuracy_score(test_labels, always):.4f})"
)


# %% Evaluate: which measurements count
class Classifier:
    """The network as scikit-learn calls it."""

    def fit(self, x, y):
        return self

    def score(self, x, y):
        return roc_auc_score(y, model.predict(x, batch_size=1024, verbose=0)[:, 0])


importance = permutation_importance(Classifier(), x_test, test_labels, n_repeats=2, random_state=42)
ranking = pd.Series(importance.importances_mean, index=features.columns).sort_values(ascending=False)
print("loss of AUC when a measurement is shuffled:")
print(ranking.head(5).round(4).to_string())

# %% Show
fig, axes = plt.subplots(1, 2, figsize=(12, 4.5))
RocCurveDisplay.from_predictions(test_labels, probability, ax=axes[0], plot_chance_level=True)
ranking.head(10)[::-1].plot.barh(ax=axes[1])
axes[1].set(xlabel="loss of AUC")
fig.tight_layout()
plt.savefig("results.png")
plt.show()
