"""From a deduplicated notebook to <requirement, dataset attributes, solution plan>, statically.

Pure and total: any notebook gives a row, with a reason where nothing could be extracted.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

from corpus_build.drops import Drop
from corpus_build.extract.quality import quality
from corpus_build.extract.requirement.languages import word_count
from corpus_build.extract.requirement.requirement_text import read_purpose
from corpus_build.extract.requirement.told_by_code import told_by_code
from corpus_build.extract.static_plan import StaticPlan, read_plan_from_code
from corpus_build.read.filters.trained import trained_with
from corpus_build.read.notebook import ParsedNotebook
from corpus_build.read.sources import RawNotebook
from corpus_build.records import Clustered, Confidence, Extracted, Provenance

SHORTEST_REQUIREMENT = 3
"""Words below which a requirement says nothing."""


def extract_static(raw: RawNotebook, clustered: Clustered, *, framework: str = "tensorflow") -> Extracted:
    """The notebook's row, read as one of this framework."""
    row = Extracted(row=clustered.row, place=raw.place, id=raw.id)
    kaggle = clustered.kaggle
    try:
        notebook = raw.parsed()  # it was read once already: if this raises, the file is gone or has changed since
        purpose = read_purpose(notebook, kaggle.title, kaggle.dataset_sources, kaggle.tags)
        static = read_plan_from_code(notebook.code_cells, purpose.requirement, purpose.attributes, framework=framework)
        if not purpose.says_task and purpose.language in ("", "en"):
            sentence = told_by_code(static.plan, notebook.code, list(purpose.data_names), has_title=purpose.has_title)
            purpose = purpose.with_sentence_of_code(sentence)
        _check(static, purpose.requirement, framework)
    except Drop as drop:
        return replace(row, reason=drop.reason, detail=drop.detail)
    confidence = Confidence(
        requirement=purpose.requirement_confidence,
        attributes=purpose.attributes_confidence,
        **static.confidence,
    )
    return replace(
        row,
        requirement=purpose.requirement,
        attributes=purpose.attributes,
        plan=static.plan,
        confidence=confidence,
        quality=_quality(notebook, clustered, confidence, parses=static.parses),
        other_models=static.other_models,
        unread=static.unread,
        trained_with=trained_with(notebook.code_cells),
        language=purpose.language,
        executed_at=clustered.executed_at,
        code=notebook.code,
        provenance=provenance_of(raw, clustered),
    )


def _check(static: StaticPlan, requirement: str, framework: str) -> None:
    """Raises Drop for a notebook without a model or without a requirement. Layers of JAX are not read, so a notebook of
    JAX needs none to count."""
    trains = static.fits and static.plan.hyperparameters.optimizer
    if framework != "jax" and not static.plan.layers and not trains:
        raise Drop("no_model")
    if word_count(requirement) < SHORTEST_REQUIREMENT:
        raise Drop("no_requirement")


def _quality(notebook: ParsedNotebook, clustered: Clustered, confidence: Confidence, *, parses: bool) -> float:
    prose = sum(map(len, notebook.markdown_cells))
    code = sum(map(len, notebook.code_cells))
    lines = "\n".join(notebook.code_cells).split("\n")
    return quality(
        confidence,
        votes=clustered.kaggle.votes,
        medal=clustered.kaggle.medal,
        lines=sum(bool(line.strip()) for line in lines),
        prose_share=prose / max(prose + code, 1),
        parses=parses,
    )


def provenance_of(raw: RawNotebook, clustered: Clustered) -> Provenance:
    """Where the notebook comes from, with times in words."""
    kaggle = clustered.kaggle
    return Provenance(
        place=raw.place,
        kernel_version_id=raw.id if raw.id.isdigit() else "",
        kernel_id=kaggle.kernel_id,
        author_id=kaggle.author_id,
        dataset_sources=kaggle.dataset_sources,
        licence=kaggle.licence,
        votes=kaggle.votes,
        medal=kaggle.medal,
        executed_at=time_text(clustered.executed_at),
        time_source=clustered.time_source,
        cluster=clustered.cluster,
        cluster_size=clustered.cluster_size,
        cluster_first_executed_at=time_text(clustered.first_executed_at),
        file_digest=hashlib.sha256(raw.data).hexdigest() if isinstance(raw.data, bytes) else "",
        code_digest=clustered.code_digest,
    )


def time_text(seconds: float | None) -> str:
    """ISO 8601 in UTC to the second; "" for None."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
