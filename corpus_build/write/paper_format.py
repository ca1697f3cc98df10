"""The data sets in the text formats of the paper's published artifact; `pipeline.inputs.artifact` reads them.

Datasets/DLCodeEval/Test.txt, Test_Code.txt        requirements, a JSON object a line; reference solutions
Datasets/DLPlanData/{Train,Evaluation,Test}.txt    requirement, attributes and plan, a JSON object a line
Datasets/DLSamplePool/Samples.txt                  code only, blocks divided by a line of 37 dashes
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from corpus_build.divide.split import EVAL, EVALUATION, POOL, TEST, TRAIN
from corpus_build.store import CorpusStore
from corpus_build.write.datasets import read_dataset
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.storage.files import atomic_writer, join

DIVIDER = "-" * 37
_LIKE_A_DIVIDER = re.compile(rf"^{DIVIDER}(?= ?\d*[ \r]*$)", re.MULTILINE)
_PARTS = {TRAIN: "Train", EVAL: "Evaluation", TEST: "Test"}


def write_paper_format(store: CorpusStore, folder: str) -> None:
    """Writes a build's sets under `folder` as the paper's artifact lies in a checkout."""
    root = join(folder, "Datasets")
    requirements = (row_line(row.requirement, row.attributes) for row in read_dataset(store, EVALUATION))
    _write_lines(join(root, "DLCodeEval", "Test.txt"), requirements)
    references = (row.reference for row in read_dataset(store, EVALUATION))
    _write_lines(join(root, "DLCodeEval", "Test_Code.txt"), code_blocks(references))
    for name, part in _PARTS.items():
        plans = (row_line(row.requirement, row.attributes, row.plan) for row in read_dataset(store, name))
        _write_lines(join(root, "DLPlanData", f"{part}.txt"), plans)
    samples = (row.code for row in read_dataset(store, POOL))
    _write_lines(join(root, "DLSamplePool", "Samples.txt"), code_blocks(samples))


def row_line(requirement: str, attributes: str, plan: SolutionPlan | None = None) -> str:
    """A row as one line of JSON with the paper's keys; without `plan` one of DLCodeEval."""
    row: dict[str, object] = {"User Requirement": requirement, "Dataset Attributes": attributes}
    if plan is not None:
        row["Code Plan"] = plan.model_dump(by_alias=True, mode="json")
    return json.dumps(row, ensure_ascii=False)


def code_blocks(codes: Iterable[str]) -> Iterable[str]:
    """The codes with a divider between them. A line of a code that would read as a divider gets a dash more."""
    for number, code in enumerate(codes):
        if number:
            yield DIVIDER
        yield _LIKE_A_DIVIDER.sub(DIVIDER + "-", code.strip("\r\n"))


def _write_lines(url: str, lines: Iterable[str]) -> None:
    with atomic_writer(url) as stream:
        for line in lines:
            stream.write(line.encode("utf-8", "replace") + b"\n")
