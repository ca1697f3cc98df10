import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.keras.api import check_call
from pipeline.keras.layers import LayerCall, Symbol, parse_layer, parse_layers


def source(text: str) -> str | None:
    call = parse_layer(text)
    return call.source("") if call else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Conv2D(32, (3,3), activation='relu')", 'Conv2D(32, (3, 3), activation="relu")'),
        ("Conv2D(32, 3) with relu", 'Conv2D(32, 3, activation="relu")'),
        ("keras.layers.Flatten", "Flatten()"),
        ("Dense(10)(x)", "Dense(10)"),
        ("x = layers.Dense(10)(x)", "Dense(10)"),
        ("model.add(Dense(10, activation='softmax'))", 'Dense(10, activation="softmax")'),
        ("Input(shape=(224,224,3)) for images", "Input(shape=(224, 224, 3))"),
        ("Dense(units=10, activation=softmax)", 'Dense(units=10, activation="softmax")'),
        ("Conv2D(64, 5, activation=tf.nn.relu)", 'Conv2D(64, 5, activation="relu")'),
        ("Conv2D(64, 5, activation='LeakyReLU(0.2)')", 'Conv2D(64, 5, activation="leaky_relu")'),
        ("Dense(7*7*128)", "Dense(6272)"),
        ("Bidirectional(LSTM(64))", "Bidirectional(LSTM(64))"),
        ("TimeDistributed(Conv2D(32, (3,3)))", "TimeDistributed(Conv2D(32, (3, 3)))"),
        ("Dense(64, kernel_regularizer=l2(0.01))", "Dense(64, kernel_regularizer=keras.regularizers.L2(0.01))"),
        ("Rescaling(1./255)", "Rescaling(1.0 / 255)"),
        ("MaxPool2D(2, 2)", "MaxPool2D(2, 2)"),
        ("add([a, b])", "Add()"),
        ("Dense(", "Dense(64)"),
        ("VGG16(weights='imagenet')", 'keras.applications.VGG16(include_top=False, weights="imagenet")'),
    ],
)
def test_a_call_is_read_in_the_style_of_ruff(text: str, expected: str) -> None:
    assert source(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dense Layer (128 neurons) with ReLU activation", 'Dense(128, activation="relu")'),
        ("Dense layer with 256 units and tanh activation", 'Dense(256, activation="tanh")'),
        ("Dense (output classes, Softmax activation)", 'Dense(NUM_CLASSES, activation="softmax")'),
        ("Conv2D Layer (32 filters, kernel size 3x3, ReLU)", 'Conv2D(32, (3, 3), activation="relu")'),
        ("Conv1D (32 filters, kernel size 3, stride 2)", "Conv1D(32, 3, strides=2)"),
        ("Dropout Layer (dropout rate 0.5)", "Dropout(0.5)"),
        ("Dropout layer with 30% rate", "Dropout(0.3)"),
        ("Max Pooling (2x2)", "MaxPooling2D(pool_size=(2, 2))"),
        ("MaxPool2D Layer (5x5 pool size)", "MaxPooling2D(pool_size=(5, 5))"),
        ("Flatten layer", "Flatten()"),
        ("Batch Normalization", "BatchNormalization()"),
        ("Bidirectional LSTM Layer (25 neurons)", "Bidirectional(LSTM(25))"),
        ("LSTM (64 neurons) with return sequences", "LSTM(64, return_sequences=True)"),
        ("Fully Connected Layer (10 nodes)", "Dense(10)"),
        ("ResNet-50 base model", "keras.applications.ResNet50(include_top=False)"),
        ("Inception V3 backbone", "keras.applications.InceptionV3(include_top=False)"),
        ("Input layer for images (256, 256, 3)", "Input(shape=(256, 256, 3))"),
    ],
)
def test_a_phrase_is_read(text: str, expected: str) -> None:
    assert source(text) == expected


@pytest.mark.parametrize(
    "text",
    ["BERT Layer", "Transformer Layer", "XGBClassifier", "Generator with Conv2D", "Lambda(lambda x: x)", "", "((("],
)
def test_what_names_no_single_keras_layer_is_not_understood(text: str) -> None:
    assert parse_layer(text) is None


@pytest.mark.parametrize(
    ("text", "expected", "repair"),
    [
        ("CuDNNLSTM(64)", "LSTM(64)", "CuDNNLSTM is LSTM in Keras 3"),
        (
            "Convolution2D(64, 3, 3, border_mode='same')",
            'Conv2D(64, (3, 3), padding="same")',
            "'border_mode' is 'padding'",
        ),
        ("LeakyReLU(alpha=0.2)", "LeakyReLU(negative_slope=0.2)", "'alpha' is 'negative_slope'"),
        ("Conv2D(16, 3, bogus=1)", "Conv2D(16, 3)", "no argument 'bogus'"),
        ("Dense(8, activaton='relu')", 'Dense(8, activation="relu")', "'activaton' is 'activation'"),
        ("Dropout(50)", "Dropout(0.5)", "rate 50 read as 0.5"),
        ("Dropout(-1)", "Dropout(0.5)", "not between 0 and 1"),
        ("Conv2D(-3, 3)", "Conv2D(32, 3)", "not a positive whole number"),
        ("Conv1D", "Conv1D(32, 3)", "filters is not given, 32 taken"),
        ("Dense(4, kernel_initializer=init)", "Dense(4)", "kernel_initializer left out"),
        ("Embedding(1000, 64, weights=[matrix], input_length=9)", "Embedding(1000, 64)", "matrix is not known"),
    ],
)
def test_a_repair_is_made_and_recorded(text: str, expected: str, repair: str) -> None:
    call = parse_layer(text)
    assert call is not None
    assert call.source("") == expected
    assert any(repair in one for one in call.repairs)


