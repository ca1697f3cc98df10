# %% [markdown]
# # Classes of the nodes of a graph
# A graph convolutional network: each layer mixes the features of a node with those of its neighbours, so that two
# layers see two steps far. Plain tensors are enough: the graph is one sparse matrix.

# %% Imports
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(42)

# %% Data
DATA_DIR = os.environ.get("DATA_DIR", "data")
EDGES_FILE = "edges.csv"  # an edge a row: the two nodes that it joins
NODES_FILE = "nodes.csv"  # a node a row: its id, its features, its class where it is known
READ_OPTIONS = {}  # how the files are written, where that is not plain CSV
SOURCE_COLUMN = "source"
TARGET_COLUMN = "target"
ID_COLUMN = "id"
TARGET = "label"
UNUSED_COLUMNS = []  # columns of the nodes that are no features
GCN_UNITS = 32
NUM_LAYERS = 2
DROPOUT = 0.5
TEST_SPLIT = 0.4
VALIDATION_SPLIT = 0.2
EPOCHS = 200
LEARNING_RATE = 0.01
L2 = 0.0005
PATIENCE = 30

SYNTHETIC = not os.path.isdir(DATA_DIR)

if SYNTHETIC:
    EPOCHS = min(EPOCHS, 60)  # a smoke run; the full count is for real data


# %% Data: files
def synthetic_graph(count=400, classes=4):
    """Nodes whose features hardly tell their class; most of their edges lead to nodes of the same class."""
    print(f"NO FOLDER {DATA_DIR!r}: these are {count} made-up nodes, not your data.")
    rng = np.random.default_rng(42)
    labels = rng.integers(classes, size=count)
    features = rng.normal(size=(count, 8)) + 0.6 * rng.normal(size=(classes, 8))[labels]
    ends = rng.integers(count, size=(12 * count, 2))
    kept = (labels[ends[:, 0]] == labels[ends[:, 1]]) | (rng.random(len(ends)) < 0.1)
    edges = pd.DataFrame(ends[kept], columns=[SOURCE_COLUMN, TARGET_COLUMN])
    nodes = pd.DataFrame(features, columns=[f"feature_{number}" for number in range(8)])
    nodes[TARGET] = [f"group {label}" for label in labels]
    return edges, nodes.assign(**{ID_COLUMN: np.arange(count)})


def read_table(name, columns):
    """A table of DATA_DIR that has to hold the columns."""
    path = os.path.join(DATA_DIR, name)
    if not os.path.isfile(path):
        raise SystemExit(f"{path}: no such file; set DATA_DIR, EDGES_FILE and NODES_FILE to where your graph lies")
    table = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path, **READ_OPTIONS)
    table = table.rename(columns=str)
    for column in columns:
        if column not in table:
            raise SystemExit(f"{name} has no column {column!r}; it has {', '.join(table.columns[:20])}")
    return table


if SYNTHETIC:
    edges, nodes = synthetic_graph()
else:
    edges = read_table(EDGES_FILE, [SOURCE_COLUMN, TARGET_COLUMN])
    nodes = read_table(NODES_FILE, [ID_COLUMN, TARGET])

# %% Preprocessing
nodes = nodes.drop_duplicates(ID_COLUMN).reset_index(drop=True)
ids = pd.Index(nodes[ID_COLUMN])
NUM_NODES = len(nodes)

# Edges count in both directions, and each node is its own neighbour.
source, target = ids.get_indexer(edges[SOURCE_COLUMN]), ids.get_indexer(edges[TARGET_COLUMN])
known = (source >= 0) & (target >= 0)
loops = np.arange(NUM_NODES)
pairs = np.concatenate(
    [np.stack([source, target], 1)[known], np.stack([target, source], 1)[known], np.stack([loops, loops], 1)]
)
pairs = np.unique(pairs, axis=0)
if len(pairs) == NUM_NODES:
    raise SystemExit(f"no edge of {EDGES_FILE} joins nodes of {NODES_FILE}; both must name nodes alike")

# The normalised adjacency matrix: the weight of an edge falls with the degrees of both its ends.
degree = np.bincount(pairs[:, 0], minlength=NUM_NODES)
weights = 1 / np.sqrt(degree[pairs[:, 0]] * degree[pairs[:, 1]])
adjacency = tf.sparse.SparseTensor(pairs, weights.astype("float32"), (NUM_NODES, NUM_NODES))

