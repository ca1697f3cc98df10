"""Writing a plan's `Input` and `Output`: candidate texts, ranked by a linear model fitted to how
such ones scored.

For known plans it is known which of their candidates would have scored best, had the plan and its
neighbours in the file not been known: from these a ridge regression learns what to make of
agreement, of words that the request has and that a text is likely to take over (`word_reuse`), and
of words and numbers that it has not. Known plans are weighted as for the other fields (`ridge`), by
what requests are about (`similarity`) and in equal parts by how they are phrased (`phrasing`),
which tells the style of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.measures.pairwise_bleu import BleuTexts
from pipeline.planners.hybrid import ridge
from pipeline.planners.hybrid.holding_out import Mask, every_kth, independent_plans
from pipeline.planners.hybrid.ridge import Floats
from pipeline.planners.hybrid.similarity import RequestText
from pipeline.planners.hybrid.text.candidates import Candidates, candidates
from pipeline.planners.hybrid.text.known_texts import KnownTexts
from pipeline.planners.hybrid.text.phrasing import Phrasing
from pipeline.planners.hybrid.text.ranking import fit_ranking, held_out_gain
from pipeline.planners.hybrid.text.tokens import RequestTokens
from pipeline.planners.hybrid.text.word_reuse import KnownRequestWords, RequestWords, WordChances, fit_word_reuse

WRITTEN_FIELDS = ("input", "output")
LEAST_PLANS = 200
"""Known plans from which on texts are written; of fewer there is too little to learn from."""
_PHRASING_SHARE = 0.5
_PENALTY = 1.0
_RANKED_PLANS = 1200
"""Known plans that the ranking is fitted to; of more, every k-th: each takes some fifteen
milliseconds."""


@dataclass(frozen=True, slots=True)
class FieldWriter:
    """Writes one field."""

    name: str
    known: KnownTexts
    word_reuse: WordChances
    """What a text takes over from its request."""
    ranking: Floats
    """What each of FEATURES is worth."""
    ranked_plans: int
    """Known plans that the ranking was fitted to."""
    gain: float
    """Mean sentence BLEU by which it is ahead of the highest expected score alone, on parts held
    out."""

    def write(
        self,
        weights: Floats,
        similarity: Floats,
        request: RequestTokens,
        words: RequestWords,
        eligible_plans: Mask,
        same_category: Mask,
    ) -> str | None:
        """The best candidate; None where no eligible known plan has a text."""
        has_text = eligible_plans & (self.known.text_of >= 0)
        chances = self.word_reuse.chances(words, np.where(has_text, similarity, 0))
        options = candidates(self.known, weights, request, chances, eligible_plans, same_category)
        if options is None:
            return None
        return options.texts[int((options.features @ self.ranking).argmax())]


@dataclass(frozen=True, slots=True)
class TextWriter:
    """Writes the texts of a plan."""

    phrasing: Phrasing
    inverse: Floats
    """Of the mixed similarities of the known requests, as in `ridge`."""
    known_words: KnownRequestWords
    fields: tuple[FieldWriter, ...]

    def write(
        self,
        request: RequestText,
        similarity: Floats,
        near_copies: ridge.Rows,
        eligible_plans: Mask,
        same_category: Mask,
    ) -> dict[str, str]:
        """The fields' texts for a request, by name.

        `similarity`: to the known requests, by what they are about; `near_copies`: known plans that
        count as if they were not known; `eligible_plans`: those that may be drawn from;
        `same_category`: those of the task category.
        """
        mixed = _mixed(similarity, self.phrasing.similarities([request])[0])
        weights = ridge.without_rows(mixed, self.inverse, near_copies) @ self.inverse
        tokens = RequestTokens(request.requirement, request.attributes)
        words = self.known_words.words_of(tokens)
        texts = {}
        for field in self.fields:
            text = field.write(weights, similarity, tokens, words, eligible_plans, same_category)
            if text:
                texts[field.name] = text
        return texts


def fit_writer(
    requests: Sequence[RequestText],
    similarities: Floats,
    categories: Sequence[str],
    texts: Mapping[str, Sequence[str]],
) -> TextWriter | None:
    """The writer for known requests, their similarities, canonical task categories and, by field,
    their plans' texts; None where these are too few."""
    written = {}
    for name, field_texts in texts.items():
        plans_with_text = sum(map(bool, field_texts))
        if plans_with_text >= LEAST_PLANS:
            written[name] = field_texts
    if not written:
        return None
    phrasing = Phrasing.of(requests)
    mixed = _mixed(similarities, phrasing.similarities(requests))
    inverse = ridge.inverse(mixed, _PENALTY)
    category_number = {name: number for number, name in enumerate(dict.fromkeys(categories))}
    category_of = np.array([category_number[name] for name in categories])
    tokens = [RequestTokens(request.requirement, request.attributes) for request in requests]
    known_words = KnownRequestWords.of(tokens)
    words = [known_words.words_of(request) for request in tokens]
    fields = []
    for name, field_texts in written.items():
        known = KnownTexts.of(field_texts, requests)
        text_words: list[Sequence[str]] = []
        for text in known.text_of:
            if text >= 0:
                text_words.append(known.keys[text])
            else:
                text_words.append(())
        word_reuse = fit_word_reuse(known_words, words, text_words, similarities)
        options, scores = [], []
        rows_with_text = np.flatnonzero(known.text_of >= 0)
        for row in rows_with_text[every_kth(len(rows_with_text), _RANKED_PLANS)].tolist():
            eligible_plans = independent_plans(row, similarities[row])
            held_out_with = np.flatnonzero(~eligible_plans)
            weights = (ridge.without_rows(mixed[row], inverse, held_out_with) @ inverse).astype(np.float32)
            votes = np.bincount(category_of[eligible_plans], weights=weights[eligible_plans])
            # A new request's category is decided before its texts; here the heaviest one stands for
            # that decision.
            same_category = category_of == votes.argmax()
            chances = word_reuse.held_out_chances[row]
            row_options = candidates(known, weights, tokens[row], chances, eligible_plans, same_category)
            if row_options is not None:
                options.append(row_options)
                scores.append(_scores(row_options, known.texts[known.text_of[row]]))
        fields.append(
            FieldWriter(
                name=name,
                known=known,
                word_reuse=word_reuse.model,
                ranking=fit_ranking(options, scores),
                ranked_plans=len(options),
                gain=held_out_gain(options, scores),
            )
        )
    return TextWriter(phrasing, inverse, known_words, tuple(fields))


def _mixed(similarity: Floats, phrasing_similarity: Floats) -> Floats:
    return (1 - _PHRASING_SHARE) * similarity + _PHRASING_SHARE * phrasing_similarity


def _scores(options: Candidates, right_text: str) -> Floats:
    """Each candidate's sentence BLEU."""
    scores: Floats = BleuTexts(options.texts).against(BleuTexts([right_text]))[:, 0]
    return scores
