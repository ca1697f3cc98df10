"""`dlcodegen dlbench`: function-level tasks read, certified, run and reported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from jobs.commands.options import Quiet, Workers, options_used, print_paths
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


@dlbench.command(
    epilog="Examples:  dlcodegen dlbench run bundled --out out/dlbench   |   "
    "dlcodegen dlbench run tasks.csv --out out/m --mutate all llm=openai model=NAME base_url=URL"
)
def run(
    sources: Sources,
    out: BenchOut,
    checkout: Checkouts = None,
    samples: Annotated[int, typer.Option("--samples", min=1, help="Candidates and suites a task.")] = 8,
    mutate: Annotated[
        list[str] | None,
        typer.Option(
            "--mutate", help="An operator, e.g. `passive`, or `all`: as many calls on variants of the prompt."
        ),
    ] = None,
    rewrite: Annotated[str, typer.Option("--rewrite", help="Who rewrites prompts: `rules` or `model`.")] = "rules",
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Draw candidates and tests, run them, choose by agreement. Without llm=... the tasks' own answers are replayed."""
    from jobs.commands.options import is_setting
    from jobs.dlbench.running import RunConfig, main
    from jobs.dlbench.settings import CertifyConfig
    from pipeline.config import PipelineSettings, load_settings
    from pipeline.errors import DLCodeGenError

    settings = [word for word in sources if is_setting(word)]
    llm = load_settings(PipelineSettings, None, settings).llm
    if llm.backend == "vllm":
        raise DLCodeGenError("dlbench run asks models over HTTP; serve the engine, and give llm=openai base_url=...")
    if rewrite not in ("rules", "model"):
        raise DLCodeGenError(f"--rewrite {rewrite}: give rules or model")
    if rewrite == "model" and llm.backend == "none":
        raise DLCodeGenError("--rewrite model needs a model; give llm=openai model=NAME base_url=URL")
    certify_config = CertifyConfig(
        sources=tuple(word for word in sources if word not in settings),
        out=out,
        checkouts=checkouts_of(checkout or ()),
        **options_used(workers=workers, quiet=quiet),
    )
    operators = _operators(mutate or ())
    config = RunConfig(certify=certify_config, samples=samples, operators=operators, rewritten_by=rewrite, llm=llm)
    main(config)
    report(out)


@dlbench.command(epilog="Example:  dlcodegen dlbench report out/dlbench")
def report(out: Annotated[str, typer.Argument(metavar="DIR", help="The folder of a run.")]) -> None:
    """Print what a run came to, and write its tables and report.html."""
    from jobs.dlbench.reporting import write_report

    summary = write_report(out)
    screen = console()
    _print_funnel(summary.certificates)
    for title, rows in summary.tables:
        table = Table(*rows[0], title=title, title_justify="left")
        for row in rows[1:]:
            table.add_row(*row)
        screen.print(table)
    for note in summary.notes:
        screen.print(note, soft_wrap=True)
    print_paths(screen, out, ("report.html", "candidates.csv"))


def _operators(words: Sequence[str]) -> tuple[str, ...]:
    """The operators of those names, in their usual order. Raises DLCodeGenError for a name that is none."""
    from pipeline.dlbench.mutation.operators import Operator
    from pipeline.errors import DLCodeGenError

    names = [operator.value for operator in Operator]
    for word in words:
        if word not in (*names, "all"):
            raise DLCodeGenError(f"--mutate {word}: there is no such operator; give all, or of {', '.join(names)}")
    return tuple(name for name in names if "all" in words or name in words)


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
