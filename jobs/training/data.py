"""The rows to learn from and to evaluate on: read, split, kept apart from benchmarks, and written as tokens."""

from __future__ import annotations

import hashlib
import io
import posixpath
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.training.settings import TrainConfig
from pipeline.config import AUTO
from pipeline.errors import DLCodeGenError
from pipeline.inputs import read_requirements
from pipeline.inputs.artifact import is_artifact
from pipeline.planners.causal_lm.codec import Example, PlanCodec
from pipeline.retrieval.firewall import Firewall, RowShingles, row_shingles
from pipeline.retrieval.sample_pool import KnownPlan, load_known_plans
from pipeline.retrieval.tokenize import words
from pipeline.storage.files import read_bytes, write_bytes

_STRETCH = 16
"""Batches whose rows are sorted by length together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanSplit:
    """The rows of a run."""

    train: tuple[KnownPlan, ...]
    evaluation: tuple[KnownPlan, ...]
    eval_source: str
    """Where the evaluation rows come from."""
    benchmarks: tuple[str, ...]
    """The locations that the rows were compared with."""
    overlaps: int
    """Rows that (nearly) repeat a requirement of a benchmark."""
    dropped: int
    """Rows left out for that."""


class BenchmarkRepeat(NamedTuple):
    """A row that (nearly) repeats a requirement of a benchmark."""

    row: KnownPlan
    benchmark: str
    similarity: float


def load_split(config: TrainConfig) -> PlanSplit:
    """Both parts. Raises DLCodeGenError for data without two rows, and for an overlap that is neither allowed nor
    dropped, naming the rows."""
    rows = load_known_plans(config.data)
    checkout = _checkout(config.data)
    train, evaluation, eval_source = _parts(rows, config, checkout)
    benchmarks = _benchmarks(config, checkout)
    overlaps = _overlaps((*train, *evaluation), benchmarks)
    if overlaps and not (config.allow_overlap or config.drop_overlap):
        row, benchmark, similarity = overlaps[0]
        raise DLCodeGenError(
            f"{config.data}: {len(overlaps)} of {len(train) + len(evaluation)} rows (nearly) repeat a requirement "
            f"of the benchmark {benchmark}, for example {row.id} ({similarity:.2f}): a planner trained on them cannot "
            "be measured on it. Leave them out with drop_overlap=true, or train on them with allow_overlap=true"
        )
    dropped: set[int] = set()
    if config.drop_overlap and not config.allow_overlap:
        # By identity: of two equal rows in different parts, each is compared by itself.
        dropped = {id(overlap.row) for overlap in overlaps}
    train = tuple(row for row in train if id(row) not in dropped)
    evaluation = tuple(row for row in evaluation if id(row) not in dropped)
    if not train or not evaluation:
        raise DLCodeGenError(f"{config.data}: no row is left to {'evaluate on' if train else 'learn from'}; give more")
    return PlanSplit(
        train=train,
        evaluation=evaluation,
        eval_source=eval_source,
        benchmarks=benchmarks,
        overlaps=len(overlaps),
        dropped=len(dropped),
    )


def _parts(
    rows: tuple[KnownPlan, ...], config: TrainConfig, checkout: str | None
) -> tuple[tuple[KnownPlan, ...], tuple[KnownPlan, ...], str]:
    """Training rows, evaluation rows, and where the latter come from."""
    source = config.eval
    if source == AUTO and checkout and _is_train_file(config.data, checkout):
        source = f"{checkout}/Datasets/DLPlanData/Evaluation.txt"
    if source == AUTO:
        train, evaluation = _held_out(rows, config)
        return train, evaluation, f"{config.eval_share:.0%} of {config.data}"
    return rows, load_known_plans(source), source


def _benchmarks(config: TrainConfig, checkout: str | None) -> tuple[str, ...]:
    locations = (checkout if name == AUTO else name for name in config.benchmarks)
    return tuple(location for location in locations if location)


def _held_out(rows: tuple[KnownPlan, ...], config: TrainConfig) -> tuple[tuple[KnownPlan, ...], tuple[KnownPlan, ...]]:
    """A share of the rows drawn by their requirements' digest, so that equal requirements stay on one side."""

    def digest(row: KnownPlan) -> str:
        return hashlib.sha256(f"{config.seed} {' '.join(words(row.requirement))}".encode()).hexdigest()

    distinct = sorted({digest(row) for row in rows})
    if len(distinct) < 2:
        raise DLCodeGenError(
            f"{config.data}: {len(rows)} row{'s' * (len(rows) > 1)} with one requirement cannot be split into training "
            "and evaluation; give more rows, or others to evaluate on with --eval"
        )
    chosen = set(distinct[: max(1, round(config.eval_share * len(distinct)))])
    train = tuple(row for row in rows if digest(row) not in chosen)
    evaluation = tuple(row for row in rows if digest(row) in chosen)
    return train, evaluation


