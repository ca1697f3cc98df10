"""The one command line: `dlcodegen X`, whose subjects are the modules of `jobs.commands`, and `python -m jobs.X`."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from jobs.commands import (
    cache,
    check_starter,
    corpus,
    describe,
    doctor,
    experiment,
    generate,
    judge,
    planner,
    prompts,
    score,
)
from jobs.runs.terminal import say_error
from pipeline.errors import DLCodeGenError

app = typer.Typer(
    name="dlcodegen",
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


_SUBJECTS = (generate, describe, experiment, prompts, score, judge, corpus, cache, planner, doctor, check_starter)
"""In the order of the help page."""

for subject in _SUBJECTS:
    app.add_typer(subject.app)


def main() -> None:
    """Entry point of `dlcodegen`."""
    run_command()


def run_command(*name: str) -> None:
    """Runs the command of that name with this process' arguments, or the one that they name; ends the process.

    So `python -m jobs.generate WORDS` is `dlcodegen generate WORDS`. Mistakes of the user end with one line on standard
    error and exit code 2.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name that the terminal has no letters for ends no command
            stream.reconfigure(errors="backslashreplace")
    try:
        # Help and usage then name the command whose words these are, whichever way it was called.
        app([*name, *sys.argv[1:]], prog_name="dlcodegen")
    except DLCodeGenError as error:
        say_error(str(error))
        sys.exit(2)


if __name__ == "__main__":
    main()
