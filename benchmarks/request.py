"""The reader of requests on a file of labels: precision and recall for each aspect, and requests a second on one core.

    python -m benchmarks.request [tests/pipeline/request/labels/own.jsonl] [--show] [--at-least 500]

A reading counts as right when aspect, name, value and `negated` are equal and the words overlap
(tests/pipeline/request/labels/GUIDE.md). Numbers are equal as numbers: 1 and 1.0. `--show` lists what was missed and
what was read beside the labels.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from pipeline.request.constraints import Aspect, Constraint
from pipeline.request.reading.reader import read_constraints
from tests.pipeline.request.labelled import Label, LabelledRequest, is_counted, read_labels

OWN = Path("tests/pipeline/request/labels/own.jsonl")


@dataclass(slots=True)
class Score:
    """Counts by aspect over the requests of a file."""

    right: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    labelled: Counter[str] = field(default_factory=Counter)
    missed: list[tuple[LabelledRequest, Label]] = field(default_factory=list)
    extra: list[tuple[LabelledRequest, Constraint]] = field(default_factory=list)

    def precision(self, aspect: str) -> float:
        return self.right[aspect] / self.read[aspect] if self.read[aspect] else 1.0

    def recall(self, aspect: str) -> float:
        return self.right[aspect] / self.labelled[aspect] if self.labelled[aspect] else 1.0


def score(requests: Sequence[LabelledRequest]) -> Score:
    """Each label takes at most one reading, and each reading at most one label. The key `all` sums the aspects."""
    result = Score()
    for request in requests:
        readings = [reading for reading in read_constraints(request.requirement) if is_counted(reading, request)]
        for reading in readings:
            result.read.update((reading.aspect, "all"))
        for label in request.labels:
            result.labelled.update((label.aspect, "all"))
            match = next((reading for reading in readings if label.agrees(reading, request)), None)
            if match is None:
                result.missed.append((request, label))
            else:
                readings.remove(match)
                result.right.update((label.aspect, "all"))
        result.extra += [(request, reading) for reading in readings]
    return result


def per_second(requests: Sequence[LabelledRequest], seconds: float = 2.0) -> float:
    """Requests read in a second of CPU time."""
    start = time.process_time()
    count = 0
    while time.process_time() - start < seconds:
        for request in requests:
            read_constraints(request.requirement)
        count += len(requests)
    return count / (time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path, nargs="?", default=OWN)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--at-least", type=float, default=500, help="requests a second")
    chosen = parser.parse_args()
    requests = read_labels(chosen.labels)
    result = score(requests)
    print(f"{chosen.labels}: {len(requests)} requests, {result.labelled['all']} constraints")
    print(f"{'aspect':14} {'labelled':>8} {'read':>6} {'right':>6} {'precision':>9} {'recall':>7}")
    for aspect in (*get_args(Aspect), "all"):
        counts = f"{result.labelled[aspect]:8} {result.read[aspect]:6} {result.right[aspect]:6}"
        print(f"{aspect:14} {counts} {result.precision(aspect):9.3f} {result.recall(aspect):7.3f}")
    if chosen.show:
        for request, label in result.missed:
            print(f"missed {request.id} {described(label)}  {label.words!r}")
        for request, reading in result.extra:
            print(f"extra  {request.id} {described(reading)}  {reading.words(request.requirement)!r}")
    rate = per_second(requests)
    verdict = "yes" if rate >= chosen.at_least else "NO"
    print(f"{rate:,.0f} requests a second on one core (at least {chosen.at_least:,.0f}: {verdict})")


def described(constraint: Label | Constraint) -> str:
    forbidden = " (not)" if constraint.negated else ""
    return f"{constraint.aspect}.{constraint.name}={constraint.value}{forbidden}"


if __name__ == "__main__":
    main()
