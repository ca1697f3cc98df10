"""`dlcodegen bench`: whole projects on tasks with hidden tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from jobs.commands.options import Quiet, is_setting
from jobs.runs.terminal import Screen, say, say_error

if TYPE_CHECKING:
    from pipeline.hidden_tests.results import TaskResult

app = typer.Typer()
bench = typer.Typer(help="Benchmarks of whole projects.", no_args_is_help=True)
app.add_typer(bench, name="bench")

Python = Annotated[
    Path | None,
    typer.Option("--python", help="The Python of the references; by default that of the environment keras3."),
]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        help="Tasks or categories, by default all; settings as key=value, e.g. method=copy.", metavar="WORD"
    ),
]


@bench.command(
    epilog="Examples:  dlcodegen bench projects --out out/bench method=symbolic   |   "
    "dlcodegen bench projects table --out out/tables method=copy"
)
def projects(
    words: Words = None,
    out: Annotated[str, typer.Option("--out", help="A folder; the same command goes on after a kill.")] = "",
    list_tasks: Annotated[bool, typer.Option("--list", help="Print the tasks and their bounds, and end.")] = False,
    quiet: Quiet = False,
) -> None:
    """Generate a project for each task, run it on the task's data, and grade it on answers it never saw."""
    from jobs.hidden_tests.benchmarking import BenchConfig, main, sandbox_of
    from pipeline.config import PipelineSettings, load_settings
    from pipeline.errors import DLCodeGenError
    from pipeline.hidden_tests.certificate import answers_are_hidden, certificates
    from pipeline.hidden_tests.task import chosen_tasks

    settings = [word for word in words or () if is_setting(word)]
    tasks = chosen_tasks(word for word in words or () if word not in settings)
    if list_tasks:
        return _print_tasks([task.id for task in tasks])
    if not out:
        raise DLCodeGenError("bench projects: give a folder for data, projects and results by --out DIR")
    if not answers_are_hidden(sandbox_of()):
        say_error("on this machine the sandbox hides no files: a project that looks for the answers could find them")
    certified = [task for task in tasks if task.id in certificates()]
    if left_out := len(tasks) - len(certified):
        say_error(f"{left_out} tasks have no bounds yet and are left out; dlcodegen bench certify makes them")
    chosen = load_settings(PipelineSettings, None, settings)
    results = main(BenchConfig(out=out, tasks=certified, settings=chosen, quiet=quiet))
    _print_results(results)
    held = [certificates()[task.id] for task in certified]
    say(f"certificates: {sum(one.holds for one in held)} of {len(held)} tasks hold all their checks; results: {out}")


@bench.command(epilog="Example:  dlcodegen bench certify")
def certify(
    words: Words = None,
    python: Python = None,
    again: Annotated[bool, typer.Option("--again", help="Also tasks whose certificate is of today's data.")] = False,
) -> None:
    """Run the references and controls of the tasks, and write their certificates. Exits with 1 where a check fails."""
    from jobs.hidden_tests.benchmarking import sandbox_of
    from jobs.hidden_tests.certifying import certify_tasks
    from pipeline.hidden_tests.task import chosen_tasks

    broken = False
    for line, holds in certify_tasks(chosen_tasks(words or ()), sandbox_of(python), again=again):
        print(line, flush=True)
        broken = broken or not holds
    raise typer.Exit(1 if broken else 0)


def _print_tasks(names: Sequence[str]) -> None:
    from pipeline.hidden_tests.certificate import certificates
    from pipeline.hidden_tests.task import chosen_tasks

    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True
    )  # the whole fits in 80 columns: a name that is cut is no use
    for head in ("task", "category", "trivial", "reference", "holds"):
        table.add_column(head, no_wrap=True)
    table.add_column("metric", no_wrap=True, max_width=10)
    for task in chosen_tasks(names):
        certificate = certificates().get(task.id)
        bounds = ("", "", "no bounds")
        if certificate is not None:
            holds = "yes" if certificate.holds else ", ".join(certificate.broken)
            bounds = (f"{certificate.trivial:.4g}", f"{certificate.reference:.4g}", holds)
        table.add_row(task.id, task.category, *bounds, task.metric)
    Screen().print(table)


def _print_results(results: Sequence[TaskResult]) -> None:
    from pipeline.hidden_tests.results import failures_of, shares_of

    table = Table(title="tasks that reach each rung", title_justify="left")
    table.add_column("category")
    for head in ("tasks", "generated", "runs", "scored", "beats trivial", "reaches reference", "pass@1 (95 %)"):
        table.add_column(head, justify="right")
    for shares in shares_of(results):
        interval = shares.pass_at_1
        counts = (shares.tasks, shares.generated, shares.runs, shares.scored, shares.learnt, shares.reaches)
        passed = f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}]"
        table.add_row(shares.name, *map(str, counts), passed)
    screen = Screen()
    screen.print(table)
    for kind, count in failures_of(results):
        screen.print(f"{count:>4}  {kind}", highlight=False)
