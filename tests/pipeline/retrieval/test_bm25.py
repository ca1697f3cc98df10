"""The sparse index gives the numbers of rank-bm25."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi, BM25Plus

from pipeline.retrieval.bm25 import Bm25Index, ranking

WORDS = st.lists(st.sampled_from("leaf image tumour price text audio noise".split()), min_size=1, max_size=12)


@given(st.lists(WORDS, min_size=1, max_size=8), WORDS)
def test_scores_equal_those_of_rank_bm25(documents: list[list[str]], query: list[str]) -> None:
    expected = BM25Okapi(documents).get_scores(query)
    np.testing.assert_allclose(Bm25Index(documents).scores(query), expected, rtol=1e-9, atol=1e-12)


@given(st.lists(WORDS, min_size=1, max_size=8), WORDS)
def test_plus_differs_from_rank_bm25_by_what_that_gives_documents_without_the_word(
    documents: list[list[str]], query: list[str]
) -> None:
    reference = BM25Plus(documents)
    expected = reference.get_scores(query)
    for number, document in enumerate(documents):
        for word in query:
            if word not in document:
                expected[number] -= reference.idf.get(word, 0)
    np.testing.assert_allclose(Bm25Index(documents, "plus").scores(query), expected, rtol=1e-9, atol=1e-12)


def test_in_a_small_pool_about_one_thing_plus_does_not_turn_round() -> None:
    documents = ["windy weather photos of some old harbour towns".split() for _ in range(3)]
    documents += [["coffee"], ["coins"]]
    query = "windy weather photos".split()
    assert set(ranking(Bm25Index(documents, "okapi").scores(query))[:2]) == {3, 4}
    assert ranking(Bm25Index(documents, "plus").scores(query)) == [0, 1, 2, 3, 4]


def test_an_empty_document_never_matches_and_an_empty_index_has_no_scores() -> None:
    assert Bm25Index([["a"], [], ["b"]]).scores(["a"])[1] == 0
    assert Bm25Index([[]]).scores(["a"]).tolist() == [0.0]
    assert Bm25Index([]).scores(["a"]).tolist() == []


def test_equal_scores_keep_their_order() -> None:
    assert ranking(np.array([1.0, 2.0, 1.0, 2.0])) == [1, 3, 0, 2]
