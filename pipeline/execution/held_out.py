"""What a project says of its own model on data that it has not trained on: a line in one form (docs/starter.md)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(
    r"^held-out (?P<metric>[^:\n]{1,60}): (?P<value>-?[\d.]+(?:e[+-]?\d+)?) "
    r"\(baseline, (?P<baseline_name>[^\n]{1,200}): (?P<baseline>-?[\d.]+(?:e[+-]?\d+)?)\)$",
    re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOut:
    """A model on held-out data, beside what takes no model."""

    metric: str
    """`accuracy`, `mean absolute error`, ..."""

    value: float
    baseline: float

    baseline_name: str
    """What the baseline is: "always the most frequent class"."""

    @property
    def less_is_better(self) -> bool:
        return "error" in self.metric

    @property
    def beats_baseline(self) -> bool:
        return self.value < self.baseline if self.less_is_better else self.value > self.baseline


def held_out_of(output: str) -> HeldOut | None:
    """The last such line of a program's output; None where there is none."""
    matches = list(_LINE.finditer(output))
    if not matches:
        return None
    found = matches[-1]
    try:
        return HeldOut(
            metric=found["metric"],
            value=float(found["value"]),
            baseline=float(found["baseline"]),
            baseline_name=found["baseline_name"],
        )
    except ValueError:  # "1.2.3"
        return None
