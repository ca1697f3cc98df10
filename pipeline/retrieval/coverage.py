"""What a pool's samples can be made into. A method without a language model writes nothing else, and says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.errors import StageFailure
from pipeline.plan.vocabulary import canonical_category
from pipeline.request.constraints import Constraint
from pipeline.request.reading.reader import read_constraints
from pipeline.retrieval.sample_pool import Sample

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

_OTHER_MODELS = frozenset(
    ("multi_label", "multi_output", "multi_input", "pairs", "span", "keypoints", "instance", "one_class", "few_shot")
)
"""Variants that take other data or another model, not other numbers: a sample either has one or has not."""

_FROM_PAIRS = frozenset(
    ("translation", "summarization", "reconstruction", "super_resolution", "captioning", "segmentation")
)
"""Problems that are learned from pairs as it is: an input and what it is to become."""

_FRAMEWORKS = {
    "tensorflow": re.compile(r"^\s*(?:import|from) (?:tensorflow|keras)\b", re.MULTILINE),
    "pytorch": re.compile(r"^\s*(?:import|from) (?:torch|lightning|pytorch_lightning)\b", re.MULTILINE),
    "jax": re.compile(r"^\s*(?:import|from) (?:jax|flax|optax)\b", re.MULTILINE),
}

_IN_WORDS = {"tensorflow": "TensorFlow (Keras)", "pytorch": "PyTorch", "jax": "JAX"}

_WAY_OUT = "set llm=... to have it written by a language model, or allow_substitutes=true to get what is nearest"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the samples of a pool are about."""

    frameworks: frozenset[str]
    problems: frozenset[str]
    variants: frozenset[str]

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> Coverage:
        """Of the samples' code, plans and requirements."""
        frameworks: set[str] = set()
        asked: dict[str, set[str]] = {"problem": set(), "variant": set()}
        for sample in samples:
            frameworks.update(name for name, pattern in _FRAMEWORKS.items() if pattern.search(sample.code))
            if sample.plan is not None:
                asked["problem"].update(problems_of(sample.plan.task_category))
            for name, values in asked.items():
                values.update(_stated(read_constraints(sample.requirement), name))
        return cls(frozenset(frameworks), frozenset(asked["problem"]), frozenset(asked["variant"]))

    def check_framework(self, constraints: Sequence[Constraint]) -> None:
        """Raises StageFailure (`unserved_framework`) where another framework is asked for."""
        asked = _stated(constraints, "framework")
        if asked and not self.frameworks.intersection(asked):
            here = " and ".join(_IN_WORDS[name] for name in sorted(self.frameworks)) or "no framework"
            raise StageFailure(
                "unserved_framework",
                f"{_IN_WORDS.get(asked[0], asked[0])} is asked for, and the samples are in {here}; {_WAY_OUT}",
            )

    def check_task(self, constraints: Sequence[Constraint]) -> None:
        """Raises StageFailure (`unserved_task`) where no sample solves one of the problems, or has an asked variant
        that is another model."""
        asked = _stated(constraints, "problem")
        if asked and not self.problems.intersection(asked):
            raise StageFailure("unserved_task", f"no sample is about {_words(asked[0])}; {_WAY_OUT}")
        # The words about the data may speak of pairs or several labels that the project makes no use of.
        for variant in _stated((one for one in constraints if one.source == "requirement"), "variant"):
            if variant == "pairs" and _FROM_PAIRS.intersection(asked):
                continue
            if variant in _OTHER_MODELS and variant not in self.variants:
                raise StageFailure("unserved_task", f"no sample is {_words(variant)}; {_WAY_OUT}")


def problems_of(category: str) -> tuple[str, ...]:
    """The problems of a plan's task category, in the words of a constraint."""
    canonical = canonical_category(category)
    return _OF_CATEGORY.get(canonical, (canonical.rpartition(" ")[2].lower(),))


def _stated(constraints: Iterable[Constraint], name: str) -> list[str]:
    return [one.value for one in constraints if one.name == name and not one.negated]


def _words(value: str) -> str:
    return value.replace("_", " ")
