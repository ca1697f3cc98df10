import ast
import re
from pathlib import Path

import pytest

from pipeline.analysis.extract import CodeFacts, extract


def facts(source: str) -> CodeFacts:
    return extract(ast.parse(source))


def layers(source: str) -> list[str]:
    return [layer.text for layer in facts(source).layers]


SEQUENTIAL = """
import tensorflow as tf
from tensorflow.keras import layers, models

SIZE = 64
CLASSES = 5
model = models.Sequential([
    layers.Input(shape=(SIZE, SIZE, 3)),
    layers.Conv2D(SIZE // 4, (3, 3), activation="relu"),
    layers.MaxPooling2D((2, 2)),
    layers.Flatten(),
    layers.Dense(CLASSES, activation="softmax"),
])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy", "AUC"])
model.fit(x, y, batch_size=SIZE // 2, epochs=2 ** 4)
"""


def test_sequential_model_with_constants_put_in() -> None:
    found = facts(SEQUENTIAL)
    assert [(layer.name, layer.text, layer.line) for layer in found.layers] == [
        ("Input", "Input(shape=(64, 64, 3))", 8),
        ("Conv2D", "Conv2D(16, (3, 3), activation='relu')", 9),
        ("MaxPooling2D", "MaxPooling2D((2, 2))", 10),
        ("Flatten", "Flatten()", 11),
        ("Dense", "Dense(5, activation='softmax')", 12),
    ]
    assert found.optimizer == "Adam"
    assert found.loss == "categorical_crossentropy"
    assert found.learning_rate is None  # "adam" leaves it to Keras
    assert (found.batch_size, found.epochs) == (32, 16)
    assert found.metrics == ("accuracy", "AUC")
    assert found.input_shape == (64, 64, 3)
    assert found.frameworks == ("tensorflow",)


def test_added_layers_and_star_imports() -> None:
    source = """
from keras.models import *
from keras.layers import *
model = Sequential()
model.add(LSTM(units=32, input_shape=(10, 4)))
model.add(Bidirectional(GRU(8)))
for rate in (0.1, 0.2):
    model.add(Dropout(rate))
model.add(Dense(1))
merged = concatenate([model.output, other])
"""
    assert layers(source) == [
        "LSTM(units=32, input_shape=(10, 4))",
        "Bidirectional(GRU(8))",
        "Dropout(0.1)",
        "Dropout(0.2)",
        "Dense(1)",
        "Concatenate()",
    ]
    assert facts(source).input_shape == (10, 4)


def test_functional_model_unrolls_helpers_in_order() -> None:
    source = """
from tensorflow import keras
from tensorflow.keras import layers

def block(x, filters, pool=True):
    x = layers.Conv2D(filters, 3, padding="same")(x)
    skip = x
    if pool:
        x = layers.MaxPooling2D(2)(x)
    return x, skip

def build_model(widths=(16, 32)):
    inputs = keras.Input((None, None, 1))
    x, skips = inputs, []
    for filters in widths:
        x, skip = block(x, filters)
        skips.append(filters)
    x, _ = block(x, 64, pool=False)
    while_up = [layers.UpSampling2D(2)(x) for filters in reversed(skips)]
    x = layers.concatenate(while_up, axis=-1)
    return keras.Model(inputs, layers.Dense(2)(layers.Dense(4)(x)))

model = build_model()
model = build_model()
"""
    assert layers(source) == [
        "Input((None, None, 1))",
        "Conv2D(16, 3, padding='same')",
        "MaxPooling2D(2)",
        "Conv2D(32, 3, padding='same')",
        "MaxPooling2D(2)",
        "Conv2D(64, 3, padding='same')",
        "UpSampling2D(2)",
        "UpSampling2D(2)",
        "Concatenate(axis=-1)",
        "Dense(4)",
        "Dense(2)",
    ]


def test_subclassed_model_and_layer_class_of_the_project() -> None:
    source = """
import tensorflow as tf
from tensorflow.keras.layers import Dense, Embedding, Layer, MultiHeadAttention

class Encoder(Layer):
    def __init__(self, dim):
        super().__init__()
        self.attention = MultiHeadAttention(2, dim)

class Classifier(tf.keras.Model):
    def __init__(self, words, dim=16):
        super().__init__()
        self.embed = Embedding(words, dim)
        self.encoders = [Encoder(dim) for _ in range(2)]
        self.out = Dense(1)

    def call(self, x):
        return self.out(self.encoders[0](self.embed(x)))

model = Classifier(1000)
model.compile("sgd", "bce")
"""
    found = facts(source)
    assert [layer.text for layer in found.layers] == ["Embedding(1000, 16)", "Encoder(16)", "Encoder(16)", "Dense(1)"]
    assert (found.optimizer, found.loss) == ("SGD", "binary_crossentropy")


