"""The stage `mend`: what is found in a finished program goes back to the model, which corrects it."""

from __future__ import annotations

from functools import partial

from pipeline.errors import StageFailure
from pipeline.generate.llm.findings import findings
from pipeline.generate.llm.sources import Sources
from pipeline.generate.llm.steps import files_of
from pipeline.generate.llm.writers import requirement_parts
from pipeline.llm.asking.asker import Asking
from pipeline.llm.asking.replies import Program
from pipeline.llm.build import AskerBuilder
from pipeline.measures.project_scores import main_source
from pipeline.records import Generated
from pipeline.stage import Fields, Step


def mend_step(build_asker: AskerBuilder, _sources: Sources, *, rounds: int) -> Step:
    """Asks for a correction at most `rounds` times, as long as something is found. A program in which as much is found
    as before is not taken: mending leaves no row worse off, one whose call fails included."""
    asker = build_asker()

    async def step(record: Generated) -> Fields:
        (mended,), calls = await asker.ask("mend", record, partial(_mended, record=record, rounds=rounds))
        if mended is None:
            return {"calls": calls}
        return {"files": files_of(mended), "calls": calls}

    return step


async def _mended(ask: Asking, record: Generated, rounds: int) -> Program | None:
    """The best correction; None where there is nothing to correct or none is better."""
    best: Program | None = None
    code = main_source(record)
    found = findings(record.constraints, code)
    for _ in range(rounds):
        if not found:
            break
        try:
            program = await ask.program("mend", code=code, findings="\n".join(found), **requirement_parts(record))
        except StageFailure:
            break
        left = findings(record.constraints, program.code)
        if len(left) >= len(found):
            break
        best, code, found = program, program.code, left
    return best
