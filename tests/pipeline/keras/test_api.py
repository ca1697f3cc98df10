import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.keras.api import check_call, invalid_calls

IMPORTS = """
import tensorflow as tf
import keras as k3
from tensorflow import keras
from tensorflow.keras import layers
from keras.layers import Dense
from tensorflow.keras.optimizers import Adam
"""


def problems(code: str) -> tuple[str, ...]:
    return tuple(problem.split(": ", 1)[1] for problem in invalid_calls(ast.parse(IMPORTS + code)))


@pytest.mark.parametrize(
    ("name", "args", "keywords", "problem"),
    [
        ("layers.Conv2D", 2, ["activation", "name", "input_shape"], None),
        ("layers.Conv2D", 1, ["activation"], "layers.Conv2D lacks the argument 'kernel_size'"),
        ("layers.Dense", 1, ["units"], "layers.Dense gets 'units' twice"),
        ("layers.Dropout", 4, [], "layers.Dropout takes at most 3 positional arguments, not 4"),
        ("layers.LSTM", 1, ["return_sequence"], "has no argument 'return_sequence' (did you mean 'return_sequences'?)"),
        ("layers.Embedding", 2, ["input_length"], None),  # Keras 3 warns and ignores it
        ("Model.fit", 2, ["epochs", "callbacks"], None),
        ("layers.CuDNNLSTM", 1, [], "tf.keras.layers.CuDNNLSTM does not exist in Keras 3"),
        ("losses.Huber", 0, ["delta"], None),
        ("metrics.AUC", 0, ["curve", "num_threshold"], "has no argument 'num_threshold'"),
    ],
)
def test_a_call_is_checked(name: str, args: int, keywords: list[str], problem: str | None) -> None:
    found = check_call(name, args, keywords)
    assert found is None if problem is None else found is not None and problem in found


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("layers.Conv2D(filter=32, kernel_size=3)", "layers.Conv2D has no argument 'filter' (did you mean 'filters'?)"),
        ("Adam(lr=0.1)", "optimizers.Adam has no argument 'lr' (Keras 3: learning_rate)"),
        ("tf.keras.layers.Dens(3)", "tf.keras.layers.Dens does not exist in Keras 3 (did you mean 'Dense'?)"),
        ("Dense()", "layers.Dense lacks the argument 'units'"),
        ("keras.Model(input=1, outputs=2)", "Model has no argument 'input' (Keras 3: inputs)"),
        ("m = keras.Sequential()\nm.fit(x, nb_epoch=3)", "Model.fit has no argument 'nb_epoch' (Keras 3: epochs)"),
        ("keras.optimizers.legacy.Adam(0.1)", "tf.keras.optimizers.legacy.Adam does not exist in Keras 3"),
        (
            "keras.layers.experimental.preprocessing.Rescaling(1)",
            "tf.keras.layers.experimental does not exist in Keras 3",
        ),
        ("from keras.utils import np_utils", "keras.utils.np_utils does not exist in Keras 3"),
        ("k3.preprocessing.image.ImageDataGenerator()", "keras.preprocessing.image.ImageDataGenerator does not exist"),
    ],
)
def test_what_keras_would_refuse_is_reported(code: str, problem: str) -> None:
    found = problems(code)
    assert len(found) == 1
    assert problem in found[0]


@pytest.mark.parametrize(
    "code",
    [
        "keras.Sequential([layers.Dense(3, input_shape=(4,)), layers.Dropout(0.1, name='d')])",
        "keras.preprocessing.image.ImageDataGenerator(rescale=2)",  # tensorflow.keras still has it
        "layers.Dense(**options)\nlayers.Dense(*given)",
        "scaler.fit(x, nb_epoch=3)\nre.compile('a', optimiser=1)",
        "def build():\n    return keras.Sequential()\nmodel = build()\nmodel.compile(optimizer='adam', loss='mse')",
        "class Net(keras.Model):\n    def call(self, x):\n        return x\nnet = Net(units=3)\nnet.fit(x, anything=1)",
        "layers.Conv2D.from_config({})\nkeras.datasets.mnist.load_data()",
        "tf.nn.relu(x)\ntf.data.Dataset.range(3)",
    ],
)
def test_what_keras_takes_or_cannot_be_followed_is_let_through(code: str) -> None:
    assert problems(code) == ()


