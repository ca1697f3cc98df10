"""One row of a run, readable in a terminal."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from jobs.runs.store import RunStore
from pipeline.errors import DLCodeGenError
from pipeline.records import NOTEBOOK, REQUIREMENTS, SCRIPT, Scored

_PARTS = ("all", "plan", "template", "draft1", "draft2", "code", "notebook", "requirements")


def newest_run(folder: str = "out") -> str:
    """The run under a folder whose manifest was written last. Raises DLCodeGenError where there is none."""
    manifests = sorted(Path(folder).glob("*/manifest.json"), key=lambda path: path.stat().st_mtime)
    if not manifests:
        raise DLCodeGenError(f"no finished run under {folder}/; name one with --run")
    return str(manifests[-1].parent)


def show_row(run: str, row_id: str, what: str) -> None:
    """Prints a row, or one part of it as plain text that can be piped. Raises DLCodeGenError for an unknown id."""
    if what not in _PARTS:
        raise DLCodeGenError(f"--what {what}: choose one of {', '.join(_PARTS)}")
    record = next((item for item in RunStore(run).results(measured=True) if item.id == row_id), None)
    if record is None and not RunStore(run).exists():
        raise DLCodeGenError(f"{run}: no run there; give the folder that `dlcodegen generate --out` wrote")
    if record is None:
        raise DLCodeGenError(f"{run}: no row {row_id!r} among the finished ones; ids are in {run}/results")
    if what == "all":
        _print_all(record, Console())
    else:
        print(_part(record, what))


def _part(record: Scored, what: str) -> str:
    files = {file.path: file.text for file in record.files}
    return {
        "plan": json.dumps(record.plan.model_dump(by_alias=True), indent=2) if record.plan else "",
        "template": record.template,
        "draft1": record.code_draft,
        "draft2": record.template_draft,
        "code": files.get(SCRIPT, ""),
        "notebook": files.get(NOTEBOOK, ""),
        "requirements": files.get(REQUIREMENTS, ""),
    }[what].rstrip("\n")


def _print_all(record: Scored, console: Console) -> None:
    console.rule(f"[bold]{record.id}")
    console.print(record.requirement, markup=False, highlight=False)
    if record.attributes:
        console.print(record.attributes, style="dim", markup=False, highlight=False)
    if record.failure:
        console.print(
            f"failed in {record.failure.stage}: {record.failure.kind}: {record.failure.message}",
            style="red",
            markup=False,
        )
    if record.plan:
        console.rule("plan", align="left")
        console.print(Syntax(_part(record, "plan"), "json", word_wrap=True, background_color="default"))
    samples = Table("rank", "sample", "score", "category", title="retrieved", title_justify="left")
    for sample in record.samples:
        samples.add_row(str(sample.rank), sample.id, f"{sample.score:.2f}", sample.task_category)
    for item in record.excluded:
        samples.add_row("-", item.id, f"{item.similarity:.2f}", f"kept out: {item.reason}")
    console.print(samples)
    choices = Table("section", "from", "draft 1", "draft 2", "because", title="comparison", title_justify="left")
    for choice in record.choices:
        choices.add_row(
            choice.section, choice.chosen, f"{choice.code_draft:.2f}", f"{choice.template_draft:.2f}", choice.reason
        )
    console.print(choices)
    if record.calls:
        console.print(_calls_table(record))
    if record.scores:
        scores = Table("measure", "value", title="scores", title_justify="left")
        for name in record.scores.__dataclass_fields__:
            value = getattr(record.scores, name)
            if value not in (None, ()):
                shown = "; ".join(value) if isinstance(value, tuple) else str(value)
                scores.add_row(name.replace("_", " "), f"{value:.4f}" if isinstance(value, float) else shown)
        console.print(scores)
    console.rule(SCRIPT, align="left")
    console.print(Syntax(_part(record, "code"), "python", word_wrap=True, background_color="default"))


def _calls_table(record: Scored) -> Table:
    calls = Table(title="calls to the language model", title_justify="left")
    for head in ("stage", "prompt", "tokens in", "tokens out", "ended", "seconds", "cost", ""):
        calls.add_column(head, justify="right" if head in ("tokens in", "tokens out", "seconds", "cost") else "left")
    for call in record.calls:
        took = call.measured
        notes = ["from the response cache"] * bool(took and took.cached) + [f"cut: {part}" for part in call.cut]
        prefix = f" ({took.cached_tokens:,} in prefix cache)" if took and took.cached_tokens else ""
        spent = (f"{took.seconds:.2f}", f"{took.cost:.5f}") if took else ("-", "-")
        calls.add_row(
            call.stage,
            call.prompt,
            f"{call.prompt_tokens:,}{prefix}",
            f"{call.completion_tokens:,}",
            call.finish_reason,
            *spent,
            "; ".join(notes),
        )
    return calls
