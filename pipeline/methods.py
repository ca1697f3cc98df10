"""The methods: each is a tuple of stages, to be read from top to bottom (DLCodeGen, sections III and IV.B).

What a stage does stands in `pipeline.stages`, what a writer asks in `pipeline.generate.llm.writers`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pipeline.config import WITHOUT_LLM, PipelineSettings
from pipeline.errors import DLCodeGenError
from pipeline.execution.running.execute_stage import execute_stage
from pipeline.generate.deliver import deliver_stage
from pipeline.generate.llm.writers import (
    by_chain,
    by_example,
    direct,
    direct_bare,
    from_drafts,
    from_one_draft,
    from_plan,
    from_sample,
    from_template,
    if_unmet,
    keeping_useful,
)
from pipeline.llm.build import LLMBuilder
from pipeline.measures.project_scores import score_stage
from pipeline.records import Planned, Requirement, Retrieved
from pipeline.stage import Stage
from pipeline.stages import MethodStages
from pipeline.starter import STARTER
from pipeline.understanding import understand_stage

WITH_CHAINS = ("c-cot", "wo-cr", "wo-cr-tr")
"""Methods that need C-CoT's chains of thought."""

_BESIDE_CPUS = 0.4
"""CPUs of a worker that computes before or after one that waits: all four operators fit into one CPU."""


def generation_stages(
    settings: PipelineSettings, llm: LLMBuilder | None = None, chains: str | None = None
) -> tuple[Stage, ...]:
    """The stages of the settings' method, from Requirement to Scored, or to Executed with `execute=on`. A pool or plans
    still left to `auto` are the bundled ones; `chains` is the file of C-CoT's chains, by default the one that the
    settings name.

    Raises DLCodeGenError where the method needs a language model and there is none.
    """
    method = settings.writing.method
    if method not in WITHOUT_LLM and llm is None:
        raise DLCodeGenError(
            f"method={method} writes with a language model and none is set; add llm=openai base_url=... model=..., or "
            f"llm=vllm model=..., or choose a method without: {', '.join(WITHOUT_LLM)}"
        )
    settings = settings.for_input(STARTER)
    only_samples = method in WITHOUT_LLM and not settings.writing.allow_substitutes
    pool = settings.retrieval.pool if only_samples else None
    understand = understand_stage(pool, share_examples=settings.data.share_examples)
    made = MethodStages(settings, llm, chains)
    writing = METHODS[method](made)
    finishing = [deliver_stage(), score_stage()]
    if settings.execution.enabled:
        finishing.append(execute_stage(settings.execution))
    if method in WITHOUT_LLM:
        stages = [understand, *writing, *finishing]
        return _beside(stages) if settings.execution.enabled else tuple(stages)
    stages = [understand]
    if settings.writing.reading == "model":
        stages.append(made.read())
    stages += writing
    if settings.writing.mend:
        stages.append(made.mend(settings.writing.mend))
    return _beside([*stages, *finishing])


