"""`dlcodegen prompts`: what the language model is asked."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()
prompts = typer.Typer(help="The prompts: `list` names them, `show` prints them.", no_args_is_help=True)
app.add_typer(prompts, name="prompts")


@prompts.command("list")
def list_prompts() -> None:
    """Name all prompts, with what each is for."""
    from rich.table import Table

    from jobs.runs.terminal import Screen
    from pipeline.llm.asking.prompt_files import prompt_names, prompt_purpose

    table = Table("prompt", "what it is for", title="Prompts", title_justify="left")
    for name in prompt_names():
        table.add_row(name, prompt_purpose(name))
    Screen().print(table)


@prompts.command("show", epilog="Examples:  dlcodegen prompts show   |   dlcodegen prompts show compare")
def print_prompts(
    name: Annotated[str | None, typer.Argument(help="A prompt's name; by default all.", show_default=False)] = None,
) -> None:
    """Print a prompt as it is sent, with {{ names }} for what differs from row to row."""
    from pipeline.llm.asking.prompt_files import prompt_names, prompt_text

    if name:
        print(prompt_text(name))
        return
    for number, prompt in enumerate(prompt_names()):
        if number:
            print()
        print(f"===== {prompt} =====")
        print(prompt_text(prompt))
