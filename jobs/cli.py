"""The one command line: `dlcodegen X`, whose subjects are the modules of `jobs.commands`, and `python -m jobs.X`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from jobs.commands import (
    bench,
    cache,
    check_starter,
    corpus,
    deploy,
    describe,
    dlbench,
    doctor,
    execute,
    experiment,
    generate,
    judge,
    new,
    planner,
    prompts,
    score,
    serve,
    submit,
)
from jobs.commands.options import INTERRUPTED, TERMINATED
from jobs.runs.terminal import say_error
from pipeline.errors import DLCodeGenError, FaultError


class _Terminated(KeyboardInterrupt):
    """SIGTERM: what tidies up after Ctrl-C does so after this."""


class _Commands(TyperGroup):
    """All commands, each of which ends in one line where the user, the system or the machine ends it."""

    def invoke(self, ctx: Any) -> Any:
        with _interruptible():
            try:
                return super().invoke(ctx)
            except Exception as error:
                if not isinstance(error, OSError | MemoryError) and "ray" not in sys.modules:
                    raise  # what it is about does not take seconds to import
                from jobs.cluster.faults import plain_fault

                plain = plain_fault(error)
                if plain is error:
                    raise
                raise plain from error


@contextmanager
def _interruptible() -> Iterator[None]:
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except KeyboardInterrupt as error:
        # The second signal of an impatient user must not end the tidying up.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        terminated = isinstance(error, _Terminated)
        what = "terminated" if terminated else "interrupted"
        say_error(f"{what}; the same command goes on where it stopped")
        raise typer.Exit(TERMINATED if terminated else INTERRUPTED) from None


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated


app = typer.Typer(
    name="dlcodegen",
    cls=_Commands,
    help="Plain-words requirements to finished deep-learning projects: plan, retrieve, draft twice, compare, score.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"dlcodegen {version('dlcodegen-ray')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Plain-words requirements to finished deep-learning projects: plan, retrieve, draft twice, compare, score."""


_SUBJECTS = (
    new,
    generate,
    describe,
    experiment,
    prompts,
    score,
    judge,
    bench,
    dlbench,
    execute,
    serve,
    corpus,
    cache,
    planner,
    doctor,
    deploy,
    submit,
    check_starter,
)
"""In the order of the help page."""

for subject in _SUBJECTS:
    app.add_typer(subject.app)


def main() -> None:
    """Entry point of `dlcodegen`."""
    run_command()


def run_command(*name: str) -> None:
    """Runs the command of that name with this process' arguments, or the one that they name; ends the process.

    So `python -m jobs.generate WORDS` is `dlcodegen generate WORDS`. Mistakes of the user end with one line on standard
    error and exit code 2, faults of the machine with one and exit code 1.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name that the terminal has no letters for ends no command
            stream.reconfigure(errors="backslashreplace")
    try:
        # Help and usage then name the command whose words these are, whichever way it was called.
        app([*name, *sys.argv[1:]], prog_name="dlcodegen")
    except FaultError as error:
        say_error(str(error))
        sys.exit(1)
    except DLCodeGenError as error:
        say_error(str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
