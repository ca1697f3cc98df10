"""What a text takes over from its request, as learnt from known requests and their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from pipeline.planners.hybrid.fit import fit
from pipeline.planners.hybrid.planner import HybridPlanner
from pipeline.planners.hybrid.ridge import Floats
from pipeline.planners.hybrid.text.tokens import RequestTokens, word_keys
from pipeline.planners.hybrid.text.word_reuse import (
    FittedWordReuse,
    KnownRequestWords,
    RequestWords,
    fit_word_reuse,
)
from pipeline.records import Requirement
from tests.pipeline.planners.hybrid.text.test_writer import THINGS, known_plan

PLACES = ("Kaggle", "Zenodo", "Figshare")
EQUALLY_ALIKE = np.full(240, 0.3, np.float32)


def _request(number: int) -> RequestTokens:
    thing, place = THINGS[number % len(THINGS)], PLACES[number % len(PLACES)]
    return RequestTokens(f"I need a model for images of {thing} from {place} in Keras.", f"Images of {thing}, 2 kinds.")


def _fit(texts: Sequence[str], similarities: Floats | None = None) -> FittedWordReuse:
    if similarities is None:
        similarities = np.full((len(texts), len(texts)), 0.3, np.float32)
    requests = [_request(number) for number in range(len(texts))]
    return _fit_requests(requests, [word_keys(text) for text in texts], similarities)


def _fit_requests(
    requests: Sequence[RequestTokens], text_words: Sequence[Sequence[str]], similarities: Floats
) -> FittedWordReuse:
    known = KnownRequestWords.of(requests)
    return fit_word_reuse(known, [known.words_of(request) for request in requests], text_words, similarities)


def _chances(fitted: FittedWordReuse, request: RequestTokens, similarity: Floats) -> dict[str, float]:
    return fitted.model.chances(fitted.model.known.words_of(request), similarity)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [f"Kinds of {THINGS[number % len(THINGS)]}" for number in range(240)]


def test_words_are_told_by_where_they_stand_though_nobody_knows_them(texts: list[str]) -> None:
    request = RequestTokens("I need a model for images of walnuts from Dryad in Keras.", "Images of walnuts, 2 kinds.")
    chances = _chances(_fit(texts), request, EQUALLY_ALIKE)
    assert chances["walnut"] > 0.8
    assert chances["kind"] > 0.8
    assert max(chances[word] for word in ("dryad", "kera", "model", "2")) < 0.2
    assert list(chances) == request.content_keys()


def test_what_alike_requests_took_over_counts(texts: list[str]) -> None:
    """Some name the place in their texts, and nothing in their requests tells who does but whom they are like."""
    names = np.arange(240) % 2 == 0
    similarities = np.where(names[:, None] == names[None, :], 0.45, 0.02).astype(np.float32)
    named = [f"{text} {PLACES[number % 3]}" if names[number] else text for number, text in enumerate(texts)]
    fitted = _fit(named, similarities)
    names_it, does_not = (_chances(fitted, _request(number), similarities[number])["kaggle"] for number in (0, 3))
    assert names_it > 0.8
    assert does_not < 0.2


def test_held_out_chances_do_not_know_the_texts_around(texts: list[str]) -> None:
    """Lines 88 to 112 stand near line 100."""
    around = [f"Keras {text}" if 88 <= number <= 112 else text for number, text in enumerate(texts)]
    usual, otherwise = _fit(texts), _fit(around)
    assert set(usual.held_out_chances[100]) == set(_request(100).content_keys())
    assert otherwise.held_out_chances[100]["kera"] < 0.02
    assert _chances(otherwise, _request(100), EQUALLY_ALIKE)["kera"] > 0.05


def test_requests_without_words_and_texts_that_take_nothing() -> None:
    requests = [RequestTokens("...", ""), *(_request(number) for number in range(30))]
    fitted = _fit_requests(requests, [["zebra"]] * 31, np.zeros((31, 31), np.float32))
    nothing_alike = np.zeros(31, np.float32)
    assert fitted.held_out_chances[0] == _chances(fitted, RequestTokens("...", ""), nothing_alike) == {}
    assert set(_chances(fitted, _request(1), nothing_alike).values()) == {0.5}


class _NoWordIsReused:
    """The ablation: a `WordChances` that knows nothing."""

    def chances(self, words: RequestWords, similarity: Floats) -> Mapping[str, float]:
        return dict.fromkeys(words.words, 0.0)


def test_the_writer_writes_without_it_too() -> None:
    random = Random(5)
    fitted = fit([known_plan(number, random) for number in range(220)], penalties=[1.0])
    assert fitted.writer is not None
    fields = tuple(replace(field, word_reuse=_NoWordIsReused()) for field in fitted.writer.fields)
    planner = HybridPlanner(replace(fitted, writer=replace(fitted.writer, fields=fields)))
    request = "I need classification of walnuts with Keras."
    plan = planner(Requirement(id="q", row=0, requirement=request, attributes="Images of walnuts by kind."))["plan"]
    assert plan.dataset.input  # type: ignore[attr-defined]
    assert plan.dataset.output  # type: ignore[attr-defined]
