"""Texts that a new plan's field could have, and what speaks for each: agreement with known texts
and with the request.

Candidates are the known texts that agree most with those that count (expected sentence BLEU), those
of the nearest known plans, and all of these as templates, filled from the new request
(`templates`). The style is decided before, as most of the weight has it: over several styles the
expected score prefers the most uniform one, though few may write so.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from pipeline.planners.hybrid.holding_out import Mask
from pipeline.planners.hybrid.ridge import Floats, Rows
from pipeline.planners.hybrid.text.known_texts import STYLES, KnownTexts
from pipeline.planners.hybrid.text.templates import FilledText
from pipeline.planners.hybrid.text.tokens import RequestTokens, is_content, word_keys

MOST_AGREEING, NEAREST = 60, 40
"""Known texts that are looked at: of the highest expected score, and of the known plans with the
most weight."""

FEATURES = (
    "expected", "behind the best", "root of expected", "weight", "root of weight", "of the category", "filled",
    "slots left", "plans with it", "words", "log words", "longer than usual", "copied share", "copied pairs",
    "rare copied", "rare invented", "numbers copied", "numbers invented", "common invented", "common",
    "rare copied share", "rare invented share", "invents a rare word", "invents a number", "expected overlap",
)  # fmt: skip
"""What `_features` gives, in its order; a fitted planner's folder has a worth for each, by name."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Texts to choose from."""

    texts: list[str]
    features: Floats
    """What speaks for and against each; shape (texts, FEATURES)."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    text: str
    keys: list[str]
    expected: float
    """The expected score."""
    weight: float
    """Of the known plans that have it, or from whose text it was filled."""
    of_category: bool
    filled: bool = False
    unfilled: int = 0
    """Slots that kept the words of another request."""
    plans: int = 0
    """Known plans that have it."""


@dataclass(frozen=True, slots=True)
class _Votes:
    """What the known plans say that may be drawn from and whose text has the style that was decided
    on."""

    plans: Rows
    plan_weights: Floats
    """Each known plan's weight, 0 for those that do not count."""
    weight_of_text: Floats
    """Each known text's weight; so the next three are by text."""
    positive_weight_of_text: npt.NDArray[np.float64]
    plans_with_text: Rows
    in_category: Mask
    """Whether a known plan of the task category has the text."""


def candidates(
    known: KnownTexts,
    weights: Floats,
    request: RequestTokens,
    chances: Mapping[str, float],
    eligible_plans: Mask,
    same_category: Mask,
) -> Candidates | None:
    """The candidates for a request; None where no known plan that may be drawn from has a text.

    `weights`: how much each known plan says about the request; `chances`: how likely the text takes
    over each of the request's words; `eligible_plans`: the known plans that may be drawn from;
    `same_category`: those of the task category.
    """
    votes = _count_votes(known, weights, eligible_plans, same_category)
    if not len(votes.plans):
        return None
    expected = known.agreement @ votes.weight_of_text
    nearest = np.argsort(-votes.plan_weights, kind="stable")[:NEAREST]
    nearest_plans = nearest[votes.plan_weights[nearest] > 0].tolist()
    with_plans = np.flatnonzero(votes.plans_with_text)
    most_agreeing = with_plans[np.argsort(-expected[with_plans], kind="stable")[:MOST_AGREEING]].tolist()
    texts = list(dict.fromkeys((*most_agreeing, *known.text_of[nearest_plans].tolist())))
    options = []
    for text in texts:
        options.append(_known_candidate(known, votes, text, float(expected[text])))
    known_texts = {option.text for option in options}
    templates = list(dict.fromkeys((*nearest_plans, *_first_plans(known, votes, texts))))
    options += _filled_candidates(known, votes, templates, request, same_category, known_texts)
    best = max(option.expected for option in options)
    usual_length = _usual_length(known, votes)
    option_texts, features = [], []
    for option in options:
        option_texts.append(option.text)
        features.append(_features(option, best, usual_length, request, chances, known))
    return Candidates(option_texts, np.array(features, np.float32))


def _count_votes(known: KnownTexts, weights: Floats, eligible_plans: Mask, same_category: Mask) -> _Votes:
    may_count = eligible_plans & (known.text_of >= 0)
    plan_weights = _in_one_style(known, np.where(may_count, weights, 0))
    counts = may_count & (plan_weights != 0)
    texts, text_of, own_weights = len(known.texts), known.text_of[counts], plan_weights[counts]
    weight_of_text = np.bincount(text_of, weights=own_weights, minlength=texts)
    positive_weight_of_text = np.bincount(text_of, weights=np.maximum(own_weights, 0), minlength=texts)
    return _Votes(
        plans=np.flatnonzero(counts),
        plan_weights=plan_weights,
        weight_of_text=weight_of_text.astype(np.float32),
        positive_weight_of_text=positive_weight_of_text.astype(np.float64),
        plans_with_text=np.bincount(text_of, minlength=texts),
        in_category=np.bincount(known.text_of[counts & same_category], minlength=texts) > 0,
    )