labelled = np.flatnonzero(nodes[TARGET].notna())
labels = np.full(NUM_NODES, -1)
labels[labelled], class_names = pd.factorize(nodes[TARGET].iloc[labelled], sort=True)
NUM_CLASSES = len(class_names)
if NUM_CLASSES < 2:
    raise SystemExit(f"column {TARGET!r} of {NODES_FILE} holds one class only; at least two are needed")
train_nodes, test_nodes = train_test_split(labelled, test_size=TEST_SPLIT, random_state=42)
train_nodes, val_nodes = train_test_split(train_nodes, test_size=VALIDATION_SPLIT, random_state=42)

described = nodes.drop(columns=[ID_COLUMN, TARGET, *UNUSED_COLUMNS], errors="ignore")
features = pd.get_dummies(described).astype("float32").fillna(0).to_numpy()
features = np.eye(NUM_NODES, dtype="float32") if features.shape[1] == 0 else features  # without features, who it is
mean, spread = features[train_nodes].mean(axis=0), features[train_nodes].std(axis=0)
features = (features - mean) / np.where(spread > 0, spread, 1)
NUM_FEATURES = features.shape[1]
print(f"{NUM_NODES} nodes, {(len(pairs) - NUM_NODES) // 2} edges, {NUM_FEATURES} features, {NUM_CLASSES} classes")


def weights_of(part):
    """1 for the nodes of a part and 0 for all others: the network sees the whole graph and learns from a part."""
    chosen = np.zeros(NUM_NODES, dtype="float32")
    chosen[part] = 1
    return chosen


# %% Model
@keras.utils.register_keras_serializable()
class GraphConvolution(layers.Layer):
    """A dense layer whose results are averaged over each node and its neighbours."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units, kernel_regularizer=keras.regularizers.L2(L2))

    def call(self, inputs):
        return keras.activations.relu(tf.sparse.sparse_dense_matmul(adjacency, self.dense(inputs)))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def build_model():
    """Graph convolutions with dropout, and an output for each class; the whole graph is one batch."""
    inputs = keras.Input(shape=(NUM_FEATURES,))
    x = inputs
    for _ in range(NUM_LAYERS):
        x = GraphConvolution(GCN_UNITS)(x)
        x = layers.Dropout(DROPOUT)(x)
    outputs = layers.Dense(NUM_CLASSES, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="gcn")


model = build_model()
model.summary()

# %% Compile
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=LEARNING_RATE),
    loss="sparse_categorical_crossentropy",
    weighted_metrics=["accuracy"],
)

# %% Train
early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=PATIENCE, restore_best_weights=True)
y = np.maximum(labels, 0)  # nodes without a class weigh nothing
history = model.fit(
    features,
    y,
    sample_weight=weights_of(train_nodes),
    validation_data=(features, y, weights_of(val_nodes)),
    batch_size=NUM_NODES,
    epochs=EPOCHS,
    shuffle=False,
    callbacks=[early_stopping],
    verbose=0,
)
model.save("model.keras")


# %% Evaluate
def predict():
    """The class of every node of the graph."""
    outputs = model.predict(features, batch_size=NUM_NODES, verbose=0)
    return np.asarray(class_names)[outputs.argmax(axis=-1)], outputs.max(axis=-1)


predicted, certainty = predict()
truth = np.asarray(class_names)[labels[test_nodes]]
frequent = class_names[np.bincount(labels[train_nodes]).argmax()]
print(f"macro F1: {f1_score(truth, predicted[test_nodes], average='macro'):.4f} after {len(history.epoch)} epochs")
print(
    f"held-out accuracy: {accuracy_score(truth, predicted[test_nodes]):.4f} "
    f"(baseline, always {frequent}: {np.mean(truth == frequent):.4f})"
)

table = pd.DataFrame({ID_COLUMN: ids, "predicted": predicted, "probability": certainty})
table.to_csv("predictions.csv", index=False)
print(f"predictions.csv: the class of all {NUM_NODES} nodes")

# %% Show
plt.figure(figsize=(6, 4))
plt.plot(history.history["accuracy"], label="training")
plt.plot(history.history["val_accuracy"], label="validation")
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.tight_layout()
plt.savefig("training.png")
plt.show()
