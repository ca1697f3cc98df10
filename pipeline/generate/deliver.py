"""The stage after the writing: what was asked, looked up in the finished script; and the project completed by it."""

from __future__ import annotations

from pipeline.errors import StageFailure
from pipeline.generate.not_done import with_list
from pipeline.generate.project import project_files
from pipeline.generate.project_readme import readme
from pipeline.measures.delivery.assumptions import origin_of_plan
from pipeline.measures.delivery.check import check_delivery
from pipeline.measures.delivery.code import read_code
from pipeline.measures.delivery.task.framework import mixed_frameworks
from pipeline.measures.project_scores import main_source
from pipeline.records import README, SCRIPT, Delivered, Generated, SourceFile
from pipeline.stage import Fields, Stage, Step


def deliver_stage() -> Stage:
    """Generated -> Delivered. Nothing is run."""
    return Stage(name="deliver", accepts=Generated, returns=Delivered, build=_build)


def _build() -> Step:
    return deliver


def deliver(record: Generated) -> Fields:
    """Each constraint met, not met or not checkable, and what the plan decides that nobody asked for; and the files:
    the script with what is not done in its first cell, the notebook, what to install, the README.

    Raises StageFailure (`mixed_frameworks`) for a network that another framework is to train."""
    plain = main_source(record)
    code = read_code(plain)
    mixed = "" if code is None else mixed_frameworks(code)
    if mixed:
        raise StageFailure("mixed_frameworks", f"the project belongs to two frameworks: {mixed}; it cannot be trained")
    delivery = check_delivery(
        record.constraints,
        plain,
        plan=record.written_plan,
        origin=origin_of_plan(record),
        requirement=record.requirement,
    )
    script, delivery = with_list(plain, delivery)
    about = SourceFile(path=README, text=readme(record, delivery, plain))
    others = [file for file in record.files if file.path != SCRIPT]
    files = (*project_files(script, plain=plain), about, *others)
    return {"plan_final": record.written_plan, "delivery": delivery, "files": files}
