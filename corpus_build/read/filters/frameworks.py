"""Which framework a notebook imports: by its syntax tree, by tokens where a cell does not parse.

Only an import in code counts, wherever it stands (in a function, in `try`, by `importlib.import_module`); a name in a
comment, a string, a shell line, markdown or outputs does not. `docs/corpus.md` has the rules for borderline cases.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache

from corpus_build.drops import Drop
from corpus_build.read.cell_code import parse_cell, plain_python
from corpus_build.read.notebook import ParsedNotebook

FRAMEWORKS: dict[str, frozenset[str]] = {
    "tensorflow": frozenset({"keras", "tensorflow", "tf_keras"}),
    "pytorch": frozenset({"lightning", "pytorch_lightning", "torch"}),
    "jax": frozenset({"equinox", "flax", "haiku", "jax"}),
}
"""The packages whose import makes a notebook one of a framework's."""

CLASSICAL = frozenset({"catboost", "lightgbm", "sklearn", "statsmodels", "xgboost"})
DECISION_FORESTS = frozenset({"tensorflow_decision_forests"})
_ONLY = {"tensorflow": "tensorflow_only", "pytorch": "pytorch_only", "jax": "jax_only"}
# Decision forests have a `keras` module of their own, which is no sign of a network.
_NO_SIGN_OF_A_NETWORK = re.compile(r"\btfdf\.keras\b|\btensorflow_decision_forests\.keras\b|#.*")
_LINE_END = re.compile(r"(?<!\\)\n")
_IMPORT_WORD = re.compile(r"\b(?:import|from)\b")
_SIGN_OF_A_NETWORK = re.compile(r"\bkeras\b|\blayers\.|\bDense\b|\bGradientTape\b|\btf\.nn\b|\bSequential\b")


def check_framework(notebook: ParsedNotebook, framework: str) -> None:
    """Passes a Python notebook that imports the framework (`tensorflow`, `pytorch`, `jax`). Raises Drop otherwise."""
    if notebook.language != "python":
        raise Drop("not_python", f"written in {notebook.language}")
    cells = notebook.code_cells
    if imports_any(cells, FRAMEWORKS[framework]):
        if framework == "tensorflow" and _trees_only(cells):
            raise Drop("tree_models")
        return
    for other, packages in FRAMEWORKS.items():
        if other != framework and imports_any(cells, packages):
            raise Drop(_ONLY[other])
    if framework == "tensorflow" and imports_any(cells, DECISION_FORESTS):
        raise Drop("tree_models")
    if imports_any(cells, CLASSICAL):
        raise Drop("classical_only")
    if any(_mention(FRAMEWORKS[framework]).search(cell) for cell in cells):
        raise Drop("mentioned_only")
    raise Drop("no_framework")


def imports_any(cells: Iterable[str], packages: frozenset[str]) -> bool:
    """Whether one of the cells imports one of the packages. Cells that name none of them, or do not have the word
    `import` (Python has no import without it), are not parsed."""
    names = _shortest_names(packages)
    for cell in cells:
        # Plain loops: this runs over every cell of the corpus.
        for name in names:
            if name in cell:
                if "import" in cell and _imports(cell, packages):
                    return True
                break
    return False


def _imports(cell: str, packages: frozenset[str]) -> bool:
    surely, by_call = _import_patterns(packages)
    # Where no string spans lines, a line that reads as an import is one: no need of a tree.
    if "'''" not in cell and '"""' not in cell and "\\\n" not in cell and "%%" not in cell and surely.search(cell):
        return True
    if not by_call.search(cell) and not _has_import_of(cell, packages):
        return False
    return any(name in packages for name in imported_packages(cell))


def _has_import_of(cell: str, packages: frozenset[str]) -> bool:
    """Whether one of the packages is named behind `import` or `from`, on a line or those that it is continued on."""
    mention = _mention(packages)
    for line in _LINE_END.split(cell):
        word = _IMPORT_WORD.search(line)
        if word and mention.search(line, word.end()):
            return True
    return False


