"""The stages that methods are made of (DLCodeGen, section III); `pipeline.methods` chains them.

What is heavy is made where a stage's step is built, once per worker: planner, BM25 index, language model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, lru_cache, partial
from typing import Any

from pipeline.config import PipelineSettings, PlannerSettings, RetrievalSettings
from pipeline.generate.llm import steps, writers
from pipeline.generate.llm.mending import mend_step
from pipeline.generate.llm.request_reading import read_step
from pipeline.generate.llm.sources import Sources
from pipeline.generate.symbolic.writer import SymbolicWriter
from pipeline.llm.build import AskerBuilder, LLMBuilder, build_asker
from pipeline.own_data.planning import for_own_data
from pipeline.planners.factory import build_planner
from pipeline.planners.repair.repair import RepairedPlanner
from pipeline.records import Drafted, Generated, Planned, Requirement, Retrieved, Templated, Understood
from pipeline.retrieval.code_rag import CodeRag, ExampleRag, OwnDataRag
from pipeline.retrieval.firewall import Firewall
from pipeline.retrieval.sample_pool import load_samples, samples_for_own_data
from pipeline.stage import Fields, Stage, Step

WAITING_CPUS = 0.1
"""CPUs of a worker that waits for a language model most of the time."""


class MethodStages:
    """Makes the stages of a method by its settings. What asks "the model" can only be built where there is an `llm`.

    `chains` is the file of C-CoT's chains of thought, by default the one that the settings name.
    """

    def __init__(self, settings: PipelineSettings, llm: LLMBuilder | None = None, chains: str | None = None) -> None:
        self._planner, self._retrieval = settings.planner, settings.retrieval
        self._asker = None
        if llm is not None:
            self._asker = partial(build_asker, llm, settings.writing, settings.llm.context_length, settings.llm.price)
        self._sources = Sources(
            pool=settings.retrieval.pool, plans=settings.planner.plans, chains=chains or settings.writing.c_cot.chains
        )

    def plan(self, *, falls_back: bool = True) -> Stage:
        """Requirement -> Planned, by the planner of the settings; `planner=llm` asks the model, and where that gives no
        plan, with `falls_back` one is drawn from similar projects."""
        waits = self._planner.kind == "llm"
        build = partial(_planner, self._planner, self._retrieval.requirement_similarity, self._asker, falls_back)
        cpus = WAITING_CPUS if waits else 1
        stage = Stage(name="plan", accepts=Requirement, returns=Planned, build=build, num_cpus=cpus, waits=waits)
        # A plan of a GPT-2 is so many tokens at most; on a slow machine, a large model takes minutes for them.
        return replace(stage, row_seconds=None) if self._planner.kind == "gpt2" else stage

    def retrieve(self) -> Stage:
        """Planned -> Retrieved: the samples nearest to the plan."""
        build = partial(_code_rag, self._retrieval, self._firewall())
        return Stage(name="retrieve", accepts=Planned, returns=Retrieved, build=build)

    def example(self, accepts: type[Requirement]) -> Stage:
        """-> Retrieved: with the sample nearest by requirement, after CEDAR."""
        build = partial(_example_rag, self._retrieval, self._firewall())
        return Stage(name="example", accepts=accepts, returns=Retrieved, build=build)

    def symbolic_template(self) -> Stage:
        """Retrieved -> Templated: what the two nearest samples share."""
        build = partial(_symbolic_template, self._retrieval.pool)
        return Stage(name="template", accepts=Retrieved, returns=Templated, build=build)

    def symbolic_drafts(self) -> Stage:
        """Templated -> Drafted: the nearest sample adapted, and the template filled."""
        build = partial(_symbolic_drafts, self._retrieval.pool)
        return Stage(name="draft", accepts=Templated, returns=Drafted, build=build)

    def symbolic_comparison(self) -> Stage:
        """Drafted -> Generated: each section from the draft that keeps the plan better."""
        build = partial(_symbolic_comparison, self._retrieval.pool)
        return Stage(name="compare", accepts=Drafted, returns=Generated, build=build)

    def copy(self) -> Stage:
        """Retrieved -> Generated: the nearest sample as it is."""
        build = partial(steps.copy_step, self._sources)
        return Stage(name="copy", accepts=Retrieved, returns=Generated, build=build)

    def plain_template(self) -> Stage:
        """Retrieved -> Templated: the nearest sample with its values as placeholders."""
        build = partial(steps.plain_template_step, self._sources)
        return Stage(name="template", accepts=Retrieved, returns=Templated, build=build)

    def keep_draft(self) -> Stage:
        """Drafted -> Generated: the only draft is the project."""
        return Stage(name="keep", accepts=Drafted, returns=Generated, build=steps.keep_step)

    def own_plan(self) -> Stage:
        """Requirement -> Planned: the model's own plan."""
        return self._asking("plan", Requirement, Planned, _own_plan)

    def template(self, *, only_alike: bool = False) -> Stage:
        """Retrieved -> Templated: what a third project needs of the two nearest samples, in the model's words; with
        `only_alike` none of samples that solve different problems."""
        build = partial(steps.template_step, only_alike=only_alike)
        return self._asking("template", Retrieved, Templated, build)

    def drafts(self, **drafts: steps.Writer) -> Stage:
        """-> Drafted: the drafts named by the field they fill (`code_draft`, `template_draft`), by the model."""
        accepts = Templated if writers.from_template in drafts.values() else Retrieved
        return self._asking("draft", accepts, Drafted, partial(steps.draft_step, drafts=drafts))

    def write(self, writer: steps.Writer, accepts: type[Requirement] = Requirement) -> Stage:
        """-> Generated: the project in one call of the model."""
        return self._asking("write", accepts, Generated, partial(steps.project_step, stage="write", write=writer))

    def compare(self, writer: steps.Writer) -> Stage:
        """Drafted -> Generated: the project from the drafts, by the model."""
        return self._asking("compare", Drafted, Generated, partial(steps.project_step, stage="compare", write=writer))

    def read(self) -> Stage:
        """Understood -> Understood: with what the model reads in the request."""
        return self._asking("read", Understood, Understood, read_step)

    def mend(self, rounds: int) -> Stage:
        """Generated -> Generated: corrected by the model, up to `rounds` times."""
        return self._asking("mend", Generated, Generated, partial(mend_step, rounds=rounds))

    def _asking(
        self, name: str, accepts: type[Requirement], returns: type[Requirement], build: Callable[..., Step]
    ) -> Stage:
        build = partial(build, self._asker, self._sources)
        return Stage(name=name, accepts=accepts, returns=returns, build=build, num_cpus=WAITING_CPUS, waits=True)

    def _firewall(self) -> Firewall:
        return Firewall(
            requirement_similarity=self._retrieval.requirement_similarity,
            code_similarity=self._retrieval.code_similarity,
        )


