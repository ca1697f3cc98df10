"""The stage after the writing: what was asked, looked up in the finished project."""

from __future__ import annotations

from pipeline.measures.delivery.check import check_delivery
from pipeline.measures.project_scores import main_source
from pipeline.records import Delivered, Generated
from pipeline.stage import Fields, Stage


def deliver_stage() -> Stage:
    """Generated -> Delivered. Nothing is run."""
    return Stage(name="deliver", accepts=Generated, returns=Delivered, build=lambda: deliver)


def deliver(record: Generated) -> Fields:
    """Each constraint met, not met or not checkable, and what the plan decides that nobody asked for."""
    return {"delivery": check_delivery(record.constraints, main_source(record), plan=record.plan)}
