"""Which words of a request the text for it takes over: "flowers" rather than "Kaggle".

Logistic regression on where a word stands, its rare neighbours masked, and on how often the texts
of known requests that are alike took the word over. A candidate text is judged by these chances in
one feature, the expected overlap.

Ablation (mean sentence BLEU, known plans held out with 75 lines on each side of them, all else
equal): without it 28.2 for Input and 21.9 for Output, with it 29.0 (+0.8) and 23.0 (+1.1); on the
published Evaluation.txt 28.7 -> 29.2 and 22.7 -> 24.3. No interval was recorded. The writer knows
it as a `WordChances` only, so that it can be left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from scipy.special import expit
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import LogisticRegression

from pipeline.planners.hybrid.holding_out import distant_plans, independent_plans
from pipeline.planners.hybrid.ridge import Floats, Rows
from pipeline.planners.hybrid.text.tokens import BETWEEN, START, RequestTokens, is_content

_BITS = 17
_COMMON = 0.006
"""Words in at least this share of the known requests keep their own feature; rarer ones are masked."""
_INVERSE_PENALTY = 0.3
_USUAL_RATE, _USUAL_WEIGHT = 0.1, 0.02
"""The share of words that are taken over, and how many alike requests (squared similarity) this
counts as."""
_LEAST_RATE = 0.005
_RARE, _NUMBER = "*", "#"
_PARTS, _STRETCH = 5, 165
"""Parts that are held out to learn what the chances are worth, of stretches of so many lines, so
that each part has all styles."""


class WordChances(Protocol):
    """How likely the text for a request takes over each of its content words."""

    def chances(self, words: RequestWords, similarity: Floats) -> Mapping[str, float]:
        """By word, in (0, 1). `similarity`: to the known requests, 0 for those that have no say."""
        ...


@dataclass(frozen=True, slots=True)
class RequestWords:
    """The different content words of a request, in the order of appearance, whatever field they are
    looked at for."""

    words: tuple[str, ...]
    contexts: sp.csr_matrix
    """Shape (words, hashed contexts)."""
    columns: Rows
    """Of `KnownRequestWords.occurrences`, -1 for words that no known request has."""


class KnownRequestWords:
    """The content words of known requests."""

    def __init__(self, words: Iterable[str], occurrences: sp.csr_matrix, common: Collection[str]) -> None:
        self.words = tuple(words)
        self.occurrences = occurrences
        """Shape (known requests, words): 1 where the request has the word."""
        self.common = frozenset(common)
        """The words that keep their own feature."""
        self._columns = {word: column for column, word in enumerate(self.words)}

    @classmethod
    def of(cls, known: Sequence[RequestTokens]) -> KnownRequestWords:
        content = [tokens.content_keys() for tokens in known]
        requests_with: Counter[str] = Counter()
        for words in content:
            requests_with.update(words)
        columns = {word: column for column, word in enumerate(requests_with)}
        # A sparse matrix by rows: row i has ones in the columns indices[indptr[i] : indptr[i + 1]].
        indices: list[int] = []
        indptr = [0]
        for words in content:
            indices += [columns[word] for word in words]
            indptr.append(len(indices))
        ones = np.ones(len(indices), np.float32)
        occurrences = sp.csr_matrix((ones, indices, indptr), shape=(len(content), len(columns)))
        least = _COMMON * len(known)
        common = [word for word, count in requests_with.items() if count >= least]
        return cls(requests_with, occurrences, common)

    def words_of(self, request: RequestTokens) -> RequestWords:
        contexts = _contexts(request, self.common)
        hashed = sp.csr_matrix((0, 2**_BITS), dtype=np.float32)
        if contexts:
            hashing = FeatureHasher(2**_BITS, input_type="string", alternate_sign=False, dtype=np.float32)
            hashed = hashing.transform(contexts.values())
        columns = np.array([self._columns.get(word, -1) for word in contexts], np.intp)
        return RequestWords(tuple(contexts), hashed, columns)


@dataclass(frozen=True, slots=True)
class WordReuse:
    """The fitted model of one field's texts; a `WordChances`."""

    known: KnownRequestWords
    reused: sp.csr_matrix
    """As `KnownRequestWords.occurrences`, 1 where the known text took the word over."""
    coefficients: Floats
    """Of the hashed contexts of a word and, last, of the log odds by alike requests."""
    intercept: float = 0.0

    def chances(self, words: RequestWords, similarity: Floats) -> dict[str, float]:
        return self.chances_by(words, self.features(words, similarity))

    def chances_by(self, words: RequestWords, features: sp.csr_matrix) -> dict[str, float]:
        """`chances`, from their features."""
        chances = expit(features @ self.coefficients + self.intercept)
        return dict(zip(words.words, chances.tolist(), strict=True))

    def features(self, words: RequestWords, similarity: Floats) -> sp.csr_matrix:
        """Shape (words, contexts + 1)."""
        return sp.hstack([words.contexts, self._log_odds(words.columns, similarity)[:, None]], format="csr")

    def _log_odds(self, columns: Rows, similarity: Floats) -> Floats:
        """Of each word, by how often alike requests that have it had it taken over."""
        weights = similarity.astype(np.float32) ** 2
        reused = np.where(columns >= 0, (weights @ self.reused)[columns], 0)
        occurrences = np.where(columns >= 0, (weights @ self.known.occurrences)[columns], 0)
        rate = (reused + _USUAL_WEIGHT * _USUAL_RATE) / (occurrences + _USUAL_WEIGHT)
        log_odds: Floats = np.log((rate + _LEAST_RATE) / (1 - rate + _LEAST_RATE)).astype(np.float32)
        return log_odds


