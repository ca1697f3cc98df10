"""Template RAG without a language model: two samples abstracted into one template by anti-unification.

What both syntax trees share stays, what differs becomes a named placeholder; equal differences get
the same placeholder (least general generalisation: Plotkin, 1970). Statements are aligned per
section first, by what they define or call. The text kept is the first sample's, so that comments
and layout survive.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pipeline.generate.symbolic.notebook import Notebook
from pipeline.generate.symbolic.statement import (
    SECTIONS,
    Edit,
    Statement,
    aligned,
    edit_statement,
    parse_statement,
    text_of,
)
from pipeline.syntax import alike

OPEN, CLOSE = "<<", ">>"

_LONGEST_LISTED = 90
"""Characters up to which a placeholder's two values are listed below the template: a line."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A part of a statement in which the samples differ."""

    node: ast.AST
    """The part, in the first sample's tree."""

    name: str
    """Its placeholder."""


@dataclass(frozen=True, slots=True)
class TemplateStatement:
    """A statement of the first sample and what of it is open."""

    statement: Statement
    holes: tuple[Hole, ...] = ()

    placeholder: str = ""
    """Where the second sample has no such statement: the placeholder for it and the like statements around it."""


@dataclass(frozen=True, slots=True)
class CodeTemplate:
    """What two samples share."""

    statements: tuple[TemplateStatement, ...]

    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Each placeholder's text in the first and in the second sample."""

    def notebook(self) -> Notebook:
        """The template with placeholders as text; it is not Python any more."""
        shown: list[Statement] = []
        for item in self.statements:
            if not item.placeholder:
                edits: list[Edit] = [(hole.node, _marked(hole.name)) for hole in item.holes]
                shown.append(edit_statement(item.statement, edits))
                continue
            source = _marked(item.placeholder)
            # A run of statements that only the first sample has is one placeholder.
            if not shown or shown[-1].source != source:
                base = item.statement
                shown.append(Statement(section=base.section, source=source, heading=base.heading, gap=1))
        return Notebook(title="Template: what the two most similar samples share", statements=tuple(shown))

    def text(self) -> str:
        """The template, then each short placeholder with its two values as comments."""
        lines: list[str] = []
        for name, (first, second) in self.values.items():
            if "\n" not in first + second and len(first) + len(second) < _LONGEST_LISTED:
                lines.append(f"# {_marked(name)}: {first} | {second}\n")
        if not lines:
            return self.notebook().text()
        return self.notebook().text() + "\n" + "".join(lines)

    def fill(self, title: str, values: Mapping[str, str]) -> Notebook:
        """The template with each placeholder replaced: by `values`, or by what the first sample has there."""
        filled: list[Statement] = []
        for item in self.statements:
            edits: list[Edit] = []
            for hole in item.holes:
                if hole.name in values:
                    edits.append((hole.node, values[hole.name]))
            filled.append(edit_statement(item.statement, edits))
        return Notebook(title=title, statements=tuple(filled))


def anti_unify(first: Notebook, second: Notebook) -> CodeTemplate:
    """The template of two samples; of a sample with itself it is the sample, without placeholders."""
    placeholders = _Placeholders()
    statements: list[TemplateStatement] = []
    for section in SECTIONS:
        statements += _shared_statements(section, first.section(section), second.section(section), placeholders)
    return CodeTemplate(tuple(statements), placeholders.values)


def _shared_statements(
    section: str, first: Sequence[Statement], second: Sequence[Statement], placeholders: _Placeholders
) -> list[TemplateStatement]:
    """One section of the template."""
    first_keys = [_key(statement.source) for statement in first]
    second_keys = [_key(statement.source) for statement in second]
    partners = dict(aligned(first_keys, second_keys))
    shared: list[TemplateStatement] = []
    run = ""  # the placeholder of the statements without a partner that come just before
    for number, statement in enumerate(first):
        if number in partners:
            partner = second[partners[number]]
            differences = _Differences(statement.source, partner.source).of(statement.node, partner.node)
            holes: list[Hole] = []
            for difference in differences:
                name = placeholders.named(difference.name, difference.first, difference.second)
                holes.append(Hole(difference.node, name))
            shared.append(TemplateStatement(statement, tuple(holes)))
            run = ""
        else:
            run = run or placeholders.of_first_alone(f"{section}_steps")
            shared.append(TemplateStatement(statement, placeholder=run))
    return shared


def _marked(placeholder: str) -> str:
    return f"{OPEN}{placeholder}{CLOSE}"


class _Placeholders:
    """Placeholder names, and the pair of texts each stands for."""

    def __init__(self) -> None:
        self.values: dict[str, tuple[str, str]] = {}

    def named(self, base: str, first: str, second: str) -> str:
        """The name for a pair of texts: the one that it has already, or `base`, `base_2`, ..."""
        number, name = 1, base
        while self.values.get(name, (first, second)) != (first, second):
            number += 1
            name = f"{base}_{number}"
        self.values[name] = first, second
        return name

    def of_first_alone(self, base: str) -> str:
        """A new name, for statements that the second sample lacks."""
        number, name = 1, base
        while name in self.values:
            number += 1
            name = f"{base}_{number}"
        # No code has this pair of texts, and with a newline in it, it is not listed below the
        # template.
        self.values[name] = "", "\n"
        return name


