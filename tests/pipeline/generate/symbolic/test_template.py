"""Anti-unification of two samples."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pipeline.generate.symbolic.notebook import read_notebook
from pipeline.generate.symbolic.template import anti_unify
from pipeline.starter import sample_rows
from tests.pipeline.generate.symbolic.projects import FLOWERS

OTHER = (
    FLOWERS.replace("IMAGE_HEIGHT = 64", "IMAGE_HEIGHT = 128")
    .replace("IMAGE_WIDTH = 64", "IMAGE_WIDTH = 128")
    .replace("Adam(", "SGD(")
    .replace('"categorical_crossentropy"', '"kl_divergence"')
    .replace("layers.Flatten(),\n", "layers.Flatten(),\n            layers.Dropout(0.5),\n")
)


def test_what_is_shared_stays_and_what_differs_becomes_a_named_placeholder() -> None:
    text = anti_unify(read_notebook(FLOWERS), read_notebook(OTHER)).text()
    assert "IMAGE_HEIGHT = <<image_height>>" in text
    assert "# <<image_height>>: 64 | 128" in text
    assert "NUM_CLASSES = 5" in text
    assert "            <<layers>>" in text
    assert "optimizer=<<optimizer>>," in text
    assert "LEARNING_RATE = 0.001  # a comment that must stay" in text


def test_a_sample_with_itself_has_no_placeholders() -> None:
    notebook = read_notebook(FLOWERS)
    template = anti_unify(notebook, notebook)
    assert template.values == {}
    assert template.fill(notebook.title, {}) == notebook


def test_equal_differences_share_a_placeholder() -> None:
    template = anti_unify(read_notebook("a = f(1, 2)\nb = f(1, 2)"), read_notebook("a = f(3, 2)\nb = f(3, 2)"))
    assert re.findall(r"<<(\w+)>>", template.notebook().text()) == ["f", "f"]
    assert template.values == {"f": ("1", "3")}


def test_steps_that_only_the_first_sample_has_are_one_placeholder() -> None:
    first = FLOWERS.replace(
        "# %% Train\n", "# %% Train\nstop = keras.callbacks.EarlyStopping()\nlog = keras.callbacks.CSVLogger('a')\n"
    )
    text = anti_unify(read_notebook(first), read_notebook(FLOWERS)).text()
    assert text.count("<<train_steps>>") == 1
    assert "EarlyStopping" not in text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("x = a.alpha", "x = b.beta"),
        ("x = a + b", "x = a * b"),
        ("x = a < b", "x = c < b < d"),
        ("x = [i for i in a]", "x = [i for i in a if i]"),
        ("def f(a):\n    return a", "def f(a, b):\n    return a"),
        ("if a:\n    x = 1", "if a:\n    x = 1\nelse:\n    x = 2"),
        ("with a as b:\n    f(b)", "with a as c:\n    f(b)"),
        ("f(*a)", "f(a)"),
    ],
)
def test_every_difference_is_in_one_placeholder_and_placeholders_never_overlap(first: str, second: str) -> None:
    template = anti_unify(read_notebook(first), read_notebook(second))
    text = template.notebook().text()
    assert text.count("<<") == text.count(">>") >= 1
    assert template.fill("", {}) == replace(read_notebook(first), title="")
    assert all(f"<<{name}>>" in text for name in template.values)


def test_filling_sets_given_placeholders_and_keeps_the_first_sample_elsewhere() -> None:
    template = anti_unify(read_notebook(FLOWERS), read_notebook(OTHER))
    text = template.fill("t", {"image_height": "32"}).text()
    assert "IMAGE_HEIGHT = 32" in text
    assert "IMAGE_WIDTH = 64" in text
    assert "<<" not in text


SAMPLES = [(row["id"], code) for row, code in sample_rows()]


@pytest.mark.parametrize("number", range(len(SAMPLES)), ids=[name for name, _ in SAMPLES])
def test_any_two_samples_have_a_template_that_fills_back_to_the_first(number: int) -> None:
    first = read_notebook(SAMPLES[number][1])
    for step in (1, 7, 19):
        second = read_notebook(SAMPLES[(number + step) % len(SAMPLES)][1])
        template = anti_unify(first, second)
        assert template.fill(first.title, {}) == first
        assert "<<" in template.text()
