"""What the pipeline knows: samples (requirement, plan and code) and known plans (requirement and plan)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pipeline import starter
from pipeline.errors import DLCodeGenError
from pipeline.foreign_text import storable
from pipeline.inputs import artifact
from pipeline.own_data.serving import Serves, serves_of
from pipeline.plan.reading import UnreadablePlanError, read_plan, read_text
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.retrieval.cell import Cell, cell_of, derived_cell
from pipeline.starter import STARTER, STARTER40, STARTER_TORCH
from pipeline.storage.opening import open_input
from pipeline.storage.parquet import parquet_batches


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownPlan:
    """A requirement with its plan: a row of DLPlanData."""

    id: str
    requirement: str
    attributes: str
    plan: SolutionPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A requirement with its plan and code: a row of DLSamplePool."""

    id: str
    requirement: str
    attributes: str

    plan: SolutionPlan | None
    """None where no plan is known for the code."""

    code: str

    serves: Serves | None = None
    """The data of others that it reads; None for one that loads data of its own kind alone."""

    constants: Mapping[str, str] = field(default_factory=dict)
    """Its constants that hold facts of the data, each with the fact's name (`pipeline.own_data.constants`)."""

    declared_cell: Cell | None = None
    """What its sidecar says that it is an example of."""

    def cell(self) -> Cell:
        """What it is an example of: as declared, or by its code, plan and requirement."""
        if self.declared_cell is not None:
            return self.declared_cell
        return derived_cell(self.code, self.plan.task_category if self.plan else "", self.requirement)


_PART = re.compile(r"(?P<pool>.+)#(?P<part>\d+)/(?P<parts>\d+)")


# Several stages of a worker ask for the same pool; the artifact's takes a while to read.
@cache
def load_samples(location: str = STARTER) -> tuple[Sample, ...]:
    """The sample pool at a location: `starter`, `starter40`, a checkout of the published artifact, or a .jsonl or
    .parquet file.

    `#2/3` behind it is the second of three parts, which share no sample, are alike in size and in
    task categories. Rows of a file have `id`, `requirement`, `attributes`, `plan` (an object or
    JSON text) and `code`, or the paper's keys. Raises DLCodeGenError where there is nothing to read
    or no sample in it.
    """
    part = _PART.fullmatch(location)
    if part:
        return _part(load_samples(part["pool"]), int(part["part"]), int(part["parts"]), location)
    samples = tuple(sample for sample in _read_samples(location) if sample.code.strip())
    if not samples:
        raise DLCodeGenError(f"{location}: no sample with code; set `pool` to a pool file, an artifact or `starter`")
    ids = Counter(sample.id for sample in samples)
    for name, count in ids.items():
        if count > 1:
            raise DLCodeGenError(f"{location}: samples share the id {name!r}; make the ids of the pool unique")
    return samples


@cache
def samples_for_own_data(location: str) -> tuple[Sample, ...]:
    """The samples for rows with data of their own: those of a pool that declare what they serve, and of the bundled
    ones those that the pool does not hold."""
    declared = tuple(sample for sample in load_samples(location) if sample.serves is not None)
    taken = {sample.id for sample in declared}
    bundled = [sample for sample in load_samples(STARTER) if sample.serves is not None and sample.id not in taken]
    return (*declared, *bundled)


def whole_pool(location: str) -> str:
    """The location of the pool that a location is a part of."""
    part = _PART.fullmatch(location)
    return part["pool"] if part else location


def _read_samples(location: str) -> Iterator[Sample]:
    if location == STARTER:
        for row, code in starter.sample_rows():
            yield _sample(row, row["id"], code)
    elif location == STARTER40:
        for row, code in starter.forty_rows():
            yield _sample(row, row["id"], code)
    elif artifact.is_artifact(location):
        for published in artifact.read_samples(location):
            yield Sample(
                id=published.id,
                requirement=published.requirement,
                attributes=published.attributes,
                plan=published.plan,
                code=published.code,
            )
    else:
        for number, values in enumerate(_rows(location)):
            yield _sample(values, str(values.get("id") or f"sample-{number}"), read_text(values.get("code")))


