"""The rows to learn from and to evaluate on: read, split, kept apart from benchmarks, and written as tokens."""

from __future__ import annotations

import hashlib
import io
import posixpath
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.training.settings import TrainConfig
from pipeline.config import AUTO
from pipeline.errors import DLCodeGenError
from pipeline.inputs import read_requirements
from pipeline.inputs.artifact import is_artifact
from pipeline.planners.causal_lm.codec import Example, PlanCodec
from pipeline.retrieval.firewall import Firewall, fingerprint
from pipeline.retrieval.sample_pool import KnownPlan, load_known_plans
from pipeline.retrieval.tokenize import words
from pipeline.storage.files import read_bytes, write_bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanSplit:
    """`benchmarks`: the locations that were compared with; `overlaps`: rows that repeat one of their requirements;
    `dropped`: rows left out for that. `eval_source` says where the evaluation rows come from."""

    train: tuple[KnownPlan, ...]
    evaluation: tuple[KnownPlan, ...]
    eval_source: str
    benchmarks: tuple[str, ...]
    overlaps: int
    dropped: int


def load_split(config: TrainConfig) -> PlanSplit:
    """Both parts. Raises DLCodeGenError for data without two rows, and for an overlap that is neither allowed nor
    dropped, naming the rows."""
    rows, root = load_known_plans(config.data), _checkout(config.data)
    given = config.eval
    if given == AUTO and root and _is_train_file(config.data, root):
        given = f"{root}/Datasets/DLPlanData/Evaluation.txt"
    if given == AUTO:
        train, evaluation = _held_out(rows, config)
        source = f"{config.eval_share:.0%} of {config.data}"
    else:
        train, evaluation, source = rows, load_known_plans(given), given
    locations = tuple(place for name in config.benchmarks for place in ([root] if name == AUTO else [name]) if place)
    overlapping = _overlaps((*train, *evaluation), locations)
    if overlapping and not (config.allow_overlap or config.drop_overlap):
        row, place, similarity = overlapping[0]
        raise DLCodeGenError(
            f"{config.data}: {len(overlapping)} of {len(train) + len(evaluation)} rows (nearly) repeat a requirement "
            f"of the benchmark {place}, for example {row.id} ({similarity:.2f}): a planner trained on them cannot be "
            "measured on it. Leave them out with drop_overlap=true, or train on them with allow_overlap=true"
        )
    left_out = {id(row) for row, _, _ in overlapping} if config.drop_overlap and not config.allow_overlap else set()
    train, evaluation = (tuple(row for row in part if id(row) not in left_out) for part in (train, evaluation))
    if not train or not evaluation:
        raise DLCodeGenError(f"{config.data}: no row is left to {'evaluate on' if train else 'learn from'}; give more")
    return PlanSplit(
        train=train, evaluation=evaluation, eval_source=source, benchmarks=locations,
        overlaps=len(overlapping), dropped=len(left_out),
    )  # fmt: skip


def _held_out(rows: tuple[KnownPlan, ...], config: TrainConfig) -> tuple[tuple[KnownPlan, ...], tuple[KnownPlan, ...]]:
    """A share of the rows drawn by their requirements' digest, so that equal requirements stay on one side."""

    def place(row: KnownPlan) -> str:
        return hashlib.sha256(f"{config.seed} {' '.join(words(row.requirement))}".encode()).hexdigest()

    distinct = sorted({place(row) for row in rows})
    if len(distinct) < 2:
        raise DLCodeGenError(
            f"{config.data}: {len(rows)} row{'s' * (len(rows) > 1)} with one requirement cannot be split into training "
            "and evaluation; give more rows, or others to evaluate on with --eval"
        )
    chosen = set(distinct[: max(1, round(config.eval_share * len(distinct)))])
    parts = [tuple(row for row in rows if (place(row) in chosen) is wanted) for wanted in (False, True)]
    return parts[0], parts[1]


def _checkout(location: str) -> str | None:
    """The artifact checkout that a location is, or lies in."""
    if is_artifact(location):
        return location.rstrip("/")
    root = posixpath.dirname(posixpath.dirname(posixpath.dirname(location)))
    return root if root and is_artifact(root) else None


def _is_train_file(location: str, root: str) -> bool:
    return location.rstrip("/") == root or posixpath.basename(location) == "Train.txt"


def _overlaps(rows: Sequence[KnownPlan], locations: Sequence[str]) -> list[tuple[KnownPlan, str, float]]:
    firewall, found = Firewall(), []
    known = [
        (place, fingerprint(record.requirement, None))
        for place in locations
        for record in read_requirements(place)
        if record.failure is None
    ]
    for row in rows:
        own = fingerprint(row.requirement, None)
        for place, other in known:
            reason = firewall.reason(own, other)
            if reason is not None:
                found.append((row, place, reason[1]))
                break
    return found


@dataclass(frozen=True, slots=True)
class Encoded:
    """A written file of examples: how many, their tokens, a digest of its bytes, and what the shortening rule did."""

    rows: int
    tokens: int
    digest: str
    shortened: dict[str, int]


def write_examples(url: str, rows: Sequence[KnownPlan], codec: PlanCodec) -> Encoded:
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
    write_bytes(url, stream.getvalue())
    return Encoded(
        rows=len(examples),
        tokens=sum(len(example.tokens) for example in examples),
        digest=hashlib.sha256(stream.getvalue()).hexdigest()[:16],
        shortened=dict(sorted(Counter(step for example in examples for step in example.shortened).items())),
    )


def read_examples(url: str) -> list[Example]:
    """The examples of a file, in order."""
    table = pq.read_table(io.BytesIO(read_bytes(url)))
    starts = table["plan_start"].to_pylist()
    return [Example(tuple(tokens), start) for tokens, start in zip(table["tokens"].to_pylist(), starts, strict=True)]


def epoch_batches(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """One epoch's batches of row numbers: every row once, in an order that seed and epoch decide.

    Rows of like length share a batch, within a stretch of sixteen batches, which saves padding; the batches are then
    shuffled.
    """
    draw = np.random.default_rng([seed, epoch])
    order = draw.permutation(len(lengths)).tolist()
    batches: list[list[int]] = []
    for start in range(0, len(order), 16 * batch_size):
        stretch = sorted(order[start : start + 16 * batch_size], key=lambda row: (lengths[row], row))
        batches += [stretch[at : at + batch_size] for at in range(0, len(stretch), batch_size)]
    return [batches[number] for number in draw.permutation(len(batches))]
