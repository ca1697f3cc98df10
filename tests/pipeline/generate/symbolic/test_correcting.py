"""What the symbolic writer corrects in a plan stands beside it, as what a model corrects does."""

from __future__ import annotations

from functools import cache

from pipeline.config import PipelineSettings
from pipeline.inputs import as_sentence, read_requirements
from pipeline.methods import generation_stages
from pipeline.plan.fields import FIELD
from pipeline.records import README, Planned, Scored
from pipeline.stage import run_local

ASKED = "Tell five kinds of leaves apart on photos of 96x96 pixels, with a batch size of 7."


@cache
def _rows(requirement: str) -> tuple[Planned, Scored]:
    """The row as it was planned, and as it was finished."""
    rows = list(read_requirements(as_sentence(requirement)))
    stages = generation_stages(PipelineSettings())
    names = [stage.name for stage in stages]
    (planned,) = run_local(stages[: names.index("plan") + 1], rows)
    (finished,) = run_local(stages, rows)
    assert isinstance(planned, Planned)
    assert isinstance(finished, Scored)
    return planned, finished


def test_the_plan_stays_as_it_was_planned() -> None:
    planned, finished = _rows(ASKED)
    assert finished.plan == planned.plan
    assert finished.plan_changes == planned.plan_changes
    assert finished.plan_origins == planned.plan_origins


def test_what_the_project_has_otherwise_is_a_correction_with_its_reason() -> None:
    _, finished = _rows(ASKED)
    assert finished.corrections
    assert finished.plan is not None
    assert finished.plan_final is not None
    for field in FIELD.values():
        is_corrected = field.name in {one.field for one in finished.corrections}
        assert is_corrected == (field.of(finished.plan) != field.of(finished.plan_final)), field.name
    assert all(one.was != one.now and one.because for one in finished.corrections)
    assert "batch_size" not in {one.field for one in finished.corrections}, "the request states it"


def test_conformance_is_to_both_plans() -> None:
    _, finished = _rows(ASKED)
    assert finished.scores is not None
    assert finished.scores.conformance is not None
    assert finished.scores.conformance_final is not None
    assert finished.scores.conformance < finished.scores.conformance_final


def test_the_readme_says_what_is_otherwise_than_planned() -> None:
    _, finished = _rows(ASKED)
    text = next(file.text for file in finished.files if file.path == README)
    assert "## Corrected" in text
    assert finished.corrections[0].because in text
