"""Template RAG without a language model: two samples abstracted into one template by anti-unification.

What both syntax trees share stays, what differs becomes a named placeholder; equal differences get the same
placeholder (least general generalisation: Plotkin, 1970). Statements are aligned per section first, by what they
define or call. The text kept is the first sample's, so that comments and layout survive.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.generate.symbolic.alignment import aligned
from pipeline.generate.symbolic.notebook import Notebook
from pipeline.generate.symbolic.statement import SECTIONS, Statement, edit_statement

OPEN, CLOSE = "<<", ">>"


@dataclass(frozen=True, slots=True)
class Hole:
    """A place in one statement where the samples differ: the node to exchange, and the placeholder's name."""

    node: ast.AST
    name: str


@dataclass(frozen=True, slots=True)
class TemplateStatement:
    """A statement of the first sample with its holes; one that the second sample lacks is a hole as a whole."""

    statement: Statement
    holes: tuple[Hole, ...] = ()
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """What two samples share. `values` gives each placeholder's text in the first and in the second sample."""

    statements: tuple[TemplateStatement, ...]
    values: dict[str, tuple[str, str]] = field(default_factory=dict)

    def notebook(self) -> Notebook:
        """The template with placeholders as text; it is not Python any more."""
        shown: list[Statement] = []
        for item in self.statements:
            if not item.whole:
                shown.append(
                    edit_statement(item.statement, [(hole.node, f"{OPEN}{hole.name}{CLOSE}") for hole in item.holes])
                )
            elif not (shown and shown[-1].source == f"{OPEN}{item.whole}{CLOSE}"):
                # A run of statements that only the first sample has is one placeholder.
                base = item.statement
                shown.append(
                    Statement(section=base.section, source=f"{OPEN}{item.whole}{CLOSE}", heading=base.heading, gap=1)
                )
        return Notebook(title="Template: what the two most similar samples share", statements=tuple(shown))

    def text(self) -> str:
        """The template, then each short placeholder with its two values as comments."""
        lines = [
            f"# {OPEN}{name}{CLOSE}: {first} | {second}"
            for name, (first, second) in self.values.items()
            if "\n" not in first + second and len(first) + len(second) < 90
        ]
        return self.notebook().text() + ("\n" + "\n".join(lines) + "\n" if lines else "")

    def fill(self, title: str, values: dict[str, str]) -> Notebook:
        """The template with each placeholder replaced: by `values`, or by what the first sample has there."""
        filled = []
        for item in self.statements:
            edits = [(hole.node, values[hole.name]) for hole in item.holes if hole.name in values]
            filled.append(edit_statement(item.statement, edits))
        return Notebook(title=title, statements=tuple(filled))


def anti_unify(first: Notebook, second: Notebook) -> Template:
    """The template of two samples; of a sample with itself it is the sample, without placeholders."""
    names = _Names()
    statements: list[TemplateStatement] = []
    for section in SECTIONS:
        ours, theirs = first.section(section), second.section(section)
        pairs = aligned([_key(item) for item in ours], [_key(item) for item in theirs])
        partner = {mine: theirs[other] for mine, other in pairs}
        for number, statement in enumerate(ours):
            if number in partner:
                other = partner[number]
                found = _Differences(statement.source, other.source, names).holes(statement.node, other.node)
                statements.append(TemplateStatement(statement, tuple(found)))
            else:
                before = statements[-1] if statements else None
                goes_on = before is not None and before.whole and before.statement.section == section
                name = before.whole if before is not None and goes_on else names.fresh(f"{section}_steps")
                statements.append(TemplateStatement(statement, whole=name))
    return Template(tuple(statements), names.values)


