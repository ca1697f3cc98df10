"""Recurrent cells in each other's place, stacks of them, dense layers alone: in Keras and in PyTorch."""

from __future__ import annotations

import pytest

from pipeline.generate.parts.adding import with_parts
from pipeline.request.constraints import Aspect, Constraint
from pipeline.starter import matrix_rows

SAMPLES = {str(row["id"]): code for row, code in matrix_rows()}


def asked(name: str, value: str, aspect: Aspect = "architecture") -> Constraint:
    return Constraint(aspect=aspect, name=name, value=value, start=0, end=1)


def written(sample: str, *constraints: Constraint) -> str:
    return with_parts(SAMPLES[sample], constraints)


def test_a_bidirectional_lstm_becomes_a_gru_in_one_direction_with_its_names_and_words() -> None:
    code = written("text-classification-bilstm", asked("family", "gru"))
    assert "model.add(layers.GRU(GRU_UNITS))" in code
    assert "LSTM" not in code.partition("# %% Imports")[2]
    assert "a GRU" in code


def test_pytorch_hands_back_one_state_of_a_gru_and_half_the_width_of_one_direction() -> None:
    code = written("torch-classification-text-bilstm", asked("family", "gru"))
    assert "_, hidden = self.gru(packed)" in code
    assert "nn.Linear(GRU_UNITS, NUM_CLASSES)" in code
    assert "class GRUClassifier" in code
    assert "bidirectional" not in code.partition("# %% Imports")[2]


def test_both_directions_are_twice_as_wide() -> None:
    code = written("torch-classification-text-two-inputs", asked("family", "bigru"))
    assert "width = 4 * GRU_UNITS" in code
    assert code.count("torch.cat([") > SAMPLES["torch-classification-text-two-inputs"].count("torch.cat([")


@pytest.mark.parametrize("sample", ["translation-attention", "torch-translation-text-seq2seq"])
def test_a_decoder_that_takes_its_encoders_states_keeps_its_cell(sample: str) -> None:
    assert written(sample, asked("family", "lstm")) == SAMPLES[sample]


def test_what_tells_the_next_element_is_not_read_from_the_other_end() -> None:
    code = written("recommendation-gru-sessions", asked("family", "bigru"))
    assert code == SAMPLES["recommendation-gru-sessions"]


def test_an_asked_lstm_is_no_bidirectional_one() -> None:
    assert "Bidirectional(" not in written("tagging-bilstm", asked("family", "lstm"))
    both = written("tagging-bilstm", asked("family", "lstm"), asked("family", "bilstm"))
    assert both == SAMPLES["tagging-bilstm"]


def test_listed_widths_are_layers_of_their_own() -> None:
    keras = written("series-classification-lstm", asked("units", "48,24"))
    assert "LSTM_UNITS = [48, 24]" in keras
    assert "layers.LSTM(LSTM_UNITS[0], return_sequences=True)" in keras
    assert "layers.LSTM(LSTM_UNITS[1])" in keras
    torch = written("torch-forecasting-series-lstm", asked("units", "48,24"))
    assert "self.lstm_2 = nn.LSTM(LSTM_UNITS[0], LSTM_UNITS[1], batch_first=True)" in torch
    assert "states, _ = self.lstm_2(steps)" in torch
    assert "NUM_LAYERS" not in torch


_STACK = """
from tensorflow import keras
from tensorflow.keras import layers

model = keras.Sequential(
    [
        keras.Input(shape=(28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
"""


def test_dense_layers_alone_begin_by_flattening_an_image() -> None:
    code = with_parts(_STACK, [asked("family", "mlp")])
    layers = [line.strip() for line in code.splitlines() if "layers." in line or "Input(" in line]
    assert layers == [
        "keras.Input(shape=(28, 28, 1)),",
        "layers.Flatten(),",
        'layers.Dense(64, activation="relu"),',
        'layers.Dense(10, activation="softmax"),',
    ]


def test_of_two_families_joined_by_or_one_is_enough() -> None:
    request = "ConvLSTM or 3D CNN to classify clips"
    first = Constraint(aspect="architecture", name="family", value="convlstm", start=0, end=8)
    second = Constraint(aspect="architecture", name="family", value="cnn_3d", start=12, end=18)
    code = SAMPLES["classification-video-3d-cnn"]
    assert with_parts(code, [first, second], request) == code


def test_mfccs_are_made_of_the_log_mel_bands_in_both_frameworks() -> None:
    keras = written("audio-folders", asked("representation", "mfcc", "data"))
    assert "mfcc(np.log(magnitudes @ MEL + 1e-3))[..., None]" in keras
    assert "keras.Input(shape=(FRAMES, NUM_MFCC, 1))" in keras
    torch = written("torch-classification-audio-log-mel", asked("representation", "mfcc", "data"))
    assert "dct(log_mel, axis=0" in torch


def test_two_random_changes_in_pytorch_are_both_made() -> None:
    code = written(
        "torch-classification-image-cnn",
        asked("augmentation", "crop", "training"),
        asked("augmentation", "brightness", "training"),
    )
    assert code.count("def augment(images):") == 1
    assert "random_crop" in code
    assert "images = images * brightness" in code
