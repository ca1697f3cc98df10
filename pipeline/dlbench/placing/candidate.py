"""What a model answered, taken apart: the definition that stands in for the target, and what that needs beside it."""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass, field

from pipeline.analysis.parsing import parsed
from pipeline.dlbench.placing.edits import names_bound, names_read, reindented
from pipeline.dlbench.placing.target import Definition, Target, first_decorated_line, lines_of
from pipeline.errors import StageFailure
from pipeline.llm.asking.replies import ReplyError, read_program

NO_CODE = "no_code"
"""The kind of failure of an answer that holds no definition."""


@dataclass(slots=True)
class CandidateParts:
    """A candidate's pieces, each without indentation."""

    definition: str
    """From the `def` on, without decorators."""

    node: Definition
    """Its syntax, in the candidate's own program."""

    decorators: list[str] = field(default_factory=list)
    """Without their `@`."""

    futures: list[str] = field(default_factory=list)
    """Features of `from __future__ import`."""

    imports: list[ast.Import | ast.ImportFrom] = field(default_factory=list)
    """Those that definition and helpers need."""

    helpers: list[tuple[ast.stmt, str]] = field(default_factory=list)
    """Functions, classes and constants that the definition needs, with their text."""

    members: list[str] = field(default_factory=list)
    """Of the candidate's own class: further methods and constants that the definition needs."""

    renamed_from: str = ""
    """The name that the candidate gave the definition, where it is another one."""


def read_candidate(text: str, target: Target) -> CandidateParts:
    """The parts of an answer: a program, fenced or not, that defines the target, or the body of it. Raises StageFailure
    (`no_code`) where it is neither."""
    name = target.node.name
    code = _code_of(text, name)
    tree = parsed(code)
    found = _definition_in(tree, target) if tree is not None else None
    if found is None:
        code = _as_body(text, target)
        tree = parsed(code) if code else None
        found = _definition_in(tree, target) if tree is not None else None
    if tree is None or found is None:
        raise StageFailure(NO_CODE, f"the answer defines no {name}")
    node, holder = found
    parts = CandidateParts(definition=_text_of(code, node), node=node)
    parts.decorators = [ast.get_source_segment(code, one) or ast.unparse(one) for one in node.decorator_list]
    if node.name != name:
        parts.renamed_from = node.name
    _add_needed(parts, code, tree, node, holder)
    return parts


def _code_of(text: str, name: str) -> str:
    """The answer's program. What parses and defines the name is taken as it is: nothing right is to be mangled."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    for candidate in (plain, textwrap.dedent(plain)):
        tree = parsed(candidate)
        if tree is not None and any(name in names_bound(node) for node in tree.body):
            return candidate
    try:
        return read_program(text).code
    except ReplyError:
        return plain


def _definition_in(tree: ast.Module, target: Target) -> tuple[Definition, ast.ClassDef | None] | None:
    """The definition of the target's name, with the class it stands in; else the only function there is."""
    name = target.node.name
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    in_classes: list[tuple[Definition, ast.ClassDef]] = []
    for holder in classes:
        for inner in holder.body:
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                in_classes.append((inner, holder))
    plain = [(node, None) for node in functions if node.name == name]
    held = [(node, holder) for node, holder in in_classes if node.name == name]
    by_name = [*held, *plain] if target.in_class else [*plain, *held]
    if by_name:
        # A later definition replaces an earlier one of the same place.
        same_place = [one for one in by_name if one[1] is by_name[0][1]]
        return same_place[-1]
    nested = [
        node
        for outer in tree.body
        for node in ast.walk(outer)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
    ]
    if nested:
        return nested[-1], None
    public = [node for node in functions if not node.name.startswith("_")] or functions
    if len(public) == 1 and not classes:
        return public[0], None
    return None


def _as_body(text: str, target: Target) -> str:
    """The answer as the target's body, below its signature; "" where it cannot be that."""
    try:
        body = read_program(text).code if "```" in text else text
    except ReplyError:
        return ""
    body = textwrap.dedent(body.replace("\r\n", "\n")).strip("\n")
    if not body.strip() or "def " in body.split("\n", 1)[0]:
        return ""
    header = signature_of(target)
    code = f"{header}\n{textwrap.indent(body, '    ')}\n"
    tree = parsed(code)
    if tree is None or not _returns_or_acts(tree.body[0]):
        return ""
    return code


def signature_of(target: Target) -> str:
    """The target's `def` up to its colon, without indentation."""
    lines = lines_of(target.text)
    first = target.node.body[0]
    place = first.lineno - target.first_line
    before = lines[place].encode()[: first.col_offset].decode()
    header = "".join(lines[:place]) + before
    # Comments between header and body belong to neither.
    while header.rstrip().rsplit("\n", 1)[-1].strip().startswith("#"):
        header = header.rstrip().rsplit("\n", 1)[0]
    return textwrap.dedent(target.indent + header.lstrip()).rstrip()


def _returns_or_acts(node: ast.stmt) -> bool:
    """Whether a function that was made of a text is one: prose parses as names at best."""
    return any(
        isinstance(inner, ast.Return | ast.Assign | ast.AugAssign | ast.Raise | ast.Yield | ast.Call)
        for inner in ast.walk(node)
    )


def _add_needed(
    parts: CandidateParts, code: str, tree: ast.Module, node: Definition, holder: ast.ClassDef | None
) -> None:
    """Adds what the definition needs, directly or through what it needs. Examples, prints and main blocks are left
    out: they would be run when the module is imported."""
    needed = names_read(node)
    members: dict[ast.stmt, None] = {}
    if holder is not None:
        pending = [inner for inner in holder.body if inner is not node]
        changed = True
        while changed:
            changed = False
            attributes = _attributes_in([node, *members]) | needed
            for inner in pending:
                if inner not in members and names_bound(inner) & attributes and _is_definition(inner):
                    members[inner] = None
                    needed |= names_read(inner)
                    changed = True
    helpers: dict[ast.stmt, None] = {}
    changed = True
    while changed:
        changed = False
        for statement in tree.body:
            if statement is node or statement is holder or statement in helpers or not _is_definition(statement):
                continue
            if names_bound(statement) & needed:
                helpers[statement] = None
                needed |= names_read(statement)
                changed = True
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            parts.futures += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            if names_bound(statement) & needed or any(alias.name == "*" for alias in statement.names):
                parts.imports.append(statement)
        elif statement in helpers:
            parts.helpers.append((statement, _text_of(code, statement, decorated=True)))
    parts.members = [_text_of(code, member, decorated=True) for member in members]


def _attributes_in(nodes: list[ast.stmt]) -> set[str]:
    return {inner.attr for node in nodes for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}


def _is_definition(statement: ast.stmt) -> bool:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.Try, ast.AugAssign)
    return isinstance(statement, kinds)


def _text_of(code: str, node: ast.stmt, *, decorated: bool = False) -> str:
    """The lines of a statement without their indentation, with its decorators if wanted; it ends in a line break."""
    lines = lines_of(code)
    first = first_decorated_line(node) if decorated else node.lineno
    text = "".join(lines[first - 1 : node.end_lineno])
    if not text.endswith("\n"):
        text += "\n"
    line = lines[node.lineno - 1]
    indent = line[: len(line) - len(line.lstrip(" \t\f"))]
    return reindented(text, indent, "") if indent else text
