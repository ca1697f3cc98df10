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
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from corpus_build.drops import Drop
from corpus_build.read.cell_code import parse_cell, plain_python
from corpus_build.read.notebook import Notebook

FRAMEWORKS: dict[str, frozenset[str]] = {
    "tensorflow": frozenset({"keras", "tensorflow", "tf_keras"}),
    "pytorch": frozenset({"lightning", "pytorch_lightning", "torch"}),
    "jax": frozenset({"equinox", "flax", "haiku", "jax"}),
}
"""The packages whose import makes a notebook one of a framework's."""

CLASSICAL = frozenset({"catboost", "lightgbm", "sklearn", "statsmodels", "xgboost"})
TREES = frozenset({"tensorflow_decision_forests"})
_ONLY = {"tensorflow": "tensorflow_only", "pytorch": "pytorch_only", "jax": "jax_only"}
_NO_SIGN = re.compile(r"\btfdf\.keras\b|\btensorflow_decision_forests\.keras\b|#.*")
_NEURAL = re.compile(r"\bkeras\b|\blayers\.|\bDense\b|\bGradientTape\b|\btf\.nn\b|\bSequential\b")


def check_framework(notebook: Notebook, framework: str) -> None:
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
    if framework == "tensorflow" and imports_any(cells, TREES):
        raise Drop("tree_models")
    if imports_any(cells, CLASSICAL):
        raise Drop("classical_only")
    if any(_mention(FRAMEWORKS[framework]).search(cell) for cell in cells):
        raise Drop("mentioned_only")
    raise Drop("no_framework")


def imports_any(cells: Iterable[str], packages: frozenset[str]) -> bool:
    """Whether one of the cells imports one of the packages. Cells that name none of them, or do not have the word
    `import` (Python has no import without it), are not parsed."""
    needles = _needles(packages)
    for cell in cells:
        for needle in needles:
            if needle in cell:
                if "import" in cell and _imports(cell, packages):
                    return True
                break
    return False


def _imports(cell: str, packages: frozenset[str]) -> bool:
    surely, maybe = _import_patterns(packages)
    # Where no string spans lines, a line that reads as an import is one: no need of a tree.
    if "'''" not in cell and '"""' not in cell and "\\\n" not in cell and "%%" not in cell and surely.search(cell):
        return True
    return maybe.search(cell) is not None and any(name in packages for name in imported(cell))


def imported(cell: str) -> Iterator[str]:
    """The top-level packages that a cell imports, those of its outer statements first."""
    tree = parse_cell(cell)
    return _by_tree(tree) if tree is not None else _by_tokens(plain_python(cell))


@cache
def _mention(packages: frozenset[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(sorted(packages))})\b")


@cache
def _needles(packages: frozenset[str]) -> tuple[str, ...]:
    """The names without those that contain another one."""
    return tuple(name for name in sorted(packages) if not any(other in name for other in packages - {name}))


@cache
def _import_patterns(packages: frozenset[str]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What is an import of the packages unless it stands in a string, and what every import looks like."""
    names = "|".join(sorted(packages))
    line = r"[^\n]*?(?:\\\n[^\n]*?)*"
    surely = rf"^[ \t]*(?:import[ \t]+(?:{names})\b|from[ \t]+(?:{names})\b[\w.]*[ \t]+import\b)"
    maybe = rf"\b(?:import|from)\b{line}\b(?:{names})\b|(?:import_module|__import__)\s*\(\s*['\"](?:{names})\b"
    return re.compile(surely, re.MULTILINE), re.compile(maybe)


def _trees_only(cells: Sequence[str]) -> bool:
    """Whether there are decision forests and no sign of a network; most notebooks show one in their first cells."""
    if any(_NEURAL.search(_NO_SIGN.sub("", cell)) for cell in cells):
        return False
    return imports_any(cells, TREES)


def _by_tree(tree: ast.Module) -> Iterator[str]:
    waiting: deque[ast.AST] = deque([tree])
    while waiting:
        node = waiting.popleft()
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module and not node.level:
                yield node.module.partition(".")[0]
        elif isinstance(node, ast.Call):
            yield from _called(node)
            waiting.extend(ast.iter_child_nodes(node))
        else:
            waiting.extend(ast.iter_child_nodes(node))


def _called(node: ast.Call) -> Iterator[str]:
    """`importlib.import_module("keras.layers")`, `__import__("keras")`."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    first = node.args[0] if node.args else None
    if name in ("import_module", "__import__") and isinstance(first, ast.Constant) and isinstance(first.value, str):
        yield first.value.partition(".")[0]


def _by_tokens(source: str) -> Iterator[str]:
    """Packages after `import` and `from` where a statement can begin, strings and comments left out."""
    begins = True
    words: list[str] = []
    for kind, text in _tokens(source):
        if kind in (tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT) or text in (";", ":"):
            yield from _statement(words)
            words, begins = [], True
        elif kind == tokenize.COMMENT:
            continue
        elif begins and kind == tokenize.NAME and text in ("import", "from"):
            words, begins = [text], False
        elif words:
            words.append(text)
        else:
            begins = False
    yield from _statement(words)


def _tokens(source: str) -> Iterator[tuple[int, str]]:
    """The tokens, line by line again after a place that cannot be tokenized."""
    lines = source.splitlines(keepends=True)
    start = 0
    while start < len(lines):
        reader = io.StringIO("".join(lines[start:])).readline
        last = 0
        try:
            for token in tokenize.generate_tokens(reader):
                last = token.end[0]
                yield token.type, token.string
            return
        except (tokenize.TokenError, SyntaxError, ValueError):
            yield tokenize.NEWLINE, ""
            start += max(1, last)


def _statement(words: list[str]) -> Iterator[str]:
    if not words:
        return
    if words[0] == "from":
        if len(words) > 1 and words[1] != "." and "import" in words:
            yield words[1]
        return
    expected = True
    for word in words[1:]:
        if expected and word.isidentifier():
            yield word
        expected = word == ","