def test_methods_that_build_compile_and_fit() -> None:
    source = """
from keras import layers, models, optimizers

class Project:
    epochs = 7

    def __init__(self, size):
        self.size = size
        self.batch = 24
        self.model = self.build()

    def build(self):
        return models.Sequential([layers.Dense(self.size), layers.Dense(1)])

    def compile(self):
        self.model.compile(optimizer=optimizers.Nadam(2e-3), loss=self.my_loss)

    def my_loss(self, y, p):
        return 0

    def fit(self):
        self.model.fit(self.x, self.y, self.batch, self.epochs)

project = Project(12)
project.compile()
project.fit()
"""
    found = facts(source)
    assert [layer.text for layer in found.layers] == ["Dense(12)", "Dense(1)"]
    assert (found.optimizer, found.learning_rate, found.loss) == ("Nadam", 0.002, "my_loss")
    assert (found.batch_size, found.epochs) == (24, 7)


def test_backbone_is_a_layer() -> None:
    source = """
from tensorflow.keras.applications import VGG16
from tensorflow.keras import layers, models
base = VGG16(weights="imagenet", include_top=False, input_shape=(224, 224, 3))
for layer in base.layers:
    layer.trainable = False
x = layers.Flatten()(base.output)
model = models.Model(base.input, layers.Dense(3)(x))
"""
    found = facts(source)
    assert [layer.name for layer in found.layers] == ["VGG16", "Flatten", "Dense"]
    assert found.input_shape == (224, 224, 3)


@pytest.mark.parametrize(
    ("optimizer", "name", "rate"),
    [
        ("'rmsprop'", "RMSprop", None),
        ("Adam(lr=1e-4)", "Adam", 1e-4),
        ("Adam(0.02)", "Adam", 0.02),
        ("keras.optimizers.legacy.SGD(learning_rate=RATE, momentum=0.9)", "SGD", 0.05),
        ("keras.optimizers.AdamW(ExponentialDecay(initial_learning_rate=RATE * 2, decay_steps=9))", "AdamW", 0.1),
        ("chosen", "Adamax", 0.3),
    ],
)
def test_optimizers(optimizer: str, name: str, rate: float | None) -> None:
    found = facts(f"""
import keras
from keras.optimizers import Adam, Adamax
from keras.optimizers.schedules import ExponentialDecay
RATE = 0.05
chosen = Adamax(0.3)
model.compile(loss=keras.losses.MeanSquaredError(), optimizer={optimizer})
""")
    assert found.optimizer == name
    assert found.learning_rate == pytest.approx(rate) if rate else found.learning_rate is None
    assert found.loss == "mean_squared_error"


def test_settings_in_dicts_and_classes() -> None:
    found = facts("""
class CFG:
    lr = 0.01
    epochs = 3
config = {"batch_size": 20, "loss": "mae"}
compile_args = dict(optimizer=keras.optimizers.Adagrad(CFG.lr), metrics={"out": ["mse"]})
model.compile(loss=config["loss"], **compile_args)
model.fit(x, **{"epochs": CFG.epochs, "batch_size": config.get("batch_size")})
""")
    assert (found.optimizer, found.learning_rate, found.loss) == ("Adagrad", 0.01, "mean_absolute_error")
    assert (found.batch_size, found.epochs) == (20, 3)
    assert found.metrics == ("mean_squared_error",)


@pytest.mark.parametrize(
    ("pipeline", "batch_size"),
    [
        ("ds = tf.data.Dataset.from_tensor_slices(x).shuffle(9).batch(48).prefetch(1)", 48),
        ("ds = gen.flow_from_directory('d', target_size=(8, 8), batch_size=40)", 40),
        ("ds = tf.keras.utils.image_dataset_from_directory('d')", 32),
        ("ds = Batches(x, batch_size=12)\nmodel.predict(x, batch_size=99)", 12),
        ("BATCH_SIZE = 6\nfor step in batches: train(step)", 6),
        ("BATCH_SIZE = 6\nds = ds.batch(48)\nmodel.fit(ds, batch_size=5)", 5),
    ],
)
def test_batch_size_comes_from_wherever_it_is_set(pipeline: str, batch_size: int) -> None:
    assert facts("import tensorflow as tf\n" + pipeline).batch_size == batch_size


def test_epochs_of_fit_generator_and_of_a_hand_written_loop() -> None:
    assert facts("model.fit_generator(gen, 100, 12)").epochs == 12
    assert facts("NUM_EPOCHS = 9\nfor epoch in range(NUM_EPOCHS):\n    step()").epochs == 9


