"""Notebooks and scripts as people write them, each with what its author labelled before any rule read it.

`python -m tests.corpus_build.labelled` prints how many labels of each field are read, and which are not.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus_build.extract.extraction import extract_static
from corpus_build.read.scan import scan
from corpus_build.read.sources import RawNotebook
from corpus_build.records import Clustered, Extracted, KaggleFacts, Scanned
from tests.corpus_build.notebooks import code, markdown, notebook

FOLDER = Path(__file__).parent / "as_they_are"
FIELDS = "category input output layers optimizer loss learning_rate batch_size epochs metric".split()
_MARK = re.compile(r"^# %%.*\n", re.MULTILINE)
_WHERE_UNKNOWN = frozenset({"input", "output"})
"""Fields whose label null says that the code leaves them open: any reading passes."""


def labels() -> dict[str, dict[str, Any]]:
    """Each case's label, by the name of its file."""
    loaded: dict[str, dict[str, Any]] = json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))
    return loaded


def raw_notebook(name: str, *, script: bool) -> RawNotebook:
    """The case as a file of the corpus: a notebook of its `# %%` cells, or the script that it is."""
    text = (FOLDER / f"{name}.cells").read_text(encoding="utf-8")
    if script:
        return RawNotebook(f"{name}.py", name, ".py", text.encode())
    cells = []
    marks = _MARK.findall(text)
    for mark, source in zip(marks, _MARK.split(text)[1:], strict=True):
        cells.append(markdown(source.strip("\n")) if "[markdown]" in mark else code(source.strip("\n")))
    return RawNotebook(f"{name}.ipynb", name, ".ipynb", notebook(*cells))


def extracted(name: str, label: dict[str, Any]) -> tuple[Scanned, Extracted | None]:
    """What scanning says of the case, and where that keeps it, what extraction gives."""
    framework = label.get("framework", "tensorflow")
    raw = raw_notebook(name, script=label.get("script", False))
    scanned = scan(raw, framework)
    if scanned.reason:
        return scanned, None
    clustered = Clustered(
        row=0,
        place=raw.place,
        id=raw.id,
        reason="",
        kept=raw.place,
        cluster="",
        cluster_size=1,
        first_executed_at=None,
        executed_at=None,
        time_source="",
        code_digest=scanned.code_digest,
        kaggle=KaggleFacts(),
    )
    return scanned, extract_static(raw, clustered, framework=framework)


@dataclass
class Measured:
    """How the labels came out."""

    right: Counter[str] = field(default_factory=Counter)
    """By framework and field."""
    asked: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """Case and field with what was read and what is right, and the confidence in it."""
    surely_wrong: list[str] = field(default_factory=list)
    """Those of them whose confidence is 0.5 or more."""

    def share(self, key: str) -> float:
        return self.right[key] / self.asked[key]

    def note(self, key: str, name: str, got: object, label: object, confidence: float) -> None:
        self.asked[key] += 1
        if got == label:
            self.right[key] += 1
            return
        line = f"{name}: {key} is {got!r}, not {label!r} ({confidence:g})"
        self.wrong.append(line)
        if confidence >= 0.5 and got:
            self.surely_wrong.append(line)


def measured() -> Measured:
    """All labels against what is read."""
    result = Measured()
    for name, label in labels().items():
        scanned, row = extracted(name, label)
        reason = scanned.reason or (row.reason if row else "")
        result.note("outcome", name, reason, label.get("reason", ""), 0.0)
        if row is None or row.reason or label["outcome"] != "kept":
            missed = [f"{label.get('framework', 'tensorflow')} {field}" for field in FIELDS if field in label]
            for key in missed:
                result.note(key, name, None, "a value", 0.0)
            if "says" in label:
                result.note("requirement", name, None, "a text", 0.0)
            continue
        if "says" in label:
            _note_requirement(result, name, row, label)
        for field_name, got in _read(row):
            if field_name not in label or (field_name in _WHERE_UNKNOWN and label[field_name] is None):
                continue
            key = f"{label.get('framework', 'tensorflow')} {field_name}"
            confidence = getattr(row.confidence, "task_category" if field_name == "category" else field_name)
            result.note(key, name, got, label[field_name], confidence)
    return result


def _note_requirement(result: Measured, name: str, row: Extracted, label: dict[str, Any]) -> None:
    text = row.requirement
    confidence = row.confidence.requirement if row.confidence else 0.0
    faults = [f"lacks {words}" for words in label["says"] if words.lower() not in text.lower()]
    faults += [f"has {words}" for words in label["never"] if words.lower() in text.lower()]
    if "exact" in label and text != label["exact"]:
        faults.append(f"is not {label['exact']}")
    result.note("requirement", name, (text, faults) if faults else "", "", confidence)
    result.note("language", name, getattr(row, "language", ""), label["language"], 0.0)


def _read(row: Extracted) -> Iterator[tuple[str, object]]:
    assert row.plan is not None
    plan, hyper = row.plan, row.plan.hyperparameters
    yield "category", plan.task_category
    yield "input", _shape(plan.dataset.input)
    yield "output", _shape(plan.dataset.output)
    yield "layers", [layer.partition("(")[0] for layer in plan.layers]
    for name in ("optimizer", "loss", "learning_rate", "batch_size", "epochs", "metric"):
        yield name, getattr(hyper, name)


def _shape(text: str) -> list[int | None] | None:
    match = re.search(r"\(batch_size, (.*)\)", text)
    if match is None:
        return None
    return [int(size) if size.isdigit() else None for size in match[1].split(", ")]


if __name__ == "__main__":
    result = measured()
    for key, asked in result.asked.items():
        print(f"{key:30} {result.right[key]:3} of {asked:3}")
    print(len(result.surely_wrong), "wrong with a confidence of 0.5 or more")
    if "-v" in sys.argv:
        print("\n".join(result.wrong))
