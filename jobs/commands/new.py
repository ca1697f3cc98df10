"""`dlcodegen new`: a sentence in, a project's folder out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from jobs.commands.options import (
    ConfigFile,
    DataOption,
    Overrides,
    ShareExamples,
    TargetOption,
    options_used,
    print_paths,
)
from jobs.runs.terminal import Screen, say_error

if TYPE_CHECKING:
    from pipeline.records import Scored

app = typer.Typer()


@app.command(
    epilog='Examples:  dlcodegen new "classify cats and dogs, 128x128"   |   '
    'dlcodegen new "predict the price" --data house.csv --target price   |   '
    'dlcodegen new "LSTM for 7 days of river levels" --out river llm=openai model=NAME base_url=URL'
)
def new(
    requirement: Annotated[str, typer.Argument(metavar="SENTENCE", help="What you need, in plain words.")],
    settings: Overrides = None,
    out: Annotated[
        str, typer.Option("--out", help="The project's folder; by default one here, named by the subject.")
    ] = "",
    config: ConfigFile = None,
    data: DataOption = None,
    target: TargetOption = None,
    share_examples: ShareExamples = False,
) -> None:
    """Write one project from a sentence, here and now: what was understood, what was done, and how to run it."""
    from jobs.generation.new_project import main, new_folder
    from jobs.generation.settings import GenerateConfig
    from pipeline.config import load_settings
    from pipeline.inputs import as_sentence

    folder = out or new_folder(requirement)
    options = options_used(
        input=as_sentence(requirement), out=folder, data=data, target=target, share_examples=share_examples
    )
    record = main(load_settings(GenerateConfig, config, settings or [], **options))
    screen = Screen()
    _print_understood(record, screen)
    if record.failure is not None:
        say_error(record.failure.message)
        raise typer.Exit(1)
    screen.print(f"\nwritten to {folder}/", highlight=False, soft_wrap=True)
    print_paths(screen, folder, [file.path for file in record.files])
    screen.print("to run it, in an environment of its own:", highlight=False)
    screen.print(
        f"  cd {folder} && pip install -r requirements.txt && python project.py", highlight=False, soft_wrap=True
    )


def _print_understood(record: Scored, screen: Screen) -> None:
    from jobs.runs.asked import assumed_lines, constraints_table, delivery_table
    from pipeline.plan.frameworks import KERAS, framework_title
    from pipeline.request.language import LANGUAGES
    from pipeline.understanding import texts_read

    if record.language not in ("", "en"):
        language = LANGUAGES.get(record.language, record.language)
        said = f"the request is in {language}: only numbers and technical terms of it are read"
        screen.print(Text(said, "yellow"), soft_wrap=True)
    if record.delivery is not None:
        screen.print(delivery_table(record.delivery, texts_read(record)))
        for line in assumed_lines(record.delivery):
            screen.print(line, highlight=False, soft_wrap=True)
    else:
        screen.print(constraints_table(record.constraints))
    if record.plan is not None:
        layers = len(record.plan.architecture.layers)
        framework = "" if record.plan.framework == KERAS else f", {framework_title(record.plan.framework)}"
        screen.print(f"plan: {record.plan.task_category}, {layers} layers{framework}", highlight=False, soft_wrap=True)
