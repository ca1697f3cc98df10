"""MinHash signatures and LSH bands (Broder, 1997; Leskovec et al., Mining of Massive Datasets, chapter 3).

Two texts agree in an entry of their signatures with the probability of their Jaccard similarity. Signatures are cut
into bands; texts that agree in a whole band are candidates, and candidates are verified by their whole signatures.
With 32 bands of 4 entries a pair at the threshold of 0.7 is found with probability 0.9998, one at 0.5 looked at in vain
with 0.87.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from corpus_build.deduplicate.shingles import Hashes

PERMUTATIONS = 128
BANDS = 32
ROWS = PERMUTATIONS // BANDS

MinHashSignature = npt.NDArray[np.uint32]
"""One text's signature: the smallest hash under each of PERMUTATIONS functions."""

Signatures = npt.NDArray[np.uint32]
"""Signatures of many texts, shape (texts, PERMUTATIONS)."""

_SEED = 20240101
_EMPTY = np.uint32(0xFFFFFFFF)
_CHUNK = 4096  # shingles at a time: the table of a chunk fits into the processor's cache
_MOST_LEADERS = 64

# Drawn in this order from one generator: another order would give other signatures.
_random = np.random.Generator(np.random.PCG64(_SEED))
_FACTORS = _random.integers(0, 2**63, PERMUTATIONS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_OFFSETS = _random.integers(0, 2**63, PERMUTATIONS, dtype=np.uint64)
_BAND_FACTORS = _random.integers(0, 2**63, ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def minhash_signature(shingles: Hashes) -> MinHashSignature:
    """The smallest of the shingles' hashes under each of PERMUTATIONS hash functions (multiply-shift, the upper 32 of
    64 bits). Of no shingles: all entries at the largest value."""
    lowest = np.full(PERMUTATIONS, _EMPTY, np.uint32)
    for start in range(0, len(shingles), _CHUNK):
        chunk = shingles[start : start + _CHUNK]
        for function in range(PERMUTATIONS):
            least = (chunk * _FACTORS[function] + _OFFSETS[function]).min() >> np.uint64(32)
            lowest[function] = min(lowest[function], np.uint32(least))
    return lowest


def band_keys(signatures: Signatures, band: int) -> npt.NDArray[np.uint64]:
    """A number for each signature's band: equal bands give equal numbers. Shape (texts,)."""
    part = signatures[:, band * ROWS : (band + 1) * ROWS].astype(np.uint64)
    keys = np.full(len(part), np.uint64(band), np.uint64)
    for row in range(ROWS):
        keys = (keys ^ part[:, row]) * _BAND_FACTORS[row]
        keys ^= keys >> np.uint64(32)
    return keys


def estimated_similarity(first: MinHashSignature, second: MinHashSignature) -> float:
    """The estimated Jaccard similarity: the share of entries in which the signatures agree."""
    return float(np.mean(first == second))


def similar_pairs(
    keys: npt.NDArray[np.uint64], signatures: Signatures, threshold: float
) -> Iterator[tuple[int, int, float]]:
    """Pairs of rows with equal band keys whose similarity is at least the threshold, as (row, row, similarity).

    Within a bucket each row is compared with the bucket's leaders, the rows that resembled none before them: in a
    bucket of near-duplicates that is one comparison a row, so the cost stays linear. Rows are to be in an order that
    does not depend on how they were read; then the pairs do not either.
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    for bucket in np.split(order, np.flatnonzero(ordered[1:] != ordered[:-1]) + 1):
        if len(bucket) > 1:
            yield from _bucket_pairs(bucket, signatures, threshold)


def _bucket_pairs(
    members: npt.NDArray[np.int64], signatures: Signatures, threshold: float
) -> Iterator[tuple[int, int, float]]:
    waiting = members
    # A bucket of many different texts that share one band by accident would cost the square of its size.
    for _ in range(_MOST_LEADERS):
        if len(waiting) < 2:
            return
        leader, waiting = waiting[0], waiting[1:]
        similarities = np.mean(signatures[waiting] == signatures[leader], axis=1)
        near = similarities >= threshold
        for row, similarity in zip(waiting[near].tolist(), similarities[near].tolist(), strict=True):
            yield int(leader), row, similarity
        waiting = waiting[~near]
