import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.keras.layer_call import LayerCall, Symbol
from pipeline.keras.layers import parse_layer
from pipeline.keras.shapes.trace import trace_shapes

REAL_CASES = json.loads((Path(__file__).parent / "real_cases.json").read_text())
"""[layer, input shape, output shape or null where Keras refuses, parameters]; see make_real_cases.py."""


def layer(text: str) -> LayerCall:
    call = parse_layer(text)
    assert call is not None, text
    return call


def stack(*texts: str) -> list[LayerCall]:
    return [layer(text) for text in texts]


@pytest.mark.parametrize(("source", "shape", "output", "parameters"), REAL_CASES, ids=lambda value: str(value)[:60])
def test_shapes_and_parameters_are_those_of_real_keras(
    source: str, shape: list[int | None], output: list[int | None] | None, parameters: int
) -> None:
    found = trace_shapes([layer(source)], tuple(shape))
    if output is None:
        assert found.problem is not None
    else:
        assert (found.problem, found.shapes, found.parameters) == (None, (tuple(output),), parameters)


@pytest.mark.parametrize(
    ("texts", "shape", "problem"),
    [
        (["MaxPooling2D()"] * 4, (8, 8, 3), "MaxPooling2D: the image is 1x1 already"),
        (["Dense(4)", "Conv2D(4, 3)"], (9,), "Conv2D: needs (height, width, channels), got (4,)"),
        (["LSTM(4)", "LSTM(4)"], (9, 2), "LSTM: needs (time, features), got (4,)"),
        (["Add()"], (9, 2), "Add: takes several inputs, so a straight stack cannot hold it"),
        (["MultiHeadAttention(2, 8)"], (9, 2), "MultiHeadAttention: takes several inputs"),
        (["Dense(UNKNOWN)"], (9,), "Dense: UNKNOWN is not known"),
        (["VGG16"], (20, 64, 3), "VGG16: needs images of at least 32x32, got 20x64"),
        (["VGG16"], (64, 64, 1), "VGG16: needs images of 3 channels, got 1"),
        (["Dense(3)", "Embedding(10, 4)"], (9,), "Embedding: needs the token ids themselves"),
        (["Conv2D(4, 3)", "Conv2D(4, 9)"], (10, 12, 3), "a window of 9 does not fit in 8 (the image is 8x10)"),
    ],
)
def test_a_problem_names_the_first_layer_that_does_not_fit(
    texts: list[str], shape: tuple[int, ...], problem: str
) -> None:
    found = trace_shapes(stack(*texts), shape)
    assert found.problem is not None
    assert problem in found.problem
    assert len(found.shapes) < len(texts)


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (LayerCall("Conv2D", (8, 3), (("strides", 2), ("dilation_rate", 2))), "strides and dilation_rate exclude"),
        (LayerCall("AveragePooling2D"), "pool_size must be 2 whole numbers"),
        (LayerCall("Dense", (-3,)), "units must be a positive whole number, not -3"),
        (LayerCall("Lambda", (Symbol("f"),)), "its output shape is not known here"),
    ],
)
def test_what_the_reader_would_have_repaired_is_a_problem(call: LayerCall, problem: str) -> None:
    found = trace_shapes([call], (20, 18, 3))
    assert found.problem is not None
    assert problem in found.problem


def test_an_input_may_only_come_first() -> None:
    first, dense = stack("Input(shape=(9,))", "Dense(3)")
    assert trace_shapes([first, dense], (9,)).shapes == ((9,), (3,))
    assert trace_shapes([dense, first], (9,)).problem == "Input: stands inside the stack"


def test_constants_are_looked_up_and_calculated_with() -> None:
    calls = [LayerCall("Dense", (Symbol("NUM_CLASSES * 2"),)), layer("Dense(NUM_CLASSES)")]
    assert trace_shapes(calls, (4,), {"NUM_CLASSES": 3}).shapes == ((6,), (3,))


def test_parameters_of_backbones_are_counted_apart() -> None:
    found = trace_shapes(stack("MobileNetV2", "GlobalAveragePooling2D()", "Dense(10)"), (96, 96, 3))
    assert found.shapes == ((3, 3, 1280), (1280,), (10,))
    assert found.parameters - found.backbone_parameters == 12810


SIZED = st.sampled_from(
    """Conv2D(4, 3); Conv2D(4, 3, padding='same'); MaxPooling2D(); UpSampling2D(); Conv2DTranspose(2, 3, strides=2)
    ZeroPadding2D(); Dense(3); Flatten(); BatchNormalization(); Reshape((-1, 1)); LSTM(2); Dropout(0.1)""".replace(
        "\n", ";"
    ).split(";")
)


@given(st.lists(SIZED, max_size=8), st.integers(1, 40), st.integers(1, 40))
def test_a_traced_stack_has_whole_positive_sizes_and_stops_at_its_problem(
    texts: list[str], height: int, width: int
) -> None:
    found = trace_shapes(stack(*texts), (height, width, 3))
    assert all(size is not None and size > 0 for shape in found.shapes for size in shape)
    assert (found.problem is None) == (len(found.shapes) == len(texts))
    for end in range(len(found.shapes)):
        assert trace_shapes(stack(*texts[: end + 1]), (height, width, 3)).shapes == found.shapes[: end + 1]
