"""Where everything for a person's eyes is printed: what others wrote is text there, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from pipeline.foreign_text import visible, without_secrets


class Screen(Console):
    """A console that reads no markup (`[b]`, `:smile:`) and passes no control character on. What is to have a colour is
    a `rich.text.Text`."""

    def __init__(self, *, stderr: bool = False, width: int | None = None) -> None:
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The renderable's segments. Rich's own codes for colours are no part of their text."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(visible(segment.text), segment.style)


def console(least_width: int = 200) -> Screen:
    """Where tables are printed: as wide as the terminal, in a file or pipe wide enough for most tables."""
    standard = Screen()  # where there is no terminal, rich takes 80 columns
    return standard if standard.is_terminal else Screen(width=least_width)


def say(message: str, stream: TextIO | None = None) -> None:
    """Prints a line, by default to standard output; addresses without what is secret in them."""
    print(visible(without_secrets(message)), file=stream)


def say_error(message: str) -> None:
    """Prints a line to standard error, as `dlcodegen: MESSAGE`."""
    say(f"dlcodegen: {message}", sys.stderr)
