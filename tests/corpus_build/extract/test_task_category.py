"""The task category: layers limit what the data can be, words choose among it, the loss has a say."""

from __future__ import annotations

import pytest

from corpus_build.extract.static_plan import read_plan_from_code
from pipeline.retrieval.sample_pool import Sample, load_samples

HEAD = "from tensorflow.keras import Sequential, layers\n"
PICTURES = "layers.Conv2D(8, 3, input_shape=(64, 64, 1)), layers.MaxPooling2D(), layers.Flatten(), "
SERIES = "layers.LSTM(8, input_shape=(30, 6)), "
TABLE = "layers.Dense(8, input_shape=(6,)), "


def category(stack: str, loss: str, requirement: str = "", more: str = "") -> str:
    code = f"{HEAD}{more}\nmodel = Sequential([{stack}])\nmodel.compile('adam', '{loss}')\nmodel.fit(x, y)\n"
    return read_plan_from_code([code], requirement).plan.task_category


def _told(sample: Sample) -> bool:
    static = read_plan_from_code([sample.code], sample.requirement, sample.attributes)
    return sample.plan is not None and static.plan.task_category == sample.plan.task_category


@pytest.mark.parametrize("sample", load_samples("starter40"), ids=lambda sample: sample.id)
def test_the_forty_samples_of_this_project_are_told(sample: Sample) -> None:
    assert _told(sample)


def test_most_samples_of_the_matrix_are_told() -> None:
    """Tagging, agents and sessions have no category of their own, and the nearest is a matter of taste."""
    samples = [sample for sample in load_samples("starter") if sample.declared_cell is not None]
    assert sum(map(_told, samples)) / len(samples) > 0.9


@pytest.mark.parametrize(
    ("stack", "loss", "requirement", "expected"),
    [
        (PICTURES + "layers.Dense(5, activation='softmax')", "categorical_crossentropy", "", "Image Classification"),
        (PICTURES + "layers.Dense(30)", "mse", "Detect and classify facial keypoints on photos", "Image Regression"),
        (
            PICTURES + "layers.Dense(5, activation='softmax')",
            "categorical_crossentropy",
            "Recognize the speaker from audio recordings turned into spectrograms",
            "Audio Classification",
        ),
        (SERIES + "layers.Dense(1)", "mae", "", "Time Series Forecasting"),
        (
            SERIES + "layers.Dense(3, activation='softmax')",
            "categorical_crossentropy",
            "",
            "Time Series Classification",
        ),
        (
            SERIES + "layers.Dense(3, activation='softmax')",
            "categorical_crossentropy",
            "Recognize gestures in video clips of 30 frames",
            "Video Classification",
        ),
        (TABLE + "layers.Dense(1)", "mse", "Classify houses by their price", "Tabular Regression"),
        (TABLE + "layers.Dense(1, activation='sigmoid')", "binary_crossentropy", "", "Tabular Classification"),
        (
            "layers.Conv2D(8, 3, input_shape=(64, 64, 3)), layers.MaxPooling2D(), layers.UpSampling2D(), "
            "layers.Conv2D(3, 3)",
            "mse",
            "",
            "Image-to-Image",
        ),
    ],
)
def test_layers_loss_and_words(stack: str, loss: str, requirement: str, expected: str) -> None:
    assert category(stack, loss, requirement) == expected


def test_an_embedding_of_a_column_is_no_text() -> None:
    stack = "layers.Embedding(12, 4, input_length=1), layers.Flatten(), layers.Dense(1, activation='sigmoid')"
    assert category(stack, "binary_crossentropy") == "Tabular Classification"
    assert category(stack, "binary_crossentropy", more="x = pad_sequences(x, 40)") == "Text Classification"


def test_words_of_plots_and_comments_do_not_count() -> None:
    stack = PICTURES + "layers.Dense(5, activation='softmax')"
    more = "plt.savefig('a.png', bbox_inches='tight')  # no bbox, no mask, no caption\nframes = [a, b]"
    assert category(stack, "categorical_crossentropy", more=more) == "Image Classification"
