"""Texts that a new plan's field could have, and what speaks for each: agreement with known texts and with the request.

Candidates are the known texts that agree most with those that count (expected sentence BLEU), those of the nearest
known plans, and all of these as templates, filled from the new requirement (`slots`). The style is decided before, as
most of the weight has it: over several styles the expected score prefers the most uniform one, though few may write so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pipeline.planners.hybrid.payoff import Floats
from pipeline.planners.hybrid.text.known_texts import STYLES, KnownTexts
from pipeline.planners.hybrid.text.slots import Source, is_content, keys_of

MOST_AGREEING, NEAREST = 60, 40
"""Known texts that are looked at: of the highest expected score, and of the known plans with the most weight."""

FEATURES = (
    "expected", "behind the best", "root of expected", "weight", "root of weight", "of the category", "filled",
    "slots left", "plans with it", "words", "log words", "longer than usual", "copied share", "copied pairs",
    "rare copied", "rare invented", "numbers copied", "numbers invented", "common invented", "common",
    "rare copied share", "rare invented share", "invents a rare word", "invents a number", "expected overlap",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidates:
    """`texts`, and what speaks for and against each; `features`: shape (texts, FEATURES)."""

    texts: list[str]
    features: Floats


@dataclass(frozen=True, slots=True)
class _Candidate:
    text: str
    keys: list[str]
    expected: float
    weight: float
    of_category: bool
    filled: bool = False
    unfilled: int = 0
    plans: int = 0


def candidates(
    known: KnownTexts,
    weights: Floats,
    source: Source,
    chances: Mapping[str, float],
    able: npt.NDArray[np.bool_],
    of_category: npt.NDArray[np.bool_],
) -> Candidates | None:
    """The candidates for a requirement, its words being the `source`.

    `chances`: how likely the text takes over each of its words; `weights`: how much each known plan says about it;
    `able`: those that may be drawn from; `of_category`: those of the task category. None where no known plan that may
    be drawn from has a text.
    """
    able = able & (known.text_of >= 0)
    weights = _in_style(known, np.where(able, weights, 0))
    able = able & (weights != 0)
    count = len(known.texts)
    by_text = np.bincount(known.text_of[able], weights=weights[able], minlength=count)
    plans = np.bincount(known.text_of[able], minlength=count)
    in_category = np.bincount(known.text_of[able & of_category], minlength=count) > 0
    expected = known.agreement @ by_text.astype(np.float32)
    said = np.flatnonzero(plans)
    if not len(said):
        return None
    agreeing = said[np.argsort(-expected[said], kind="stable")[:MOST_AGREEING]]
    rows = np.argsort(-weights, kind="stable")[:NEAREST]
    rows = rows[weights[rows] > 0]
    positive = np.where(able, np.maximum(weights, 0), 0)
    own = np.bincount(known.text_of[able], weights=positive[able], minlength=count)
    usual = float(own @ known.lengths / max(own.sum(), 1e-9))
    places = dict.fromkeys((*agreeing.tolist(), *known.text_of[rows].tolist()))
    found = [
        _Candidate(
            known.texts[place], known.keys[place], float(expected[place]), float(own[place]), bool(in_category[place]),
            plans=int(plans[place]),
        )
        for place in places
    ]  # fmt: skip
    sayers = np.flatnonzero(able)
    texts_said, firsts = np.unique(known.text_of[sayers], return_index=True)
    first_rows = dict(zip(texts_said.tolist(), sayers[firsts].tolist(), strict=True))
    templates = dict.fromkeys((*rows.tolist(), *(first_rows[place] for place in places)))
    filled = {text.text: (row, text) for row in templates if (text := known.template(row).fill(source)).changed}
    new = [(row, text) for name, (row, text) in filled.items() if name not in {each.text for each in found}]
    scores = known.expected([text.text for _, text in new], by_text.astype(np.float32))
    found += [
        _Candidate(
            text.text, keys_of(text.text), float(score), float(positive[row]), bool(of_category[row]),
            filled=True, unfilled=text.unfilled,
        )
        for (row, text), score in zip(new, scores, strict=True)
    ]  # fmt: skip
    best = max(candidate.expected for candidate in found)
    features = [_features(candidate, best, usual, source, chances, known) for candidate in found]
    return Candidates([candidate.text for candidate in found], np.array(features, np.float32))


def _in_style(known: KnownTexts, weights: Floats) -> Floats:
    """The weights of known plans whose text has the style with the most weight, 0 for the others."""
    style_of = np.where(known.text_of >= 0, known.styles[known.text_of], -1)
    votes = np.array([weights[style_of == style].sum() for style in range(STYLES)])
    votes[[style for style in range(STYLES) if not (weights[style_of == style] != 0).any()]] = -np.inf
    kept: Floats = np.where(style_of == votes.argmax(), weights, 0)
    return kept


def _features(
    candidate: _Candidate, best: float, usual: float, source: Source, chances: Mapping[str, float], known: KnownTexts
) -> list[float]:
    keys = candidate.keys
    words = [word_key for word_key in keys if is_content(word_key)]
    numbers = [word_key for word_key in words if word_key.isdigit()]
    names = [word_key for word_key in words if not word_key.isdigit()]
    rare = [word_key for word_key in names if word_key not in known.common]
    common = [word_key for word_key in names if word_key in known.common]
    copied = sum(word_key in source for word_key in words)
    rare_copied = sum(word_key in source for word_key in rare)
    numbers_copied = sum(word_key in source for word_key in numbers)
    rare_invented, numbers_invented = len(rare) - rare_copied, len(numbers) - numbers_copied
    pairs = set(pairwise(keys))
    length = max(len(keys), 1)
    return [
        candidate.expected,
        candidate.expected - best,
        max(candidate.expected, 0.0) ** 0.5,
        candidate.weight,
        candidate.weight**0.5,
        candidate.of_category,
        candidate.filled,
        candidate.unfilled,
        np.log1p(candidate.plans),
        len(keys),
        np.log1p(len(keys)),
        np.log1p(len(keys)) - usual,
        copied / max(len(words), 1),
        len(pairs & source.pairs) / max(len(keys) - 1, 1),
        rare_copied,
        rare_invented,
        numbers_copied,
        numbers_invented,
        sum(word_key not in source for word_key in common),
        len(common),
        rare_copied / length,
        rare_invented / length,
        rare_invented > 0,
        numbers_invented > 0,
        _expected_overlap(set(words), chances),
    ]


def _expected_overlap(words: Collection[str], chances: Mapping[str, float]) -> float:
    """The F1 between a text's content words and those that the right one takes over, by expectation."""
    return 2 * sum(chances.get(word, 0.0) for word in words) / max(len(words) + sum(chances.values()), 1e-9)
