"""A file with a candidate in the place of its target. All that the candidate does not replace stays byte for byte."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from pipeline.analysis.parsing import compiles, parsed
from pipeline.dlbench.placing.candidate import NO_CODE, CandidateParts, read_candidate
from pipeline.dlbench.placing.edits import (
    is_docstring,
    names_bound,
    names_read,
    reindented,
    renamed,
    with_first_statements,
)
from pipeline.dlbench.placing.target import NOT_PLACED, Target, find_target, first_decorated_line, lines_of
from pipeline.errors import StageFailure
from pipeline.syntax import alike

_OWN = "_candidate_"
"""Before a helper's name that the module has for something else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """A file with a candidate in it."""

    text: str

    spans: tuple[tuple[int, int], ...]
    """First and last line of each piece of it that is the candidate's, from 1."""

    definition: str
    """The candidate's definition and helpers alone, for a reader and for measures of code."""

    notes: tuple[str, ...] = ()
    """What was done that the candidate did not say: a function or helper that got another name."""


def place(source: str, target: Target, answer: str, *, module: str = "") -> Placed:
    """The file `source` with the answer's definition in the place of the target. `module`: the file's own name for
    imports (`package.part.file`), by which imports of the same package are known. Raises StageFailure: `no_code` where
    the answer holds no definition, `not_placed` where the result would be no program."""
    parts = read_candidate(answer, target)
    return _placed(source, target, parts, package=module.partition(".")[0])


def _placed(source: str, target: Target, parts: CandidateParts, package: str) -> Placed:
    tree = parsed(source)
    assert tree is not None, "the target was found in it"
    notes: list[str] = []
    own_names = set().union(*(names_bound(node) for node in tree.body)) if tree.body else set()
    names = {parts.renamed_from: target.node.name} if parts.renamed_from else {}
    if parts.renamed_from:
        notes.append(f"{parts.renamed_from} is called {target.node.name} here")
    helpers, helper_names = _helpers_to_add(parts, tree, own_names, target)
    names |= helper_names
    notes += [f"its helper {old} is called {new} here" for old, new in helper_names.items()]
    above, lazy = _divided_imports(parts, tree, package)
    definition = with_first_statements(renamed(parts.definition, names), _needed(lazy, parts.node))
    helper_texts = []
    for node, text in helpers:
        text = renamed(text, names)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.decorator_list:
            text = with_first_statements(text, _needed(lazy, node))
        elif wanted := _needed(lazy, node):
            above += wanted
        helper_texts.append(text)
    decorators = [f"@{one}\n" for one in _new_decorators(parts, target)]
    body = "".join([*decorators, definition])
    class_names = _names_of_class(tree, target)
    members = [text for text in parts.members if not _first_bound(text) & class_names]
    return _assembled(source, tree, target, parts.futures, above, helper_texts, body, members, names, notes)


def _assembled(
    source: str,
    tree: ast.Module,
    target: Target,
    futures: list[str],
    above: list[str],
    helpers: list[str],
    body: str,
    members: list[str],
    names: dict[str, str],
    notes: list[str],
) -> Placed:
    lines = lines_of(source)
    newline = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    if lines and not lines[-1].endswith(("\n", "\r")) and target.last_line == len(lines):
        body = body.rstrip("\n") if not members else body
    replaced = reindented(body, "", target.indent)
    for member in members:
        replaced = replaced.rstrip("\n") + "\n\n" + reindented(renamed(member, names), "", target.indent)
    import_line = _behind_futures(tree)
    missing = [one for one in futures if f"from __future__ import {one}" not in _future_lines(tree)]
    import_text = "".join(f"{line}\n" for line in [*(f"from __future__ import {one}" for one in missing), *above])
    helper_text = "".join(f"{text.rstrip(chr(10))}\n\n\n" for text in helpers)
    # From the bottom up, so that the line numbers above hold.
    pieces = [
        (target.first_line - 1, target.last_line, replaced),
        (target.outermost_line - 1, target.outermost_line - 1, helper_text),
        (import_line, import_line, import_text),
    ]
    for first, last, text in pieces:
        lines[first:last] = lines_of(text.replace("\n", newline) if newline != "\n" else text)
    text = "".join(lines)
    new_tree = parsed(text)
    if new_tree is None or not compiles(new_tree):
        raise StageFailure(NOT_PLACED, "with the candidate in its place the file is no Python program")
    class_name, _, function = target.qualified_name.rpartition(".")
    moved = find_target(text, class_name, function, _moved_line(import_text, helper_text, target))
    if moved.qualified_name != target.qualified_name:
        raise StageFailure(NOT_PLACED, f"the candidate's {target.node.name} would stand in another place")
    return Placed(
        text=text,
        spans=_spans(import_line, import_text, helper_text, target, replaced),
        definition="".join([*helpers, body, *members]),
        notes=tuple(notes),
    )


