"""`dlcodegen submit` and `dlcodegen jobs`: the batch jobs, on a cluster that is reached by its dashboard."""

from __future__ import annotations

import shlex
import tempfile
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from jobs.commands.options import INTERRUPTED, TERMINATED
from jobs.runs.terminal import console, say, say_error
from pipeline.foreign_text import without_secrets

if TYPE_CHECKING:
    from jobs.cluster.submission.submitting import SubmittedJobs

app = typer.Typer()
submitted = typer.Typer(help="List, follow and end the jobs that were submitted to a cluster.", no_args_is_help=True)
app.add_typer(submitted, name="jobs")

COMMANDS = (
    "bench", "corpus", "eval-planner", "execute", "experiment", "fit-planner", "generate", "judge", "reproduce",
    "score", "train-planner",
)  # fmt: skip
"""Those that work on a cluster; the others are for the machine one sits at."""

Address = Annotated[
    str,
    typer.Option(
        "--address",
        envvar="RAY_API_SERVER_ADDRESS",
        help="The dashboard's address, or the end of a tunnel to it.",
    ),
]
Job = Annotated[str, typer.Argument(metavar="ID", help="The job's id, as `submit` printed it.", show_default=False)]

_DASHBOARD = "http://127.0.0.1:8265"


@app.command(
    context_settings={"ignore_unknown_options": True},
    epilog="Example:  dlcodegen submit generate wishes.jsonl --out s3://bucket/run1 shard_rows=256 "
    "--address http://127.0.0.1:8265",
)
def submit(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="COMMAND WORDS...",
            help="The command and its words, as they would stand behind `dlcodegen`. Local files that they name are "
            "sent along.",
            show_default=False,
        ),
    ],
    address: Address = _DASHBOARD,
    shared: Annotated[
        list[str] | None,
        typer.Option("--shared", help="A path that is the same disk on all machines; repeat it for several."),
    ] = None,
    python: Annotated[str, typer.Option("--python", help="What starts Python on the cluster's head.")] = "python",
    no_follow: Annotated[bool, typer.Option("--no-follow", help="Print the job's id, and do not wait.")] = False,
) -> None:
    """Run a command on a cluster: send this program and your files there, show what it prints, end with its exit code.

    The same command once more goes on where a job stopped.
    """
    from jobs.cluster.submission.job_package import pack_job
    from jobs.cluster.submission.submitting import SubmittedJobs
    from pipeline.errors import DLCodeGenError

    if words[0] not in COMMANDS:
        raise DLCodeGenError(f"submit {words[0]}: no job for a cluster; there are {', '.join(COMMANDS)}")
    with tempfile.TemporaryDirectory(prefix="dlcodegen-job-") as folder:
        packed = pack_job(words, folder, shared or ())
        jobs = SubmittedJobs(address)
        job = jobs.submit(shlex.join([python, "-m", "jobs.cli", *packed]), folder)
    if no_follow:
        say(job)
        return
    say(f"submitted as {job}; `dlcodegen jobs stop {job}` ends it")
    _follow(jobs, job)


@submitted.command("list")
def list_jobs(address: Address = _DASHBOARD) -> None:
    """All submitted jobs of the cluster, the oldest first."""
    from datetime import datetime

    from jobs.cluster.submission.submitting import SubmittedJobs

    table = Table("id", "status", "since", "command")
    for job in SubmittedJobs(address).all():
        since = datetime.fromtimestamp((job.start_time or 0) / 1000).isoformat(" ", "seconds") if job.start_time else ""
        table.add_row(job.submission_id, job.status.lower(), since, _command(job.entrypoint))
    console().print(table)


def _command(entrypoint: str) -> str:
    """What was submitted, without what starts it."""
    return without_secrets(entrypoint.partition(" -m jobs.cli ")[2] or entrypoint)


@submitted.command()
def logs(
    job: Job,
    address: Address = _DASHBOARD,
    no_follow: Annotated[bool, typer.Option("--no-follow", help="What there is now, without waiting.")] = False,
) -> None:
    """Show what a job prints, to its end, and end with its exit code."""
    from jobs.cluster.submission.submitting import SubmittedJobs

    jobs = SubmittedJobs(address)
    if no_follow:
        _print(jobs.log(job))
    else:
        _follow(jobs, job)


@submitted.command()
def stop(job: Job, address: Address = _DASHBOARD) -> None:
    """End a job; what it has done stays, and the same `submit` goes on with it."""
    from jobs.cluster.submission.submitting import SubmittedJobs

    say(f"{job} is told to end" if SubmittedJobs(address).stop(job) else f"{job} has ended before")


def _follow(jobs: SubmittedJobs, job: str) -> None:
    """Prints what a job prints, and ends this command as the job ends."""
    try:
        for text in jobs.followed(job):
            _print(text)
    except KeyboardInterrupt:
        say_error(f"{job} goes on; `dlcodegen jobs logs {job}` follows it again, `dlcodegen jobs stop {job}` ends it")
        raise typer.Exit(INTERRUPTED) from None
    details = jobs.details(job)
    if details.status == "SUCCEEDED":
        return
    if details.driver_exit_code is None:  # the command did not come to a line of its own
        say_error(f"{job}: {' '.join((details.message or details.status).split())[:500]}")
    raise typer.Exit(TERMINATED if details.status == "STOPPED" else details.driver_exit_code or 1)


def _print(text: str) -> None:
    from pipeline.foreign_text import visible

    print("\n".join(map(visible, text.split("\n"))), end="", flush=True)