def _in_one_style(known: KnownTexts, weights: Floats) -> Floats:
    """The weights of known plans whose text has the style with the most weight, 0 for the others."""
    style_of = np.where(known.text_of >= 0, known.styles[known.text_of], -1)
    style_weights = []
    for style in range(STYLES):
        own_weights = weights[style_of == style]
        if (own_weights != 0).any():
            style_weights.append(own_weights.sum())
        else:
            # A style that nobody has must not win over one whose weights add up to less than 0.
            style_weights.append(-np.inf)
    kept: Floats = np.where(style_of == np.argmax(style_weights), weights, 0)
    return kept


def _usual_length(known: KnownTexts, votes: _Votes) -> float:
    """The mean of the logarithms of the texts' lengths, by their weight."""
    weights = votes.positive_weight_of_text
    return float(weights @ known.lengths / max(weights.sum(), 1e-9))


def _first_plans(known: KnownTexts, votes: _Votes, texts: Sequence[int]) -> list[int]:
    """For each text, the first known plan that has it and counts."""
    # `return_index` gives the first position of each text.
    texts_with_plans, positions = np.unique(known.text_of[votes.plans], return_index=True)
    first_plan = dict(zip(texts_with_plans.tolist(), votes.plans[positions].tolist(), strict=True))
    return [first_plan[text] for text in texts]


def _known_candidate(known: KnownTexts, votes: _Votes, text: int, expected: float) -> _Candidate:
    return _Candidate(
        text=known.texts[text],
        keys=known.keys[text],
        expected=expected,
        weight=float(votes.positive_weight_of_text[text]),
        of_category=bool(votes.in_category[text]),
        plans=int(votes.plans_with_text[text]),
    )


def _filled_candidates(
    known: KnownTexts,
    votes: _Votes,
    templates: Sequence[int],
    request: RequestTokens,
    same_category: Mask,
    known_texts: Collection[str],
) -> list[_Candidate]:
    """The texts of these known plans, filled from the request, where that gives another text."""
    filled: dict[str, tuple[int, FilledText]] = {}
    for plan in templates:
        text = known.template(plan).fill(request)
        if text.changed:
            # Of templates that give the same text the last one counts, at the first one's position.
            filled[text.text] = plan, text
    new, new_texts = [], []
    for plan, text in filled.values():
        if text.text not in known_texts:
            new.append((plan, text))
            new_texts.append(text.text)
    scores = known.expected_scores(new_texts, votes.weight_of_text)
    options = []
    for (plan, text), score in zip(new, scores, strict=True):
        options.append(
            _Candidate(
                text=text.text,
                keys=word_keys(text.text),
                expected=float(score),
                weight=float(np.maximum(votes.plan_weights[plan], 0)),
                of_category=bool(same_category[plan]),
                filled=True,
                unfilled=text.unfilled,
            )
        )
    return options


def _features(
    candidate: _Candidate,
    best: float,
    usual_length: float,
    request: RequestTokens,
    chances: Mapping[str, float],
    known: KnownTexts,
) -> list[float]:
    """The values of FEATURES for one candidate; `best` is the highest expected score of all."""
    keys = candidate.keys
    words: list[str] = []
    numbers: list[str] = []
    common: list[str] = []
    rare: list[str] = []
    for key in keys:
        if not is_content(key):
            continue
        words.append(key)
        if key.isdigit():
            numbers.append(key)
        elif key in known.common:
            common.append(key)
        else:
            rare.append(key)
    # "Invented": the text has it, the request has not.
    rare_copied = _count_copied(rare, request)
    rare_invented = len(rare) - rare_copied
    numbers_copied = _count_copied(numbers, request)
    numbers_invented = len(numbers) - numbers_copied
    common_copied = _count_copied(common, request)
    copied = rare_copied + numbers_copied + common_copied
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
        np.log1p(len(keys)) - usual_length,
        copied / max(len(words), 1),
        len(pairs & request.pairs) / max(len(keys) - 1, 1),
        rare_copied,
        rare_invented,
        numbers_copied,
        numbers_invented,
        len(common) - common_copied,
        len(common),
        rare_copied / length,
        rare_invented / length,
        rare_invented > 0,
        numbers_invented > 0,
        _expected_overlap(set(words), chances),
    ]


def _count_copied(keys: Sequence[str], request: RequestTokens) -> int:
    """How many of a text's words the request has too."""
    return sum(key in request for key in keys)


def _expected_overlap(words: Collection[str], chances: Mapping[str, float]) -> float:
    """The F1 between a text's content words and those that the right one takes over, by
    expectation."""
    # Not `sum`: words come as a set, whose order changes from process to process.
    taken_over = math.fsum(chances.get(word, 0.0) for word in words)
    return 2 * taken_over / max(len(words) + math.fsum(chances.values()), 1e-9)