def test_a_smoke_run_does_not_hide_the_plain_value() -> None:
    found = facts("""
import os
EPOCHS = 30
BATCH_SIZE = 16
SYNTHETIC = not os.path.isdir("data")
if SYNTHETIC:
    EPOCHS = min(EPOCHS, 2)
if len(files) < 100:
    BATCH_SIZE = 4
model.fit(x, y, epochs=EPOCHS, batch_size=BATCH_SIZE)
""")
    assert (found.epochs, found.batch_size) == (30, 16)


def test_padding_that_only_odd_sizes_need_is_not_built() -> None:
    source = """
from keras import layers
def join(x, skip):
    rows = x.shape[1] - skip.shape[1]
    if rows:
        x = layers.Cropping2D(rows)(x)
    if x.shape[-1] != skip.shape[-1]:
        skip = layers.Conv2D(8, 1)(skip)
    return layers.Add()([x, skip])
join(a, b)
"""
    assert layers(source) == ["Add()"]


def test_what_is_not_known_stays_as_written() -> None:
    source = """
from keras import layers, regularizers
WEIGHT = 0.01
def scaled(x):
    return x
layers.Dense(len(names), kernel_regularizer=regularizers.l2(WEIGHT), activation=scaled)
layers.Lambda(lambda t: t + 1)
layers.Reshape((shape[1], 4))
"""
    assert layers(source) == [
        "Dense(len(names), kernel_regularizer=keras.regularizers.l2(0.01), activation=scaled)",
        "Lambda(lambda t: t + 1)",
        "Reshape((shape[1], 4))",
    ]


def test_model_that_only_a_tuner_builds() -> None:
    source = """
from keras import layers, models
def build(hp):
    return models.Sequential([layers.Dense(hp.Int("units", 8, 64)), layers.Dense(1)])
tuner = Hyperband(build, max_epochs=10)
"""
    assert [layer.name for layer in facts(source).layers] == ["Dense", "Dense"]


def test_text_lookups_are_not_architecture() -> None:
    assert layers("from keras.layers import *\nTextVectorization(10)\nEmbedding(10, 4)") == ["Embedding(10, 4)"]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "def f(n):\n    return f(n) + f(n - 1)\nf(5)",
        "a = [1]\n" + "a = [*a, *a]\n" * 60 + "Dense(a)",
        "a = [1]\n" + "a = [a, a]\n" * 60 + "Dense(a)",
        "a = Dense(1)\n" + "a = Concatenate([a, a])\n" * 60,
        "x = 2\n" + "x = x ** x\n" * 9 + "Dense(x)",
        "for i in range(10 ** 12):\n    Dense(i)",
        "d = {}\nd['d'] = d\nDense(d)\nif d:\n    pass",
        "x = [[[0 for a in range(200)] for b in range(200)] for c in range(200)]",
        "class A(A):\n    pass\nA()()().a[1:2][b] = c = *d, e = 1",
        "1 / 0\n[1][5]\n{}['a']\n'a' * 'b'\n-'a'\nint('x')\n(yield)\nawait_ = lambda *a, **k: (a, k)\nawait_(*1, **2)",
        "match a:\n    case [1, *rest]:\n        Dense(1)\ntry:\n    pass\nexcept* OSError:\n    pass",
        "model.compile(*args, **{1: 2})\nmodel.fit(batch_size=-1, epochs='ten')\nDense(input_shape='wide')",
    ],
)
def test_odd_code_is_read_without_an_error(source: str) -> None:
    found = facts(source)
    assert len(found.layers) <= 200
    assert all(len(layer.text) < 5000 for layer in found.layers)


@pytest.mark.shared
@pytest.mark.filterwarnings("ignore:invalid escape sequence")
def test_published_notebooks(artifact: str) -> None:
    """27 of the 46 parse as Python 3. Two of these train nothing with Keras; one more has no Keras loss."""
    text = Path(artifact, "Datasets/DLCodeEval/Test_Code.txt").read_text(encoding="utf-8")
    found = []
    for notebook in re.split(r"(?m)^-{37}\s*$", text):
        try:
            found.append(facts(notebook))
        except SyntaxError:
            continue
    assert len(found) == 27
    assert sum(bool(one.layers) for one in found) >= 25
    assert sum(bool(one.optimizer) for one in found) >= 26
    assert sum(bool(one.loss) for one in found) >= 24
    assert sum(one.batch_size is not None for one in found) >= 23
    assert sum(one.epochs is not None for one in found) >= 27