@lru_cache(maxsize=8192)  # a sample's statements are laid beside those of many others
def _key(source: str) -> tuple[str, ...]:
    """What a statement defines or calls: statements with equal keys may be the same step in two projects."""
    node = parse_statement(source)
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return "def", node.name
    if isinstance(node, ast.Assign):
        targets = [ast.unparse(target) for target in node.targets]
        return "assign", *targets
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = [alias.name for alias in node.names]
        return "import", getattr(node, "module", None) or "", *names
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return "call", ast.unparse(node.value.func)
    if isinstance(node, ast.If | ast.For | ast.With | ast.While):
        # The start of a block's tree is its condition or its items; its body may differ.
        return type(node).__name__, ast.dump(node)[:80]
    return "other", ast.dump(node)


@dataclass(frozen=True, slots=True)
class _Difference:
    """Where two trees part."""

    node: ast.AST
    """The part of the first tree."""

    name: str
    """What to call it."""

    first: str
    second: str


class _NoTextError(Exception):
    """Two trees part at a node that has no text of its own, such as an operator; the node around it is the hole."""


class _Differences:
    """Walks two trees side by side and finds the smallest nodes that hold all differences; they never overlap.

    Made from the sources of the two trees. A context names what is around a node: the variable, function or argument.
    """

    def __init__(self, first: str, second: str) -> None:
        self._first_lines, self._second_lines = first.encode().split(b"\n"), second.encode().split(b"\n")

    def of(self, first: ast.AST, second: ast.AST) -> list[_Difference]:
        try:
            return self._compare(first, second, "step")
        except _NoTextError:
            return [self._whole(first, second, "step")]

    def _compare(self, first: ast.AST, second: ast.AST, context: str) -> list[_Difference]:
        """The differences below two nodes. Raises _NoTextError where they part and `first` has no text of its own."""
        if alike(first, second):
            return []
        context = _context(first, context)
        try:
            # The parts of an f-string have no reliable positions before Python 3.12.
            if type(first) is not type(second) or isinstance(first, ast.JoinedStr):
                raise _NoTextError
            if isinstance(first, ast.Assign) and isinstance(second, ast.Assign):
                _require_equal([*first.targets], [*second.targets])
            if isinstance(first, ast.Call) and isinstance(second, ast.Call):
                return self._compare_calls(first, second)
            differences: list[_Difference] = []
            for name, value in ast.iter_fields(first):
                differences += self._compare_fields(first, name, value, getattr(second, name), context)
            return differences
        except _NoTextError:
            return [self._whole(first, second, context)]

    def _compare_fields(
        self, parent: ast.AST, name: str, first: object, second: object, context: str
    ) -> list[_Difference]:
        """The differences in one field of a node, which is a node, a list, or a plain value."""
        if isinstance(first, ast.AST) and isinstance(second, ast.AST):
            return self._compare(first, second, context)
        if isinstance(first, list) and isinstance(second, list):
            if len(first) == len(second):
                differences: list[_Difference] = []
                for one, other in zip(first, second, strict=True):
                    differences += self._compare_fields(parent, name, one, other, context)
                return differences
            if first and second and name in ("body", "elts", "orelse", "finalbody"):
                base = context if name == "elts" else f"{getattr(parent, 'name', context)}_body"
                return [self._whole(_span(first), _span(second), base)]
        if first != second:
            raise _NoTextError
        return []

    def _compare_calls(self, first: ast.Call, second: ast.Call) -> list[_Difference]:
        """Arguments by name; a call of another function, or with other arguments, is a hole as a whole."""
        keywords = {keyword.arg: keyword.value for keyword in second.keywords}
        names = [keyword.arg for keyword in first.keywords]
        if len(first.args) != len(second.args) or names != list(keywords):
            raise _NoTextError
        if not isinstance(first.func, ast.Call):
            _require_equal([first.func], [second.func])
        name = _snake_case(ast.unparse(first.func).rsplit(".", 1)[-1])
        differences = self._compare(first.func, second.func, name)
        for one, other in zip(first.args, second.args, strict=True):
            is_stack = isinstance(one, ast.List) and name == "sequential"
            differences += self._compare(one, other, "layers" if is_stack else name)
        for keyword in first.keywords:
            differences += self._compare(keyword.value, keywords[keyword.arg], keyword.arg or name)
        return differences

    def _whole(self, first: ast.AST, second: ast.AST, context: str) -> _Difference:
        text = text_of(first, self._first_lines)
        if text is None:
            raise _NoTextError
        return _Difference(first, context, text, text_of(second, self._second_lines) or "")


def _require_equal(first: list[ast.AST], second: list[ast.AST]) -> None:
    if len(first) != len(second) or not all(map(alike, first, second)):
        raise _NoTextError


def _context(node: ast.AST, context: str) -> str:
    """What to call the differences below a node."""
    if isinstance(node, ast.Assign):
        target = node.targets[0]
        if isinstance(target, ast.Name):
            return target.id.lower()
        return context
    if isinstance(node, ast.Return):
        return "result"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return "docstring"
    return context


def _snake_case(name: str) -> str:
    """A class name as a variable's: "MaxPooling2D" -> "max_pooling2d"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _span(nodes: Sequence[ast.AST]) -> ast.AST:
    """A node that covers a run of nodes."""
    first, last = nodes[0], nodes[-1]
    return ast.Pass(
        lineno=first.lineno,  # type: ignore[attr-defined]
        col_offset=first.col_offset,  # type: ignore[attr-defined]
        end_lineno=last.end_lineno,  # type: ignore[attr-defined]
        end_col_offset=last.end_col_offset,  # type: ignore[attr-defined]
    )
