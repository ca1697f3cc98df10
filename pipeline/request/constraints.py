"""What a request asks for, one checkable thing at a time.

A *constraint* is atomic: "Adam with 1e-4 for 20 epochs on 224x224 photos" holds five (optimizer, learning
rate, epochs, height, width). Each knows the words that ask for it, so that a page can mark them and a reader
can object. The terms, and the two shares in `pipeline.request.delivery`, are those of CIFE (arXiv 2512.17387)
and IFBench.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Aspect = Literal[
    "framework",  # TensorFlow/Keras, PyTorch, JAX
    "task",  # the kind of problem, and its variants: multi-label, several outputs, k-fold, multi-step, tagging, ...
    "data",  # the kind of each input, and well-known data sets
    "size",  # height, width, channels, length, lookback, horizon, features, vocabulary, latent size
    "classes",  # how many, and their names
    "files",  # files, columns, target
    "architecture",  # families, backbones, frozen or fine-tuned, blocks, widths
    "training",  # loss, optimizer and its parameters, schedule, regularisation, augmentation, batch size, epochs, ...
    "metric",
    "output",  # what is to be shown, saved or written: plots, a model file, predictions
]
"""What a constraint is about; precision and recall of reading are reported for each."""

Source = Literal["requirement", "attributes", "data"]
"""The text a constraint was read from: the requirement, the words about the data, or the data's description."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Constraint:
    """One thing that the request asks for."""

    aspect: Aspect
    name: str
    """What within the aspect, in the field's own words: `height`, `backbone`, `learning_rate`, `early_stopping`."""
    value: str
    """The value in one spelling: `224`, `resnet50`, `0.0001`, `true`. Numbers are written as Python writes them."""
    start: int
    """Where the words that ask for it begin, in characters of the source's text."""
    end: int
    """Where they end; `text[start:end]` are the words."""
    source: Source = "requirement"
    subject: str = ""
    """Which of several things it is about: an input, an output, a part of the model; "" for the only one."""
    negated: bool = False
    """The request forbids the value: "no dropout", "without transfer learning"."""

    @property
    def number(self) -> float | None:
        """The value as a number; None where it is a word."""
        try:
            return float(self.value)
        except ValueError:
            return None

    def words(self, text: str) -> str:
        """The words that ask for it, given the text of its source."""
        return text[self.start : self.end]