class _Names:
    """Placeholder names, and the pair of texts each stands for."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[str, str]] = {}

    def of(self, base: str, first: str, second: str) -> str:
        number, name = 1, base
        while self.values.get(name, (first, second)) != (first, second):
            number += 1
            name = f"{base}_{number}"
        self.values[name] = first, second
        return name

    def fresh(self, base: str) -> str:
        number, name = 1, base
        while name in self.values:
            number += 1
            name = f"{base}_{number}"
        self.values[name] = "", "\n"  # never equal to a real pair; too long to be listed
        return name


def _key(statement: Statement) -> tuple[str, ...]:
    """What a statement defines or calls: statements with equal keys may be the same step in two projects."""
    node = statement.node
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return "def", node.name
    if isinstance(node, ast.Assign):
        return "assign", *(ast.unparse(target) for target in node.targets)
    if isinstance(node, ast.Import | ast.ImportFrom):
        return "import", getattr(node, "module", None) or "", *(alias.name for alias in node.names)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return "call", ast.unparse(node.value.func)
    if isinstance(node, ast.If | ast.For | ast.With | ast.While):
        return type(node).__name__, ast.dump(node)[:80]
    return "other", ast.dump(node)


@dataclass(frozen=True, slots=True)
class _Difference:
    """A place where two trees part: the node of the first, what to call it, and both texts."""

    node: ast.AST
    name: str
    first: str
    second: str


class _PartedError(Exception):
    """Two trees part at a node that has no place in the text of its own; the node around it is the hole."""


class _Differences:
    """Walks two trees side by side and finds the smallest nodes that hold all differences; they never overlap."""

    def __init__(self, first: str, second: str, names: _Names) -> None:
        self._first, self._second, self._names = first, second, names

    def holes(self, ours: ast.AST, theirs: ast.AST) -> list[Hole]:
        try:
            found = self._compare(ours, theirs, "step")
        except _PartedError:
            found = [self._whole(ours, theirs, "step")]
        return [Hole(item.node, self._names.of(item.name, item.first, item.second)) for item in found]

    def _compare(self, ours: ast.AST, theirs: ast.AST, context: str) -> list[_Difference]:
        """The differences below two nodes. Raises _PartedError where they part and `ours` has no place in the text."""
        if ast.dump(ours) == ast.dump(theirs):
            return []
        context = _context(ours, context)
        try:
            if type(ours) is not type(theirs) or isinstance(ours, ast.JoinedStr):
                raise _PartedError
            if isinstance(ours, ast.Assign) and isinstance(theirs, ast.Assign):
                self._same([*ours.targets], [*theirs.targets])
            if isinstance(ours, ast.Call) and isinstance(theirs, ast.Call):
                return self._calls(ours, theirs)
            return [
                difference
                for name, mine in ast.iter_fields(ours)
                for difference in self._field(ours, name, mine, getattr(theirs, name), context)
            ]
        except _PartedError:
            return [self._whole(ours, theirs, context)]

    def _field(self, parent: ast.AST, name: str, mine: object, other: object, context: str) -> list[_Difference]:
        if isinstance(mine, ast.AST) and isinstance(other, ast.AST):
            return self._compare(mine, other, context)
        if isinstance(mine, list) and isinstance(other, list):
            if len(mine) == len(other):
                pairs = zip(mine, other, strict=True)
                return [item for ours, theirs in pairs for item in self._field(parent, name, ours, theirs, context)]
            if mine and other and name in ("body", "elts", "orelse", "finalbody"):
                base = context if name == "elts" else f"{getattr(parent, 'name', context)}_body"
                return [self._whole(_span(mine), _span(other), base)]
        if mine != other:
            raise _PartedError
        return []

    def _same(self, ours: list[ast.AST], theirs: list[ast.AST]) -> None:
        if [ast.dump(item) for item in ours] != [ast.dump(item) for item in theirs]:
            raise _PartedError

    def _calls(self, ours: ast.Call, theirs: ast.Call) -> list[_Difference]:
        """Arguments by name; a call of another function, or with other arguments, is a hole as a whole."""
        keywords = {item.arg: item.value for item in theirs.keywords}
        if len(ours.args) != len(theirs.args) or [item.arg for item in ours.keywords] != list(keywords):
            raise _PartedError
        if not isinstance(ours.func, ast.Call):
            self._same([ours.func], [theirs.func])
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", ast.unparse(ours.func).rsplit(".", 1)[-1]).lower()
        found = self._compare(ours.func, theirs.func, name)
        for mine, other in zip(ours.args, theirs.args, strict=True):
            stack = isinstance(mine, ast.List) and name == "sequential"
            found += self._compare(mine, other, "layers" if stack else name)
        for keyword in ours.keywords:
            found += self._compare(keyword.value, keywords[keyword.arg], keyword.arg or name)
        return found

    def _whole(self, ours: ast.AST, theirs: ast.AST, context: str) -> _Difference:
        first = ast.get_source_segment(self._first, ours)
        if first is None:
            raise _PartedError
        return _Difference(ours, context, first, ast.get_source_segment(self._second, theirs) or "")


def _context(node: ast.AST, context: str) -> str:
    """What to call the differences below a node."""
    if isinstance(node, ast.Assign):
        return _target_name(node) or context
    if isinstance(node, ast.Return):
        return "result"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return "docstring"
    return context


def _span(nodes: Sequence[ast.AST]) -> ast.AST:
    """A node that covers a run of nodes."""
    first, last = nodes[0], nodes[-1]
    return ast.Pass(
        lineno=first.lineno,  # type: ignore[attr-defined]
        col_offset=first.col_offset,  # type: ignore[attr-defined]
        end_lineno=last.end_lineno,  # type: ignore[attr-defined]
        end_col_offset=last.end_col_offset,  # type: ignore[attr-defined]
    )


def _target_name(node: ast.Assign) -> str:
    target = node.targets[0]
    return target.id.lower() if isinstance(target, ast.Name) else ""