@pytest.mark.parametrize("rate", [".", "..", "5.5.5", ".%", "%", "٣"])
def test_what_is_no_rate_is_left_out(rate: str) -> None:
    assert source(f"Dropout('{rate}')") == "Dropout(0.5)"  # the usual one


def test_names_of_constants_stay() -> None:
    call = parse_layer("Dense(NUM_CLASSES, activation='softmax')")
    assert call is not None
    assert call.args == (Symbol("NUM_CLASSES"),)


def test_an_entry_that_lists_layers_gives_each() -> None:
    listed = parse_layers("Conv2D(64, 3) - BatchNormalization - ReLU")
    assert [call.name for call in listed] == ["Conv2D", "BatchNormalization", "ReLU"]
    assert [call.name for call in parse_layers("Flatten, Dense layers")] == ["Flatten", "Dense"]
    assert parse_layers("a story about nothing") == ()


def test_a_changed_argument_keeps_its_place() -> None:
    call = LayerCall("Conv2D", (32, 3), (("padding", "same"),))
    assert call.changed(filters=8, strides=2).source("") == 'Conv2D(8, 3, padding="same", strides=2)'
    assert call.without("padding").source("") == "Conv2D(32, 3)"


LAYERS = [
    "Dense",
    "Conv2D",
    "Conv1D",
    "LSTM",
    "GRU",
    "Dropout",
    "MaxPooling2D",
    "Embedding",
    "Reshape",
    "Bidirectional",
]
VALUES = [
    "-1",
    "0",
    "1",
    "32",
    "0.5",
    "50",
    "'relu'",
    "'same'",
    "None",
    "True",
    "(3, 3)",
    "[1]",
    "x",
    "LSTM(3)",
    "f(2)",
]
KEYWORDS = ["units", "filters", "kernel_size", "rate", "activation", "padding", "strides", "name", "lr", "foo", "layer"]


@given(
    st.sampled_from(LAYERS),
    st.lists(st.sampled_from(VALUES), max_size=4),
    st.dictionaries(st.sampled_from(KEYWORDS), st.sampled_from(VALUES), max_size=4),
)
def test_whatever_is_read_is_a_valid_call_and_reads_as_itself(
    name: str, args: list[str], keywords: dict[str, str]
) -> None:
    text = f"{name}({', '.join([*args, *(f'{key}={value}' for key, value in keywords.items())])})"
    call = parse_layer(text)
    assert call is not None
    assert check_call(f"layers.{call.name}", len(call.args), [key for key, _ in call.keywords]) is None
    again = parse_layer(call.source())
    assert again is not None
    assert (again.source(), again.repairs) == (call.source(), ())


@given(st.text(max_size=60))
def test_any_text_is_read_or_passed_over(text: str) -> None:
    call = parse_layer(text)
    assert call is None or call.source().endswith(")")


def test_sources_are_formatted_as_ruff_formats_them(tmp_path: Path) -> None:
    texts = ["Conv2D(32,(3,3),activation='relu',name='it')", "Reshape((-1,))", "Dropout(0.25)", "LSTM(4, dropout=.1)"]
    lines = [call.source() for text in texts if (call := parse_layer(text))]
    file = tmp_path / "calls.py"
    file.write_text("\n".join(lines) + "\n")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--isolated", str(file)], check=True, capture_output=True)
    assert file.read_text().splitlines() == lines


@pytest.mark.shared
def test_most_layer_strings_of_the_published_plans_are_understood() -> None:
    plans = Path(__file__).parents[4] / "shared/dlcodegen-artifact/Datasets/DLPlanData/Train.txt"
    if not plans.exists():
        pytest.skip("the published artifact is not here")
    texts: set[str] = set()
    for line in plans.read_text(encoding="utf-8").splitlines():
        plan = json.loads(line).get("Code Plan") if line.strip() else None
        architecture = (
            (plan.get("Model Architecture") or plan.get("Model architecture")) if isinstance(plan, dict) else None
        )
        layers = architecture.get("Layers") if isinstance(architecture, dict) else None
        texts |= {text for text in layers if isinstance(text, str)} if isinstance(layers, list) else set()
    understood = [call for text in texts if (call := parse_layer(text))]
    assert len(understood) / len(texts) > 0.85
    for call in understood:
        name = f"{'applications' if call.is_backbone else 'layers'}.{call.name}"
        assert check_call(name, len(call.args), [key for key, _ in call.keywords]) is None
