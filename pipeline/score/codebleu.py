"""CodeBLEU (Ren et al., 2020, arXiv:2009.10297) as the package `codebleu` 0.7.0 has it, made repeatable and bounded.

The parts are the package's own: BLEU-4 over words split at blanks; the recall of the reference's n-grams, in which
Python's keywords weigh 1 and other single words 0.2 (in practice without brevity penalty, since the package takes every
reference for two words long); the share of the reference's syntax subtrees; and the share of its data-flow edges.
CodeBLEU is their mean, in which the package counts a data-flow match of 0 as 1 (meant for references without data
flow, but it does not tell them apart); this is kept, so that values can be compared with those others publish.
Where this module differs from `codebleu.calc_codebleu`:

- The package orders the variables of an edge by Python's string hashes, so that its data-flow match changes from run to
  run, by up to about 0.01 on published notebooks. Here they are in source order.
- It gives a blank candidate 0.25; here it is 0.
- It logs a warning for a reference without data flow; here that is silent.
- Its comparisons take the product of both lengths in time; counting gives the same numbers in the sum.

A source that is not Python is still measured: tree-sitter parses around errors, comments and docstrings stay in where
Python's tokenizer fails, and source that the data-flow extraction cannot read has no edges.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import tree_sitter
import tree_sitter_python
from codebleu import bleu, weighted_ngram_match
from codebleu.codebleu import PACKAGE_DIR
from codebleu.dataflow_match import get_data_flow, normalize_dataflow
from codebleu.parser import DFG_python, remove_comments_and_docstrings

MAX_CHARACTERS = 100_000
MAX_DEPTH = 150
MAX_WORK = 150_000
"""Limits on either source, beyond which nothing is measured: its length; the depth of its syntax tree, since the
package recurses into it; and its nodes, each counted twice for every loop around it, since the package goes through
each loop twice. The longest published notebook has 26,000 characters, the deepest a depth of 21, none over 14,000
counted nodes."""

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language()))
_KEYWORDS = frozenset((PACKAGE_DIR / "keywords" / "python.txt").read_text(encoding="utf-8").split())
_LOOPS = frozenset({"for_statement", "while_statement"})

Edge = tuple[str, str, tuple[str, ...]]
"""A data-flow edge: a variable, how its value arises, the variables it comes from; names numbered as they appear."""


@dataclass(frozen=True, slots=True)
class CodeBleu:
    """CodeBLEU and its four parts, in [0, 1]. Equal sources of four or more words score 1, a blank candidate 0."""

    codebleu: float
    ngram_match: float
    weighted_ngram_match: float
    syntax_match: float
    dataflow_match: float


def code_bleu(candidate: str, reference: str) -> CodeBleu | None:
    """CodeBLEU of one candidate; None where either source is beyond the limits."""
    return corpus_code_bleu([(candidate, reference)])


def corpus_code_bleu(pairs: Iterable[tuple[str, str]]) -> CodeBleu | None:
    """CodeBLEU over (candidate, reference) pairs: counts are summed before dividing, so that it is not the mean of the
    pairs' values. Pairs beyond the limits are left out; None where no pair is left."""
    measured = [pair for candidate, reference in pairs if (pair := _Pair.of(candidate, reference)) is not None]
    if not measured:
        return None
    candidates = [pair.candidate_words for pair in measured]
    parts = (
        float(bleu.corpus_bleu([[pair.reference_words] for pair in measured], candidates)),
        float(weighted_ngram_match.corpus_bleu([[_weighted(pair.reference_words)] for pair in measured], candidates)),
        _share([pair.syntax for pair in measured], otherwise=0.0),
        _share([pair.dataflow for pair in measured], otherwise=0.0),
    )
    blank = not any(candidates)
    return CodeBleu(0.0 if blank else (sum(parts[:3]) + (parts[3] or 1.0)) / 4, *parts)


def words(source: str) -> list[str]:
    """The words that the n-gram parts compare, and that lengths are counted in."""
    return source.split()


@dataclass(frozen=True, slots=True)
class _Pair:
    """What one pair adds to a corpus; `syntax` and `dataflow` are (matched, in the reference)."""

    candidate_words: list[str]
    reference_words: list[str]
    syntax: tuple[int, int]
    dataflow: tuple[int, int]

    @classmethod
    def of(cls, candidate: str, reference: str) -> _Pair | None:
        candidate, reference = candidate.strip(), reference.strip()
        if not (_within_limits(candidate) and _within_limits(reference)):
            return None
        plain_candidate, plain_reference = _without_comments(candidate), _without_comments(reference)
        known = set(_subtrees(plain_candidate)) if candidate else set()
        subtrees = _subtrees(plain_reference)
        edges = _edges(plain_reference)
        return cls(
            words(candidate),
            words(reference),
            (sum(subtree in known for subtree in subtrees), len(subtrees)),
            ((edges & _edges(plain_candidate)).total(), edges.total()),
        )


def _share(counts: Sequence[tuple[int, int]], otherwise: float) -> float:
    total = sum(count for _, count in counts)
    return sum(matched for matched, _ in counts) / total if total else otherwise


def _weighted(reference: list[str]) -> list[object]:
    return [reference, {word: 1 if word in _KEYWORDS else 0.2 for word in reference}]


def _within_limits(source: str) -> bool:
    if len(source) > MAX_CHARACTERS:
        return False
    work = 0
    waiting = [(_root(source), 0, 1)]
    while waiting:
        node, depth, rounds = waiting.pop()
        work += rounds
        if depth > MAX_DEPTH or work > MAX_WORK:
            return False
        rounds = 2 * rounds if node.type in _LOOPS else rounds
        waiting += [(child, depth + 1, rounds) for child in node.children]
    return True


def _root(source: str) -> tree_sitter.Node:
    return _PARSER.parse(source.encode("utf-8", "replace")).root_node


def _without_comments(source: str) -> str:
    try:
        return str(remove_comments_and_docstrings(source, "python"))
    except Exception:  # whatever Python's tokenizer raises on a source that is not Python
        return source


def _subtrees(source: str) -> list[str]:
    """Every inner node of the syntax tree as an S-expression, which shows its structure without names and values."""
    found = []
    waiting = [_root(source)]
    while waiting:
        node = waiting.pop()
        found.append(str(node))
        waiting += [child for child in node.children if child.children]
    return found


def _edges(source: str) -> Counter[Edge]:
    items = get_data_flow(source, [_PARSER, DFG_python])
    name_at = {place: name for name, place, *_ in items}
    ordered = [
        (name, place, relation, _in_source_order(origins, places, name_at), places)
        for name, place, relation, origins, places in items
    ]
    return Counter((name, relation, tuple(origins)) for name, relation, origins in normalize_dataflow(ordered))


def _in_source_order(names: list[str], places: list[int], name_at: dict[int, str]) -> list[str]:
    """The names an edge comes from, by their first place. Where one occurs twice the package has kept their order."""
    if len(set(names)) < len(names):
        return names
    first: dict[str, int] = {}
    for place in sorted(places):
        first.setdefault(name_at.get(place, ""), place)
    return sorted(names, key=lambda name: (first.get(name, len(name_at)), name))
