from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.keras.fitting.stack import FittedStack, OutputForm, OutputKind, fit_stack
from pipeline.keras.layer_call import Symbol, Value
from pipeline.keras.layers import parse_layer
from pipeline.keras.shapes.trace import trace_shapes

CONSTANTS = {"NUM_CLASSES": 5, "VOCAB_SIZE": 1000, "HORIZON": 4, "IMAGE_HEIGHT": 32, "IMAGE_WIDTH": 48}
CLASSES = OutputForm(OutputKind.VECTOR, Symbol("NUM_CLASSES"), "softmax")
MASK = OutputForm(OutputKind.IMAGE, 1, "sigmoid", (Symbol("IMAGE_HEIGHT"), Symbol("IMAGE_WIDTH")))
FORECAST = OutputForm(OutputKind.SEQUENCE, 2, None, (Symbol("HORIZON"),))
HEAD = 'Dense(NUM_CLASSES, activation="softmax")'


def fitted(
    texts: Sequence[str],
    shape: tuple[int | None, ...],
    output: OutputForm = CLASSES,
    *,
    token_ids: bool = False,
    backbone_weights: Value = None,
) -> FittedStack | None:
    calls = [call for text in texts if (call := parse_layer(text))]
    return fit_stack(calls, shape, output, constants=CONSTANTS, token_ids=token_ids, backbone_weights=backbone_weights)


def sources(stack: FittedStack | None) -> list[str]:
    assert stack is not None
    return [call.source("") for call in stack.layers]


@pytest.mark.parametrize(
    ("texts", "shape", "expected"),
    [
        (["Input(shape=(28,28,1))", "Conv2D(8, 3)", "Flatten", "Dense(10, activation='softmax')"], (28, 28, 1),
         ["Conv2D(8, 3)", "Flatten()", HEAD]),
        (["Conv2D(8, 3)", "Dense(16, activation='relu')"], (28, 28, 1),
         ["Conv2D(8, 3)", "Flatten()", 'Dense(16, activation="relu")', HEAD]),
        (["Conv2D(64, 3)", "Flatten", "Dense(1024)"], (224, 224, 3),
         ["Conv2D(64, 3)", "GlobalAveragePooling2D()", "Dense(1024)", HEAD]),
        (["LSTM(8)", "LSTM(8, return_sequences=True)", "Dense(4)", "Activation('softmax')"], (20, 3),
         ["LSTM(8, return_sequences=True)", "LSTM(8)", HEAD]),
        (["Conv2D(4, 3)", "MaxPooling2D", "MaxPooling2D", "MaxPooling2D", "MaxPooling2D"], (10, 10, 1),
         ["Conv2D(4, 3)", "MaxPooling2D()", "MaxPooling2D()", "MaxPooling2D()", "Flatten()", HEAD]),
        (["Conv2D(4, 3)", "MaxPooling2D"], (20, 3), ["Conv1D(4, 3)", "MaxPooling1D()", "Flatten()", HEAD]),
        (["Conv1D(4, 3)", "Flatten"], (20,), ["Reshape((-1, 1))", "Conv1D(4, 3)", "Flatten()", HEAD]),
        (["Dense(8, activation='relu')", "Dense(6, activation='softmax')", "Dense(9, activation='softmax')"], (20,),
         ['Dense(8, activation="relu")', HEAD]),
        (["Conv2D(4, 3)", "GlobalAveragePooling2D", "LSTM(8)"], (6, 20, 20, 3),
         ["TimeDistributed(Conv2D(4, 3))", "TimeDistributed(GlobalAveragePooling2D())", "LSTM(8)", HEAD]),
        (["Dense(rows * 2)", "Dense(8)", "Add()", "Concatenate"], (20,), ["Dense(64)", HEAD]),
        (["EfficientNetB0", "Dense(16, activation='relu')"], (20, 40, 1),
         ["Resizing(32, 40)", 'Conv2D(3, 1, padding="same")',
          "keras.applications.EfficientNetB0(include_top=False, weights=None)", "GlobalAveragePooling2D()",
          'Dense(16, activation="relu")', HEAD]),
    ],
)  # fmt: skip
def test_a_stack_is_made_to_fit(texts: list[str], shape: tuple[int, ...], expected: list[str]) -> None:
    assert sources(fitted(texts, shape)) == expected


def test_token_ids_get_an_embedding_only_where_it_is_missing() -> None:
    assert sources(fitted(["LSTM(8)"], (20,), token_ids=True)) == ["Embedding(VOCAB_SIZE, 128)", "LSTM(8)", HEAD]
    kept = fitted(["Embedding(5000, 16)", "Flatten"], (20,), token_ids=True)
    assert sources(kept) == ["Embedding(5000, 16)", "Flatten()", HEAD]
    assert kept is not None
    assert kept.repairs == ()
    small = fitted(["Embedding(50, 16)", "Flatten"], (20,), token_ids=True)
    assert sources(small)[0] == "Embedding(VOCAB_SIZE, 16)"
    numbers = fitted(["Embedding(50, 16)", "Dense(32, activation='relu')"], (20,))
    assert sources(numbers) == ['Dense(32, activation="relu")', HEAD]


