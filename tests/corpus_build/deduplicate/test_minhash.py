"""Estimates against exact similarity, candidates against all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus_build.deduplicate.minhash import BANDS, band_keys, estimated_similarity, minhash_signature, similar_pairs
from corpus_build.deduplicate.shingles import code_shingles, shingle_similarity
from corpus_build.divide.overlap import OverlapIndex


def text(start: int, length: int = 600) -> str:
    return " ".join(f"name{(start + offset) * 7919 % 100_003}" for offset in range(length))


@pytest.mark.parametrize("shift", [0, 20, 60, 150, 300, 600])
def test_the_estimate_is_near_the_exact_similarity(shift: int) -> None:
    first, second = code_shingles(text(0)), code_shingles(text(shift))
    assert estimated_similarity(minhash_signature(first), minhash_signature(second)) == pytest.approx(
        shingle_similarity(first, second), abs=0.12
    )


def test_comments_and_layout_do_not_count() -> None:
    assert np.array_equal(code_shingles("a = f(1)  # one\n# two\n"), code_shingles("a=f( 1 )"))
    assert len(code_shingles("")) == 0


def test_nearly_all_pairs_above_the_threshold_are_found() -> None:
    signatures = np.array([minhash_signature(code_shingles(text(10 * number))) for number in range(80)])
    wanted = {
        (i, j) for i in range(80) for j in range(i + 1, 80) if estimated_similarity(signatures[i], signatures[j]) >= 0.7
    }
    pairs: set[tuple[int, int]] = set()
    for band in range(BANDS):
        for first, second, value in similar_pairs(band_keys(signatures, band), signatures, 0.7):
            assert value >= 0.7
            pairs.add((min(first, second), max(first, second)))
    assert pairs <= wanted
    # Leaders stand for the rows that resemble them, so pairs are fewer, but each row of a pair is in one.
    assert {row for pair in pairs for row in pair} == {row for pair in wanted for row in pair}


_SETS = st.lists(st.sets(st.integers(0, 25), max_size=12), min_size=1, max_size=12)


@given(_SETS, _SETS, st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_the_overlap_search_misses_nothing(
    set_members: list[set[int]], query_members: list[set[int]], threshold: float
) -> None:
    sets = [np.array(sorted(item), np.uint64) for item in set_members]
    index = OverlapIndex(sets, threshold)
    for item in query_members:
        query = np.array(sorted(item), np.uint64)
        exact = [(number, shingle_similarity(known, query)) for number, known in enumerate(sets)]
        assert index.similar(query) == [(number, value) for number, value in exact if value >= threshold]
