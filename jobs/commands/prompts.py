"""`dlcodegen prompts`: what the language model is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from jobs.generation.prompt_shares import PromptShare

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
    method: Annotated[str, typer.Option("--method", help="Whose calls are counted where all are shown.")] = "dlcodegen",
    run: Annotated[
        str | None,
        typer.Option("--run", help="Count those of a finished run instead, beside what its engine counted."),
    ] = None,
) -> None:
    """Print a prompt as it is sent, with {{ names }} for what differs from row to row, and the tokens of what does not.
    Of all prompts also what the calls of `method` come to, and how much of them a prefix cache serves."""
    from jobs.generation.prompt_shares import ROWS, prompt_shares, shares_of_run
    from pipeline.llm.asking.prompt_files import prompt_names, prompt_text

    if name:
        _print_prompt(name, prompt_text(name))
        return
    if run is not None:
        _print_shares(run, list(shares_of_run(run)))
        return
    shares = list(prompt_shares(method))  # what is wrong with the method is said before anything is printed
    for prompt in prompt_names():
        print(f"===== {prompt} =====")
        _print_prompt(prompt, prompt_text(prompt))
        print()
    _print_shares(f"method={method}, {ROWS} bundled requirements", shares)


def _print_prompt(name: str, text: str) -> None:
    from pipeline.llm.tokens import estimate_tokens

    print(text)
    print(f"({name}: about {estimate_tokens(text):,} tokens without a row's parts)")


def _print_shares(of_what: str, shares: Sequence[PromptShare]) -> None:
    """What the calls come to, and what a prefix cache serves of them."""
    from rich.table import Table

    from jobs.runs.terminal import Screen
    from pipeline.llm.prefix_share import BLOCK

    title = f"{of_what}: what a prefix cache of {BLOCK}-token blocks serves, by characters"
    heads = ["tokens", "of them within a row", "within the run"]
    counted = any(found.by_engine is not None for found in shares)
    if counted:
        heads.append("by the engine's count")
    table = Table(title=title, title_justify="left")
    table.add_column("prompt")
    for head in heads:
        table.add_column(head, justify="right")
    for found in shares:
        cells = [f"{found.tokens:,.0f}", f"{found.within_row:.0%}", f"{found.within_run:.0%}"]
        if counted:
            cells.append("" if found.by_engine is None else f"{found.by_engine:.0%}")
        table.add_row(found.prompt or "all of a row", *cells)
    Screen().print(table)