def test_a_model_built_by_a_function_is_followed() -> None:
    builder = "def build():\n    m = keras.Sequential()\n    m.add(Dense(1))\n    return m\n"
    assert problems(builder + "model = build()\nmodel.compile(optimiser='adam')") == (
        "Model.compile has no argument 'optimiser' (did you mean 'optimizer'?)",
    )


def test_lines_are_named_in_order() -> None:
    found = invalid_calls(ast.parse("from keras.layers import Dense\n\nDense(unit=3)\nDense(3, act=1)\n"))
    assert [problem.split(":")[0] for problem in found] == ["line 3", "line 4"]


@given(
    st.sampled_from(["layers.Dense", "keras", "tf.keras.x.y", "a.b", "Dense"]),
    st.sampled_from(["(1)", "(a=1)", ".b.c(2)", ""]),
)
def test_any_program_is_checked_without_an_error(name: str, rest: str) -> None:
    for code in (f"{name}{rest}", f"import {name.split('.')[0]}\n{name}{rest}", f"def f():\n  return {name}{rest}"):
        invalid_calls(ast.parse(code))
        problems(code)


@pytest.mark.parametrize(
    "code",
    [
        "from keras.layers import *\nfrom tensorflow.keras.models import *\nDense(3)",
        "from keras.saving import load_model, register_keras_serializable\nload_model('m.keras', compile=False)",
        "keras.saving.get_custom_objects()",
        "keras.losses.mean_squared_error([1.0], [2.0])\nkeras.metrics.kl_divergence([1.0], [2.0])",
        "keras.callbacks.LambdaCallback(on_test_begin=print, on_predict_begin=print)",
        "from keras.src import backend\nimport keras.src.layers",
        "m = keras.Sequential()\nm.compile('AdamW', 'BCE', metrics=['acc', 'mae', 'AUC'])",
        "def focal(a, b):\n    return a\nm = keras.Sequential()\nm.compile('adam', loss='focal')",
        "keras.layers.Dense(3, activation='swish')",
        "m = keras.Sequential()\nm.compile(optimizer=name, loss=['mse', None], metrics=[['mae'], []])",
    ],
)
def test_what_keras_itself_has_is_let_through(code: str) -> None:
    assert _invalid(f"import keras\n{code}\n") == ()


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("m.fit_generator(data)", "Model.fit_generator does not exist in Keras 3 (use fit)"),
        ("m.predict_classes(data)", "Model.predict_classes does not exist in Keras 3 (use predict and argmax)"),
        ("m.compile('adamm', 'mse')", "Model.compile: Keras 3 has no optimizer 'adamm' (did you mean 'adam'?)"),
        ("m.compile('adam', loss='mean_square_error')", "Keras 3 has no loss 'mean_square_error'"),
        ("m.compile('adam', 'mse', metrics=['accurracy'])", "Keras 3 has no metric 'accurracy'"),
        ("keras.layers.Dense(3, activation='rellu')", "Keras 3 has no activation 'rellu' (did you mean 'relu'?)"),
        ("keras.layers.Activation('Relu')", "Keras 3 has no activation 'Relu' (did you mean 'relu'?)"),
        ("from keras.layers import *\nDense(unit=3)", "layers.Dense has no argument 'unit'"),
        ("import tensorflow as tf\ntf.keras.saving.load_model('m')", "tf.keras.saving does not exist in Keras 3"),
        ("from keras.saving import load", "keras.saving.load does not exist in Keras 3"),
    ],
)
def test_what_keras_3_lacks_is_reported(code: str, problem: str) -> None:
    (found,) = _invalid(f"import keras\nm = keras.Sequential()\n{code}\n")
    assert problem in found


def _invalid(code: str) -> tuple[str, ...]:
    return invalid_calls(ast.parse(code))
