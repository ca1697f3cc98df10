"""What reports show of projects that were run: the ladder with its denominators, each run, and nothing that is live."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

from pipeline.execution.funnel import funnel_of
from pipeline.execution.ladder import FirstException, Rung, RuntimeCheck
from pipeline.execution.running.execute_stage import Executed
from pipeline.execution.running.plots import Plot
from pipeline.execution.running.rows import ExecutedProject, FurtherRun, ProjectRow
from pipeline.pages.execution.report import write_execution_report
from pipeline.pages.ladder.view import bounded, execution_view
from pipeline.records import SCRIPT, SourceFile
from tests.pipeline.execution.running.executed_projects import executed_project
from tests.pipeline.pages.report_records import record
from tests.pipeline.pages.test_report import HOSTILE, Tags, page, shown

ERROR = FirstException(
    kind="shape", type="ValueError", message=f"no {HOSTILE}", file=SCRIPT, line=7, code=f"fit(x) # {HOSTILE}"
)
HOSTILE_RUN = executed_project(
    "hostile",
    came_to=Rung.DATA_FOUND,
    error=ERROR,
    stdout=HOSTILE * 900,
    stderr=HOSTILE,
    plots=(Plot(path=f"{HOSTILE}.png", size=9, type="image/png", content="aGVsbG8="),),
    checks=(RuntimeCheck(source="plan", name="optimizer", wanted=HOSTILE, observed=HOSTILE, outcome="not_met"),),
    further_runs=(FurtherRun(reached="learns", ended_of="", infra=""),),
    observation='{"trainings": [{"network": null, "by": "loop", "optimizer": "<b>", "steps": 3, "last_loss": 0.5}]}',
)


def _report(*runs: ExecutedProject, items: int = 100) -> str:
    rows = []
    for number, run in enumerate(runs):
        files = (SourceFile(path=SCRIPT, text=f"x = {number} # {HOSTILE}"),)
        rows.append((ProjectRow(id=run.id, row=number, source="s", environment="keras3", files=files), run))
    out = io.BytesIO()
    write_execution_report(rows, out, title=HOSTILE, funnel=funnel_of(runs), settings={"a": HOSTILE}, items=items)
    return out.getvalue().decode()


def test_the_ladder_stands_with_its_denominators() -> None:
    runs = [
        executed_project(),
        executed_project(learns="not_measurable"),
        executed_project(came_to=Rung.MODEL_BUILDS, error=replace(ERROR, message="no")),
        executed_project(infra="dead"),
    ]
    rows = [record(number) for number in range(4)]
    values = [{name: getattr(row, name) for name in row.__dataclass_fields__} for row in rows]
    executed = [Executed(**fields, execution=run) for fields, run in zip(values, runs, strict=True)]
    for text in (Tags(_report(*runs)).text, Tags(page(executed)).text):
        assert "4 projects were run in keras3" in text
        assert "1 that the machinery failed are in none" in text
        assert "finishes 2 3 67 %" in text
        assert "learns 1 2 50 % 1" in text
        assert "Ended of: shape 1" in text
    assert shown(page(executed))[0]["execution"] == execution_view(bounded(runs[0]))


def test_a_page_of_projects_that_were_not_run_speaks_of_none_and_shows_no_image() -> None:
    text = page([record(0)])
    assert "Does it work" not in Tags(text).text
    assert "img-src" not in text
    assert "execution" not in shown(text)[0]
    assert "img-src data:;" in _report(executed_project())


def test_what_a_project_prints_and_saves_is_no_markup() -> None:
    text = _report(HOSTILE_RUN, executed_project("good"))
    tags = Tags(text)
    assert {tag for tag, _ in tags.tags}.isdisjoint({"img", "iframe", "object", "base", "link"})
    assert not any(name.startswith("on") for _, attributes in tags.tags for name in attributes)
    assert text.count("<script") == 3  # the two rows' data and the page's own
    run = shown(text)[0]["execution"]
    assert isinstance(run, dict)
    assert run["exception"][0] == "shape"
    assert (run["exception"][3], run["trainings"][0][1]) == (7, "<b>")
    assert "run again: learns" in run["about"]
    assert "1 came to another rung" in tags.text
    assert not re.search("[\x00\x1b\u202e]", json.dumps(run, ensure_ascii=False))


def test_a_run_takes_no_more_than_its_room_of_the_page() -> None:
    figures = tuple(Plot(path=f"{n}.png", size=90_000, type="image/png", content="A" * 120_000) for n in range(5))
    large = Plot(path="large.png", size=300_000, type="image/png", content="A" * 400_000)
    run = executed_project(stdout="x\n" * 40_000, stderr="y" * 10**6, plots=(large, *figures), observation="[" * 10**6)
    view = execution_view(bounded(run))
    assert len(json.dumps(view)) < 300_000
    assert [bool(content) for _, _, _, content in view["plots"]] == [False, True, True, False, False, False]  # type: ignore[attr-defined]
    text = _report(*[executed_project(f"p{number}") for number in range(50)], items=7)
    assert len(shown(text)) == 7
    assert "7 of 50 projects can be opened" in Tags(text).text


def test_the_script_makes_text_nodes_alone() -> None:
    folder = Path(__file__).parents[3] / "pipeline/pages/ladder"
    css, js = (folder / "ladder.css").read_text(), (folder / "run.js").read_text()
    assert not re.search(r"url\(|@import|@font-face", css)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|fetch\(|import\(|XMLHttp|eval\(", js)
