"""What a field's candidate values score against the values that known plans have: the field's measure, for all pairs.

With these tables and weights over the known plans, the value of the highest expected score can be chosen (minimum
Bayes risk; Kumar and Byrne, HLT-NAACL 2004): for labels that is a vote, for numbers a weighted median, for texts the
one most in agreement with the others.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Indel, Levenshtein
from rapidfuzz.process import cdist

from pipeline.measures.pairwise_bleu import BleuTexts
from pipeline.measures.plan_metrics import layer_type_sequence
from pipeline.plan.fields import FieldMeasure

Floats = npt.NDArray[np.float32]
Value = str | float | tuple[str, ...]
_FIRST_LETTER = 0x10000  # beyond it every number up to a million is a character


@dataclass(frozen=True, slots=True)
class Payoff:
    """`table[row, candidate]`: what the candidate scores where the row's value is the right one; more is better, NaN
    where the row has no value. `candidate_of[row]`: the row's own value among the candidates, -1 where it is none.
    `is_loss`: payoffs are at most 0."""

    candidates: tuple[Value, ...]
    table: Floats
    candidate_of: npt.NDArray[np.int32]
    is_loss: bool = False


def labels(values: Sequence[str]) -> Payoff:
    """1 where letters and digits are the same, case aside. A candidate is spelled as most of its rows spell it."""
    keys = [re.sub(r"[^a-z0-9]", "", value.lower()) for value in values]
    spellings: dict[str, Counter[str]] = {}
    for key, value in zip(keys, values, strict=True):
        spellings.setdefault(key, Counter())[value] += 1
    kinds, own = _distinct(keys)
    table = (own[:, None] == np.arange(len(kinds))[None, :]).astype(np.float32)
    return Payoff(tuple(spellings[kind].most_common(1)[0][0] for kind in kinds), table, own)


def texts(values: Sequence[str]) -> Payoff:
    """Sentence BLEU, in [0, 1]."""
    kinds, own = _distinct(values)
    counted = BleuTexts(kinds)
    by_kind = counted.against(counted).T / 100
    return Payoff(kinds, _by_row(by_kind, own), own)


TYPES_WORTH = 20.0
"""Edits a layer that the right types in the right order are worth. In cross-validation by sixths of the published
known plans (distance, types F1): 23.1, 0.36 for 0; 23.9, 0.44 for 20; 24.7, 0.46 for 40."""


def layer_lists(values: Sequence[tuple[str, ...]]) -> Payoff:
    """Minus the mean Levenshtein distance of layers in equal places, the difference of their numbers, and what the
    types in a wrong order cost, in tens.

    The distance is divided by the longer list's length, so alone it prefers lists that are far too long, and it hardly
    sees whether a layer is the right one. Candidates are lists of calls with arguments, where there are any: it also
    prefers bare names ("Conv2D", "Dense"), which are short but no network.
    """
    kinds, own = _distinct(values)
    lengths = np.array([len(layers) for layers in kinds], np.float32)
    surplus = np.abs(lengths[:, None] - lengths[None, :])
    mistyped = TYPES_WORTH * (1 - _type_agreement(kinds))
    table = _by_row(-(_layer_distances(kinds) + surplus + mistyped) / 10, own)
    usable = [number for number, layers in enumerate(kinds) if all("(" in layer for layer in layers)]
    usable = usable or list(range(len(kinds)))
    renumbered = np.full(len(kinds) + 1, -1, np.int32)  # the last place is for rows without layers
    renumbered[usable] = np.arange(len(usable))
    return Payoff(tuple(kinds[number] for number in usable), table[:, usable], renumbered[own], is_loss=True)


def numbers(values: Sequence[float | None]) -> Payoff:
    """Minus the absolute error, in units of the median known value."""
    kinds, own = _distinct(values)
    known = np.array(kinds, dtype=np.float32)
    scale = float(np.median(known[own[own >= 0]])) if len(known) else 1.0
    return Payoff(kinds, _by_row(-np.abs(known[:, None] - known[None, :]) / scale, own), own, is_loss=True)


PAYOFFS: dict[FieldMeasure, Callable[[Sequence[Any]], Payoff]] = {
    FieldMeasure.EXACT_MATCH: labels,
    FieldMeasure.BLEU: texts,
    FieldMeasure.EDIT_DISTANCE: layer_lists,
    FieldMeasure.ABSOLUTE_ERROR: numbers,
}


def _distinct(values: Sequence[Any]) -> tuple[tuple[Any, ...], npt.NDArray[np.int32]]:
    """The different values in the order of appearance, without "", () and None; and each row's place among them."""
    places: dict[Hashable, int] = {}
    own = [-1 if value in ("", (), None) else places.setdefault(value, len(places)) for value in values]
    return tuple(places), np.array(own, dtype=np.int32)


def _by_row(by_kind: npt.NDArray[Any], own: npt.NDArray[np.int32]) -> Floats:
    table = np.full((len(own), by_kind.shape[1]), np.nan, np.float32)
    table[own >= 0] = by_kind[own[own >= 0]]
    return table


def _type_agreement(lists: Sequence[tuple[str, ...]]) -> Floats:
    """`PlanScores.layer_type_f1` of all pairs."""
    letters: dict[str, str] = {}  # a type as a character, since strings are compared fastest
    words = [
        "".join(letters.setdefault(name, chr(_FIRST_LETTER + len(letters))) for name in layer_type_sequence(layers))
        for layers in lists
    ]
    found: Floats = cdist(words, words, scorer=Indel.normalized_similarity, dtype=np.float32)
    return found


def _layer_distances(lists: Sequence[tuple[str, ...]]) -> Floats:
    """`plan_metrics.layers_distance` of all pairs; place by place, each different entry compared once."""
    lengths = np.array([len(layers) for layers in lists])
    total = np.zeros((len(lists), len(lists)), np.float32)
    for place in range(max(lengths, default=0)):
        has, lacks = np.flatnonzero(lengths > place), np.flatnonzero(lengths <= place)
        kinds, own = _distinct([lists[row][place] + " " for row in has])
        distances = cdist(kinds, kinds, scorer=Levenshtein.distance, dtype=np.float32)
        total[np.ix_(has, has)] += distances[np.ix_(own, own)]
        alone = np.array([len(lists[row][place]) for row in has], np.float32)
        total[np.ix_(has, lacks)] += alone[:, None]
        total[np.ix_(lacks, has)] += alone[None, :]
    found: Floats = total / np.maximum(np.maximum(lengths[:, None], lengths[None, :]), 1)
    return found