def test_an_image_comes_out_in_the_wanted_size() -> None:
    stack = fitted(
        ["Conv2D(8, 3, padding='same')", "MaxPooling2D", "Conv2D(1, 1, activation='sigmoid')"], (32, 48, 3), MASK
    )
    assert sources(stack) == [
        'Conv2D(8, 3, padding="same")',
        "MaxPooling2D()",
        "UpSampling2D((2, 2))",
        'Conv2D(1, 3, padding="same", activation="sigmoid")',
    ]
    classifier = fitted(["Conv2D(8, 3)", "Flatten", "Dense(10, activation='softmax')"], (32, 48, 3), MASK)
    assert sources(classifier)[-1] == 'Conv2D(1, 3, padding="same", activation="sigmoid")'


def test_a_generator_ends_in_an_image() -> None:
    texts = ["Dense(100)", "Reshape((8, 12, 4))", "UpSampling2D((4, 4))", "Conv2D(3, 3, activation='tanh')"]
    stack = fitted(texts, (16,), MASK)
    assert sources(stack)[:2] == ["Dense(384)", "Reshape((8, 12, 4))"]
    assert sources(stack)[-1] == 'Conv2D(1, 3, padding="same", activation="sigmoid")'


def test_a_sequence_comes_out_step_by_step() -> None:
    assert sources(fitted(["LSTM(8)", "Dense(2)"], (4, 3), FORECAST)) == ["LSTM(8, return_sequences=True)", "Dense(2)"]
    longer = fitted(["LSTM(8)", "Dense(1)"], (20, 3), FORECAST)
    assert sources(longer)[-2:] == ["Dense(HORIZON * 2)", "Reshape((HORIZON, 2))"]


def test_backbones_get_the_weights_asked_for() -> None:
    weights = Symbol('"imagenet" if not SYNTHETIC else None')
    stack = fitted(["VGG16(weights='imagenet')", "Flatten"], (64, 64, 3), backbone_weights=weights)
    assert 'weights="imagenet" if not SYNTHETIC else None' in sources(stack)[0]


def test_a_constant_is_known_in_lower_case_too() -> None:
    assert sources(fitted(["Dense(vocab_size, activation='relu')", "Dense(9, 'softmax')"], (20,)))[0] == (
        'Dense(VOCAB_SIZE, activation="relu")'
    )


def test_of_several_backbones_the_first_is_taken() -> None:
    assert sources(fitted(["ResNet50 and VGG16", "VGG16", "DenseNet121 base"], (64, 64, 3))) == [
        "keras.applications.ResNet50(include_top=False, weights=None)",
        "GlobalAveragePooling2D()",
        HEAD,
    ]


def test_every_repair_is_told() -> None:
    stack = fitted(["RandomFlip('horizontal')", "LSTM(8)", "LSTM(8)", "Add()"], (20, 3))
    assert stack is not None
    assert [repair.split(":")[0] for repair in stack.repairs] == ["RandomFlip left out", "Add left out", "LSTM"]


@pytest.mark.parametrize("texts", [["Conv2D(8, 3)", "MaxPooling2D"], ["Dense(20000)", "Dense(20000)", "Dense(3)"]])
def test_a_stack_that_cannot_fit_gives_none(texts: list[str]) -> None:
    assert fitted(texts, (20,)) is None


ANY_LAYER = st.sampled_from(
    """Conv2D(4, 3); Conv1D(4, 5); MaxPooling2D(); MaxPooling1D(3); Flatten(); Dense(16); LSTM(4); GRU(3); Dropout(0.3)
    Bidirectional(LSTM(2)); BatchNormalization(); GlobalAveragePooling2D(); Embedding(9, 4); Reshape((2, -1))
    Concatenate(); TimeDistributed(Dense(3)); Conv2DTranspose(2, 3, strides=2); Dense(n); SpatialDropout2D(0.1)
    RepeatVector(3); Permute((2, 1)); Activation('softmax'); Dense(2, 'softmax')""".replace("\n", ";").split(";")
)


@given(
    st.lists(ANY_LAYER, max_size=7),
    st.sampled_from([(), (None,), (20,), (20, 3), (32, 48, 1), (32, 48, 3), (4, 12, 12, 3)]),
    st.sampled_from([CLASSES, MASK, FORECAST]),
)
def test_a_fitted_stack_traces_to_the_wanted_shape(
    texts: list[str], shape: tuple[int | None, ...], output: OutputForm
) -> None:
    stack = fitted(texts, shape, output)
    if stack is not None:
        found = trace_shapes(stack.layers, shape, CONSTANTS)
        assert found.problem is None
        assert found.shapes[-1] == output.shape(CONSTANTS)


def test_a_row_without_axes_has_no_channels_to_group() -> None:
    assert fitted(["GroupNormalization()", "Dense(3)"], ()) is None
