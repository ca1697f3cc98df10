"""CodeBLEU (Ren et al., 2020, arXiv:2009.10297) as the package `codebleu` 0.7.0 has it, made
repeatable, bounded, fast.

The parts are the package's own: BLEU-4 over words split at blanks; the recall of the reference's
n-grams, in which Python's keywords weigh 1 and other single words 0.2 (in practice without brevity
penalty, since the package takes every reference for two words long); the share of the reference's
syntax subtrees; and the share of its data-flow edges. CodeBLEU is their mean, in which the package
counts a data-flow match of 0 as 1 (meant for references without data flow, but it does not tell
them apart); this is kept, so that values can be compared with those others publish. Where this
module differs from `codebleu.calc_codebleu`:

- The package orders the variables of an edge by Python's string hashes, so that its data-flow match
  changes from run to run, by up to about 0.01 on published notebooks. Here they are in source
  order.
- It gives a blank candidate 0.25; here it is 0.
- It logs a warning for a reference without data flow; here that is silent.
- It parses a source three times for each pair it is in; here features are read once
  (`code_features`), and a corpus is the sum of its pairs' counts. Its comparisons take the product
  of both lengths in time; counting takes the sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from codebleu import bleu, weighted_ngram_match
from codebleu.codebleu import PACKAGE_DIR

from pipeline.measures.codebleu.code_features import CodeFeatures, code_features, kept_features

_KEYWORDS = frozenset((PACKAGE_DIR / "keywords" / "python.txt").read_text(encoding="utf-8").split())
_OTHER_WORD_WEIGHT = 0.2  # the package's weight of a word that is no keyword; keywords weigh 1
_ORDERS = (1, 2, 3, 4)
_SMOOTHED = 0.1
"""What stands for no match at all of an order (Chen and Cherry, 2014, method 1)."""

Count = tuple[float, float]
"""Matched, and to be matched."""


@dataclass(frozen=True, slots=True)
class CodeBleu:
    """CodeBLEU and its four parts, in [0, 1]. Equal sources of four or more words
    score 1, a blank candidate 0."""

    codebleu: float
    ngram_match: float
    weighted_ngram_match: float
    syntax_match: float
    dataflow_match: float


@dataclass(frozen=True, slots=True)
class PairCounts:
    """What one pair adds to a corpus; n-grams are by order, 1 to 4."""

    candidate_words: int
    reference_words: int
    ngrams: tuple[Count, ...]
    weighted_ngrams: tuple[Count, ...]
    syntax: Count
    dataflow: Count

    @classmethod
    def of(cls, candidate: CodeFeatures, reference: CodeFeatures) -> PairCounts:
        """The counts of a candidate against its reference."""
        words = candidate.words
        wanted = reference.words
        weights: dict[str, float] = dict.fromkeys(wanted, _OTHER_WORD_WEIGHT)
        for keyword in _KEYWORDS & weights.keys():
            weights[keyword] = 1
        ngrams = []
        weighted_ngrams = []
        for order in _ORDERS:
            ngrams.append(bleu.modified_precision([wanted], words, order))
            weighted_ngrams.append(weighted_ngram_match.modified_recall([[wanted, weights]], words, order))
        subtrees_matched = 0
        if words:  # a blank candidate matches nothing, not even a reference of comments alone
            for subtree, count in reference.subtrees.items():
                if subtree in candidate.subtrees:
                    subtrees_matched += count
        edges_matched = 0
        for edge, count in reference.edges.items():
            edges_matched += min(count, candidate.edges.get(edge, 0))
        return cls(
            candidate_words=len(words),
            reference_words=len(wanted),
            ngrams=tuple(ngrams),
            weighted_ngrams=tuple(weighted_ngrams),
            syntax=(subtrees_matched, reference.subtrees.total()),
            dataflow=(edges_matched, reference.edges.total()),
        )


def pair_counts(candidate: str, reference: str, *, keep: bool = True) -> PairCounts | None:
    """The counts of a pair; None where either source is beyond the limits. `keep`: remember both
    sources' features for the next pair they are in."""
    read = kept_features if keep else code_features
    candidate_features, reference_features = read(candidate), read(reference)
    if candidate_features is None or reference_features is None:
        return None
    return PairCounts.of(candidate_features, reference_features)


def code_bleu(candidate: str, reference: str) -> CodeBleu | None:
    """CodeBLEU of one candidate; None where either source is beyond the limits.

    Equal sources have 1, unless they have fewer than four words between blanks: of these the package's BLEU-4 finds no
    4-grams, and smooths what it does not find (`x=1` has 0.56).
    """
    return corpus_code_bleu([(candidate, reference)])


def corpus_code_bleu(pairs: Iterable[tuple[str, str]], *, keep: bool = True) -> CodeBleu | None:
    """CodeBLEU over (candidate, reference) pairs. Pairs beyond the limits are left
    out; None where no pair is left."""
    counts = []
    for candidate, reference in pairs:
        pair = pair_counts(candidate, reference, keep=keep)
        if pair is not None:
            counts.append(pair)
    return from_counts(counts)


def from_counts(pairs: Iterable[PairCounts]) -> CodeBleu | None:
    """CodeBLEU of a corpus from its pairs: counts are summed before dividing, so that it is not the
    mean of the pairs' values. None without a pair."""
    counts = list(pairs)
    if not counts:
        return None
    candidate_words = sum(pair.candidate_words for pair in counts)
    reference_words = sum(pair.reference_words for pair in counts)
    ngrams = _bleu([pair.ngrams for pair in counts], candidate_words, reference_words)
    # The package takes each reference for two words long: the brevity penalty hardly ever applies.
    weighted_ngrams = _bleu([pair.weighted_ngrams for pair in counts], candidate_words, 2 * len(counts))
    syntax = _share([pair.syntax for pair in counts])
    dataflow = _share([pair.dataflow for pair in counts])
    mean = 0.0
    if candidate_words:
        # A data-flow match of 0 counts as 1, as the package has it (see above).
        mean = (ngrams + weighted_ngrams + syntax + (dataflow or 1.0)) / 4
    return CodeBleu(mean, ngrams, weighted_ngrams, syntax, dataflow)


def code_words(source: str) -> list[str]:
    """The words that the n-gram parts compare, and that lengths are counted in."""
    return source.split()


def _bleu(pairs: list[tuple[Count, ...]], candidate_words: int, reference_words: int) -> float:
    """The geometric mean of the orders' shares with the brevity penalty (Papineni et al., 2002)."""
    logs = []
    for order in _ORDERS:
        of_order = [pair[order - 1] for pair in pairs]
        matched = sum(hits for hits, _ in of_order)
        wanted = sum(total for _, total in of_order)
        if order == 1 and not matched:  # no word in common
            return 0.0
        share = (matched or _SMOOTHED) / wanted
        logs.append(math.log(share) / len(_ORDERS))
    penalty = bleu.brevity_penalty(reference_words, candidate_words)
    return float(penalty * math.exp(math.fsum(logs)))


def _share(counts: list[Count]) -> float:
    matched = sum(hits for hits, _ in counts)
    wanted = sum(total for _, total in counts)
    if not wanted:
        return 0.0
    return matched / wanted
