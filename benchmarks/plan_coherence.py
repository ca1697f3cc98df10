"""How many plans contradict themselves, or the class count that the request states?

    python -m benchmarks.plan_coherence out/plans/predictions/hybrid.jsonl Test.txt GPT-2-Large_Beam.txt

Each file has a plan a line in the published layout: `User Requirement`, `Dataset Attributes`, `Code Plan`. What counts
stands in this file, in plain definitions that neither a planner nor the repair step uses; only JSON is read by the
pipeline's lenient reader. A plan counts where the units and the activation of its last layer can be read.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.plan.reading import UnreadablePlanError, read_plan, read_text
from pipeline.plan.solution_plan import SolutionPlan

_WORDS = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen".split()
_NUMBERS = {word: number for number, word in enumerate(_WORDS, start=2)}
_STATED = re.compile(
    rf"\b(\d{{1,4}}|{'|'.join(_WORDS)})[ -](?:(?:different|distinct|unique|possible|output) )?"
    r"(?:class(?:es)?|categories|species|breeds|genres|emotions|labels)\b",
    re.I,
)
_DENSE = re.compile(r"\bdense\b|\boutput layer\b|\bsoftmax\b(?=.*\blayer\b)", re.I)
_UNITS = re.compile(
    r"\bDense\((?:units ?= ?)?(\d+)|\b(\d+) (?:output )?(?:units?|neurons?|nodes?|class(?:es)?)\b", re.I
)
_ACTIVATION = re.compile(r"\b(softmax|sigmoid|linear|relu|tanh)\b", re.I)
_NOT_A_HEAD = re.compile(r"^(?:layers\.)?(?:Activation|Softmax|Dropout|BatchNormalization)\b|^softmax|^sigmoid", re.I)
_NUMBER_LOSS = re.compile(r"squared|absolute|\bmse\b|\bmae\b|\brmse\b|huber|log.?cosh", re.I)
_CLASS_METRIC = re.compile(r"accura|\bauc\b|\bf1|precision|recall", re.I)


@dataclass(frozen=True, slots=True)
class Head:
    """The output layer, as far as the plan states it."""

    units: int | None
    """None where they are no number (`num_classes`)."""
    activation: str
    """In lower case; "" where none stands there."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--rows", action="store_true", help="print each plan that contradicts itself")
    arguments = parser.parse_args()
    for path in arguments.files:
        _report(path, arguments.rows)


def _report(path: Path, show_rows: bool) -> None:
    readable = contradicting = rows = 0
    kinds: Counter[str] = Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        rows += 1
        request, plan = read_line(line)
        head = None if plan is None else head_of(plan)
        if plan is None or head is None:
            continue
        readable += 1
        found = list(contradictions(plan, head, request))
        contradicting += bool(found)
        kinds.update(found)
        if found and show_rows:
            print(f"  {rows}: {'; '.join(found)}: {plan.layers[-2:]}, {plan.hyperparameters.loss}")
    share = 100 * contradicting / max(1, readable)
    print(f"{path.name}: {contradicting} of {readable} plans with a readable head ({share:.1f} %; {rows} rows)")
    for kind, count in kinds.most_common():
        print(f"    {count:4}  {kind}")


def read_line(line: str) -> tuple[str, SolutionPlan | None]:
    """The request in the user's words, "" where the line does not hold it, and the plan."""
    request = ""
    try:
        fields = json.loads(line)
        request = f"{read_text(fields.get('User Requirement'))}\n{read_text(fields.get('Dataset Attributes'))}"
    except (ValueError, AttributeError):
        pass
    try:
        return request, read_plan(line)
    except UnreadablePlanError:
        return request, None


def head_of(plan: SolutionPlan) -> Head | None:
    """The last Dense layer, if nothing but its activation or dropout stands behind it; None where it states neither
    units nor an output's activation, or where no Dense layer ends the model."""
    activation = ""
    for entry in reversed(plan.layers):
        named = _ACTIVATION.search(entry)
        if named and not activation:
            activation = named[1].lower()
        if _DENSE.search(entry):
            stated = _UNITS.search(entry)
            units = int(stated[1] or stated[2]) if stated else None
            is_output = activation in ("softmax", "sigmoid") or (units is not None and activation in ("", "linear"))
            return Head(units, activation) if is_output else None
        if not _NOT_A_HEAD.match(entry.strip()):
            return None
    return None


def contradictions(plan: SolutionPlan, head: Head, request: str) -> Iterator[str]:
    """Each way in which head, loss, metric and stated classes do not go together."""
    loss, metric = plan.hyperparameters.loss, plan.hyperparameters.metric
    folded = re.sub(r"[^a-z]", "", loss.lower())
    is_binary = "binarycross" in folded or folded == "bce"
    is_categorical = "categoricalcross" in folded
    if head.activation == "softmax" and head.units == 1:
        yield "softmax over one unit"
    if head.activation == "softmax" and head.units != 1 and is_binary:
        yield "softmax over several units with binary cross-entropy"
    if head.units == 1 and is_categorical:
        yield "one unit with categorical cross-entropy"
    if head.activation == "sigmoid" and (head.units or 1) > 1 and is_categorical:
        yield "sigmoid over several units with categorical cross-entropy"
    if head.activation == "softmax" and _NUMBER_LOSS.search(loss):
        yield "softmax with a loss of numbers"
    if head.activation in ("", "linear") and _NUMBER_LOSS.search(loss) and _CLASS_METRIC.search(metric):
        yield "numbers predicted, and a metric of classes"
    stated = None if "detection" in plan.task_category.lower() else stated_classes(request)  # those output boxes
    if stated and head.units and head.activation in ("softmax", "sigmoid") and head.units != stated:
        one_for_two = head.units == 1 and stated == 2
        if not one_for_two:
            yield "units unlike the stated classes"


def stated_classes(request: str) -> int | None:
    """The one number of classes that the request states; None where it states none, or several."""
    counts = set()
    for match in _STATED.finditer(request):
        word = match[1].lower()
        counts.add(_NUMBERS.get(word) or int(word))
    return counts.pop() if len(counts) == 1 else None


if __name__ == "__main__":
    main()