def imported_packages(cell: str) -> Iterator[str]:
    """The top-level packages that a cell imports, those of its outer statements first."""
    tree = parse_cell(cell)
    if tree is not None:
        return _imports_by_tree(tree)
    return _imports_by_tokens(plain_python(cell))


@cache
def _mention(packages: frozenset[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(sorted(packages))})\b")


@cache
def _shortest_names(packages: frozenset[str]) -> tuple[str, ...]:
    """The names without those that contain another one: a cell that has none of these has none of all."""
    names = []
    for name in sorted(packages):
        if not any(other in name for other in packages - {name}):
            names.append(name)
    return tuple(names)


@cache
def _import_patterns(packages: frozenset[str]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What is an import of the packages unless it stands in a string: as a statement, and by a call."""
    names = "|".join(sorted(packages))
    surely = rf"^[ \t]*(?:import[ \t]+(?:{names})\b|from[ \t]+(?:{names})\b[\w.]*[ \t]+import\b)"
    by_call = rf"(?:import_module|__import__)\s*\(\s*['\"](?:{names})\b"
    return re.compile(surely, re.MULTILINE), re.compile(by_call)


def _trees_only(cells: Sequence[str]) -> bool:
    """Whether there are decision forests and no sign of a network; most notebooks show one in their first cells."""
    if any(_SIGN_OF_A_NETWORK.search(_NO_SIGN_OF_A_NETWORK.sub("", cell)) for cell in cells):
        return False
    return imports_any(cells, DECISION_FORESTS)


def _imports_by_tree(tree: ast.Module) -> Iterator[str]:
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        node = waiting.popleft()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            if node.module and not node.level:
                yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call):
            yield from _import_by_call(node)
            waiting.extend(ast.iter_child_nodes(node))
        else:
            waiting.extend(ast.iter_child_nodes(node))


def _import_by_call(node: ast.Call) -> Iterator[str]:
    """`importlib.import_module("keras.layers")`, `__import__("keras")`."""
    function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if function not in ("import_module", "__import__") or not node.args:
        return
    module = node.args[0]
    if isinstance(module, ast.Constant) and isinstance(module.value, str):
        yield module.value.partition(".")[0]


def _imports_by_tokens(source: str) -> Iterator[str]:
    """Packages after `import` and `from` where a statement can begin, strings and comments left out."""
    statement_begins = True
    words: list[str] = []
    for kind, text in _tokens(source):
        if kind in (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT) or text in (";", ":"):
            yield from _imports_of_statement(words)
            words, statement_begins = [], True
        elif kind == tokenize.COMMENT:
            continue
        elif statement_begins and kind == tokenize.NAME and text in ("import", "from"):
            words, statement_begins = [text], False
        elif words:
            words.append(text)
        else:
            statement_begins = False
    yield from _imports_of_statement(words)


def _tokens(source: str) -> Iterator[tuple[int, str]]:
    """The tokens, line by line again after a place that cannot be tokenized."""
    lines = io.StringIO(source).readlines()
    start = 0
    while start < len(lines):
        last = 0
        try:
            for token in tokenize.generate_tokens(_line_reader(lines, start)):
                last = token.end[0]
                yield token.type, token.string
            return
        except (tokenize.TokenError, SyntaxError, ValueError):
            yield tokenize.NEWLINE, ""
            start += max(1, last)


def _line_reader(lines: Sequence[str], start: int) -> Callable[[], str]:
    """Gives the lines from number `start` on, one a call, and StopIteration at their end: what tokenize reads from."""
    numbers = iter(range(start, len(lines)))
    return lambda: lines[next(numbers)]


def _imports_of_statement(words: list[str]) -> Iterator[str]:
    """The packages of an import statement's words; `from . import x` names none."""
    if not words:
        return
    if words[0] == "from":
        if len(words) > 1 and words[1] != "." and "import" in words:
            yield words[1]
        return
    name_follows = True
    for word in words[1:]:
        if name_follows and word.isidentifier():
            yield word
        name_follows = word == ","
