"""Which words of a request the text for it takes over: "flowers" rather than "Kaggle".

Logistic regression on where a word stands, its rare neighbours masked, and on how often the texts of known requests
that are alike took the word over. It tells a candidate text by what it says of the request, and by what it leaves out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from scipy.special import expit
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import LogisticRegression

from pipeline.planners.hybrid.holding_out import apart, strangers
from pipeline.planners.hybrid.payoff import Floats
from pipeline.planners.hybrid.ridge import Rows
from pipeline.planners.hybrid.text.slots import BETWEEN, START, Source, is_content

_BITS = 17
_COMMON = 0.006
"""Share of the known requests that have a word from which on it is told from others."""
_INVERSE_PENALTY = 0.3
_USUAL, _DOUBT = 0.1, 0.02
"""The share of words that are taken over, and how many alike requests (squared similarity) this counts as."""
_LEAST_RATE = 0.005
_RARE, _NUMBER = "*", "#"
_PARTS, _STRETCH = 5, 165
"""Parts that are held out to learn what the chances are worth, of stretches of so many lines, so that each part has all
styles."""


class RequestWords:
    """The content words of known requests. `asked`: shape (known plans, words), which request has which word; `common`:
    those that are told from others."""

    def __init__(self, words: Iterable[str], asked: sp.csr_matrix, common: Collection[str]) -> None:
        self.words = tuple(words)
        self.asked = asked
        self.common = frozenset(common)
        self._places = {word: place for place, word in enumerate(self.words)}

    @classmethod
    def of(cls, sources: Sequence[Source]) -> RequestWords:
        found = [content_words(source) for source in sources]
        seen = Counter(word for words in found for word in words)
        places = {word: place for place, word in enumerate(seen)}
        indices = [places[word] for words in found for word in words]
        indptr = np.cumsum([0, *map(len, found)])
        asked = sp.csr_matrix((np.ones(len(indices), np.float32), indices, indptr), shape=(len(found), len(places)))
        return cls(seen, asked, [word for word, count in seen.items() if count >= _COMMON * len(sources)])

    def asked_words(self, source: Source) -> AskedWords:
        """A request's content words, whatever field they are looked at for."""
        contexts = _contexts(source, self.common)
        hashed = sp.csr_matrix((0, 2**_BITS), dtype=np.float32)
        if contexts:
            hashing = FeatureHasher(2**_BITS, input_type="string", alternate_sign=False, dtype=np.float32)
            hashed = hashing.transform(contexts.values())
        columns = np.array([self._places.get(word, -1) for word in contexts], np.intp)
        return AskedWords(tuple(contexts), hashed, columns)


@dataclass(frozen=True, slots=True)
class AskedWords:
    """The different content words of a request, in the order of appearance. `contexts`: shape (words, hashed contexts);
    `columns`: of `RequestWords.asked`, -1 for words that no known request has."""

    words: tuple[str, ...]
    contexts: sp.csr_matrix
    columns: Rows


@dataclass(frozen=True, slots=True)
class Copying:
    """`taken`: as `RequestWords.asked`, which of these words the known texts took over. `worth`: of the hashed contexts
    of a word and, last, of the log odds by alike requests."""

    requests: RequestWords
    taken: sp.csr_matrix
    worth: Floats
    base: float = 0.0

    def chances(self, asked: AskedWords, alike: Floats) -> dict[str, float]:
        """For each word of a request, how likely its text takes it over, in (0, 1). `alike`: similarities to the known
        requests, 0 for those that have no say."""
        return self.chances_by(asked, self.features(asked, alike))

    def chances_by(self, asked: AskedWords, features: sp.csr_matrix) -> dict[str, float]:
        return dict(zip(asked.words, expit(features @ self.worth + self.base).tolist(), strict=True))

    def features(self, asked: AskedWords, alike: Floats) -> sp.csr_matrix:
        """Shape (words, contexts + 1)."""
        return sp.hstack([asked.contexts, self._log_odds(asked.columns, alike)[:, None]], format="csr")

    def _log_odds(self, columns: Rows, alike: Floats) -> Floats:
        """Of each word, by how often alike requests that have it had it taken over."""
        weights = alike.astype(np.float32) ** 2
        taken, asked = (
            np.where(columns >= 0, (weights @ matrix)[columns], 0) for matrix in (self.taken, self.requests.asked)
        )
        rate = (taken + _DOUBT * _USUAL) / (asked + _DOUBT)
        found: Floats = np.log((rate + _LEAST_RATE) / (1 - rate + _LEAST_RATE)).astype(np.float32)
        return found


