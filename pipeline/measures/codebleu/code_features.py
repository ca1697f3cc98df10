"""What CodeBLEU compares, read from a source once: its words, the subtrees of its syntax tree, its
data-flow edges.

A source is parsed a single time. The tree is copied into plain Python nodes, on which the package
`codebleu` finds the data flow with its own rules; asking tree-sitter for the same children again
and again is what makes the package slow. Features of sources are kept (`kept_features`), since a
reference meets every method and a sample every reference.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

import tree_sitter
import tree_sitter_python
from codebleu.dataflow_match import get_data_flow, normalize_dataflow
from codebleu.parser import DFG_python, remove_comments_and_docstrings

MAX_CHARACTERS = 100_000
MAX_DEPTH = 150
MAX_WORK = 150_000
"""Limits on a source, beyond which nothing is measured: its length; the depth of its syntax tree,
since the package recurses into it; and its nodes, each counted twice for every loop around it,
since the package goes through each loop twice. The longest published notebook has 26,000
characters, the deepest a depth of 21, none over 14,000 counted nodes."""

KEPT = 384
"""Sources whose features are kept in a process: some 100 kB each for a notebook."""

PARSER_SECONDS = 10
"""What the parser may take. Ordinary sources take milliseconds; around errors tree-sitter tries so many ways that
100 kB of `<!--` would take hours."""

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language()), timeout_micros=PARSER_SECONDS * 10**6)
_LOOPS = frozenset({"for_statement", "while_statement"})

Edge = tuple[str, str, tuple[str, ...]]
"""A data-flow edge: a variable, how its value arises, the variables it comes from;
names numbered as they appear."""


@dataclass(frozen=True, slots=True)
class CodeFeatures:
    """What CodeBLEU compares of one source."""

    words: list[str]
    """Split at blanks, comments included."""
    subtrees: Counter[bytes]
    """How often each subtree occurs, comments and docstrings removed. A subtree is a digest of its
    S-expression, which shows the structure without names and values."""
    edges: Counter[Edge]
    """How often each data-flow edge occurs, comments and docstrings removed."""


def code_features(source: str) -> CodeFeatures | None:
    """The features of a source; None beyond the limits. A source that is not Python has features
    too: tree-sitter parses around errors, comments stay in where Python's tokenizer fails, and what
    the data-flow rules cannot read has no edges."""
    source = source.strip()
    if len(source) > MAX_CHARACTERS:
        return None
    plain = _without_comments(source)
    try:
        tree = _PARSER.parse(plain.encode("utf-8", "replace"))
    except ValueError:  # out of time
        _PARSER.reset()
        return None
    root = _copied(tree.root_node)
    if root is None:
        return None
    return CodeFeatures(source.split(), _subtrees(tree.root_node), _edges(plain, root))


kept_features = lru_cache(maxsize=KEPT)(code_features)
"""`code_features`, remembered for the sources that were asked for last."""


class _Node:
    """A node of the syntax tree with what the data-flow rules ask it for."""

    __slots__ = ("children", "end_point", "fields", "start_point", "type")

    def __init__(self, node: tree_sitter.Node) -> None:
        self.type = node.type
        # Points as plain tuples: they are keys of dictionaries over and over.
        self.start_point, self.end_point = tuple(node.start_point), tuple(node.end_point)
        self.children: list[_Node] = []
        self.fields: dict[str, _Node] = {}

    def child_by_field_name(self, name: str) -> _Node | None:
        return self.fields.get(name)


@dataclass(frozen=True, slots=True)
class _Parsed:
    """Stands for a parser that is handed a source whose tree is there already."""

    root_node: _Node

    def parse(self, _: bytes) -> _Parsed:
        return self


def _copied(root: tree_sitter.Node) -> _Node | None:
    """The tree as plain nodes; None where it is deeper or more work than the limits allow."""
    cursor = root.walk()
    top = _Node(root)
    path = [top]  # from the root to the node that the cursor is at
    rounds = [1]  # how often the package goes through each node of the path
    work = 0
    while True:
        work += rounds[-1]
        if len(path) > MAX_DEPTH + 1 or work > MAX_WORK:
            return None
        if cursor.goto_first_child():
            in_loop = path[-1].type in _LOOPS
            rounds.append(2 * rounds[-1] if in_loop else rounds[-1])
        else:
            # Up until a node has a sibling that was not seen; above the root there is none.
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return top
                path.pop()
                rounds.pop()
            path.pop()
        node = cursor.node
        assert node is not None
        copy = _Node(node)
        path[-1].children.append(copy)
        if cursor.field_name is not None:
            path[-1].fields.setdefault(cursor.field_name, copy)
        path.append(copy)


def _without_comments(source: str) -> str:
    try:
        return str(remove_comments_and_docstrings(source, "python"))
    except Exception:  # whatever Python's tokenizer raises on a source that is not Python
        return source


def _subtrees(root: tree_sitter.Node) -> Counter[bytes]:
    """The subtrees below a node, itself included; single leaves are none, but for a
    root without children."""
    subtrees: Counter[bytes] = Counter()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        subtrees[hashlib.blake2b(str(node).encode(), digest_size=12).digest()] += 1
        waiting += [child for child in node.children if child.child_count]
    return subtrees


def _edges(source: str, root: _Node) -> Counter[Edge]:
    """The package's data flow, with the origins of an edge in the order of the source.

    Each of the package's edges is: a variable, the index of the token it stands at, how its value
    arises, the variables it comes from, and the indices of their tokens.
    """
    dataflow = get_data_flow(source, [_Parsed(root), DFG_python])
    name_at = {index: name for name, index, *_ in dataflow}
    ordered = []
    for name, index, relation, origins, indices in dataflow:
        ordered.append((name, index, relation, _in_source_order(origins, indices, name_at), indices))
    return Counter((name, relation, tuple(origins)) for name, relation, origins in normalize_dataflow(ordered))


def _in_source_order(names: list[str], indices: list[int], name_at: dict[int, str]) -> list[str]:
    """The names by the first token at which each stands: the package has them in the order of
    Python's string hashes, which changes from run to run. Where a name occurs twice it has kept
    their order."""
    if len(set(names)) < len(names):
        return names
    first: dict[str, int] = {}
    for index in sorted(indices):
        first.setdefault(name_at.get(index, ""), index)
    return sorted(names, key=lambda name: (first.get(name, len(name_at)), name))