def _planner(
    planner: PlannerSettings, requirement_similarity: float, build_asker: AskerBuilder | None, falls_back: bool
) -> Step:
    return for_own_data(build_planner(planner, requirement_similarity, build_asker, falls_back=falls_back))


def _own_plan(build_asker: AskerBuilder, sources: Sources) -> Step:
    return RepairedPlanner(steps.own_plan_step(build_asker, sources))


def _code_rag(settings: RetrievalSettings, firewall: Firewall) -> Step:
    return _by_data(CodeRag, settings, settings.top, firewall)


def _example_rag(settings: RetrievalSettings, firewall: Firewall) -> Step:
    return _by_data(ExampleRag, settings, 1, firewall)


def _by_data(kind: type[CodeRag], settings: RetrievalSettings, top: int, firewall: Firewall) -> Step:
    """Retrieval that gives a row with data of its own none but samples that read them."""
    pool, variant = settings.pool, settings.bm25_variant
    rag = kind(load_samples(pool), top=top, firewall=firewall, bm25=variant)
    # Made by the first such row: most runs have none.
    own_data = cache(lambda: OwnDataRag(samples_for_own_data(pool), top=top, firewall=firewall, bm25=variant))

    def retrieve(record: Any) -> Fields:
        return rag(record) if record.data is None else own_data()(record)

    return retrieve


@lru_cache(maxsize=4)
def _symbolic_writer(pool: str) -> SymbolicWriter:
    """One writer for the three stages of a worker, so that samples are parsed once."""
    return SymbolicWriter(load_samples(pool), own_data=lambda: samples_for_own_data(pool))


def _symbolic_template(pool: str) -> Step:
    return _symbolic_writer(pool).template


def _symbolic_drafts(pool: str) -> Step:
    return _symbolic_writer(pool).drafts


def _symbolic_comparison(pool: str) -> Step:
    return _symbolic_writer(pool).compare
