"""The layout in which the DLCodeGen authors publish their data, read as it lies in a checkout.

    Datasets/DLCodeEval/Test.txt, Test_Code.txt       requirements, a JSON object a line; reference solutions
    Datasets/DLPlanData/{Train,Evaluation,Test}.txt   requirement, attributes and plan, a JSON object a line
    Datasets/DLSamplePool/Samples.txt                 code only
    Results/**/*.txt                                  generated code

Files of code hold blocks divided by a line of 37 dashes, in Results followed by a blank and the block's number. The
data carries no licence: it is read where the user keeps it, and no part of it ships with this project.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import DLCodeGenError
from pipeline.plan.reading import UnreadablePlanError, read_plan, read_text
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.records import Requirement
from pipeline.storage.opening import located, open_input

_DIVIDER = re.compile(r"^-{37}(?: (\d+))?[ \r]*$\n?", re.MULTILINE)

_REQUIREMENTS = "Datasets/DLCodeEval/Test.txt"
_REFERENCES = "Datasets/DLCodeEval/Test_Code.txt"
_SAMPLES = "Datasets/DLSamplePool/Samples.txt"
_PLAN_FILES = tuple(f"Datasets/DLPlanData/{part}.txt" for part in ("Train", "Evaluation", "Test"))

SAME_CODE = 0.9
"""Share of equal tokens from which a sample counts as a reference's code: a choice with much room, for edited copies.
The published samples all equal a reference but for white space."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactPlan:
    """One readable line of a DLPlanData file."""

    line: int
    """Counted from 1."""

    requirement: str
    attributes: str
    plan: SolutionPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanData:
    """A DLPlanData file."""

    plans: tuple[ArtifactPlan, ...]
    """In the file's order."""

    unreadable: tuple[int, ...]
    """Numbers (from 1) of the lines without a readable plan."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactSample:
    """A block of the sample pool, with what the other files say about its code."""

    id: str

    requirement: str
    """"" where no reference has this code."""

    attributes: str
    plan: SolutionPlan | None
    code: str


def is_artifact(url: str) -> bool:
    """Whether the folder at a path or fsspec URL is a checkout of the artifact: it holds DLCodeEval or DLPlanData."""
    try:
        fs, path = located(url)
        root = path.rstrip("/")
        return any(fs.exists(f"{root}/{name}") for name in (_REQUIREMENTS, *_PLAN_FILES))
    except (OSError, ValueError, DLCodeGenError):
        return False


def read_blocks(path: str) -> list[str]:
    """The code blocks of a file in order, surrounding blank lines stripped. A block may be empty.

    A numbered divider (Results) closes the block before it, so the text after the last one is no block.
    """
    text = _read(path)
    blocks: list[str] = []
    start, numbered = 0, False
    for divider in _DIVIDER.finditer(text):
        blocks.append(text[start : divider.start()].strip("\r\n"))
        start, numbered = divider.end(), divider.group(1) is not None
    rest = text[start:].strip("\r\n")
    if not numbered or rest.strip():
        blocks.append(rest)
    return blocks


def read_benchmark(root: str) -> Iterator[Requirement]:
    """DLCodeEval of a checkout: the i-th requirement with the i-th reference, as long as there are references.

    The data itself pairs no. 2 and no. 19 (from 0) with code for another task; they are given as published.
    """
    references = read_blocks(_join(root, _REFERENCES))
    for row, values in enumerate(_json_lines(_join(root, _REQUIREMENTS))):
        yield Requirement(
            id=f"dlcodeeval-{row:03d}",
            row=row,
            requirement=read_text(values.get("User Requirement")),
            attributes=read_text(values.get("Dataset Attributes")),
            reference=references[row] if row < len(references) else None,
        )


def read_plans(path: str) -> PlanData:
    """A DLPlanData file, both of its schemas. Raises DLCodeGenError where the file is missing or no JSON lines."""
    plans: list[ArtifactPlan] = []
    unreadable: list[int] = []
    for line, values in enumerate(_json_lines(path), start=1):
        try:
            plan = read_plan({"Code Plan": values.get("Code Plan")})
        except UnreadablePlanError:
            unreadable.append(line)
            continue
        plans.append(
            ArtifactPlan(
                line=line,
                requirement=read_text(values.get("User Requirement")),
                attributes=read_text(values.get("Dataset Attributes")),
                plan=plan,
            )
        )
    return PlanData(plans=tuple(plans), unreadable=tuple(unreadable))


def read_samples(root: str) -> Iterator[ArtifactSample]:
    """The sample pool. It publishes code alone, so what belongs to it is looked up in the other files.

    A block's requirement is that of the reference with the same code; its plan is DLPlanData's for that requirement,
    best for the same attributes too, Train before Evaluation before Test. Code without a reference keeps an empty
    requirement.
    """
    benchmark = [row for row in read_benchmark(root) if row.reference is not None]
    plans = _plans_by_requirement(root)
    for number, code in enumerate(read_blocks(_join(root, _SAMPLES))):
        row = _row_of_code(code, benchmark)
        yield ArtifactSample(
            id=f"dlsamplepool-{number:03d}",
            requirement=row.requirement if row else "",
            attributes=row.attributes if row else "",
            plan=_plan_of(row, plans) if row else None,
            code=code,
        )


def _plan_of(row: Requirement, plans: Mapping[str, Sequence[ArtifactPlan]]) -> SolutionPlan | None:
    known = plans.get(_one_spaced(row.requirement), [])
    for candidate in known:
        if candidate.attributes == row.attributes:
            return candidate.plan
    return known[0].plan if known else None


def _plans_by_requirement(root: str) -> dict[str, list[ArtifactPlan]]:
    fs, path = located(root)
    plans: dict[str, list[ArtifactPlan]] = {}
    for name in _PLAN_FILES:
        if fs.exists(_join(path, name)):
            for row in read_plans(_join(root, name)).plans:
                plans.setdefault(_one_spaced(row.requirement), []).append(row)
    return plans


def _row_of_code(code: str, benchmark: Sequence[Requirement]) -> Requirement | None:
    """The row whose reference is this code: equal but for white space, or else nearest above SAME_CODE."""
    text = _one_spaced(code)
    for row in benchmark:
        if _one_spaced(row.reference or "") == text:
            return row
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(text.split())  # the matcher prepares its second text once, for all first ones
    nearest: Requirement | None = None
    highest = SAME_CODE
    for row in benchmark:
        matcher.set_seq1((row.reference or "").split())
        # The two quick ratios are upper bounds; they spare the quadratic comparison for all but near-equal texts.
        if matcher.real_quick_ratio() < highest or matcher.quick_ratio() < highest:
            continue
        ratio = matcher.ratio()
        if ratio >= highest:
            highest, nearest = ratio, row
    return nearest


def _one_spaced(text: str) -> str:
    return " ".join(text.split())


def _join(root: str, name: str) -> str:
    return f"{root.rstrip('/')}/{name}"


def _json_lines(path: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_read(path).split("\n"), start=1):
        if line.strip():
            try:
                values = json.loads(line)
            except ValueError as error:
                raise DLCodeGenError(f"{path}, line {number}: not JSON ({error}); get the file anew") from error
            if not isinstance(values, dict):
                raise DLCodeGenError(f"{path}, line {number}: not a JSON object; get the file anew")
            yield values


def _read(path: str) -> str:
    try:
        with open_input(path) as stream:
            return bytes(stream.read()).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise DLCodeGenError(
            f"{path}: cannot be read as a file of the DLCodeGen artifact ({error}); point to a complete checkout"
        ) from error