def content_words(source: Source) -> list[str]:
    """The different content words of a request, in the order of appearance."""
    return [word for word in source.places if is_content(word)]


def _contexts(source: Source, common: Collection[str]) -> dict[str, set[str]]:
    """Of each word: itself, what stands beside it, and in which part of the request; rare words are masked."""
    masked = [START, *(word if word in common or not is_content(word) else _RARE for word in source.keys)]
    attributes = source.keys.index(BETWEEN)
    found: dict[str, set[str]] = {}
    for word in content_words(source):
        places = source.places[word]
        shown = word if word in common else _NUMBER if word.isdigit() else _RARE
        about = {f"word {shown}", f"times {len(places[:4])}"}
        for place in places:
            part = "attributes" if place > attributes else "requirement"
            third, second, before, _, after, second_after = masked[place - 2 : place + 4]
            about |= {
                part, f"{part} -1 {before}", f"{part} -2 {second} {before}", f"-3 {third} {second} {before}",
                f"{part} +1 {after}", f"+2 {after} {second_after}", f"{before} _ {after}",
            }  # fmt: skip
        if len(places) > 1 and places[0] < attributes < places[-1]:
            about.add("both parts")
        found[word] = about
    return found


@dataclass(frozen=True, slots=True)
class LearntCopying:
    """A `Copying`, and the chances that one without a known request and those around it would give for its words."""

    copying: Copying
    held_out: Sequence[Mapping[str, float]]


def fit_copying(
    requests: RequestWords, known: Sequence[AskedWords], texts: Sequence[Collection[str]], similarities: Floats
) -> LearntCopying:
    """Learns from the `known` requests, their `similarities` by `views`, and the words of their `texts`, empty for no
    text."""
    wanted = [[word in text for word in each.words] for each, text in zip(known, texts, strict=True)]
    taken = requests.asked.copy()
    taken.data = np.concatenate([np.array(each, np.float32) for each in wanted])
    untaught = Copying(requests, taken, np.zeros(2**_BITS + 1, np.float32))
    told = np.array([bool(text) for text in texts])
    features = []
    for row, asked in enumerate(known):
        alike = np.where(strangers(row, similarities[row]) & told, similarities[row], 0)
        features.append(untaught.features(asked, alike))

    def taught_by(rows: Rows) -> Copying:
        table, labels = sp.vstack([features[row] for row in rows]), np.concatenate([wanted[row] for row in rows])
        if len(set(labels.tolist())) < 2:
            return untaught
        model = LogisticRegression(C=_INVERSE_PENALTY, tol=1e-3).fit(table, labels)
        return replace(untaught, worth=model.coef_[0].astype(np.float32), base=float(model.intercept_[0]))

    count = len(known)
    part_of = np.arange(count) // max(1, min(_STRETCH, count // (4 * _PARTS))) % _PARTS
    held_out: list[dict[str, float]] = [{} for _ in known]
    for part in range(_PARTS):
        members = np.flatnonzero(part_of == part)
        far = np.logical_and.reduce([told, *(apart(int(row), count) for row in members)])
        copying = taught_by(np.flatnonzero(far))
        for row in members:
            held_out[row] = copying.chances_by(known[row], features[row])
    return LearntCopying(taught_by(np.flatnonzero(told)), held_out)
