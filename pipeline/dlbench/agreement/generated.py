"""Generated tests: the assertions of a reply, each with what it needs, the same one once."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from pipeline.analysis.parsing import parsed
from pipeline.llm.asking.replies import ReplyError, read_program

MOST = 5
"""Assertions that are taken of a reply, as CodeT does."""


@dataclass(frozen=True, slots=True)
class GeneratedTest:
    """One assertion. Two that say the same, however they are laid out, are equal."""

    setup: str
    """Imports and assignments that it needs, a statement a line."""

    assertion: str

    def function(self, name: str) -> str:
        """It as a function of that name."""
        body = "\n".join(part for part in (self.setup, self.assertion) if part)
        return f"def {name}():\n{textwrap.indent(body, '    ')}\n"


def generated_tests(reply: str, function: str, most: int = MOST) -> list[GeneratedTest]:
    """The first assertions of a reply that call the function, without doubles. A reply that goes on behind `assert `,
    as CodeT's prompt has it, is read so; of one that is no program, the lines that are."""
    for tree in _trees(reply, function):
        with suppress(RecursionError):  # a chain of a thousand calls is no test
            if tests := list(dict.fromkeys(_tests_of(tree, function))):
                return tests[:most]
    return []


def _tests_of(tree: ast.Module, function: str) -> Iterator[GeneratedTest]:
    setup: list[str] = []
    for statement in _statements(tree):
        if isinstance(statement, ast.Import | ast.ImportFrom | ast.Assign):
            if not _imports_target(statement, function):
                setup.append(ast.unparse(statement))
        elif isinstance(statement, ast.Assert) and _mentions(statement, function):
            statement.msg = None
            yield GeneratedTest("\n".join(_needed(setup, statement)), ast.unparse(statement))


def _trees(reply: str, function: str) -> list[ast.Module]:
    plain = textwrap.dedent(reply.strip("\n"))
    going_on = "assert " + plain.lstrip()
    texts = [going_on, plain] if plain.lstrip().startswith(f"{function}(") else [plain]
    with suppress(ReplyError):
        texts.append(read_program(reply).code)
    texts.append(going_on)
    lines = [line.strip() for line in reply.splitlines()]
    whole = [line for line in lines if line.startswith(("assert ", "import ", "from ")) and parsed(line) is not None]
    texts.append("\n".join(whole))
    return [tree for tree in map(parsed, texts) if tree is not None]


def _statements(tree: ast.Module) -> list[ast.stmt]:
    """Those of the program and of its test functions, in order."""
    found: list[ast.stmt] = []
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and statement.name.startswith(("test", "check")):
            found += statement.body
        else:
            found.append(statement)
    return found


def _mentions(node: ast.AST, function: str) -> bool:
    name = function.rpartition(".")[2]
    return any(name in (getattr(inner, "id", None), getattr(inner, "attr", None)) for inner in ast.walk(node))


def _imports_target(statement: ast.stmt, function: str) -> bool:
    """Whether it imports the target itself: from a module whose name the model can only guess."""
    return isinstance(statement, ast.ImportFrom) and any(alias.name == function for alias in statement.names)


def _needed(setup: list[str], assertion: ast.stmt) -> list[str]:
    """Of the statements before an assertion those that it uses, directly or through others."""
    names = {inner.id for inner in ast.walk(assertion) if isinstance(inner, ast.Name)}
    needed: list[str] = []
    for text in reversed(setup):
        statement = ast.parse(text).body[0]
        if isinstance(statement, ast.Import | ast.ImportFrom):
            bound = {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
        else:
            stored = [inner for inner in ast.walk(statement) if isinstance(inner, ast.Name)]
            bound = {inner.id for inner in stored if isinstance(inner.ctx, ast.Store)}
        if bound & names:
            names |= {inner.id for inner in ast.walk(statement) if isinstance(inner, ast.Name)}
            needed.insert(0, text)
    return needed
