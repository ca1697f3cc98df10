"""Which frameworks' models a notebook trains, by the calls that train in its code; comments do not count.

A notebook may load data or a finished network with one framework and train with another, or with scikit-learn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from corpus_build.drops import Drop
from corpus_build.read.filters.frameworks import FRAMEWORKS, imports_any
from corpus_build.read.notebook import ParsedNotebook

TRAINED_ELSEWHERE = {"tensorflow": "tensorflow_trained", "pytorch": "pytorch_trained", "jax": "jax_trained"}
"""The reason for which a notebook leaves that imports the framework asked for and trains another one's model."""

_BEFORE, _BEHIND = 30, 450
"""Characters around a word within which its sign stands."""
_SIGNS = {
    # `compile` states how a Keras model is trained; `re.compile`, `torch.compile` and the like are others.
    "tensorflow": re.compile(
        r"(?<!\bre)(?<!\btorch)(?<!\bregex)(?<!\bsre)\.compile\(|\.fit_generator\(|\.train_on_batch\(|GradientTape\b|"
        r"\.apply_gradients\(|(?<!\boptimize)\.minimize\(|\btrain_and_evaluate\(|\bestimator\.\w+(?:Classifier|Regressor|Estimator)\(|"
        r"\bEstimatorSpec\(|\.fit\([^)]{0,400}?\b(?:epochs|nb_epoch|steps_per_epoch|validation_data|callbacks)\s*=|"
        r"\bKeras(?:Classifier|Regressor)\(|\bImageClassifier\(|\btuner\w*\.search\(",
    ),
    "pytorch": re.compile(
        r"\.backward\(|\bTrainingArguments\(|\bTrainer\(|\b(?:pl|L|lightning)\.Trainer\(|\.fit_one_cycle\(|\.fine_tune\(|"
        r"\bNeuralNet(?:Classifier|Regressor)?\(|\bmanual_backward\("
    ),
    "jax": re.compile(r"\bvalue_and_grad\(|\bjax\.grad\(|\boptax\.|(?<!\w)grad\(|\bjaxopt\."),
}
_PACKAGES = FRAMEWORKS | {"pytorch": FRAMEWORKS["pytorch"] | {"accelerate", "fastai", "skorch", "transformers"}}
"""Those with which one trains; Transformers' Trainer needs no import of PyTorch."""
_WORDS = {
    "tensorflow": (
        "compile(",
        "fit_generator(",
        "train_on_batch(",
        "GradientTape",
        "apply_gradients(",
        "minimize(",
        "train_and_evaluate(",
        "estimator.",
        "EstimatorSpec(",
        ".fit(",
        "Classifier(",
        "Regressor(",
        ".search(",
    ),
    "pytorch": ("backward(", "Trainer(", "TrainingArguments(", "fit_one_cycle(", "fine_tune(", "NeuralNet"),
    "jax": ("grad(", "optax.", "jaxopt."),
}
"""Words of which each sign has one."""
_CLASSICAL = re.compile(r"\.fit\(")


def trains(cells: Sequence[str], framework: str) -> bool:
    """Whether a call that trains a model of the framework stands in one of the cells."""
    words, signs = _WORDS[framework], _SIGNS[framework]
    for cell in cells:
        # A look for plain words first, and then only around them: this runs over nearly every cell of the corpus.
        for word in words:
            position = cell.find(word)
            while position != -1:
                in_comment = "#" in cell[cell.rfind("\n", 0, position) + 1 : position]
                if not in_comment and signs.search(cell, max(0, position - _BEFORE), position + _BEHIND):
                    return True
                position = cell.find(word, position + len(word))
    return False


def trained_with(cells: Sequence[str]) -> tuple[str, ...]:
    """The frameworks, as FRAMEWORKS calls them, of which a model is trained; none that the notebook does not import."""
    found = [framework for framework in _SIGNS if trains(cells, framework)]
    if len(found) > 1:  # nearly always it is one, and that one is imported
        found = [framework for framework in found if imports_any(cells, _PACKAGES[framework])]
    return tuple(found)


def check_trained(notebook: ParsedNotebook, framework: str) -> None:
    """Passes a notebook that trains a model of the framework, whatever else it trains. Raises Drop otherwise."""
    cells = notebook.code_cells
    if trains(cells, framework):
        return
    if trained := trained_with(cells):
        raise Drop(TRAINED_ELSEWHERE[trained[0]])
    if any(_CLASSICAL.search(cell) for cell in cells):
        raise Drop("not_trained", "what is fit is no network that the code compiles")
    raise Drop("not_trained")
