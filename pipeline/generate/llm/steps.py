"""The steps of stages that write with a language model: a row's record in, the fields its stage adds out.

Each function here makes a step, in the worker that runs it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from pipeline.errors import StageFailure
from pipeline.generate.llm import writers
from pipeline.generate.llm.deciding import decided_fields
from pipeline.generate.llm.plain_template import plain_template
from pipeline.generate.llm.sources import Sources
from pipeline.generate.project import python_text, script_files
from pipeline.llm.asking.asker import USELESS, Asking
from pipeline.llm.asking.replies import Program
from pipeline.llm.build import AskerBuilder
from pipeline.records import NOTEBOOK, README, REQUIREMENTS, SCRIPT, Drafted, Requirement, Retrieved, SourceFile
from pipeline.stage import Fields, Step

Writer = Callable[[Asking, Any, Sources], Awaitable[Program]]
"""One way to write a program for a row, as in `pipeline.generate.llm.writers`."""


def own_plan_step(build_asker: AskerBuilder, _sources: Sources) -> Step:
    """PS, first call: the model's own plan."""
    asker = build_asker()

    async def step(record: Requirement) -> Fields:
        (plan,), calls = await asker.ask("plan", record, partial(writers.own_plan, record=record))
        return {"plan": plan, "calls": calls}

    return step


def template_step(build_asker: AskerBuilder, sources: Sources, *, only_alike: bool = False) -> Step:
    """Template RAG, first call. Where it gives no template, the row goes on without: there is another draft. With
    `only_alike` none is asked for of samples that solve different problems."""
    asker = build_asker()

    async def step(record: Retrieved) -> Fields:
        if only_alike and not writers.has_samples_alike(record, sources):
            return {}
        work = partial(writers.template, record=record, sources=sources)
        try:
            (template,), calls = await asker.ask("template", record, work)
        except StageFailure as failure:
            if failure.kind not in USELESS:
                raise
            return failure.added
        return {"template": template, "calls": calls}

    return step


def draft_step(build_asker: AskerBuilder, sources: Sources, *, drafts: Mapping[str, Writer]) -> Step:
    """The drafts by the field they fill (`code_draft`, `template_draft`), written at the same time; "" for one of which
    no reply could be used, where the other one could."""
    asker = build_asker()

    async def step(record: Retrieved) -> Fields:
        works = [partial(_write, write, record, sources) for write in drafts.values()]
        programs, calls = await asker.ask_any("draft", record, *works)
        fields: dict[str, Any] = {}
        for field, program in zip(drafts, programs, strict=True):
            fields[field] = "" if program is None else program.text
            fields[_DECISIONS_OF[field]] = None if program is None else program.decisions
        fields["calls"] = calls
        return fields

    return step


_DECISIONS_OF = {"code_draft": "code_decisions", "template_draft": "template_decisions"}
"""Where what is said beside a draft is kept."""


def project_step(build_asker: AskerBuilder, sources: Sources, *, stage: str, write: Writer) -> Step:
    """The final project, written in one call."""
    asker = build_asker()

    async def step(record: Requirement) -> Fields:
        (program,), calls = await asker.ask(stage, record, partial(_write, write, record, sources))
        return {"files": files_of(program), "calls": calls, **decided_fields(record, program)}

    return step


def plain_template_step(sources: Sources) -> Step:
    """The nearest sample with its values as placeholders; no model is asked."""

    def step(record: Retrieved) -> Fields:
        return {"template": plain_template(sources.samples[record.samples[0].id].code)}

    return step


def copy_step(sources: Sources) -> Step:
    """The nearest sample as it is; no model is asked."""

    def step(record: Retrieved) -> Fields:
        return {"files": script_files(sources.samples[record.samples[0].id].code)}

    return step


def keep_step() -> Step:
    """The only draft as the final project (ablations without comparison)."""

    def step(record: Drafted) -> Fields:
        program = writers.only_draft(record)
        return {"files": script_files(program.code), **decided_fields(record, program)}

    return step


def files_of(program: Program) -> tuple[SourceFile, ...]:
    """A program's files: the main one as every project's script, and those it came with."""
    # These are made from the main file; a model's own notebook would contradict it.
    taken = (SCRIPT, NOTEBOOK, REQUIREMENTS, README)
    others = [
        SourceFile(path=file.path, text=python_text(file.text)) for file in program.others if file.path not in taken
    ]
    return (*script_files(program.code), *others)


async def _write(write: Writer, record: Requirement, sources: Sources, ask: Asking) -> Program:
    """A writer's work in the form that an asker takes: of what it asks with alone."""
    return await write(ask, record, sources)