def _beside(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """The stages with what they want of a CPU where some wait: all operators have to fit into one."""
    return tuple(stage if stage.waits or stage.elsewhere else replace(stage, num_cpus=_BESIDE_CPUS) for stage in stages)


def _symbolic(stages: MethodStages) -> tuple[Stage, ...]:
    """DLCodeGen without a language model."""
    return (
        stages.plan(),
        stages.retrieve(),
        stages.symbolic_template(),
        stages.symbolic_drafts(),
        stages.symbolic_comparison(),
    )


def _dlcodegen(stages: MethodStages) -> tuple[Stage, ...]:
    """Plan, the nearest sample adapted, the template of the two nearest filled, and both drafts compared."""
    return (
        stages.plan(),
        stages.retrieve(),
        stages.template(),
        stages.drafts(code_draft=from_sample, template_draft=from_template),
        stages.compare(from_drafts),
    )


def _keep_useful(stages: MethodStages) -> tuple[Stage, ...]:
    """DLCodeGen whose comparison drops no runnable part of a draft without a reason."""
    return (
        stages.plan(),
        stages.retrieve(),
        stages.template(),
        stages.drafts(code_draft=from_sample, template_draft=from_template),
        stages.compare(keeping_useful),
    )


def _direct(stages: MethodStages) -> tuple[Stage, ...]:
    """From the requirement alone."""
    return (stages.write(direct),)


def _direct_bare(stages: MethodStages) -> tuple[Stage, ...]:
    """Direct without the conventions that all other calls share."""
    return (stages.write(direct_bare),)


def _ps(stages: MethodStages) -> tuple[Stage, ...]:
    """Plan and solve: the model's own plan, then code by it."""
    return (
        stages.own_plan(),
        stages.write(from_plan, accepts=Planned),
    )


def _c_cot(stages: MethodStages) -> tuple[Stage, ...]:
    """Along the chain of thought of the requirement's category."""
    return (stages.write(by_chain),)


def _cedar(stages: MethodStages) -> tuple[Stage, ...]:
    """By the sample nearest by requirement, as the one example."""
    return (
        stages.example(accepts=Requirement),
        stages.write(by_example, accepts=Retrieved),
    )


def _copy(stages: MethodStages) -> tuple[Stage, ...]:
    """The sample nearest to the plan, as it is."""
    return (
        stages.plan(),
        stages.retrieve(),
        stages.copy(),
    )


def _without_code_rag(stages: MethodStages) -> tuple[Stage, ...]:
    """Draft 1 is C-CoT's."""
    return (
        stages.plan(),
        stages.retrieve(),
        stages.template(),
        stages.drafts(code_draft=by_chain, template_draft=from_template),
        stages.compare(from_drafts),
    )


def _without_template_rag(stages: MethodStages) -> tuple[Stage, ...]:
    """Draft 2 is CEDAR's."""
    return (
        stages.plan(),
        stages.retrieve(),
        stages.example(accepts=Retrieved),
        stages.drafts(code_draft=from_sample, template_draft=by_example),
        stages.compare(from_drafts),
    )


def _without_comparison_and_code_rag(stages: MethodStages) -> tuple[Stage, ...]:
    """Draft 2 is the result."""
    return (
        stages.plan(),
        stages.retrieve(),
        stages.template(),
        stages.drafts(template_draft=from_template),
        stages.keep_draft(),
    )


def _without_comparison_and_template_rag(stages: MethodStages) -> tuple[Stage, ...]:
    """Draft 1 is the result."""
    return (
        stages.plan(),
        stages.retrieve(),
        stages.drafts(code_draft=from_sample),
        stages.keep_draft(),
    )


def _without_code_and_template_rag(stages: MethodStages) -> tuple[Stage, ...]:
    """The drafts are C-CoT's and CEDAR's."""
    return (
        stages.plan(),
        stages.example(accepts=Planned),
        stages.drafts(code_draft=by_chain, template_draft=by_example),
        stages.compare(from_drafts),
    )


def _isolated_draft_1(stages: MethodStages) -> tuple[Stage, ...]:
    """The last call sees the plan and draft 1 alone."""
    return (
        stages.plan(),
        stages.retrieve(),
        stages.drafts(code_draft=from_sample),
        stages.compare(from_one_draft),
    )


def _isolated_draft_2(stages: MethodStages) -> tuple[Stage, ...]:
    """The last call sees the plan and draft 2 alone."""
    return (
        stages.plan(),
        stages.retrieve(),
        stages.template(),
        stages.drafts(template_draft=from_template),
        stages.compare(from_one_draft),
    )


def _plain_template(stages: MethodStages) -> tuple[Stage, ...]:
    """DLCodeGen with the nearest sample's values as placeholders for a template."""
    return (
        stages.plan(),
        stages.retrieve(),
        stages.plain_template(),
        stages.drafts(code_draft=from_sample, template_draft=from_template),
        stages.compare(from_drafts),
    )


def _template_if_alike(stages: MethodStages) -> tuple[Stage, ...]:
    """DLCodeGen that asks for no template of samples that solve different problems: draft 1 is the project then."""
    return (
        stages.plan(),
        stages.retrieve(),
        stages.template(only_alike=True),
        stages.drafts(code_draft=from_sample, template_draft=from_template),
        stages.compare(from_drafts),
    )


def _compare_if_unmet(stages: MethodStages) -> tuple[Stage, ...]:
    """DLCodeGen that compares no drafts of which one has nothing found in it."""
    return (
        stages.plan(),
        stages.retrieve(),
        stages.template(),
        stages.drafts(code_draft=from_sample, template_draft=from_template),
        stages.compare(if_unmet),
    )


METHODS: dict[str, Callable[[MethodStages], tuple[Stage, ...]]] = {
    "symbolic": _symbolic,
    "dlcodegen": _dlcodegen,
    "keep-useful": _keep_useful,
    "direct": _direct,
    "direct-bare": _direct_bare,
    "ps": _ps,
    "c-cot": _c_cot,
    "cedar": _cedar,
    "copy": _copy,
    "wo-cr": _without_code_rag,
    "wo-tr": _without_template_rag,
    "wo-comparison-cr": _without_comparison_and_code_rag,
    "wo-comparison-tr": _without_comparison_and_template_rag,
    "wo-cr-tr": _without_code_and_template_rag,
    "isolated-1": _isolated_draft_1,
    "isolated-2": _isolated_draft_2,
    "plain-template": _plain_template,
    "template-if-alike": _template_if_alike,
    "compare-if-unmet": _compare_if_unmet,
}
