"""What a pool's samples can be made into. A method without a language model writes nothing else, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.errors import StageFailure
from pipeline.own_data.serving import Serves, in_words, is_served
from pipeline.request.constraints import Constraint
from pipeline.request.data_contract import DataContract
from pipeline.retrieval.cell import Cell, problems_asked, stated
from pipeline.retrieval.sample_pool import Sample

OTHER_MODELS = frozenset(
    ("multi_label", "multi_output", "multi_input", "pairs", "span", "keypoints", "instance", "one_class", "few_shot")
)
"""Variants that take other data or another model, not other numbers: a sample either has one or has not."""

_FROM_PAIRS = frozenset(
    ("translation", "summarization", "reconstruction", "super_resolution", "captioning", "segmentation")
)
"""Problems that are learned from pairs as it is: an input and what it is to become."""

_IN_WORDS = {"tensorflow": "TensorFlow (Keras)", "pytorch": "PyTorch", "jax": "JAX"}

_WAY_OUT = "set llm=... to have it written by a language model, or allow_substitutes=true to get what is nearest"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the samples of a pool are about."""

    cells: tuple[Cell, ...]

    reading: tuple[tuple[Cell, Serves], ...] = ()
    """Of the samples that read other people's data, what they are and what they read."""

    @classmethod
    def of(cls, samples: Iterable[Sample], for_own_data: Iterable[Sample] = ()) -> Coverage:
        """By the samples' cells, those that they do not declare included; `for_own_data` are the samples for rows with
        data of their own."""
        reading = [(sample.cell(), sample.serves) for sample in for_own_data if sample.serves is not None]
        return cls(tuple(sample.cell() for sample in samples), tuple(reading))

    def check_framework(self, constraints: Sequence[Constraint]) -> None:
        """Raises StageFailure (`unserved_framework`) where another framework is asked for."""
        asked = stated(constraints, "framework")
        if asked and not self._in_framework(asked):
            frameworks = sorted({cell.framework for cell in self.cells if cell.framework})
            here = " and ".join(_IN_WORDS[name] for name in frameworks) or "no framework"
            raise StageFailure(
                "unserved_framework",
                f"{_IN_WORDS.get(asked[0], asked[0])} is asked for, and the samples are in {here}; {_WAY_OUT}",
            )

    def check_data(self, constraints: Sequence[Constraint], contract: DataContract) -> None:
        """Raises StageFailure (`unserved_framework`) where the samples that read such data are in other frameworks than
        the asked one."""
        asked = stated(constraints, "framework")
        frameworks = {cell.framework for cell, serves in self.reading if is_served(contract, serves)}
        if asked and frameworks and frameworks.isdisjoint(asked):
            here = " and ".join(_IN_WORDS.get(name, name) for name in sorted(frameworks))
            raise StageFailure(
                "unserved_framework",
                f"{_IN_WORDS.get(asked[0], asked[0])} is asked for, and the samples that read such data "
                f"({in_words(contract)}) are in {here}; {_WAY_OUT}",
            )

    def check_task(self, constraints: Sequence[Constraint]) -> None:
        """Raises StageFailure (`unserved_task`) where no sample of the asked framework solves one of the problems, or
        has an asked variant that is another model."""
        asked, frameworks = problems_asked(constraints), stated(constraints, "framework")
        cells = self._in_framework(frameworks) if frameworks else self.cells
        sample = f"sample in {_IN_WORDS.get(frameworks[0], frameworks[0])}" if frameworks else "sample"
        if asked and not any(set(asked) & set(cell.problems) for cell in cells):
            raise StageFailure("unserved_task", f"no {sample} is about {_words(asked[0])}; {_WAY_OUT}")
        # The words about the data may speak of pairs or several labels that the project makes no use of.
        for variant in stated((one for one in constraints if one.source == "requirement"), "variant"):
            if variant == "pairs" and _FROM_PAIRS.intersection(asked):
                continue
            if variant in OTHER_MODELS and not any(variant in cell.variants for cell in cells):
                raise StageFailure("unserved_task", f"no {sample} is {_words(variant)}; {_WAY_OUT}")

    def _in_framework(self, asked: Sequence[str]) -> list[Cell]:
        return [cell for cell in self.cells if cell.framework in asked]


def _words(value: str) -> str:
    return value.replace("_", " ")
