"""What a model decided in the final project: the plan as it corrected it, and which draft each section came from."""

from __future__ import annotations

import ast
from collections import Counter
from typing import Any

from pipeline.analysis.parsing import parsed
from pipeline.generate.symbolic.compare import BOTH, CODE, TEMPLATE
from pipeline.generate.symbolic.notebook import Notebook, read_notebook
from pipeline.generate.symbolic.statement import SECTIONS
from pipeline.llm.asking.replies import Program
from pipeline.plan.correcting import corrected, settings_stated
from pipeline.records import Drafted, Planned, Requirement, SectionChoice

NEITHER = "neither"
"""Where a section came from of which most stands in no draft."""


def decided_fields(record: Requirement, program: Program) -> dict[str, Any]:
    """The fields `plan_final`, `corrections`, `decisions` and `choices` of a project that a model wrote. What the
    request states is not taken back by a correction."""
    fields: dict[str, Any] = {"decisions": program.decisions}
    if isinstance(record, Planned) and record.plan is not None:
        stated = settings_stated(record.plan_origins)
        fields["plan_final"], fields["corrections"] = corrected(record.plan, program.decisions.corrections, stated)
    if isinstance(record, Drafted) and record.code_draft and record.template_draft:
        fields["choices"] = section_origins(program.code, record.code_draft, record.template_draft)
    return fields


def section_origins(code: str, code_draft: str, template_draft: str) -> tuple[SectionChoice, ...]:
    """For each section of the final project the draft that has more of its statements, as syntax trees; none where one
    of the three does not parse. The points are the shares of the section's statements that stand in a draft."""
    if any(parsed(text) is None for text in (code, code_draft, template_draft)):
        return ()
    final, first, second = (read_notebook(text) for text in (code, code_draft, template_draft))
    of_first, of_second = _statements(first), _statements(second)
    choices: list[SectionChoice] = []
    for section in SECTIONS:
        own = [ast.dump(statement.node) for statement in final.section(section)]
        if not own:
            continue
        in_first, in_second = _share(own, of_first), _share(own, of_second)
        choices.append(
            SectionChoice(
                section=section,
                chosen=_chosen(in_first, in_second),
                code_draft=in_first,
                template_draft=in_second,
                reason=f"{len(own)} statements, {in_first:.0%} of them in draft 1, {in_second:.0%} in draft 2",
            )
        )
    return tuple(choices)


def _statements(notebook: Notebook) -> Counter[str]:
    counted: Counter[str] = Counter()
    for section in SECTIONS:
        counted.update(ast.dump(statement.node) for statement in notebook.section(section))
    return counted


def _share(own: list[str], draft: Counter[str]) -> float:
    """The share of statements that stand in a draft, each of them as often as there."""
    there = Counter(own) & draft
    return there.total() / len(own)


def _chosen(in_first: float, in_second: float) -> str:
    if max(in_first, in_second) < 0.5:
        return NEITHER
    if in_first == in_second:
        return BOTH
    return CODE if in_first > in_second else TEMPLATE
