"""Ways to write with a language model: each gives the plan, template or program for one row, by one prompt.

DLCodeGen's drafts and comparison (paper, section III.C-D), and the baselines (section IV.B).
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.errors import StageFailure
from pipeline.generate.llm.conventions import left_out
from pipeline.generate.llm.findings import findings
from pipeline.generate.llm.second_sample import shown_beside
from pipeline.generate.llm.sources import Sources
from pipeline.generate.llm.useful_parts import dropped_parts, reasons_given, useful_parts
from pipeline.llm.asking.asker import USELESS, Asking
from pipeline.llm.asking.replies import Program
from pipeline.llm.row_parts import planned_parts, row_parts
from pipeline.measures.project_scores import read_code
from pipeline.plan.change import Decisions
from pipeline.plan.solution_plan import SolutionPlan
from pipeline.plan.vocabulary import CATEGORIES
from pipeline.records import Drafted, Planned, Requirement, Retrieved, Templated
from pipeline.retrieval.sample_pool import Sample
from pipeline.retrieval.steering import are_alike
from pipeline.understanding import asked_of


async def direct(ask: Asking, record: Requirement, _sources: Sources) -> Program:
    """Direct: from the requirement alone."""
    return await ask.program("direct", **requirement_parts(record))


async def direct_bare(ask: Asking, record: Requirement, _sources: Sources) -> Program:
    """Direct without the conventions that all other calls share."""
    asked = requirement_parts(record)
    return await ask.program("direct_bare", requirement=asked["requirement"], attributes=asked["attributes"])


async def own_plan(ask: Asking, record: Requirement) -> SolutionPlan:
    """PS, first call: the plan that the model makes itself."""
    return await ask.plan("ps_plan", categories=", ".join(CATEGORIES), **requirement_parts(record))


async def from_plan(ask: Asking, record: Planned, _sources: Sources) -> Program:
    """PS, second call: by the plan that the model made itself."""
    return await ask.program("ps_code", **plan_parts(record))


async def by_chain(ask: Asking, record: Requirement, sources: Sources) -> Program:
    """C-CoT: along the chain of thought of the requirement's category."""
    category = sources.categories.of(record.requirement)
    chain = sources.chain_of_category[category]
    return await ask.program("c_cot_code", category=category, chain=chain, **requirement_parts(record))


async def by_example(ask: Asking, record: Retrieved, sources: Sources) -> Program:
    """CEDAR: the sample nearest by requirement as the one example."""
    example = _samples(record, "requirement", sources)[0]
    return await ask.program("cedar", **_sample_parts(example), **requirement_parts(record))


async def from_sample(ask: Asking, record: Retrieved, sources: Sources) -> Program:
    """Draft 1: the sample nearest to the plan, adapted."""
    nearest = _samples(record, "plan", sources)[0]
    return await ask.program("draft_from_sample", **_sample_parts(nearest), **plan_parts(record))


async def template(ask: Asking, record: Retrieved, sources: Sources) -> str:
    """What a third project needs of the two samples nearest to the plan."""
    samples = _samples(record, "plan", sources)
    second = {"second_sample": "", "second_sample_requirement": ""}  # where the pool has one sample
    if len(samples) > 1:
        second = _sample_parts(samples[1], "second_")
        alike = has_samples_alike(record, sources)
        second["second_sample"] = shown_beside(samples[0].code, samples[1].code, alike=alike)
    return await ask.template("template", **_sample_parts(samples[0]), **second, **plan_parts(record))


def has_samples_alike(record: Retrieved, sources: Sources) -> bool:
    """Whether the two samples nearest to the plan solve the same problem on the same kind of data."""
    samples = _samples(record, "plan", sources)[:2]
    return len(samples) < 2 or are_alike(samples[0].cell(), samples[1].cell())


async def from_template(ask: Asking, record: Templated, _sources: Sources) -> Program:
    """Draft 2: the template, filled. Raises StageFailure `no_template` where the model gave none."""
    if not record.template:
        raise StageFailure("no_template", "none of the model's replies was a template")
    return await ask.program("draft_from_template", template=record.template, **plan_parts(record))


async def from_drafts(ask: Asking, record: Drafted, _sources: Sources) -> Program:
    """The comparison: the final project from plan, draft 1 and draft 2. One that came alone is the project."""
    return await _compared(ask, record, "compare", _no_objection)


async def if_unmet(ask: Asking, record: Drafted, sources: Sources) -> Program:
    """The comparison, unless nothing is found in one of the drafts: then that is the project, and no call is made."""
    for draft in _drafts_of(record).values():
        if draft.code and not findings(record.constraints, draft.code):
            return draft
    return await from_drafts(ask, record, sources)


