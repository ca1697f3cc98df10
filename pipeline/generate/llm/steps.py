"""The steps of stages that write with a language model: a row's record in, the fields its stage adds out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pipeline.generate.llm.plain_template import plain_template
from pipeline.generate.llm.writers import task
from pipeline.generate.project import project_files
from pipeline.llm.asking.asker import Asker, Asking
from pipeline.llm.asking.replies import Program
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import CATEGORIES
from pipeline.records import NOTEBOOK, REQUIREMENTS, SCRIPT, Drafted, Requirement, Retrieved, SourceFile
from pipeline.retrieval.sample_pool import Sample
from pipeline.stage import Fields, Step

Writer = Callable[[Asking, Any], Awaitable[Program]]
"""One way to write a program for a row."""


def plan_step(asker: Asker) -> Step:
    """PS, first call: the model's own plan."""

    async def step(record: Requirement) -> Fields:
        async def work(ask: Asking) -> SolutionPlan:
            return await ask.plan("ps_plan", categories=", ".join(CATEGORIES), **task(record))

        (plan,), calls = await asker.ask("plan", record, work)
        return {"plan": plan, "calls": calls}

    return step


def template_step(asker: Asker, write: Callable[[Asking, Any], Awaitable[str]]) -> Step:
    """Template RAG, first call."""

    async def step(record: Retrieved) -> Fields:
        (template,), calls = await asker.ask("template", record, lambda ask: write(ask, record))
        return {"template": template, "calls": calls}

    return step


def plain_template_step(samples: tuple[Sample, ...]) -> Step:
    """The nearest sample with its values as placeholders; no model is asked."""
    code = {sample.id: sample.code for sample in samples}

    def step(record: Retrieved) -> Fields:
        return {"template": plain_template(code[record.samples[0].id])}

    return step


def draft_step(asker: Asker, **writers: Writer) -> Step:
    """The drafts named by the field they fill (`code_draft`, `template_draft`), written at the same time."""

    async def step(record: Retrieved) -> Fields:
        works = [_bound(write, record) for write in writers.values()]
        programs, calls = await asker.ask("draft", record, *works)
        return {name: program.text for name, program in zip(writers, programs, strict=True)} | {"calls": calls}

    return step


def project_step(asker: Asker, stage: str, write: Writer) -> Step:
    """The final project, written in one call."""

    async def step(record: Requirement) -> Fields:
        (program,), calls = await asker.ask(stage, record, _bound(write, record))
        return {"files": files_of(program), "calls": calls}

    return step


def keep_draft(record: Drafted) -> Fields:
    """The only draft as the final project (ablations without comparison)."""
    return {"files": project_files(record.code_draft or record.template_draft)}


def copy_step(samples: tuple[Sample, ...]) -> Step:
    """The nearest sample as it is."""
    code = {sample.id: sample.code for sample in samples}

    def step(record: Retrieved) -> Fields:
        return {"files": project_files(code[record.samples[0].id])}

    return step


def files_of(program: Program) -> tuple[SourceFile, ...]:
    """A program's files: the main one as every project's script and notebook, and those it came with."""
    taken = (SCRIPT, NOTEBOOK, REQUIREMENTS)
    return (*project_files(program.code), *(file for file in program.others if file.path not in taken))


def _bound(write: Writer, record: Requirement) -> Callable[[Asking], Awaitable[Program]]:
    return lambda ask: write(ask, record)
