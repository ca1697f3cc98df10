"""Which definition a name means."""

from __future__ import annotations

import pytest

from pipeline.dlbench.placing.target import find_target
from pipeline.dlbench.task import TrapKind
from pipeline.errors import StageFailure

SOURCE = """\
from typing import overload

@overload
def load(path: str) -> int: ...
@overload
def load(path: bytes) -> str: ...
def load(path):
    def inner(x):
        return x
    return inner(path)

class Net:
    @property
    def size(self):
        return 1

    @size.setter
    def size(self, value):
        pass

    async def forward(self, x): return x

class Other:
    def forward(self, x):
        return 2 * x

    def only_here(self):
        pass
"""


@pytest.mark.parametrize(
    ("class_name", "function", "name", "line", "traps"),
    [
        ("", "load", "load", 7, set()),
        ("Net", "size", "Net.size", 14, set()),
        ("Net", "forward", "Net.forward", 21, set()),
        ("", "only_here", "Other.only_here", 27, {TrapKind.WITHOUT_CLASS}),
        ("Wrong", "only_here", "Other.only_here", 27, set()),
        ("", "inner", "load.inner", 8, {TrapKind.NESTED}),
        ("Other", "onlyHere", "Other.only_here", 27, {TrapKind.MISSPELT}),
    ],
)
def test_names(class_name: str, function: str, name: str, line: int, traps: set[TrapKind]) -> None:
    target = find_target(SOURCE, class_name, function)
    assert (target.qualified_name, target.first_line) == (name, line)
    assert {trap.kind for trap in target.traps} == traps


def test_a_line_decides_between_methods_of_one_name() -> None:
    assert find_target(SOURCE, "", "forward", line=25).qualified_name == "Other.forward"
    with pytest.raises(StageFailure, match=r"may be Net\.forward, Other\.forward"):
        find_target(SOURCE, "", "forward")


@pytest.mark.parametrize(("class_name", "function"), [("", "nothing"), ("Net", "backward"), ("Missing", "forward")])
def test_what_is_not_there(class_name: str, function: str) -> None:
    with pytest.raises(StageFailure) as raised:
        find_target(SOURCE, class_name, function)
    assert raised.value.kind == "not_placed"


def test_a_form_feed_ends_no_line() -> None:
    source = "a = 1\n\x0c\ndef f(x):\n    return x\n"
    assert find_target(source, "", "f").text == "def f(x):\n    return x\n"
