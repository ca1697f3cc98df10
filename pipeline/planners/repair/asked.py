"""What a request asks for, as the repair looks it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.plan.dataset_facts import DatasetFacts
from pipeline.request.constraints import Constraint
from pipeline.request.data_contract import DataContract
from pipeline.request.stated_facts import stated_facts

LARGEST_ASKED_SIDE = 1024
"""Pixels a side up to which a size that the requirement itself asks for is kept."""

_LARGEST_DESCRIBED_SIDE = 320
_SCALED_SIDE = 256
"""Photos that are described as larger than the first are resized to the second: 4000x3000 is what a camera takes, no
size that a model is trained at."""

_LARGEST_PATCH_SIDE = {"Image Super-Resolution": 128, "Image Generation": 128, "Video Classification": 112}
"""Where pixels cost more: super-resolution is trained on patches, and what is generated or moves is small."""


class Asked:
    """The constraints by name, and the facts that they state."""

    def __init__(self, constraints: Sequence[Constraint], data: DataContract | None = None) -> None:
        self.constraints = constraints
        self.facts = stated_facts(constraints, data)
        self._has_data = data is not None

    @property
    def is_class_count_sure(self) -> bool:
        """Whether a number of classes is stated, or their names by the requirement itself: a description of the data
        may name only some."""
        names = ("count", "dataset", "variant", "target")
        wanted = [one for one in self.constraints if not one.negated]
        return self._has_data or any(
            one.name in names or (one.name == "name" and one.source == "requirement") for one in wanted
        )

    def values(self, name: str) -> list[str]:
        """The different values that are wanted, in their order."""
        wanted = [one.value for one in self.constraints if one.name == name and not one.negated]
        return list(dict.fromkeys(wanted))

    def first(self, name: str) -> str:
        """The first value that is wanted; "" where none is."""
        values = self.values(name)
        return values[0] if values else ""

    def forbids(self, name: str) -> bool:
        """Whether something is not wanted at all, or in a certain value."""
        return any(one.name == name and one.negated for one in self.constraints)

    def numbers(self, name: str) -> list[int]:
        """The first value's whole numbers: "128,64,32" -> 128, 64, 32; empty where it is no list of numbers."""
        parts = self.first(name).split(",")
        if not all(part.strip().isdecimal() for part in parts):
            return []
        return [int(part) for part in parts if int(part) > 0]

    def facts_within_reach(self, category: str) -> DatasetFacts:
        """The facts with image sizes that a model is trained at, in proportion.

        What the requirement asks for is kept up to LARGEST_ASKED_SIDE; what describes the data is only their size.
        """
        facts = self.facts
        if not facts.height or not facts.width:
            return facts
        by_requirement = any(one.name == "height" and one.source == "requirement" for one in self.constraints)
        kept, scaled = _LARGEST_DESCRIBED_SIDE, _SCALED_SIDE
        if category in _LARGEST_PATCH_SIDE:
            kept = scaled = _LARGEST_PATCH_SIDE[category]
        if by_requirement:
            kept = LARGEST_ASKED_SIDE
        longest = max(facts.height, facts.width)
        if longest <= kept:
            return facts
        shrink = scaled / longest
        return replace(facts, height=_in_eights(facts.height * shrink), width=_in_eights(facts.width * shrink))


def _in_eights(side: float) -> int:
    """The nearest multiple of 8, at least 8: three poolings halve it without a rest."""
    return max(8, round(side / 8) * 8)
