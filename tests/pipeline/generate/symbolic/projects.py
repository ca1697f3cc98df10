"""Small projects and targets for the tests of the symbolic generator."""

from __future__ import annotations

from pipeline.generate.symbolic.target import Target
from pipeline.plan.dataset_facts import DatasetFacts

FLOWERS = '''\
# %% [markdown]
# # Flowers
# Tells flowers apart.

# %% Imports
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

# %% Data
IMAGE_HEIGHT = 64
IMAGE_WIDTH = 64
CHANNELS = 3
NUM_CLASSES = 5
BATCH_SIZE = 32
EPOCHS = 20
LEARNING_RATE = 0.001  # a comment that must stay

images = np.zeros((8, IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS))
labels = np.arange(8) % NUM_CLASSES


# %% Preprocessing
def encode_labels(labels):
    """One-hot labels, the form categorical cross-entropy expects."""
    return keras.utils.to_categorical(labels, NUM_CLASSES)


# %% Model
def build_model():
    """Two blocks."""
    return keras.Sequential(
        [
            keras.Input(shape=(IMAGE_HEIGHT, IMAGE_WIDTH, CHANNELS)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(NUM_CLASSES, activation="softmax"),
        ]
    )


model = build_model()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)

# %% Train
history = model.fit(images, encode_labels(labels), batch_size=BATCH_SIZE, epochs=EPOCHS)

# %% Evaluate
print(model.evaluate(images, encode_labels(labels)))
'''

PLAIN = """\
import numpy as np
import matplotlib.pyplot as plt
import tensorflow as tf
from keras.models import Sequential
from keras.layers import Dense, Flatten
!pip install nothing
IMG_SIZE = (128, 128)
x = np.load("x.npy")
y = np.load("y.npy")
plt.imshow(x[0])
x = x / 255.0
model = Sequential()
model.add(Flatten(input_shape=(128, 128, 3)))
model.add(Dense(12, activation="softmax"))
opt = tf.keras.optimizers.RMSprop(0.1)
model.compile(optimizer=opt, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, epochs=3, batch_size=8)
plt.plot(history.history["loss"])
plt.show()
"""


def target(**changes: object) -> Target:
    """A target that differs from FLOWERS in every value, unless told otherwise."""
    values: dict[str, object] = {
        "title": "I want to sort mushrooms.",
        "category": "Image Classification",
        "facts": DatasetFacts(height=96, width=80, channels=1, classes=7),
        "optimizer": "RMSprop",
        "loss": "sparse_categorical_crossentropy",
        "metric": "accuracy",
        "learning_rate": 0.01,
        "batch_size": 16,
        "epochs": 3,
        "labels": "sparse",
        "layers": ("Conv2D(16, 3, activation='relu')", "GlobalAveragePooling2D()", "Dense(7, activation='softmax')"),
    }
    return Target(**(values | changes))  # type: ignore[arg-type]
