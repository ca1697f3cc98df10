"""The pipeline, to be read from top to bottom: what happens to one requirement (DLCodeGen, section III).

Each stage's step is built once per worker; the sample pool and the known plans are loaded there, from their location.
"""

from __future__ import annotations

from functools import lru_cache, partial

from pipeline.config import PipelineSettings
from pipeline.generate.symbolic.writer import SymbolicWriter
from pipeline.planner.retrieval import RetrievalPlanner
from pipeline.records import Drafted, Generated, Planned, Requirement, Retrieved, Templated
from pipeline.retrieval.code_rag import CodeRag
from pipeline.retrieval.firewall import Firewall
from pipeline.retrieval.sample_pool import load_known_plans, load_samples
from pipeline.score.score import score_stage
from pipeline.stage import Stage, Step
from pipeline.starter import STARTER


def generation_stages(settings: PipelineSettings) -> tuple[Stage, ...]:
    """Requirement -> Planned -> Retrieved -> Templated -> Drafted -> Generated -> Scored.

    A pool or plans still left to `auto` are the bundled ones.
    """
    settings = settings.for_input(STARTER)
    return (
        Stage(name="plan", accepts=Requirement, returns=Planned, build=partial(_planner, settings)),
        Stage(name="retrieve", accepts=Planned, returns=Retrieved, build=partial(_code_rag, settings)),
        Stage(name="template", accepts=Retrieved, returns=Templated, build=partial(_template, settings)),
        Stage(name="draft", accepts=Templated, returns=Drafted, build=partial(_drafts, settings)),
        Stage(name="compare", accepts=Drafted, returns=Generated, build=partial(_compare, settings)),
        score_stage(),
    )


def _firewall(settings: PipelineSettings) -> Firewall:
    return Firewall(
        requirement_similarity=settings.retrieval.requirement_similarity,
        code_similarity=settings.retrieval.code_similarity,
    )


def _planner(settings: PipelineSettings) -> Step:
    known = load_known_plans(settings.plans)
    return RetrievalPlanner(known, neighbours=settings.planner.neighbours, firewall=_firewall(settings))


def _code_rag(settings: PipelineSettings) -> Step:
    return CodeRag(load_samples(settings.pool), top=settings.retrieval.top, firewall=_firewall(settings))


@lru_cache(maxsize=4)
def _writer(pool: str) -> SymbolicWriter:
    """One writer for the three stages of a worker, so that samples are parsed once."""
    return SymbolicWriter(load_samples(pool))


def _template(settings: PipelineSettings) -> Step:
    return _writer(settings.pool).template


def _drafts(settings: PipelineSettings) -> Step:
    return _writer(settings.pool).drafts


def _compare(settings: PipelineSettings) -> Step:
    return _writer(settings.pool).compare
