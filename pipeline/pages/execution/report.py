"""The HTML report of `dlcodegen execute`: the ladder over all projects, and some of their runs to open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.execution.funnel import Funnel
from pipeline.execution.ladder import Rung
from pipeline.execution.running.rows import ExecutedProject, ProjectRow
from pipeline.execution.wording import rung_words
from pipeline.pages.ladder.view import bounded, execution_view
from pipeline.pages.report_items import Documents, add_files, plan_view, script_json
from pipeline.pages.report_page import LADDER_STYLES, Target, setting_rows, write_page
from pipeline.pages.report_text import clip, clip_lines
from pipeline.records import SourceFile

_FILES = 5
"""Modules shown of a project."""

_HELD = 2
"""Runs held for each one shown."""


@dataclass(frozen=True, slots=True)
class ExecutedItem:
    """A project that the page opens."""

    row: int
    executed: ExecutedProject
    project: ProjectRow

    @property
    def environment(self) -> str:
        return self.executed.environment

    @property
    def finished(self) -> bool:
        return self.executed.outcome_of(Rung.FINISHES) == "reached"

    @property
    def came_to(self) -> str:
        """Its highest rung in words."""
        return "machinery failed" if self.executed.infra else rung_words(self.executed.reached) or "nowhere"

    @property
    def state(self) -> str:
        """The class of that word's colour."""
        if self.executed.infra:
            return "warn"
        return "good" if self.finished else "bad"

    @property
    def ended_of(self) -> str:
        return self.executed.infra or self.executed.ended_of()


def write_execution_report(
    runs: Iterable[tuple[ProjectRow, ExecutedProject]],
    out: Target,
    *,
    title: str,
    funnel: Funnel,
    settings: Mapping[str, object],
    items: int = 100,
) -> None:
    """Writes the page of all runs, which are read once; at most `items` of them can be opened, every n-th of each rung
    that projects came to."""
    chosen = _chosen(runs, items)
    write_page(
        out,
        "execution/report.html.jinja",
        title=title,
        data=((item.row, _item_json(item)) for item in chosen),
        styles=("report.css", LADDER_STYLES),
        images=True,
        funnel=funnel,
        items=chosen,
        settings=list(setting_rows(settings)),
    )


def _chosen(runs: Iterable[tuple[ProjectRow, ExecutedProject]], most: int) -> list[ExecutedItem]:
    """At most `most` runs, evenly spread. More than twice as many are never held."""
    held: list[ExecutedItem] = []
    stride = 1
    for row, (project, executed) in enumerate(runs):
        if row % stride == 0:
            held.append(ExecutedItem(row, bounded(executed), project))
        if len(held) > _HELD * most:
            held = held[::2]
            stride *= 2
    if len(held) > most:
        held = [held[place * len(held) // most] for place in range(most)]
    return held


def _item_json(item: ExecutedItem) -> str:
    documents = Documents()
    add_files(documents, _shown_files(item.project.files))
    view = {
        "id": clip(item.executed.id, 200),
        "row": item.row,
        "category": item.environment,
        "requirement": clip(f"{item.executed.id} of {item.executed.source}", 400),
        "attributes": "",
        "failure": None,
        "plan": None if item.project.plan is None else plan_view(item.project.plan),
        "sources": [],
        "samples": [],
        "excluded": [],
        "choices": [],
        "scores": None,
        "moreFiles": 0,
        "execution": execution_view(item.executed),
        "lines": list(documents.lines),
        "texts": documents.texts,
        "diffs": [],
    }
    return script_json(view)


def _shown_files(files: Sequence[SourceFile]) -> Sequence[SourceFile]:
    """The first modules, each within the page's room for a text."""
    shown = [file for file in files if file.path.endswith(".py")]
    return [SourceFile(path=file.path, text=clip_lines(file.text)) for file in shown[:_FILES]]
