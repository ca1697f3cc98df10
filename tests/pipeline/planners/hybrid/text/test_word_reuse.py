"""What a text takes over from its request, and what is held out to learn that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.planners.hybrid.holding_out import apart, spread, strangers
from pipeline.planners.hybrid.text.slots import Source, keys_of
from pipeline.planners.hybrid.text.word_reuse import LearntCopying, RequestWords, content_words, fit_copying
from tests.pipeline.planners.hybrid.text.test_writer import THINGS

PLACES = ("Kaggle", "Zenodo", "Figshare")


def _request(number: int) -> Source:
    thing, place = THINGS[number % len(THINGS)], PLACES[number % len(PLACES)]
    return Source(f"I need a model for images of {thing} from {place} in Keras.", f"Images of {thing}, 2 kinds.")


def _fit(texts: Sequence[str], similarities: np.ndarray | None = None) -> LearntCopying:
    sources = [_request(number) for number in range(len(texts))]
    alike = np.full((len(texts), len(texts)), 0.3, np.float32) if similarities is None else similarities
    return _learnt(sources, [keys_of(text) for text in texts], alike)


def _learnt(sources: Sequence[Source], texts: Sequence[Sequence[str]], alike: np.ndarray) -> LearntCopying:
    requests = RequestWords.of(sources)
    return fit_copying(requests, [requests.asked_words(source) for source in sources], texts, alike)


def _chances(learnt: LearntCopying, source: Source, alike: np.ndarray) -> dict[str, float]:
    return learnt.copying.chances(learnt.copying.requests.asked_words(source), alike)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [f"Kinds of {THINGS[number % len(THINGS)]}" for number in range(240)]


def test_words_are_told_by_where_they_stand_though_nobody_knows_them(texts: list[str]) -> None:
    source = Source("I need a model for images of walnuts from Dryad in Keras.", "Images of walnuts, 2 kinds.")
    chances = _chances(_fit(texts), source, np.full(240, 0.3, np.float32))
    assert chances["walnut"] > 0.8
    assert chances["kind"] > 0.8
    assert max(chances[word] for word in ("dryad", "kera", "model", "2")) < 0.2
    assert list(chances) == content_words(source)


def test_what_alike_requests_took_over_counts(texts: list[str]) -> None:
    """Some name the place in their texts, and nothing in their requests tells who does but whom they are like."""
    names = np.arange(240) % 2 == 0
    similarities = np.where(names[:, None] == names[None, :], 0.45, 0.02).astype(np.float32)
    named = [f"{text} {PLACES[number % 3]}" if names[number] else text for number, text in enumerate(texts)]
    learnt = _fit(named, similarities)
    chance = [_chances(learnt, _request(number), similarities[number])["kaggle"] for number in (0, 3)]
    assert chance[0] > 0.8
    assert chance[1] < 0.2


def test_held_out_chances_do_not_know_the_texts_around(texts: list[str]) -> None:
    """Lines 88 to 112 are those that are apart from nobody at line 100."""
    around = [f"Keras {text}" if 88 <= number <= 112 else text for number, text in enumerate(texts)]
    told, otherwise = _fit(texts), _fit(around)
    assert set(told.held_out[100]) == set(content_words(_request(100)))
    assert otherwise.held_out[100]["kera"] < 0.02
    alike = np.full(240, 0.3, np.float32)
    assert _chances(otherwise, _request(100), alike)["kera"] > 0.05


def test_requests_without_words_and_texts_that_take_nothing() -> None:
    sources = [Source("...", ""), *(_request(number) for number in range(30))]
    learnt = _learnt(sources, [["zebra"]] * 31, np.zeros((31, 31), np.float32))
    assert learnt.held_out[0] == _chances(learnt, Source("...", ""), np.zeros(31, np.float32)) == {}
    assert set(_chances(learnt, _request(1), np.zeros(31, np.float32)).values()) == {0.5}


def test_neighbours_and_likes_are_held_out() -> None:
    assert np.flatnonzero(~apart(500, 4000)).tolist() == list(range(425, 576))
    assert np.flatnonzero(~apart(3, 100)).tolist() == list(range(9))
    similarity = np.full(4000, 0.2, np.float32)
    similarity[[7, 9]] = 0.5, 0.49
    left = strangers(500, similarity)
    assert left[[7, 9, 425, 424]].tolist() == [False, True, False, True]
    assert strangers(3, np.ones(100, np.float32)).sum() == 91


def test_rows_are_spread_over_all() -> None:
    assert spread(10, 10).tolist() == list(range(10))
    assert spread(11, 10).tolist() == [0, 2, 4, 6, 8, 10]
    assert spread(0, 10).tolist() == []