@dataclass(frozen=True, slots=True)
class FittedWordReuse:
    """A `WordReuse`, and the chances that one without a known request and those around it would
    give for its words."""

    model: WordReuse
    held_out_chances: Sequence[Mapping[str, float]]


def fit_word_reuse(
    known: KnownRequestWords,
    requests: Sequence[RequestWords],
    text_words: Sequence[Collection[str]],
    similarities: Floats,
) -> FittedWordReuse:
    """Learns from the known requests, their similarities, and the words of their texts, empty for
    no text."""
    labels = []
    for request, words in zip(requests, text_words, strict=True):
        labels.append(np.array([word in words for word in request.words], bool))
    reused = known.occurrences.copy()
    reused.data = np.concatenate(labels).astype(np.float32)
    unfitted = WordReuse(known, reused, np.zeros(2**_BITS + 1, np.float32))
    has_text = np.array([bool(words) for words in text_words])
    features = []
    for row, request in enumerate(requests):
        # As for a new request: the log odds of a row's words must not know the row's own text.
        may_count = independent_plans(row, similarities[row]) & has_text
        features.append(unfitted.features(request, np.where(may_count, similarities[row], 0)))

    def fitted_to(rows: Rows) -> WordReuse:
        row_features, row_labels = [], []
        for row in rows:
            row_features.append(features[row])
            row_labels.append(labels[row])
        table = sp.vstack(row_features)
        is_reused = np.concatenate(row_labels)
        if len(np.unique(is_reused)) < 2:
            return unfitted  # all words taken over, or none: scikit-learn refuses a single class
        model = LogisticRegression(C=_INVERSE_PENALTY, tol=1e-3).fit(table, is_reused)
        coefficients = model.coef_[0].astype(np.float32)
        return replace(unfitted, coefficients=coefficients, intercept=float(model.intercept_[0]))

    count = len(requests)
    part_of = np.arange(count) // max(1, min(_STRETCH, count // (4 * _PARTS))) % _PARTS
    held_out: list[dict[str, float]] = [{} for _ in requests]
    for part in range(_PARTS):
        members = np.flatnonzero(part_of == part)
        is_usable = has_text
        for row in members:
            is_usable = is_usable & distant_plans(int(row), count)
        model = fitted_to(np.flatnonzero(is_usable))
        for row in members:
            held_out[row] = model.chances_by(requests[row], features[row])
    return FittedWordReuse(fitted_to(np.flatnonzero(has_text)), held_out)


def _contexts(request: RequestTokens, common: Collection[str]) -> dict[str, set[str]]:
    """Of each content word: itself, what stands beside it, and in which part of the request; rare
    words are masked."""
    masked = [START]
    for key in request.keys:
        if is_content(key) and key not in common:
            masked.append(_RARE)
        else:
            masked.append(key)
    attributes_start = request.keys.index(BETWEEN)
    contexts: dict[str, set[str]] = {}
    for word in request.content_keys():
        positions = request.positions[word]
        features = {f"word {_shown(word, common)}", f"times {len(positions[:4])}"}
        for position in positions:
            part = "requirement"
            if position > attributes_start:
                part = "attributes"
            # `masked` begins with one START more than the request: its word at `position` is the
            # fourth of these.
            third, second, before, _, after, second_after = masked[position - 2 : position + 4]
            features |= {
                part, f"{part} -1 {before}", f"{part} -2 {second} {before}", f"-3 {third} {second} {before}",
                f"{part} +1 {after}", f"+2 {after} {second_after}", f"{before} _ {after}",
            }  # fmt: skip
        if len(positions) > 1 and positions[0] < attributes_start < positions[-1]:
            features.add("both parts")
        contexts[word] = features
    return contexts


def _shown(word: str, common: Collection[str]) -> str:
    if word in common:
        return word
    if word.isdigit():
        return _NUMBER
    return _RARE
