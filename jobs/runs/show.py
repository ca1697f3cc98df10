"""One row of a run, readable in a terminal."""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from pathlib import Path

from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from jobs.runs.asked import assumptions_table, constraints_table, delivery_table
from jobs.runs.executed import rungs_table, tail_of
from jobs.runs.shown.calls import cache_of_run, calls_text, write_calls
from jobs.runs.shown.decided import corrections_table, origins_table
from jobs.runs.store import RunStore
from jobs.runs.terminal import Screen, console
from pipeline.errors import DLCodeGenError
from pipeline.execution.running.execute_stage import execution_of
from pipeline.foreign_text import visible
from pipeline.pages.report_asked import decision_lines
from pipeline.records import NOTEBOOK, REQUIREMENTS, SCRIPT, Scored, Scores

_PARTS = "all asked execution calls plan template draft1 draft2 code notebook requirements".split()
_NUMERIC = ("tokens in", "tokens out", "seconds", "cost")


def newest_run(folder: str = "out") -> str:
    """The run under a folder whose manifest was written last. Raises DLCodeGenError where there is none."""
    manifests = sorted(Path(folder).glob("*/manifest.json"), key=lambda path: path.stat().st_mtime)
    if not manifests:
        raise DLCodeGenError(f"no finished run under {folder}/; name one with --run")
    return str(manifests[-1].parent)


def show_row(run: str, row_id: str, what: str, out: str | None = None) -> None:
    """Prints a row, or one part of it as plain text that can be piped; with `out`, a folder, the row's calls are
    written there as a file. Raises DLCodeGenError for an unknown id."""
    if out is not None and what != "calls":
        raise DLCodeGenError("--out FOLDER is for --what calls: it writes a row's calls as one file")
    if what not in _PARTS:
        raise DLCodeGenError(f"--what {what}: choose one of {', '.join(_PARTS)}")
    record = _finished_row(RunStore(run), row_id)
    if what == "all":
        _print_all(record, Screen())
    elif what == "asked":
        _print_asked(record, console())
    elif what == "execution":
        _print_execution(record, console())
    elif what == "calls" and out is not None:
        print(write_calls(record, cache_of_run(run), out))
    else:
        text = calls_text(record, cache_of_run(run)) if what == "calls" else _part(record, what)
        print(visible(text) if sys.stdout.isatty() else text)


def _finished_row(store: RunStore, row_id: str) -> Scored:
    for record in store.results(measured=True):
        if record.id == row_id:
            return record
    run = store.folder
    if not store.exists():
        raise DLCodeGenError(f"{run}: no run there; give the folder that `dlcodegen generate --out` wrote")
    raise DLCodeGenError(f"{run}: no row {row_id!r} among the finished ones; ids are in {run}/results")


def _part(record: Scored, what: str) -> str:
    """One part of a row as text; "" for what the row does not have."""
    files = {file.path: file.text for file in record.files}
    plan = ""
    if record.plan:
        plan = json.dumps(record.plan.model_dump(by_alias=True), indent=2)
    parts = {
        "plan": plan,
        "template": record.template,
        "draft1": record.code_draft,
        "draft2": record.template_draft,
        "code": files.get(SCRIPT, ""),
        "notebook": files.get(NOTEBOOK, ""),
        "requirements": files.get(REQUIREMENTS, ""),
    }
    return parts[what].rstrip("\n")


def _print_asked(record: Scored, screen: Screen) -> None:
    """Asked -> delivered; of a row without a project, what was understood."""
    if record.delivery is not None:
        screen.print(delivery_table(record.delivery))
        screen.print(assumptions_table(record.delivery))
    elif record.constraints:
        screen.print(constraints_table(record.constraints))
    else:
        screen.print("nothing that can be looked up was read in the request")


