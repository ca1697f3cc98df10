"""The cell of a sample: what it is an example of, in the words of a request's constraints (docs/starter.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.plan.vocabulary import canonical_category
from pipeline.request.constraints import Constraint
from pipeline.request.reading.reader import read_constraints

_FRAMEWORKS = {
    "tensorflow": re.compile(r"^\s*(?:import|from) (?:tensorflow|keras)\b", re.MULTILINE),
    "pytorch": re.compile(r"^\s*(?:import|from) (?:torch|lightning|pytorch_lightning)\b", re.MULTILINE),
    "jax": re.compile(r"^\s*(?:import|from) (?:jax|flax|optax)\b", re.MULTILINE),
}
"""What a script imports, by framework; one that imports two is the first one's."""

_OF_CATEGORY = {
    "Image Super-Resolution": ("super_resolution",),
    "Image Captioning": ("captioning",),
    "Image-to-Image": ("reconstruction",),
    "Image Generation": ("generation", "reconstruction"),
    "Recommendation System": ("recommendation",),
    "Anomaly Detection": ("anomaly_detection",),
    "Question Answering": ("question_answering",),
    "Text-to-Text": ("translation", "summarization"),
    "Reinforcement Learning": ("reinforcement_learning",),
}
"""Problems of the categories whose last word is none; "Audio Classification" is classification."""

_DATA_OF_CATEGORY = {
    "Tabular": "table",
    "Time": "series",
    "Image": "image",
    "Object": "image",
    "Text": "text",
    "Text-to-Text": "text",
    "Image-to-Image": "image",
    "Question": "text",
    "Audio": "audio",
    "Video": "video",
    "Recommendation": "table",
}
"""Kinds of data by the first word of a category; anomalies are looked for in all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A cell of the matrix of samples. Values are those of `tests/pipeline/request/labels/GUIDE.md`."""

    framework: str = ""
    """`tensorflow`, `pytorch` or `jax`; "" where the code imports none."""

    problems: tuple[str, ...] = ()
    """What is predicted. One where a sidecar says it; a category may stand for several."""

    variants: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    """The kind of each input."""

    families: tuple[str, ...] = ()
    backbones: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    representations: tuple[str, ...] = ()
    """How an input is given to the model: `log_mel_spectrogram`, `tf_idf`, ..."""

    is_usual: bool = False
    """Whether it is the one of its kind that rows with data of their own get where nothing is asked of the
    architecture."""


def cell_of(sidecar: Mapping[str, object]) -> Cell | None:
    """The part `Cell` of a sample's sidecar; None where it declares none."""
    declared = sidecar.get("Cell")
    if not isinstance(declared, Mapping):
        return None
    return Cell(
        framework=str(declared.get("framework", "")),
        problems=_words(declared, "problem"),
        variants=_words(declared, "variants"),
        data=_words(declared, "data"),
        families=_words(declared, "families"),
        backbones=_words(declared, "backbones"),
        datasets=_words(declared, "datasets"),
        representations=_words(declared, "representations"),
        is_usual=declared.get("usual") is True,
    )


# Retrieval, the writer and the first stage ask for the same samples.
@lru_cache(maxsize=4096)
def derived_cell(code: str, category: str, requirement: str) -> Cell:
    """The cell of a sample that declares none, by what its code imports, its plan's category and its requirement."""
    framework = next((name for name, pattern in _FRAMEWORKS.items() if pattern.search(code)), "")
    asked = read_constraints(requirement)
    return Cell(
        framework=framework,
        problems=_unique(problems_of(category), stated(asked, "problem")),
        variants=_unique(stated(asked, "variant")),
        data=_unique(data_of(category), stated(asked, "kind")),
        families=_unique(stated(asked, "family")),
        backbones=_unique(stated(asked, "backbone")),
        datasets=_unique(stated(asked, "dataset")),
        representations=_unique(stated(asked, "representation")),
    )


def problems_of(category: str) -> tuple[str, ...]:
    """The problems of a plan's task category, in the words of a constraint; none without a category."""
    if not category:
        return ()
    canonical = canonical_category(category)
    return _OF_CATEGORY.get(canonical, (canonical.rpartition(" ")[2].lower(),))


def data_of(category: str) -> tuple[str, ...]:
    """The kind of data of a plan's task category, in the word of a constraint; none where it does not say."""
    kind = _DATA_OF_CATEGORY.get(canonical_category(category).split(" ")[0])
    return () if kind is None else (kind,)


def stated(constraints: Iterable[Constraint], name: str) -> list[str]:
    """The values that are asked for under a name, in the order they are asked for."""
    return [one.value for one in constraints if one.name == name and not one.negated]


def problems_asked(constraints: Sequence[Constraint]) -> list[str]:
    """The problems that are asked for. A picture that becomes another one, as pairs show ("aerial photo to map"), is
    learned as a reconstruction is."""
    learned_as = {"style_transfer": "reconstruction"} if "pairs" in stated(constraints, "variant") else {}
    return [learned_as.get(problem, problem) for problem in stated(constraints, "problem")]


def _unique(*values: Iterable[str]) -> tuple[str, ...]:
    merged: dict[str, None] = {}
    for some in values:
        merged |= dict.fromkeys(some)
    return tuple(merged)


def _words(declared: Mapping[str, object], name: str) -> tuple[str, ...]:
    """A word, or a list of them."""
    value = declared.get(name, ())
    if isinstance(value, str):
        return (value,)
    return tuple(str(word) for word in value) if isinstance(value, list | tuple) else ()
