"""The methods: each is a tuple of stages, to be read from left to right (DLCodeGen, sections III and IV.B).

What they share is in `pipeline.stages`. A stage that asks a language model waits for it most of the time, so it needs
little of a CPU and has many rows under way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

from pipeline.config import PipelineSettings, PlannerSettings
from pipeline.errors import DLCodeGenError
from pipeline.generate.llm import steps, writers
from pipeline.generate.llm.chains import Categories, load_chains
from pipeline.llm.asking.asker import Asker
from pipeline.llm.build import LLMBuilder
from pipeline.llm.protocol import LLM
from pipeline.measures.project_scores import score_stage
from pipeline.records import Drafted, Generated, Planned, Requirement, Retrieved, Templated
from pipeline.retrieval.sample_pool import load_known_plans, load_samples
from pipeline.stage import Stage, Step
from pipeline.stages import WAITING_CPUS, example_stage, plan_stage, retrieve_stage, symbolic_stages
from pipeline.starter import STARTER

WITHOUT_LLM = ("symbolic", "copy")
"""Methods that ask no language model."""

WITH_CHAINS = ("c-cot", "wo-cr", "wo-cr-tr")
"""Methods that need C-CoT's chains of thought."""

_BESIDE_CPUS = 0.4
"""CPUs of a worker that computes before or after one that waits: all three operators fit into one CPU."""


def generation_stages(settings: PipelineSettings, llm: LLMBuilder | None = None) -> tuple[Stage, ...]:
    """The stages of `settings.method`, from Requirement to Scored. A pool or plans still left to `auto` are the bundled
    ones. Raises DLCodeGenError where the method needs a language model and there is none.
    """
    settings = settings.for_input(STARTER)
    method = settings.method
    if settings.planner.kind == "llm" and llm is not None and method != "ps":  # PS is its own planner
        stages = generation_stages(settings.model_copy(update={"planner": PlannerSettings()}), llm)
        return tuple(plan_stage(settings, llm) if stage.name == "plan" else stage for stage in stages)
    if method == "symbolic":
        return (*symbolic_stages(settings), score_stage())
    if method == "copy":
        return (plan_stage(settings), retrieve_stage(settings), _copy(settings), score_stage())
    if llm is None:
        raise DLCodeGenError(
            f"method={method} writes with a language model and none is set; add llm=openai base_url=... model=..., or "
            f"llm=vllm model=..., or choose a method without: {', '.join(WITHOUT_LLM)}"
        )
    stages = (*_LLM_METHODS[method](settings, llm), score_stage())
    return tuple(stage if stage.waits else replace(stage, num_cpus=_BESIDE_CPUS) for stage in stages)


def _dlcodegen(settings: PipelineSettings, llm: LLMBuilder) -> tuple[Stage, ...]:
    """Plan, the nearest sample adapted, the template of the two nearest filled, and both drafts compared."""
    return (
        plan_stage(settings),
        retrieve_stage(settings),
        _template(settings, llm),
        _drafts(settings, llm, code_draft="from_sample", template_draft="from_template"),
        _project(settings, llm, "from_drafts", stage="compare", accepts=Drafted),
    )


def _direct(settings: PipelineSettings, llm: LLMBuilder) -> tuple[Stage, ...]:
    return (_project(settings, llm, "direct"),)


def _ps(settings: PipelineSettings, llm: LLMBuilder) -> tuple[Stage, ...]:
    """Plan and solve: the model's own plan, then code by it."""
    plan = _waiting("plan", Requirement, Planned, partial(_build_plan, settings, llm))
    return (plan, _project(settings, llm, "from_plan", accepts=Planned))


def _c_cot(settings: PipelineSettings, llm: LLMBuilder) -> tuple[Stage, ...]:
    return (_project(settings, llm, "by_chain"),)


def _cedar(settings: PipelineSettings, llm: LLMBuilder) -> tuple[Stage, ...]:
    return (example_stage(settings, Requirement), _project(settings, llm, "by_example", accepts=Retrieved))


def _without_code_rag(settings: PipelineSettings, llm: LLMBuilder) -> tuple[Stage, ...]:
    """Draft 1 is C-CoT's."""
    return (
        plan_stage(settings),
        retrieve_stage(settings),
        _template(settings, llm),
        _drafts(settings, llm, code_draft="by_chain", template_draft="from_template"),
        _project(settings, llm, "from_drafts", stage="compare", accepts=Drafted),
    )


def _without_template_rag(settings: PipelineSettings, llm: LLMBuilder) -> tuple[Stage, ...]:
    """Draft 2 is CEDAR's."""
    return (
        plan_stage(settings),
        retrieve_stage(settings),
        example_stage(settings, Retrieved),
        _drafts(settings, llm, code_draft="from_sample", template_draft="by_example"),
        _project(settings, llm, "from_drafts", stage="compare", accepts=Drafted),
    )


def _without_comparison_and_code_rag(settings: PipelineSettings, llm: LLMBuilder) -> tuple[Stage, ...]:
    """Draft 2 is the result."""
    return (
        plan_stage(settings),
        retrieve_stage(settings),
        _template(settings, llm),
        _drafts(settings, llm, template_draft="from_template"),
        _KEEP,
    )


def _without_comparison_and_template_rag(settings: PipelineSettings, llm: LLMBuilder) -> tuple[Stage, ...]:
    """Draft 1 is the result."""
    return (plan_stage(settings), retrieve_stage(settings), _drafts(settings, llm, code_draft="from_sample"), _KEEP)