def _print_execution(record: Scored, screen: Screen) -> None:
    """How far the project came, what it ended of, and the ends of what it printed."""
    executed = execution_of(record)
    if executed is None:
        screen.print(
            "the project was not run; `execute=on` runs those of a run, `dlcodegen execute RUN` those of this one"
        )
        return
    screen.print(rungs_table(executed))
    if executed.ended_of():
        screen.print(executed.ended_of(), style="red", markup=False)
    for name, text in (("output", executed.stdout_tail), ("errors", executed.stderr_tail)):
        if text.strip():
            screen.rule(f"the end of its {name}", align="left")
            screen.print(visible(tail_of(text)), markup=False, highlight=False)
    for plot in executed.plots:
        screen.print(f"saved {plot.path} ({plot.size:,} bytes)", markup=False)


def _print_all(record: Scored, screen: Screen) -> None:
    screen.rule(Text(record.id, "bold"))
    screen.print(record.requirement, highlight=False)
    if record.attributes:
        screen.print(record.attributes, style="dim", highlight=False)
    if record.failure:
        failure = record.failure
        text = f"failed in {failure.stage}: {failure.kind}: {failure.message}"
        screen.print(text, style="red")
    _print_asked(record, screen)
    if record.plan:
        screen.rule("plan", align="left")
        screen.print(Syntax(_part(record, "plan"), "json", word_wrap=True, background_color="default"))
    if record.plan_origins:
        screen.print(origins_table(record))
    if record.corrections:
        screen.print(corrections_table(record))
    if record.decisions is not None:
        for line in decision_lines(record.decisions):
            screen.print(line, markup=False, highlight=False)
    screen.print(_samples_table(record))
    screen.print(_choices_table(record))
    executed = execution_of(record)
    if executed is not None:
        screen.print(rungs_table(executed))
    if record.calls:
        screen.print(_calls_table(record))
    if record.scores:
        screen.print(_scores_table(record.scores))
    screen.rule(SCRIPT, align="left")
    screen.print(Syntax(_part(record, "code"), "python", word_wrap=True, background_color="default"))


def _samples_table(record: Scored) -> Table:
    table = Table("rank", "sample", "score", "category", title="retrieved", title_justify="left")
    for sample in record.samples:
        table.add_row(str(sample.rank), sample.id, f"{sample.score:.2f}", sample.task_category)
    for excluded in record.excluded:
        table.add_row("-", excluded.id, f"{excluded.similarity:.2f}", f"kept out: {excluded.reason}")
    return table


def _choices_table(record: Scored) -> Table:
    table = Table("section", "from", "draft 1", "draft 2", "because", title="comparison", title_justify="left")
    for choice in record.choices:
        scores = f"{choice.code_draft:.2f}", f"{choice.template_draft:.2f}"
        table.add_row(choice.section, choice.chosen, *scores, choice.reason)
    return table


def _scores_table(scores: Scores) -> Table:
    """The scores that the row has."""
    table = Table("measure", "value", title="scores", title_justify="left")
    for field in fields(scores):
        value = getattr(scores, field.name)
        if value in (None, ()):
            continue
        if isinstance(value, tuple):
            text = "; ".join(value)
        elif isinstance(value, float):
            text = f"{value:.4f}"
        else:
            text = str(value)
        table.add_row(field.name.replace("_", " "), text)
    return table


def _calls_table(record: Scored) -> Table:
    table = Table(title="calls to the language model", title_justify="left")
    for heading in ("stage", "prompt", "tokens in", "tokens out", "ended", "seconds", "cost", ""):
        table.add_column(heading, justify="right" if heading in _NUMERIC else "left")
    for call in record.calls:
        notes = [f"cut: {part}" for part in call.cut]
        prompt_tokens = f"{call.prompt_tokens:,}"
        seconds = cost = "-"
        if call.measured:
            seconds, cost = f"{call.measured.seconds:.2f}", f"{call.measured.cost:.5f}"
            if call.measured.cached:
                notes.insert(0, "from the response cache")
            if call.measured.cached_tokens:
                prompt_tokens += f" ({call.measured.cached_tokens:,} in prefix cache)"
        table.add_row(
            call.stage,
            call.prompt,
            prompt_tokens,
            f"{call.completion_tokens:,}",
            call.finish_reason,
            seconds,
            cost,
            "; ".join(notes),
        )
    return table
