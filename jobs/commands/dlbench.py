"""`dlcodegen dlbench`: function-level tasks read, certified, run and reported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from jobs.commands.options import Quiet, Workers, options_used
from jobs.runs.terminal import console

if TYPE_CHECKING:
    from pipeline.dlbench.certifying import Certificate
    from pipeline.dlbench.counts import TaskCounts

app = typer.Typer()
dlbench = typer.Typer(help="Function-level tasks (DL-Bench): read, certify, run, report.", no_args_is_help=True)
app.add_typer(dlbench, name="dlbench")

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="TASKS...",
        help="Folders or files of tasks: text files of 2024, CSV of 2025, harness JSON, YAML; or `bundled`.",
    ),
]
BenchOut = Annotated[
    str, typer.Option("--out", help="The folder of certificates and results; the same command goes on after a kill.")
]
Checkouts = Annotated[
    list[str] | None,
    typer.Option(
        "--checkout", metavar="REPOSITORY=FOLDER", help="A checkout, for a repository whose wheel ships no tests."
    ),
]

_SHOWN_REASONS = 5


@dlbench.command(epilog="Example:  dlcodegen dlbench tasks DL-Bench/prompts")
def tasks(sources: Sources) -> None:
    """Read tasks, and print their counts by stage, task and data with every trap by name."""
    from pipeline.dlbench.counts import count_tasks
    from pipeline.dlbench.reading.read import read_tasks

    _print_counts(count_tasks(read_tasks(sources)))


@dlbench.command(epilog="Example:  dlcodegen dlbench certify tasks.csv --out out/dlbench")
def certify(
    sources: Sources,
    out: BenchOut,
    checkout: Checkouts = None,
    mutants: Annotated[int, typer.Option("--mutants", min=0, help="Mutants a task, made by rule.")] = 3,
    cold: Annotated[bool, typer.Option("--cold", help="An interpreter of its own for each candidate.")] = False,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Find out which tasks tell right from wrong: the reference passes three times, and stubs do not."""
    from jobs.dlbench.certifying import main
    from jobs.dlbench.settings import CertifyConfig

    config = CertifyConfig(
        sources=tuple(sources),
        out=out,
        checkouts=checkouts_of(checkout or ()),
        mutants=mutants,
        warm=not cold,
        **options_used(workers=workers, quiet=quiet),
    )
    _print_funnel(main(config))


def checkouts_of(words: Sequence[str]) -> dict[str, str]:
    """`REPOSITORY=FOLDER` as a table. Raises DLCodeGenError for what is none, or no folder."""
    import os

    from pipeline.errors import DLCodeGenError

    checkouts = {}
    for word in words:
        repository, equals, folder = word.partition("=")
        if not equals or not os.path.isdir(folder):
            raise DLCodeGenError(f"--checkout {word}: give REPOSITORY=FOLDER, a folder of this machine")
        checkouts[repository.lower()] = os.path.abspath(folder)
    return checkouts


def _print_counts(counts: TaskCounts) -> None:
    screen = console()
    screen.print(f"{counts.tasks:,} tasks, {counts.methods:,} of methods; {counts.signatures:,} prompts have a `def`")
    for title, table in (("stage", counts.by_stage), ("task", counts.by_task), ("data", counts.by_data)):
        screen.print(f"{title}: " + ", ".join(f"{name} {count}" for name, count in table.items()), soft_wrap=True)
    names = ", ".join(f"{name} {count}" for name, count in counts.by_repository.items())
    screen.print(f"repositories: {names}", soft_wrap=True)
    crossed = Table("stage", "task", "data", "tasks", title="stage x task x data", title_justify="left")
    for (stage, task, data), count in counts.crossed.items():
        crossed.add_row(stage, task, data, str(count))
    screen.print(crossed)
    if not counts.traps:
        return
    traps = Table("trap", "tasks", "the first ones", title_justify="left")
    for name, messages in counts.traps.items():
        traps.add_row(name, str(len(messages)), "; ".join(messages[:3]))
    screen.print(traps)


def _print_funnel(certificates: Sequence[Certificate]) -> None:
    from pipeline.dlbench.certifying import funnel_of

    screen = console()
    table = Table("step", "tasks", "lost", "why, of the first ones", title="funnel", title_justify="left")
    for step in funnel_of(certificates):
        reasons = [f"{task}: {reason}" for task, reason in step.lost[:_SHOWN_REASONS]]
        table.add_row(step.name, str(step.tasks), str(len(step.lost) or ""), "\n".join(reasons))
    screen.print(table)
    certified = [one for one in certificates if one.certified]
    stubs = [status for one in certified for _, status in one.stubs]
    mutants, killed = sum(one.mutants for one in certified), sum(one.killed for one in certified)
    tests = sum(len(one.required) for one in certified)
    screen.print(
        f"{len(certified):,} of {len(certificates):,} tasks are certified, with {tests:,} tests; of them the reference "
        f"passes {len(certified):,}, {stubs.count('pass')} of {len(stubs):,} stubs pass, "
        f"{killed:,} of {mutants:,} mutants are killed",
        soft_wrap=True,
    )