def _without_code_and_template_rag(settings: PipelineSettings, llm: LLMBuilder) -> tuple[Stage, ...]:
    """The drafts are C-CoT's and CEDAR's."""
    return (
        plan_stage(settings),
        example_stage(settings, Planned),
        _drafts(settings, llm, code_draft="by_chain", template_draft="by_example"),
        _project(settings, llm, "from_drafts", stage="compare", accepts=Drafted),
    )


def _isolated_draft_1(settings: PipelineSettings, llm: LLMBuilder) -> tuple[Stage, ...]:
    """The last call sees the plan and draft 1 alone."""
    return (
        plan_stage(settings),
        retrieve_stage(settings),
        _drafts(settings, llm, code_draft="from_sample"),
        _project(settings, llm, "from_one_draft", stage="compare", accepts=Drafted),
    )


def _isolated_draft_2(settings: PipelineSettings, llm: LLMBuilder) -> tuple[Stage, ...]:
    """The last call sees the plan and draft 2 alone."""
    return (
        plan_stage(settings),
        retrieve_stage(settings),
        _template(settings, llm),
        _drafts(settings, llm, template_draft="from_template"),
        _project(settings, llm, "from_one_draft", stage="compare", accepts=Drafted),
    )


def _plain_template(settings: PipelineSettings, llm: LLMBuilder) -> tuple[Stage, ...]:
    """DLCodeGen with the nearest sample's values as placeholders for a template."""
    return (
        plan_stage(settings),
        retrieve_stage(settings),
        Stage(
            name="template", accepts=Retrieved, returns=Templated, build=partial(_build_plain_template, settings.pool)
        ),
        _drafts(settings, llm, code_draft="from_sample", template_draft="from_template"),
        _project(settings, llm, "from_drafts", stage="compare", accepts=Drafted),
    )


_LLM_METHODS: dict[str, Callable[[PipelineSettings, LLMBuilder], tuple[Stage, ...]]] = {
    "dlcodegen": _dlcodegen,
    "direct": _direct,
    "ps": _ps,
    "c-cot": _c_cot,
    "cedar": _cedar,
    "wo-cr": _without_code_rag,
    "wo-tr": _without_template_rag,
    "wo-comparison-cr": _without_comparison_and_code_rag,
    "wo-comparison-tr": _without_comparison_and_template_rag,
    "wo-cr-tr": _without_code_and_template_rag,
    "isolated-1": _isolated_draft_1,
    "isolated-2": _isolated_draft_2,
    "plain-template": _plain_template,
}


def _waiting(name: str, accepts: type[Requirement], returns: type[Requirement], build: Callable[[], Step]) -> Stage:
    return Stage(name=name, accepts=accepts, returns=returns, build=build, num_cpus=WAITING_CPUS, waits=True)


def _template(settings: PipelineSettings, llm: LLMBuilder) -> Stage:
    return _waiting("template", Retrieved, Templated, partial(_build_template, settings, llm))


def _drafts(settings: PipelineSettings, llm: LLMBuilder, **writers: str) -> Stage:
    accepts = Templated if "from_template" in writers.values() else Retrieved
    return _waiting("draft", accepts, Drafted, partial(_build_drafts, settings, llm, writers))


def _project(
    settings: PipelineSettings,
    llm: LLMBuilder,
    writer: str,
    *,
    stage: str = "write",
    accepts: type[Requirement] = Requirement,
) -> Stage:
    return _waiting(stage, accepts, Generated, partial(_build_project, settings, llm, stage, writer))


def _copy(settings: PipelineSettings) -> Stage:
    return Stage(name="copy", accepts=Retrieved, returns=Generated, build=partial(_build_copy, settings.pool))


def _build_copy(pool: str) -> Step:
    return steps.copy_step(load_samples(pool))


def _build_plain_template(pool: str) -> Step:
    return steps.plain_template_step(load_samples(pool))


def _build_keep() -> Step:
    return steps.keep_draft


_KEEP = Stage(name="keep", accepts=Drafted, returns=Generated, build=_build_keep)


def _build_plan(settings: PipelineSettings, llm: LLMBuilder) -> Step:
    return steps.plan_step(_asker(settings, llm))


def _build_template(settings: PipelineSettings, llm: LLMBuilder) -> Step:
    return steps.template_step(_asker(settings, llm), writers.SampleWriter(load_samples(settings.pool)).template)


def _build_drafts(settings: PipelineSettings, llm: LLMBuilder, chosen: dict[str, str]) -> Step:
    return steps.draft_step(_asker(settings, llm), **{draft: _writer(settings, name) for draft, name in chosen.items()})


def _build_project(settings: PipelineSettings, llm: LLMBuilder, stage: str, writer: str) -> Step:
    return steps.project_step(_asker(settings, llm), stage, _writer(settings, writer))


def _writer(settings: PipelineSettings, name: str) -> steps.Writer:
    """The writer of that name, with what it draws on."""
    if name in ("from_sample", "by_example"):
        writer: steps.Writer = getattr(writers.SampleWriter(load_samples(settings.pool)), name)
    elif name == "by_chain":
        categories = Categories(load_known_plans(settings.plans))
        writer = writers.ChainWriter(categories, load_chains(settings.c_cot.chains)).by_chain
    else:
        writer = getattr(writers, name)
    return writer


@lru_cache(maxsize=4)
def _model(llm: LLMBuilder) -> LLM:
    """One client for all stages of a worker."""
    return llm()


def _asker(settings: PipelineSettings, llm: LLMBuilder) -> Asker:
    return Asker(_model(llm), settings)