def _checkout(location: str) -> str | None:
    """The artifact checkout that a location is, or lies in."""
    if is_artifact(location):
        return location.rstrip("/")
    root = posixpath.dirname(posixpath.dirname(posixpath.dirname(location)))
    return root if root and is_artifact(root) else None


def _is_train_file(location: str, root: str) -> bool:
    return location.rstrip("/") == root or posixpath.basename(location) == "Train.txt"


def _overlaps(rows: Sequence[KnownPlan], benchmarks: Sequence[str]) -> list[BenchmarkRepeat]:
    """Each row that repeats a benchmark, with the first requirement that it repeats."""
    firewall = Firewall()
    known: list[tuple[str, RowShingles]] = []
    for benchmark in benchmarks:
        readable = (record for record in read_requirements(benchmark) if record.failure is None)
        known += [(benchmark, row_shingles(record.requirement, None)) for record in readable]
    overlaps = []
    for row in rows:
        own = row_shingles(row.requirement, None)
        for benchmark, other in known:
            reason = firewall.reason(own, other)
            if reason is not None:
                overlaps.append(BenchmarkRepeat(row, benchmark, reason[1]))
                break
    return overlaps


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """A written file of examples."""

    rows: int
    tokens: int
    digest: str
    """Of the file's bytes."""
    shortened: dict[str, int]
    """How many examples each step of the shortening rule was necessary for."""


def write_examples(url: str, rows: Sequence[KnownPlan], codec: PlanCodec) -> EncodedRows:
    """Encodes the rows and writes them as Parquet: a list of tokens, and where the plan starts in it."""
    examples = [codec.example(row.requirement, row.attributes, row.plan) for row in rows]
    table = pa.table(
        {
            "tokens": pa.array([list(example.tokens) for example in examples], pa.list_(pa.int32())),
            "plan_start": pa.array([example.plan_start for example in examples], pa.int32()),
        }
    )
    stream = io.BytesIO()
    pq.write_table(table, stream)
    steps = Counter(step for example in examples for step in example.shortened)
    write_bytes(url, stream.getvalue())
    return EncodedRows(
        rows=len(examples),
        tokens=sum(len(example.tokens) for example in examples),
        digest=hashlib.sha256(stream.getvalue()).hexdigest()[:16],
        shortened=dict(sorted(steps.items())),
    )


def read_examples(url: str) -> list[Example]:
    """The examples of a file, in order."""
    table = pq.read_table(io.BytesIO(read_bytes(url)))
    starts = table["plan_start"].to_pylist()
    return [Example(tuple(tokens), start) for tokens, start in zip(table["tokens"].to_pylist(), starts, strict=True)]


def epoch_batches(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """One epoch's batches of row numbers: every row once, in an order that seed and epoch decide.

    Rows of like length share a batch, within a stretch of _STRETCH batches, which saves padding; the batches are then
    shuffled.
    """
    draw = np.random.default_rng([seed, epoch])
    order = draw.permutation(len(lengths)).tolist()
    batches: list[list[int]] = []
    for start in range(0, len(order), _STRETCH * batch_size):
        stretch = sorted(order[start : start + _STRETCH * batch_size], key=lambda row: (lengths[row], row))
        batches += [stretch[first : first + batch_size] for first in range(0, len(stretch), batch_size)]
    return [batches[number] for number in draw.permutation(len(batches))]