def _moved_line(import_text: str, helper_text: str, target: Target) -> int:
    return target.first_line + len(lines_of(import_text)) + len(lines_of(helper_text))


def _spans(
    import_line: int, import_text: str, helper_text: str, target: Target, replaced: str
) -> tuple[tuple[int, int], ...]:
    spans = []
    imports, helpers = len(lines_of(import_text)), len(lines_of(helper_text))
    if imports:
        spans.append((import_line + 1, import_line + imports))
    if helpers:
        first = target.outermost_line + imports
        spans.append((first, first + helpers - 1))
    first = target.first_line + imports + helpers
    spans.append((first, first + len(lines_of(replaced)) - 1))
    return tuple(spans)


def _helpers_to_add(
    parts: CandidateParts, tree: ast.Module, own_names: set[str], target: Target
) -> tuple[list[tuple[ast.stmt, str]], dict[str, str]]:
    """The helpers that the module does not have itself, and new names for those whose names it uses otherwise."""
    helpers = []
    names: dict[str, str] = {}
    for node, text in parts.helpers:
        bound = names_bound(node)
        if any(alike(node, own) for own in tree.body):
            continue
        if isinstance(node, ast.ClassDef) and target.qualified_name.startswith(f"{node.name}."):
            continue  # a repetition of the class that the target stands in
        names |= {name: _OWN + name for name in bound & own_names}
        helpers.append((node, text))
    return helpers, names


def _divided_imports(
    parts: CandidateParts, tree: ast.Module, package: str
) -> tuple[list[str], list[tuple[set[str], str]]]:
    """Import statements for the top of the module; and those for within the functions that need them, with the names
    they bind: of the module's own package, which is not whole yet while the module is imported, and of names that the
    module has for something else."""
    existing: dict[str, str] = {}
    for own in tree.body:
        if isinstance(own, ast.Import | ast.ImportFrom):
            for alias in own.names:
                existing[alias.asname or alias.name.partition(".")[0]] = _single_import(own, alias)
        else:
            for name in names_bound(own):
                existing[name] = ""
    above: list[str] = []
    lazy: list[tuple[set[str], str]] = []
    for statement in parts.imports:
        for alias in statement.names:
            line = _single_import(statement, alias)
            name = alias.asname or alias.name.partition(".")[0]
            if existing.get(name) == line:
                continue
            module = statement.module or "" if isinstance(statement, ast.ImportFrom) else alias.name
            relative = isinstance(statement, ast.ImportFrom) and statement.level > 0
            own_package = relative or (package and module.partition(".")[0] == package)
            if alias.name != "*" and (own_package or name in existing):
                lazy.append(({name}, line))
            else:
                above.append(line)
    return above, lazy


def _single_import(statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    written = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
    if isinstance(statement, ast.Import):
        return f"import {written}"
    return f"from {'.' * statement.level}{statement.module or ''} import {written}"


def _needed(lazy: list[tuple[set[str], str]], node: ast.stmt) -> list[str]:
    read = names_read(node)
    return [line for names, line in lazy if names & read]


def _new_decorators(parts: CandidateParts, target: Target) -> list[str]:
    """The candidate's decorators that the target does not have, by name: those of the target stay as they are."""
    own = {_called(ast.unparse(one)) for one in target.node.decorator_list}
    return [one for one in parts.decorators if _called(one) not in own]


def _called(decorator: str) -> str:
    return decorator.partition("(")[0].rpartition(".")[2].strip()


def _names_of_class(tree: ast.Module, target: Target) -> set[str]:
    if not target.in_class:
        return set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(
            getattr(inner, "lineno", 0) == target.node.lineno for inner in node.body
        ):
            return set().union(*(names_bound(inner) for inner in node.body))
    return set()


def _first_bound(text: str) -> set[str]:
    return names_bound(ast.parse(text).body[0])


def _behind_futures(tree: ast.Module) -> int:
    """How many lines stand before the place for imports: docstring and imports from __future__, or leading comments."""
    line = None
    for number, node in enumerate(tree.body):
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if (number == 0 and is_docstring(node)) or is_future:
            line = node.end_lineno
    if line is not None:
        return line
    return first_decorated_line(tree.body[0]) - 1


def _future_lines(tree: ast.Module) -> set[str]:
    found = set()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            found |= {f"from __future__ import {alias.name}" for alias in node.names}
    return found


__all__ = ["NOT_PLACED", "NO_CODE", "Placed", "place"]
