"""A Keras script that parts are added to: its text stays as it is but for the edits."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cached_property

from pipeline.syntax import walk

_Place = tuple[int, int]
"""A line, from 1, and a column in bytes, as `ast` counts."""


class Script:
    """The text of a script and its syntax tree. An edit gives another script."""

    def __init__(self, source: str) -> None:
        """Raises SyntaxError for what is no Python."""
        self.source = source
        self.tree = ast.parse(source.encode())

    @cached_property
    def _lines(self) -> list[bytes]:
        return self.source.encode().split(b"\n")

    def text(self, node: ast.expr) -> str:
        """The node as it is written."""
        return ast.get_source_segment(self.source, node) or ast.unparse(node)

    def calls(self, *names: str) -> list[ast.Call]:
        """The calls of functions, methods and classes of these names, in the order of their places."""
        found: list[ast.Call] = []
        for node in walk(self.tree):
            if isinstance(node, ast.Call) and name_of(node) in names:
                found.append(node)
        return sorted(found, key=lambda call: (call.lineno, call.col_offset))

    def model_call(self, method: str) -> ast.Call | None:
        """The call of `model.compile`, `model.fit` or another method of the model, outside of functions."""
        for statement in self.tree.body:
            for node in walk(statement) if isinstance(statement, ast.Expr | ast.Assign) else ():
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
                    owner = node.func.value
                    if isinstance(owner, ast.Name) and owner.id == "model":
                        return node
        return None

    def compiled(self, name: str) -> ast.expr | None:
        """The argument of `model.compile` that has the name."""
        call = self.model_call("compile")
        return None if call is None else keyword_of(call, name)

    def statement_of(self, node: ast.AST) -> ast.stmt | None:
        """The statement outside of functions that the node stands in."""
        line = getattr(node, "lineno", 0)
        for statement in self.tree.body:
            if statement.lineno <= line <= (statement.end_lineno or line):
                return statement
        return None

    def assigned(self, name: str) -> ast.expr | None:
        """What a name gets outside of functions, where that happens once."""
        values: list[ast.expr] = []
        for statement in self.tree.body:
            if isinstance(statement, ast.Assign) and [ast.unparse(target) for target in statement.targets] == [name]:
                values.append(statement.value)
        return values[0] if len(values) == 1 else None

    def assigned_first(self, name: str) -> ast.expr | None:
        """What a name gets outside of functions at its first place: the number of a constant that a smoke run makes
        smaller."""
        for statement in self.tree.body:
            if isinstance(statement, ast.Assign) and [ast.unparse(target) for target in statement.targets] == [name]:
                return statement.value
        return None

    def binds(self, name: str) -> bool:
        """Whether a name gets a value somewhere."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store):
                return True
        return False

    def has_model_class(self) -> bool:
        """Whether the script defines a model of its own, which Keras cannot save whole."""
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("Model") for base in node.bases):
                return True
        return False

    def replaced(self, node: ast.expr, text: str) -> Script:
        """With other text in the place of an expression."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._edited((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset), text)

    def with_keyword(self, call: ast.Call, name: str, value: str) -> Script:
        """With an argument of the call, in the place of the one that it has by this name."""
        for keyword in call.keywords:
            if keyword.arg == name:
                return self.replaced(keyword.value, value)
        arguments: list[ast.AST] = [*call.args, *(keyword.value for keyword in call.keywords)]
        return self._appended(call, arguments, f"{name}={value}")

    def with_element(self, elements: ast.List, value: str) -> Script:
        """With one more element of a list."""
        return self._appended(elements, elements.elts, value)

    def without_element(self, elements: ast.List, element: ast.expr) -> Script:
        """Without one element of a list."""
        if len(elements.elts) == 1:
            return self.replaced(elements, "[]")
        number = elements.elts.index(element)
        if number:
            before = elements.elts[number - 1]
            return self._edited(_end(before), _end(element), "")
        after = elements.elts[1]
        return self._edited(_start(element), _start(after), "")

    def with_lines_before(self, node: ast.AST, text: str) -> Script:
        """With lines before the statement that the node stands in."""
        statement = self.statement_of(node)
        assert statement is not None
        return self._edited((statement.lineno, 0), (statement.lineno, 0), text)

    def with_lines_after(self, statement: ast.stmt, text: str) -> Script:
        """With lines after a statement, as far in as it is."""
        assert statement.end_lineno is not None
        place = (statement.end_lineno + 1, 0)
        return self._edited(place, place, _moved_in(text, statement.col_offset))

    def with_lines_instead(self, statement: ast.stmt, text: str) -> Script:
        """With lines in the place of a statement that has its lines for itself."""
        assert statement.end_lineno is not None
        start, end = (statement.lineno, 0), (statement.end_lineno + 1, 0)
        return self._edited(start, end, _moved_in(text, statement.col_offset))

    def without_lines(self, statement: ast.stmt) -> Script:
        """Without a statement that has its lines for itself and is not alone in its body."""
        assert statement.end_lineno is not None
        return self._edited((statement.lineno, 0), (statement.end_lineno + 1, 0), "")

    def indented(self, first: ast.stmt, last: ast.stmt, head: str) -> Script:
        """With the statements from the first to the last one under a head such as `with ...:`."""
        assert last.end_lineno is not None
        start, end = (first.lineno, 0), (last.end_lineno + 1, 0)
        lines = self._lines[first.lineno - 1 : last.end_lineno]
        body = "".join(f"    {line.decode()}\n" if line.strip() else "\n" for line in lines)
        return self._edited(start, end, _moved_in(head, first.col_offset) + body)

    def with_lines_at_end(self, text: str) -> Script:
        """With a cell at the end."""
        return Script(f"{self.source.rstrip()}\n\n{text}")

    def with_import(self, line: str) -> Script:
        """With an import, after the first one of the same package, if there is one, and only where it is missing."""
        wanted = ast.dump(ast.parse(line).body[0])
        imports = [one for one in self.tree.body if isinstance(one, ast.Import | ast.ImportFrom)]
        if any(ast.dump(one) == wanted for one in imports):
            return self
        package = line.split()[1].partition(".")[0]
        place = imports[-1] if imports else self.tree.body[0]
        for one in imports:
            names = [one.module or ""] if isinstance(one, ast.ImportFrom) else [alias.name for alias in one.names]
            if any(name.partition(".")[0] == package for name in names):
                place = one
        return self._edited((place.lineno, 0), (place.lineno, 0), f"{line}\n")

    def _appended(self, holder: ast.expr, parts: Sequence[ast.AST], text: str) -> Script:
        """With a further part before the holder's closing bracket: on a line of its own where the others have one."""
        assert holder.end_lineno is not None
        assert holder.end_col_offset is not None
        closing = (holder.end_lineno, holder.end_col_offset - 1)
        if not parts:
            return self._edited(closing, closing, text)
        last = _end(parts[-1])
        between = self._between(last, closing)
        if b"\n" not in between:
            return self._edited(last, closing, f", {text}")
        script = self
        if not between.lstrip().startswith(b","):
            script = self._edited(last, last, ",")
        indent = " " * (len(self._lines[closing[0] - 1]) - len(self._lines[closing[0] - 1].lstrip()) + 4)
        return script._edited((closing[0], 0), (closing[0], 0), f"{indent}{text},\n")

    def _between(self, start: _Place, end: _Place) -> bytes:
        text = self.source.encode()
        return text[self._offset(start) : self._offset(end)]

    def _edited(self, start: _Place, end: _Place, text: str) -> Script:
        source = self.source.encode()
        return Script((source[: self._offset(start)] + text.encode() + source[self._offset(end) :]).decode())

    def _offset(self, place: _Place) -> int:
        line, column = place
        return sum(len(one) + 1 for one in self._lines[: line - 1]) + column


def name_of(call: ast.Call) -> str:
    """The last name of what is called: `Dense` of `layers.Dense(...)`."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def keyword_of(call: ast.Call, name: str) -> ast.expr | None:
    """The argument that a call has by a name."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return None


def _moved_in(text: str, columns: int) -> str:
    """Lines with so many blanks before each."""
    return "".join(f"{' ' * columns}{line}\n" for line in text.rstrip("\n").split("\n"))


def _start(node: ast.AST) -> _Place:
    return node.lineno, node.col_offset  # type: ignore[attr-defined]


def _end(node: ast.AST) -> _Place:
    return node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
