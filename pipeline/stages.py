"""Stages that methods share, and those of the symbolic writer (DLCodeGen, section III); `pipeline.methods` chains them.

Each stage's step is built once per worker; the sample pool and the known plans are loaded there, from their location.
"""

from __future__ import annotations

from functools import lru_cache, partial

from pipeline.config import PipelineSettings
from pipeline.generate.symbolic.writer import SymbolicWriter
from pipeline.llm.build import LLMBuilder
from pipeline.planners.factory import build_planner
from pipeline.records import Drafted, Generated, Planned, Requirement, Retrieved, Templated
from pipeline.retrieval.code_rag import CodeRag, ExampleRag
from pipeline.retrieval.firewall import Firewall
from pipeline.retrieval.sample_pool import load_samples
from pipeline.stage import Stage, Step

WAITING_CPUS = 0.1
"""CPUs of a worker that waits for a language model most of the time."""


def plan_stage(settings: PipelineSettings, llm: LLMBuilder | None = None) -> Stage:
    """Requirement -> Planned, by `settings.planner`; `llm` is the model that `planner=llm` asks."""
    waits = settings.planner.kind == "llm"
    return Stage(
        name="plan",
        accepts=Requirement,
        returns=Planned,
        build=partial(build_planner, settings, llm),
        num_cpus=WAITING_CPUS if waits else 1,
        waits=waits,
    )


def retrieve_stage(settings: PipelineSettings) -> Stage:
    """Planned -> Retrieved: the samples nearest to the plan."""
    return Stage(name="retrieve", accepts=Planned, returns=Retrieved, build=partial(_code_rag, settings))


def example_stage(settings: PipelineSettings, accepts: type[Requirement]) -> Stage:
    """-> Retrieved: with the sample nearest by requirement."""
    return Stage(name="example", accepts=accepts, returns=Retrieved, build=partial(_example_rag, settings))


def symbolic_stages(settings: PipelineSettings) -> tuple[Stage, ...]:
    """Requirement -> Planned -> Retrieved -> Templated -> Drafted -> Generated, without a language model."""
    return (
        plan_stage(settings),
        retrieve_stage(settings),
        Stage(name="template", accepts=Retrieved, returns=Templated, build=partial(_template, settings)),
        Stage(name="draft", accepts=Templated, returns=Drafted, build=partial(_drafts, settings)),
        Stage(name="compare", accepts=Drafted, returns=Generated, build=partial(_compare, settings)),
    )


def _firewall(settings: PipelineSettings) -> Firewall:
    return Firewall(
        requirement_similarity=settings.retrieval.requirement_similarity,
        code_similarity=settings.retrieval.code_similarity,
    )


def _code_rag(settings: PipelineSettings) -> Step:
    return CodeRag(load_samples(settings.pool), top=settings.retrieval.top, firewall=_firewall(settings))


def _example_rag(settings: PipelineSettings) -> Step:
    return ExampleRag(load_samples(settings.pool), firewall=_firewall(settings))


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
