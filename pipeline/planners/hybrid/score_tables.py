"""What each value that known plans have would score where another is right: a field's measure, for
all pairs.

With these tables and weights over the known plans, the value of the highest expected score can be
chosen (minimum Bayes risk; Kumar and Byrne, HLT-NAACL 2004): for labels that is a vote, for numbers
a weighted median, for texts the one most in agreement with the others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Indel, Levenshtein
from rapidfuzz.process import cdist

from pipeline.measures.pairwise_bleu import BleuTexts
from pipeline.measures.plan_metrics import layer_type_sequence
from pipeline.plan.fields import FieldMeasure
from pipeline.planners.hybrid.ridge import Floats

Value = str | float | tuple[str, ...]
_FIRST_LETTER = 0x10000  # beyond it every number up to a million is a character

TYPES_WORTH = 20.0
"""Edits a layer that the right types in the right order are worth. In cross-validation by sixths of
the published known plans (distance, types F1): 23.1, 0.36 for 0; 23.9, 0.44 for 20; 24.7, 0.46 for
40."""


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """One field: the values to choose from, and what each scores where a known plan's own value is
    the right one."""

    candidates: tuple[Value, ...]
    scores: Floats
    """Shape (known plans, candidates); more is better, NaN where the plan has no value."""
    candidate_of: npt.NDArray[np.int32]
    """Each known plan's own value among the candidates, -1 where it is none."""
    is_loss: bool = False
    """Whether scores are at most 0."""


def label_scores(labels: Sequence[str]) -> ScoreTable:
    """1 where letters and digits are the same, case aside. A candidate is spelled as most known
    plans spell it."""
    keys = []
    spellings: dict[str, Counter[str]] = {}
    for label in labels:
        key = re.sub(r"[^a-z0-9]", "", label.lower())
        keys.append(key)
        spellings.setdefault(key, Counter())[label] += 1
    distinct, index_of = _distinct(keys)
    scores = (index_of[:, None] == np.arange(len(distinct))[None, :]).astype(np.float32)
    candidates = []
    for key in distinct:
        most_common, _ = spellings[key].most_common(1)[0]
        candidates.append(most_common)
    return ScoreTable(tuple(candidates), scores, index_of)


def text_scores(texts: Sequence[str]) -> ScoreTable:
    """Sentence BLEU, in [0, 1]."""
    distinct, index_of = _distinct(texts)
    counted = BleuTexts(distinct)
    # `against` has the candidates in its rows, a score table the right values.
    pairs = counted.against(counted).T / 100
    return ScoreTable(distinct, _by_plan(pairs, index_of), index_of)


def layer_scores(layer_lists: Sequence[tuple[str, ...]]) -> ScoreTable:
    """Minus the mean Levenshtein distance of layers in equal places, the difference of their
    numbers, and what the types in a wrong order cost, in tens.

    The distance is divided by the longer list's length, so alone it prefers lists that are far too
    long, and it hardly sees whether a layer is the right one. Candidates are lists of calls with
    arguments, where there are any: it also prefers bare names ("Conv2D", "Dense"), which are short
    but no network.
    """
    distinct, index_of = _distinct(layer_lists)
    lengths = np.array([len(layers) for layers in distinct], np.float32)
    surplus = np.abs(lengths[:, None] - lengths[None, :])
    mistyped = TYPES_WORTH * (1 - _type_agreement(distinct))
    scores = _by_plan(-(_layer_distances(distinct) + surplus + mistyped) / 10, index_of)
    usable = []
    for index, layers in enumerate(distinct):
        if all("(" in layer for layer in layers):
            usable.append(index)
    if not usable:
        usable = list(range(len(distinct)))
    usable_index = np.full(len(distinct) + 1, -1, np.int32)  # the last position is that of -1, plans without layers
    usable_index[usable] = np.arange(len(usable))
    candidates = tuple(distinct[index] for index in usable)
    return ScoreTable(candidates, scores[:, usable], usable_index[index_of], is_loss=True)


def number_scores(numbers: Sequence[float | None]) -> ScoreTable:
    """Minus the absolute error, in units of the median known value."""
    distinct, index_of = _distinct(numbers)
    known = np.array(distinct, dtype=np.float32)
    scale = 1.0
    if len(known):
        # By known plan, not by different value: a number that many plans have counts as often.
        scale = float(np.median(known[index_of[index_of >= 0]]))
    pairs = -np.abs(known[:, None] - known[None, :]) / scale
    return ScoreTable(distinct, _by_plan(pairs, index_of), index_of, is_loss=True)


SCORE_TABLES: Mapping[FieldMeasure, Callable[[Sequence[Any]], ScoreTable]] = {
    FieldMeasure.EXACT_MATCH: label_scores,
    FieldMeasure.BLEU: text_scores,
    FieldMeasure.EDIT_DISTANCE: layer_scores,
    FieldMeasure.ABSOLUTE_ERROR: number_scores,
}
"""Each makes the table of a field of that measure, from the values of the known plans."""


def _distinct(values: Sequence[Any]) -> tuple[tuple[Any, ...], npt.NDArray[np.int32]]:
    """The different values in the order of appearance, without "", () and None; and which of them
    each row has."""
    indices: dict[Hashable, int] = {}
    index_of = []
    for value in values:
        if value in ("", (), None):
            index_of.append(-1)
        else:
            index_of.append(indices.setdefault(value, len(indices)))
    return tuple(indices), np.array(index_of, dtype=np.int32)


def _by_plan(pairs: npt.NDArray[Any], index_of: npt.NDArray[np.int32]) -> Floats:
    """A row for each known plan, from a row for each different value."""
    scores = np.full((len(index_of), pairs.shape[1]), np.nan, np.float32)
    scores[index_of >= 0] = pairs[index_of[index_of >= 0]]
    return scores


def _type_agreement(layer_lists: Sequence[tuple[str, ...]]) -> Floats:
    """`PlanScores.layer_type_f1` of all pairs."""
    letters: dict[str, str] = {}  # a type as a character, since strings are compared fastest
    words = []
    for layers in layer_lists:
        word = ""
        for name in layer_type_sequence(layers):
            word += letters.setdefault(name, chr(_FIRST_LETTER + len(letters)))
        words.append(word)
    agreement: Floats = cdist(words, words, scorer=Indel.normalized_similarity, dtype=np.float32)
    return agreement


def _layer_distances(layer_lists: Sequence[tuple[str, ...]]) -> Floats:
    """`plan_metrics.layers_distance` of all pairs; layer by layer, each different entry compared
    once."""
    lengths = np.array([len(layers) for layers in layer_lists])
    edits = np.zeros((len(layer_lists), len(layer_lists)), np.float32)
    for depth in range(max(lengths, default=0)):
        has, lacks = np.flatnonzero(lengths > depth), np.flatnonzero(lengths <= depth)
        entries, entry_lengths = [], []
        for row in has:
            entry = layer_lists[row][depth]
            entries.append(entry + " ")  # else `_distinct` would take an empty entry for none
            entry_lengths.append(len(entry))
        distinct, index_of = _distinct(entries)
        distances = cdist(distinct, distinct, scorer=Levenshtein.distance, dtype=np.float32)
        edits[np.ix_(has, has)] += distances[np.ix_(index_of, index_of)]
        # Against a list that has ended before, all of an entry is an edit.
        whole = np.array(entry_lengths, np.float32)
        edits[np.ix_(has, lacks)] += whole[:, None]
        edits[np.ix_(lacks, has)] += whole[None, :]
    longer = np.maximum(np.maximum(lengths[:, None], lengths[None, :]), 1)
    mean_edits: Floats = edits / longer
    return mean_edits
