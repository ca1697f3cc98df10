"""The rows to learn from and to evaluate on: read, split, checked against benchmarks, written as tokens."""

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
    """The training and the evaluation rows.

    Raises DLCodeGenError for data without two rows, and for an overlap that is neither allowed nor dropped.
    """
    rows = load_known_plans(config.data)
    checkout = _checkout(config.data)
    train, evaluation, eval_source = _parts(rows, config, checkout)
    benchmarks = _benchmarks(config, checkout)
    overlaps = _overlaps((*train, *evaluation), benchmarks)
    if overlaps and not (config.allow_overlap or config.drop_overlap):
        row, benchmark, similarity = overlaps[0]
        raise DLCodeGenError(
            f"{config.data}: {len(overlaps)} of {len(train) + len(evaluation)} rows (nearly) repeat a "
            f"requirement of the benchmark {benchmark}, for example {row.id} ({similarity:.2f}): a planner "
            "trained on them cannot be measured on it. Leave them out with drop_overlap=true, or train on them "
            "with allow_overlap=true"
        )
    dropped: set[int] = set()
    if config.drop_overlap and not config.allow_overlap:
        # By identity: of two equal rows in different parts, each is compared by itself.
        dropped = {id(overlap.row) for overlap in overlaps}
    train = tuple(row for row in train if id(row) not in dropped)
    evaluation = tuple(row for row in evaluation if id(row) not in dropped)
    if not train:
        raise DLCodeGenError(f"{config.data}: no row is left to learn from; give more")
    if not evaluation:
        raise DLCodeGenError(f"{config.data}: no row is left to evaluate on; give more")
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
    # The artifact's training file has an evaluation file beside it: the paper's own split.
    if source == AUTO and checkout and _is_train_file(config.data, checkout):
        source = f"{checkout}/Datasets/DLPlanData/Evaluation.txt"
    if source == AUTO:
        train, evaluation = _held_out(rows, config)
        return train, evaluation, f"{config.eval_share:.0%} of {config.data}"
    return rows, load_known_plans(source), source


def _benchmarks(config: TrainConfig, checkout: str | None) -> tuple[str, ...]:
    """The locations to compare with; `auto` is the checkout that the data are in, and nothing outside of one."""
    locations: list[str] = []
    for name in config.benchmarks:
        location = checkout if name == AUTO else name
        if location:
            locations.append(location)
    return tuple(locations)


def _held_out(rows: tuple[KnownPlan, ...], config: TrainConfig) -> tuple[tuple[KnownPlan, ...], tuple[KnownPlan, ...]]:
    """A share of the rows drawn by their requirements' digest, so that equal requirements stay on one side."""
    digests = [_requirement_digest(row, config.seed) for row in rows]
    distinct = sorted(set(digests))
    if len(distinct) < 2:
        plural = "s" if len(rows) > 1 else ""
        raise DLCodeGenError(
            f"{config.data}: {len(rows)} row{plural} with one requirement cannot be split into training "
            "and evaluation; give more rows, or others to evaluate on with --eval"
        )
    count = max(1, round(config.eval_share * len(distinct)))
    chosen = set(distinct[:count])
    train: list[KnownPlan] = []
    evaluation: list[KnownPlan] = []
    for row, digest in zip(rows, digests, strict=True):
        if digest in chosen:
            evaluation.append(row)
        else:
            train.append(row)
    return tuple(train), tuple(evaluation)


def _requirement_digest(row: KnownPlan, seed: int) -> str:
    """Equal for requirements of equal words; its order is as good as random, and another for each seed."""
    text = f"{seed} {' '.join(words(row.requirement))}"
    return hashlib.sha256(text.encode()).hexdigest()


def _checkout(location: str) -> str | None:
    """The artifact checkout that a location is, or lies in."""
    if is_artifact(location):
        return location.rstrip("/")
    # Files of plans lie three levels down: <checkout>/Datasets/DLPlanData/Train.txt.
    root = posixpath.dirname(posixpath.dirname(posixpath.dirname(location)))
    if root and is_artifact(root):
        return root
    return None


def _is_train_file(location: str, root: str) -> bool:
    return location.rstrip("/") == root or posixpath.basename(location) == "Train.txt"


def _overlaps(rows: Sequence[KnownPlan], benchmarks: Sequence[str]) -> list[BenchmarkRepeat]:
    """Each row that repeats a benchmark, with the first requirement that it repeats."""
    firewall = Firewall()
    known: list[tuple[str, RowShingles]] = []
    for benchmark in benchmarks:
        for record in read_requirements(benchmark):
            if record.failure is None:
                known.append((benchmark, row_shingles(record.requirement, None)))
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
    tokens: list[list[int]] = []
    starts: list[int] = []
    steps: Counter[str] = Counter()
    for row in rows:
        example = codec.example(row.requirement, row.attributes, row.plan)
        tokens.append(list(example.tokens))
        starts.append(example.plan_start)
        steps.update(example.shortened)
    table = pa.table(
        {
            "tokens": pa.array(tokens, pa.list_(pa.int32())),
            "plan_start": pa.array(starts, pa.int32()),
        }
    )
    stream = io.BytesIO()
    pq.write_table(table, stream)
    write_bytes(url, stream.getvalue())
    return EncodedRows(
        rows=len(tokens),
        tokens=sum(map(len, tokens)),
        digest=hashlib.sha256(stream.getvalue()).hexdigest()[:16],
        shortened=dict(sorted(steps.items())),
    )


def read_examples(url: str) -> list[Example]:
    """The examples of a file, in order."""
    table = pq.read_table(io.BytesIO(read_bytes(url)))
    examples = []
    for tokens, start in zip(table["tokens"].to_pylist(), table["plan_start"].to_pylist(), strict=True):
        examples.append(Example(tuple(tokens), start))
    return examples


def epoch_batches(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """One epoch's batches of row numbers: every row once, in an order that seed and epoch decide.

    Rows of like length share a batch, within a stretch of _STRETCH batches, which saves padding; the batches
    are then shuffled.
    """
    # Of seed and epoch alone: a run that goes on after a kill meets the same batches.
    draw = np.random.default_rng([seed, epoch])
    order = draw.permutation(len(lengths)).tolist()
    batches: list[list[int]] = []
    rows_together = _STRETCH * batch_size
    for start in range(0, len(order), rows_together):
        stretch = sorted(order[start : start + rows_together], key=lambda row: (lengths[row], row))
        for first in range(0, len(stretch), batch_size):
            batches.append(stretch[first : first + batch_size])
    return [batches[number] for number in draw.permutation(len(batches))]
