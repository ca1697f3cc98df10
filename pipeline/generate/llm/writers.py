"""Ways to write a project with a language model: each gives the program for one row, by one prompt.

DLCodeGen's drafts and comparison (paper, section III.C-D), and the baselines (section IV.B).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.errors import StageFailure
from pipeline.generate.llm.chains import Categories
from pipeline.llm.asking.asker import Asking
from pipeline.llm.asking.replies import Program
from pipeline.records import Drafted, Planned, Requirement, Retrieved, RetrievedSample, Templated
from pipeline.retrieval.sample_pool import Sample


class SampleWriter:
    """Writes from the samples of a pool."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = {sample.id: sample for sample in samples}

    async def from_sample(self, ask: Asking, record: Retrieved) -> Program:
        """Draft 1: the sample nearest to the plan, adapted."""
        return await ask.program("draft_from_sample", sample=self.code(record, "plan"), **planned_task(record))

    async def by_example(self, ask: Asking, record: Retrieved) -> Program:
        """CEDAR: the sample nearest by requirement as the one example."""
        example = self._samples[_retrieved(record, "requirement")[0].id]
        return await ask.program(
            "cedar", sample=example.code.strip("\n"), sample_requirement=example.requirement, **task(record)
        )

    async def template(self, ask: Asking, record: Retrieved) -> str:
        """What the two samples nearest to the plan share. The row is no part of it: equal pairs share one reply."""
        second = self.code(record, "plan", 1) if len(_retrieved(record, "plan")) > 1 else ""
        return await ask.template("template", sample=self.code(record, "plan"), second_sample=second)

    def code(self, record: Retrieved, by: str, place: int = 0) -> str:
        """The code of one of the row's samples. Raises StageFailure where it has none."""
        return self._samples[_retrieved(record, by)[place].id].code.strip("\n")


class ChainWriter:
    """C-CoT: along the chain of thought of the requirement's category."""

    def __init__(self, categories: Categories, chains: Mapping[str, str]) -> None:
        self._categories, self._chains = categories, chains

    async def by_chain(self, ask: Asking, record: Requirement) -> Program:
        category = self._categories.of(record.requirement)
        return await ask.program("c_cot_code", category=category, chain=self._chains[category], **task(record))


async def direct(ask: Asking, record: Requirement) -> Program:
    """Direct: from the requirement alone."""
    return await ask.program("direct", **task(record))


async def from_plan(ask: Asking, record: Planned) -> Program:
    """PS, second call: by the plan that the model made itself."""
    return await ask.program("ps_code", **planned_task(record))


async def from_template(ask: Asking, record: Templated) -> Program:
    """Draft 2: the template, filled."""
    return await ask.program("draft_from_template", template=record.template, **planned_task(record))


async def from_drafts(ask: Asking, record: Drafted) -> Program:
    """The comparison: the final project from plan, draft 1 and draft 2."""
    return await ask.program(
        "compare", code_draft=record.code_draft, template_draft=record.template_draft, **planned_task(record)
    )


async def from_one_draft(ask: Asking, record: Drafted) -> Program:
    """The final project from plan and the only draft (follow-up check of the comparison)."""
    draft = record.code_draft or record.template_draft
    return await ask.program("isolated", code_draft=draft, **planned_task(record))


def task(record: Requirement) -> dict[str, str]:
    """A prompt's parts that say what is asked for."""
    return {"requirement": record.requirement.strip(), "attributes": record.attributes.strip()}


def planned_task(record: Planned) -> dict[str, str]:
    """The same with the plan. Raises StageFailure where the row has none."""
    if record.plan is None:
        raise StageFailure("no_plan", "the row has no plan to write by")
    return {**task(record), "plan": record.plan.to_json()}


def _retrieved(record: Retrieved, by: str) -> list[RetrievedSample]:
    found = [sample for sample in record.samples if sample.by == by]
    if not found:
        raise StageFailure("no_sample", f"the row has no sample that was retrieved by {by}")
    return found
