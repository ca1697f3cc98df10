"""From a deduplicated notebook to <requirement, dataset attributes, solution plan>, statically.

Pure and total: any notebook gives a row, with a reason where nothing could be extracted.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

from corpus_build.drops import Drop
from corpus_build.extract.quality import quality
from corpus_build.extract.requirement_text import read_purpose
from corpus_build.extract.static_plan import StaticPlan, read_plan_from_code
from corpus_build.read.notebook import Notebook
from corpus_build.read.scan import notebook_of
from corpus_build.read.sources import Item
from corpus_build.records import Clustered, Confidence, Extracted, Provenance

SHORTEST_REQUIREMENT = 3
"""Words below which a requirement says nothing."""


def extract_static(item: Item, clustered: Clustered, *, needs_layers: bool = True) -> Extracted:
    """The notebook's row. `needs_layers` is off for frameworks whose layers are not read (PyTorch, JAX)."""
    row = Extracted(row=clustered.row, place=item.place, id=item.id)
    try:
        notebook = notebook_of(item)
    except Drop as drop:  # it was read once already: the file is gone or has changed since
        return replace(row, reason=drop.reason, detail=drop.detail)
    kaggle = clustered.kaggle
    purpose = read_purpose(notebook, kaggle.title, kaggle.dataset_sources, kaggle.tags)
    found = read_plan_from_code(notebook.code_cells, purpose.requirement, purpose.attributes)
    try:
        _check(found, purpose.requirement, needs_layers)
    except Drop as drop:
        return replace(row, reason=drop.reason, detail=drop.detail)
    confidence = Confidence(
        requirement=purpose.requirement_confidence,
        attributes=purpose.attributes_confidence,
        **found.confidence,
    )
    return replace(
        row,
        requirement=purpose.requirement,
        attributes=purpose.attributes,
        plan=found.plan,
        confidence=confidence,
        quality=_quality(notebook, clustered, confidence, parses=found.parses),
        other_models=found.other_models,
        executed_at=clustered.executed_at,
        code=notebook.code,
        provenance=provenance_of(item, clustered),
    )


def _check(found: StaticPlan, requirement: str, needs_layers: bool) -> None:
    hyper = found.plan.hyperparameters
    if needs_layers and not found.plan.layers and not (found.fits and hyper.optimizer):
        raise Drop("no_model")
    if len(requirement.split()) < SHORTEST_REQUIREMENT:
        raise Drop("no_requirement")


def _quality(notebook: Notebook, clustered: Clustered, confidence: Confidence, *, parses: bool) -> float:
    prose = sum(len(cell.source) for cell in notebook.cells if cell.kind == "markdown")
    code = sum(map(len, notebook.code_cells))
    return quality(
        confidence,
        votes=clustered.kaggle.votes,
        medal=clustered.kaggle.medal,
        lines=sum(bool(line.strip()) for cell in notebook.code_cells for line in cell.split("\n")),
        prose_share=prose / max(prose + code, 1),
        parses=parses,
    )


def provenance_of(item: Item, clustered: Clustered) -> Provenance:
    """Where the notebook comes from, with times in words."""
    kaggle = clustered.kaggle
    return Provenance(
        place=item.place,
        kernel_version_id=item.id if item.id.isdigit() else "",
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
        file_digest=hashlib.sha256(item.data).hexdigest() if isinstance(item.data, bytes) else "",
        code_digest=clustered.code_digest,
    )


def time_text(seconds: float | None) -> str:
    """ISO 8601 in UTC to the second; "" for None."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