def _sample(row: Mapping[str, Any], sample_id: str, code: str) -> Sample:
    return Sample(
        id=storable(sample_id),
        requirement=_requirement(row),
        attributes=_attributes(row),
        plan=_plan(row),
        code=storable(code),
        serves=serves_of(row),
        constants=_constants(row),
        declared_cell=cell_of(row),
    )


def _constants(row: Mapping[str, Any]) -> Mapping[str, str]:
    declared = row.get("Constants")
    return {str(name): str(fact) for name, fact in declared.items()} if isinstance(declared, Mapping) else {}


def _part(samples: tuple[Sample, ...], part: int, parts: int, location: str) -> tuple[Sample, ...]:
    """Every `parts`-th sample, counted through one task category after the other, in the pool's order."""
    if not 1 <= part <= parts <= len(samples):
        raise DLCodeGenError(f"{location}: the pool has {len(samples)} samples; write #1/2 for the first half")
    by_category = sorted(samples, key=_category)
    chosen = {sample.id for sample in by_category[part - 1 :: parts]}
    return tuple(sample for sample in samples if sample.id in chosen)


def _category(sample: Sample) -> str:
    """The canonical task category; "" where no plan is known."""
    if sample.plan is None:
        return ""
    return sample.plan.canonical().task_category


@cache
def load_known_plans(location: str = STARTER) -> tuple[KnownPlan, ...]:
    """The plans a retrieval planner draws from: `starter`, `starter-torch`, an artifact checkout (its
    Train.txt), or a file.

    A .txt or .jsonl file holds objects with the paper's keys, a line each; rows without a readable
    plan are passed over. Raises DLCodeGenError where no plan is left.
    """
    if location == STARTER:
        plans = tuple(_known_plans(starter.known_plan_rows()))
    elif location == STARTER_TORCH:
        plans = tuple(_known_plans(starter.torch_plan_rows()))
    elif artifact.is_artifact(location):
        plans = tuple(_published_plans(location))
    else:
        plans = tuple(_known_plans(_rows(location)))
    if not plans:
        raise DLCodeGenError(
            f"{location}: no readable plan; set `plans` to a DLPlanData file, an artifact or `starter`"
        )
    return plans


def _published_plans(location: str) -> Iterator[KnownPlan]:
    # Train alone: Evaluation and Test are what planners are measured on.
    train = artifact.read_plans(location.rstrip("/") + "/Datasets/DLPlanData/Train.txt")
    for row in train.plans:
        yield KnownPlan(id=f"train-{row.line}", requirement=row.requirement, attributes=row.attributes, plan=row.plan)


def _known_plans(rows: Iterable[Mapping[str, Any]]) -> Iterator[KnownPlan]:
    for number, row in enumerate(rows):
        plan = _plan(row)
        if plan is not None:
            row_id = storable(str(row.get("id") or f"plan-{number}"))
            yield KnownPlan(id=row_id, requirement=_requirement(row), attributes=_attributes(row), plan=plan)


def _rows(location: str) -> Iterator[Mapping[str, Any]]:
    """Rows of a Parquet file, or of a file with a JSON object a line."""
    try:
        with open_input(location) as stream:
            if location.endswith(".parquet"):
                for batch in parquet_batches(stream, location):
                    yield from batch.to_pylist()
            else:
                yield from _json_lines(stream)
    except (OSError, ValueError) as error:
        raise DLCodeGenError(f"{location}: cannot be read as a pool or as plans ({error})") from error


def _json_lines(stream: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
    for data in stream:
        line = data.decode("utf-8", "replace")
        if line.strip():
            row = json.loads(line)
            if isinstance(row, dict):
                yield row


def _requirement(row: Mapping[str, Any]) -> str:
    return storable(read_text(row.get("User Requirement", row.get("requirement"))))


def _attributes(row: Mapping[str, Any]) -> str:
    return storable(read_text(row.get("Dataset Attributes", row.get("attributes"))))


def _plan(row: Mapping[str, Any]) -> SolutionPlan | None:
    value = row.get("Code Plan", row.get("plan"))
    if not isinstance(value, str | Mapping):
        return None
    try:
        return read_plan(value)
    except UnreadablePlanError:
        return None
