"""Writing a plan's `Input` and `Output`: candidate texts, ranked by a linear model fitted to how such ones scored.

For known plans it is known which of their candidates would have scored best, had the plan and its neighbours in the
file not been known: from these a ridge regression learns what to make of agreement, of words that the request has and
that a text is likely to take over (`copying`), and of words and numbers that it has not. Known plans are weighted as
for the other fields (`ridge`), by what requirements are about (`views`) and in equal parts by how they are phrased
(`phrasing`), which tells the style of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.measures.pairwise_bleu import BleuTexts
from pipeline.planners.hybrid import ridge
from pipeline.planners.hybrid.holding_out import Mask, spread, strangers
from pipeline.planners.hybrid.payoff import Floats
from pipeline.planners.hybrid.similarity import Text
from pipeline.planners.hybrid.text.candidates import FEATURES, Candidates, candidates
from pipeline.planners.hybrid.text.known_texts import KnownTexts
from pipeline.planners.hybrid.text.phrasing import Phrasing
from pipeline.planners.hybrid.text.slots import Source
from pipeline.planners.hybrid.text.word_reuse import AskedWords, Copying, RequestWords, fit_copying

WRITTEN = ("input", "output")
LEAST_PLANS = 200
"""Known plans from which on texts are written; of fewer there is too little to learn from."""
_PHRASING_SHARE = 0.5
_PENALTY = 1.0
_LEARNT_FROM = 1200
"""Known plans that the ranking is fitted to, of more every k-th: each takes some fifteen milliseconds."""
_RANK_PENALTY = 1e-2
"""Relative to the number of candidates. From 0.001 to 0.1 it makes no difference."""
_PARTS = 5


@dataclass(frozen=True, slots=True)
class FieldWriter:
    """`copying`: what a text takes over from its request; `ranking`: what each of FEATURES is worth; `learnt_from`:
    known plans that it was fitted to; `gain`: mean sentence BLEU by which it is ahead of the highest expected score
    alone, on parts held out."""

    name: str
    known: KnownTexts
    copying: Copying
    ranking: Floats
    learnt_from: int
    gain: float

    def write(
        self, weights: Floats, similarity: Floats, source: Source, asked: AskedWords, able: Mask, of_category: Mask
    ) -> str | None:
        """The best candidate; None where no known plan that is `able` has a text."""
        alike = np.where(able & (self.known.text_of >= 0), similarity, 0)
        chances = self.copying.chances(asked, alike)
        found = candidates(self.known, weights, source, chances, able, of_category)
        return None if found is None else found.texts[int((found.features @ self.ranking).argmax())]


@dataclass(frozen=True, slots=True)
class TextWriter:
    """`inverse`: of the mixed similarities of the known plans, as in `ridge`."""

    phrasing: Phrasing
    inverse: Floats
    fields: tuple[FieldWriter, ...]

    @property
    def requests(self) -> RequestWords:
        """The words of the known requests, the same for all fields."""
        return self.fields[0].copying.requests

    def write(
        self, text: Text, similarity: Floats, excluded: ridge.Rows, sayers: Mask, of_category: Mask
    ) -> dict[str, str]:
        """The fields' texts for a requirement.

        `similarity`: to the known ones by `views`; `excluded`: known plans that count as if they were not known;
        `sayers`: those that may be drawn from; `of_category`: those of the task category.
        """
        mixed = _mixed(similarity, self.phrasing.similarities([text])[0])
        weights = ridge.without(mixed, self.inverse, excluded) @ self.inverse
        source = Source(text.requirement, text.attributes)
        asked = self.requests.asked_words(source)
        written = {
            field.name: field.write(weights, similarity, source, asked, sayers, of_category) for field in self.fields
        }
        return {name: found for name, found in written.items() if found}


def fit_writer(
    texts: Sequence[Text], similarities: Floats, categories: Sequence[str], values: Mapping[str, Sequence[str]]
) -> TextWriter | None:
    """The writer for known requirements, their `similarities` by `views`, canonical task categories and the fields'
    `values`; None where they are too few."""
    values = {name: found for name, found in values.items() if sum(map(bool, found)) >= LEAST_PLANS}
    if not values:
        return None
    phrasing = Phrasing.of(texts)
    mixed = _mixed(similarities, phrasing.similarities(texts))
    inverse = ridge.inverse(mixed, _PENALTY)
    places = {name: place for place, name in enumerate(dict.fromkeys(categories))}
    category_of = np.array([places[name] for name in categories])
    sources = [Source(text.requirement, text.attributes) for text in texts]
    requests = RequestWords.of(sources)
    asked = [requests.asked_words(source) for source in sources]
    fields = []
    for name, found in values.items():
        known = KnownTexts.of(found, texts)
        words = [known.keys[place] if place >= 0 else () for place in known.text_of]
        learnt = fit_copying(requests, asked, words, similarities)
        rows, shown = [], []
        having = np.flatnonzero(known.text_of >= 0)
        for row in having[spread(len(having), _LEARNT_FROM)].tolist():
            able = strangers(row, similarities[row])
            weights = (ridge.without(mixed[row], inverse, np.flatnonzero(~able)) @ inverse).astype(np.float32)
            votes = np.bincount(category_of[able], weights=weights[able])
            of_category = category_of == votes.argmax()
            each = candidates(known, weights, sources[row], learnt.held_out[row], able, of_category)
            if each is not None:
                rows.append(row)
                shown.append(each)
        fields.append(_fit_field(name, known, learnt.copying, rows, shown))
    return TextWriter(phrasing, inverse, tuple(fields))


def _mixed(similarity: Floats, phrased: Floats) -> Floats:
    return (1 - _PHRASING_SHARE) * similarity + _PHRASING_SHARE * phrased


def _fit_field(
    name: str, known: KnownTexts, copying: Copying, rows: Sequence[int], shown: Sequence[Candidates]
) -> FieldWriter:
    scores = [
        BleuTexts(each.texts).against(BleuTexts([known.texts[known.text_of[row]]]))[:, 0]
        for row, each in zip(rows, shown, strict=True)
    ]
    gains = []
    stretches = np.arange(len(rows)) // max(1, len(rows) // (4 * _PARTS))  # so that each part has all styles
    for part in range(min(_PARTS, len(rows))):
        rest = np.flatnonzero(stretches % _PARTS != part)
        ranking = _ranking([shown[number] for number in rest], [scores[number] for number in rest])
        for number in np.flatnonzero(stretches % _PARTS == part):
            features, reached = shown[number].features, scores[number]
            by_expectation = features[:, FEATURES.index("expected")].argmax()
            gains.append(reached[(features @ ranking).argmax()] - reached[by_expectation])
    gain = float(np.mean(gains)) if gains else 0.0
    return FieldWriter(name, known, copying, _ranking(shown, scores), len(rows), gain)


def _ranking(shown: Sequence[Candidates], scores: Sequence[Floats]) -> Floats:
    """Ridge regression of the scores on the features, each as deviations from the mean of a row's candidates."""
    if not shown:
        return np.array([name == "expected" for name in FEATURES], np.float32)
    features = np.vstack([each.features - each.features.mean(axis=0) for each in shown]).astype(np.float64)
    reached = np.concatenate([found - found.mean() for found in scores]).astype(np.float64)
    spread = np.maximum(features.std(axis=0), 1e-9)
    features /= spread
    normal = features.T @ features + _RANK_PENALTY * len(features) * np.eye(features.shape[1])
    ranking: Floats = (np.linalg.solve(normal, features.T @ reached) / spread).astype(np.float32)
    return ranking
