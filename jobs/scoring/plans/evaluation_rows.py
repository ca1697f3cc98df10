"""The rows that planners are evaluated on: requirements, their known plans, and which of them are nearly known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.scoring.reproduction.plan_tables import KNOWN, read_lines
from pipeline.errors import DLCodeGenError
from pipeline.inputs.artifact import is_artifact
from pipeline.plan.reading import read_text
from pipeline.records import Requirement
from pipeline.retrieval.firewall import row_shingles
from pipeline.retrieval.sample_pool import KnownPlan
from pipeline.retrieval.tokenize import jaccard
from pipeline.storage.files import join

NEAR = 0.8
"""Jaccard similarity of two-word shingles from which a requirement counts as nearly known; the firewall's threshold."""


@dataclass(frozen=True, slots=True)
class EvaluationRows:
    """Test plans in the order of their file."""

    lines: tuple[str, ...]
    """As they stand in the file: an object with requirement, attributes and plan."""
    requirements: tuple[Requirement, ...]
    near: tuple[int, ...]
    """The rows, from 0, whose requirement is nearly among the known plans'."""

    @property
    def not_near(self) -> list[int]:
        near = set(self.near)
        return [row for row in range(len(self.lines)) if row not in near]


def read_evaluation_rows(test: str, known: Sequence[KnownPlan]) -> EvaluationRows:
    """The rows of a DLPlanData file, or of the test file in a checkout. Raises DLCodeGenError where it has no rows."""
    path = test
    if is_artifact(test):
        path = join(test, KNOWN)
    try:
        lines = read_lines(path)
    except OSError as error:
        raise DLCodeGenError(f"{path}: cannot be read as test plans ({error})") from error
    if not lines:
        raise DLCodeGenError(f"{path}: no test plan; give a DLPlanData file, an object with its plan a line")
    requirements = [_requirement(row, line) for row, line in enumerate(lines)]
    near = _near_rows(requirements, known)
    return EvaluationRows(tuple(lines), tuple(requirements), tuple(near))


def read_predictions(path: str, count: int) -> tuple[str, ...]:
    """The lines of a file of predictions, one for each of `count` rows. Raises DLCodeGenError where it has others."""
    try:
        lines = read_lines(path)
    except OSError as error:
        raise DLCodeGenError(f"{path}: cannot be read as predictions ({error})") from error
    if len(lines) != count:
        raise DLCodeGenError(f"{path}: {len(lines)} predictions for {count} test rows; give the file of the same rows")
    return tuple(lines)


def _requirement(row: int, line: str) -> Requirement:
    try:
        values = json.loads(line)
        requirement, attributes = values["User Requirement"], values.get("Dataset Attributes")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DLCodeGenError(
            f"test plans, row {row + 1}: no JSON object with `User Requirement` and `Code Plan` ({error})"
        ) from error
    return Requirement(
        id=f"test-{row}",
        row=row,
        requirement=read_text(requirement),
        attributes=read_text(attributes),
    )


def _near_rows(requirements: Sequence[Requirement], known: Sequence[KnownPlan]) -> list[int]:
    known_shingles = [row_shingles(item.requirement, None).requirement for item in known]
    near = []
    for record in requirements:
        shingles = row_shingles(record.requirement, None).requirement
        for other in known_shingles:
            if jaccard(shingles, other) >= NEAR:
                near.append(record.row)
                break
    return near
