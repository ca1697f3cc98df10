"""Every row of the corpus build, once: Scanned -> Clustered -> Extracted -> PlanDataRow, SamplePoolRow, CodeEvalRow.

Field names are the columns of written files, so they stay as they are. `place` tells files apart: the path inside the
input, or the id of a row in a Parquet or JSONL shard. `reason` is "" for a row that stays, else a key of
`corpus_build.drops.REASONS`.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.plan.solution_plan import SolutionPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class Scanned:
    """A file after reading and filtering, without its text: duplicates, which are most, are never read again."""

    place: str
    id: str
    bytes: int
    reason: str = ""
    detail: str = ""
    executed_at: float | None = None
    """Seconds since 1970 (UTC)."""
    time_source: str = ""
    code_digest: str = ""
    """SHA-256 of the normalised code, in hexadecimal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KaggleFacts:
    """What Meta Kaggle says about one version of a notebook. Ids are 0 and texts "" where it says nothing."""

    title: str = ""
    kernel_id: int = 0
    author_id: int = 0
    created_at: float | None = None
    current: bool = False
    votes: int = 0
    medal: int = 0
    language: str = ""
    dataset_sources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    licence: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clustered:
    """A notebook that passed the filter, after deduplication."""

    row: int
    """Its number among the shard's scanned rows."""
    place: str
    id: str
    reason: str
    kept: str
    """The place of the notebook that stands for it; its own if it is the one."""
    cluster: str
    """The beginning of the smallest code digest in the cluster."""
    cluster_size: int
    """Exact duplicates counted."""
    first_executed_at: float | None
    """Of the cluster's oldest dated member."""
    executed_at: float | None
    time_source: str
    code_digest: str
    kaggle: KaggleFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class Confidence:
    """How sure static reading is of each field, from 0 (nothing found) to 1 (stated outright in the code)."""

    requirement: float = 0.0
    attributes: float = 0.0
    task_category: float = 0.0
    input: float = 0.0
    output: float = 0.0
    preprocess: float = 0.0
    layers: float = 0.0
    optimizer: float = 0.0
    loss: float = 0.0
    learning_rate: float = 0.0
    batch_size: float = 0.0
    epochs: float = 0.0
    metric: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Disagreement:
    """A field in which the language model's answer and the code differ, both sides as text."""

    field: str
    static: str
    answered: str
    taken: str
    """Whose word was taken: `static`, the code's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """Where a row comes from. Times are ISO 8601 in UTC, "" for undated; digests are SHA-256 in hexadecimal."""

    place: str
    kernel_version_id: str
    kernel_id: int
    author_id: int
    dataset_sources: tuple[str, ...]
    licence: str
    votes: int
    medal: int
    executed_at: str
    time_source: str
    cluster: str
    cluster_size: int
    cluster_first_executed_at: str
    file_digest: str
    """Of the file's bytes."""
    code_digest: str
    """Of its normalised code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Extracted:
    """What one notebook gave: requirement, attributes, plan, with the confidence in each, and the code itself."""

    row: int
    place: str
    id: str
    reason: str = ""
    detail: str = ""
    requirement: str = ""
    attributes: str = ""
    plan: SolutionPlan | None = None
    confidence: Confidence | None = None
    disagreements: tuple[Disagreement, ...] = ()
    other_models: tuple[str, ...] = ()
    """The layer classes of each further model that the notebook compiles, which the plan leaves out."""
    unread: tuple[str, ...] = ()
    """Settings that the code has and only running would tell, each with the reason: they are null in the plan."""
    trained_with: tuple[str, ...] = ()
    """The frameworks of which the notebook trains a model, several in a mixed one; the plan is of the one asked for."""
    language: str = ""
    """Of the requirement: ISO 639-1, "" for what is not known."""
    extraction: str = "static"
    """Who read it: `static`, `llm:MODEL`, or `static (KIND)` where the model failed in this way."""
    quality: float = 0.0
    """How good a sample it makes, in [0, 1]."""
    executed_at: float | None = None
    code: str = ""
    provenance: Provenance | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanDataRow:
    """A row of DLPlanData. The code the plan was read from is with it, so that anyone can repeat the audit."""

    id: str
    requirement: str
    attributes: str
    plan: SolutionPlan
    code: str
    confidence: Confidence
    disagreements: tuple[Disagreement, ...]
    other_models: tuple[str, ...]
    extraction: str
    provenance: Provenance
    unread: tuple[str, ...] = ()
    """Settings that the code has and only running would tell, each with the reason: they are null in the plan."""
    trained_with: tuple[str, ...] = ()
    """The frameworks of which the notebook trains a model, several in a mixed one; the plan is of the one asked for."""
    language: str = ""
    """Of the requirement: ISO 639-1, "" for what is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SamplePoolRow:
    """A row of DLSamplePool, with its quality score in [0, 1]."""

    id: str
    requirement: str
    attributes: str
    plan: SolutionPlan
    code: str
    quality: float
    confidence: Confidence
    disagreements: tuple[Disagreement, ...]
    other_models: tuple[str, ...]
    extraction: str
    provenance: Provenance
    unread: tuple[str, ...] = ()
    """Settings that the code has and only running would tell, each with the reason: they are null in the plan."""
    trained_with: tuple[str, ...] = ()
    """The frameworks of which the notebook trains a model, several in a mixed one; the plan is of the one asked for."""
    language: str = ""
    """Of the requirement: ISO 639-1, "" for what is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeEvalRow:
    """A row of DLCodeEval: a requirement, and the notebook's own code as the reference solution."""

    id: str
    requirement: str
    attributes: str
    reference: str
    plan: SolutionPlan
    confidence: Confidence
    disagreements: tuple[Disagreement, ...]
    other_models: tuple[str, ...]
    extraction: str
    provenance: Provenance
    unread: tuple[str, ...] = ()
    """Settings that the code has and only running would tell, each with the reason: they are null in the plan."""
    trained_with: tuple[str, ...] = ()
    """The frameworks of which the notebook trains a model, several in a mixed one; the plan is of the one asked for."""
    language: str = ""
    """Of the requirement: ISO 639-1, "" for what is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """A line of the drop report: what became of a file."""

    place: str
    id: str
    bytes: int
    outcome: str
    """A data set ("DLPlanData/train") or "dropped"."""
    reason: str
    detail: str
    kept: str
    """The place of the file that stands for a duplicate, or that a row overlaps."""
