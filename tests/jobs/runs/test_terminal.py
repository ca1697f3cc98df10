"""What is printed is what stands there: no markup is read, no control character passes."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from jobs.runs.terminal import Screen, say
from tests.hostile_texts import hostile_texts

_PRINT: dict[str, Callable[[Screen, str], None]] = {
    "line": lambda screen, text: screen.print(text),
    "cell": lambda screen, text: screen.print(_table("title", text)),
    "title": lambda screen, text: screen.print(_table(text, "a cell as wide as any title here")),
    "styled": lambda screen, text: screen.print(Text(text, "red")),
    "code": lambda screen, text: screen.print(Syntax(text, "python")),
    "rule": lambda screen, text: screen.print(Rule(text)),
}


def _table(title: str, cell: str) -> Table:
    table = Table("head", title=title)
    table.add_row(cell)
    return table


def printed(print_on: Callable[[Screen, str], None], text: str) -> str:
    screen = Screen(width=200)
    screen.file = io.StringIO()
    print_on(screen, text)
    return screen.file.getvalue()


@settings(max_examples=25, deadline=None)
@given(hostile_texts())
def test_no_text_is_a_command_or_markup(text: str) -> None:
    for print_on in _PRINT.values():
        shown = printed(print_on, text)
        assert not set(shown) & set("\x00\x07\x08\x1b\x7f\x9b\u202e\u2066\ud83d")
        shown.encode()


@pytest.mark.parametrize("text", ["out/[a]/run", "out/[/b]", "[red]x", ":smile:", "[link=http://x]y[/link]"])
@pytest.mark.parametrize("way", _PRINT)
def test_markup_stays_as_it_is(way: str, text: str) -> None:
    assert text in printed(_PRINT[way], text)


def test_lines_and_errors_too(capsys: pytest.CaptureFixture[str]) -> None:
    say("\x1b[2J[/b]")
    assert capsys.readouterr().out == "\u241b[2J[/b]\n"


def test_a_command_prints_a_path_that_looks_like_markup(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("[a]") / "[/b]\x1b[2J"
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "jobs.cli", "cache", "stats", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "[/b]\u241b[2J" in done.stdout.replace("\n", "")
    missing = subprocess.run([*command[:-1], f"{folder}/none"], capture_output=True, text=True, check=False)
    assert "\x1b" not in missing.stdout + missing.stderr


def test_a_terminal_gets_colours_of_ours_and_none_of_others() -> None:
    script = "from jobs.runs.terminal import Screen; Screen().print('\\x1b[31mred', style='bold')"
    ours, its = pty.openpty()
    environment = os.environ | {"TERM": "xterm"}
    subprocess.run([sys.executable, "-c", script], stdout=its, env=environment, check=True)
    os.close(its)
    shown = os.read(ours, 1000).decode()
    os.close(ours)
    assert "\x1b[1m" in shown
    assert "\x1b[31m" not in shown