async def keeping_useful(ask: Asking, record: Drafted, _sources: Sources) -> Program:
    """The comparison that drops no runnable part of a draft without a reason: where one is missing, the model is told
    once; what the project still lacks, and the reasons it gives, are noted with the call."""
    drafts = (record.code_draft, record.template_draft)
    useful = sorted({part for draft in drafts for part in useful_parts(draft)})
    if not useful:
        return await _compared(ask, record, "compare", _no_objection)

    def missing(program: Program) -> str:
        dropped = dropped_parts(program.code, drafts)
        return f"it drops from the drafts, without a reason: {', '.join(dropped)}" if dropped else ""

    program = await _compared(ask, record, "compare_useful", missing, useful_parts=", ".join(useful))
    if ask.calls:
        for part in dropped_parts(program.code, drafts):
            ask.note(f"left out without a reason: {part}")
        for part, reason in reasons_given(program.code).items():
            ask.note(f"left out: {part} ({reason})")
    return program


async def _compared(
    ask: Asking, record: Drafted, prompt: str, objection: Callable[[Program], str], **parts: str
) -> Program:
    """What the model makes of the two drafts; the better one where its replies are useless, as the last call notes."""
    if not record.code_draft or not record.template_draft:
        return only_draft(record)
    parts |= {"code_draft": record.code_draft, "template_draft": record.template_draft, "found": _found(record)}
    try:
        return await ask.improved_program(prompt, objection, parts | plan_parts(record))
    except StageFailure as failure:
        if failure.kind not in USELESS or not ask.calls:
            raise
        name, draft = _better_draft(record)
        ask.note(f"useless: {failure.kind}; {name} is the project")
        return draft


def _no_objection(_program: Program) -> str:
    return ""


def only_draft(record: Drafted) -> Program:
    """The draft of a row that has one."""
    first, second = _drafts_of(record).values()
    return first if first.code else second


def _drafts_of(record: Drafted) -> dict[str, Program]:
    """Both drafts by their names, with what was said beside each; one that is missing has no code."""
    return {
        "draft 1": Program(record.code_draft, decisions=record.code_decisions or Decisions()),
        "draft 2": Program(record.template_draft, decisions=record.template_decisions or Decisions()),
    }


def _better_draft(record: Drafted) -> tuple[str, Program]:
    """The draft in which less is found, of equal ones the one that keeps more of the plan; draft 1 of the same."""
    drafts = _drafts_of(record)
    worth: dict[str, tuple[bool, int, float]] = {}
    for name, draft in drafts.items():
        scores = read_code(draft.code, record.plan)
        worth[name] = (scores.parses, -len(findings(record.constraints, draft.code)), scores.conformance or 0.0)
    better = max(drafts, key=lambda name: worth[name])
    return better, drafts[better]


async def from_one_draft(ask: Asking, record: Drafted, _sources: Sources) -> Program:
    """The final project from plan and the only draft (follow-up check of the comparison)."""
    draft = record.code_draft or record.template_draft
    return await ask.program("isolated", code_draft=draft, **plan_parts(record))


def _found(record: Drafted) -> str:
    """What is wrong with the drafts, a line each; "" where nothing is found."""
    lines: list[str] = []
    for name, draft in (("Draft 1", record.code_draft), ("Draft 2", record.template_draft)):
        lines += [f"{name}: {line}" for line in (*findings(record.constraints, draft), *left_out(draft))]
    return "\n".join(lines)


def requirement_parts(record: Requirement) -> dict[str, str]:
    """A prompt's parts that say what is asked for."""
    return row_parts(record, asked_of(record))


def plan_parts(record: Planned) -> dict[str, str]:
    """The same with the plan. Raises StageFailure where the row has none."""
    if record.plan is None:
        raise StageFailure("no_plan", "the row has no plan to write by")
    return planned_parts(record, asked_of(record))


def _samples(record: Retrieved, by: str, sources: Sources) -> list[Sample]:
    """The row's samples that were retrieved by `plan` or by `requirement`. Raises StageFailure where there are none."""
    ids = [sample.id for sample in record.samples if sample.by == by]
    if not ids:
        raise StageFailure("no_sample", f"the row has no sample that was retrieved by {by}")
    return [sources.samples[id_] for id_ in ids]


def _sample_parts(sample: Sample, prefix: str = "") -> dict[str, str]:
    """A sample's code and what it was written for, on one line."""
    requirement = " ".join(sample.requirement.split())
    return {f"{prefix}sample": sample.code.strip("\n"), f"{prefix}sample_requirement": requirement}
