"""The steps of deduplication: signatures over one shard, near-duplicate pairs over some of the bands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from corpus_build.careful import carefully
from corpus_build.deduplicate.candidates import ToSign
from corpus_build.deduplicate.minhash import (
    BANDS,
    PERMUTATIONS,
    MinHashSignature,
    Signatures,
    band_keys,
    minhash_signature,
    similar_pairs,
)
from corpus_build.deduplicate.ragged import read_arrays, write_arrays
from corpus_build.deduplicate.shingles import Hashes, code_shingles
from corpus_build.drops import Drop
from corpus_build.read.sources import RawNotebook, read_chosen
from corpus_build.store import CorpusStore
from pipeline.time_limit import ROW_SECONDS

BANDS_PER_TASK = 4
PAIR_TASKS = BANDS // BANDS_PER_TASK


@dataclass(frozen=True, slots=True)
class SignStep:
    """MinHash signatures of a shard's rows that are the first of their kind."""

    store: CorpusStore
    input: str
    row_seconds: float = ROW_SECONDS

    def __call__(self, shard: int) -> int:
        wanted = {to_sign.row: to_sign.digest for to_sign in self.store.read("exact", shard, ToSign)}
        digests, signatures = [], []
        with self.store.begun("signatures", shard) as suspicious:
            for row, raw in read_chosen(self.store, self.input, shard, wanted):
                try:
                    signatures.append(carefully(_signature, suspicious, self.row_seconds, raw))
                except Drop:  # it stays unclustered; extraction reads it again and says what is wrong
                    continue
                digests.append(digest_number(wanted[row]))
        write_arrays(
            self.store.part("signatures", shard, "npz"),
            digests=np.array(digests, np.uint64),
            signatures=np.array(signatures, np.uint32).reshape(-1, PERMUTATIONS),
        )
        return len(digests)


def _signature(raw: RawNotebook) -> MinHashSignature:
    return minhash_signature(code_shingles(raw.parsed(prose=False).code))


@dataclass(frozen=True, slots=True)
class PairStep:
    """Near-duplicate pairs by BANDS_PER_TASK of the bands, over all shards.

    The first pass keeps the bands' keys alone (8 bytes a row and band), the second the signatures of those rows that
    share a key with another row.
    """

    store: CorpusStore
    shards: int
    similarity: float

    def __call__(self, task: int) -> int:
        bands = range(task * BANDS_PER_TASK, (task + 1) * BANDS_PER_TASK)
        shared_keys = self._shared_keys(bands)
        digests, signatures = self._rows_with(bands, shared_keys)
        order = np.argsort(digests)  # rows in an order that does not depend on shards
        digests, signatures = digests[order], signatures[order]
        pairs: set[tuple[int, int]] = set()
        for band, shared in zip(bands, shared_keys, strict=True):
            keys = band_keys(signatures, band)
            rows = np.flatnonzero(np.isin(keys, shared))
            for first, second, _ in similar_pairs(keys[rows], signatures[rows], self.similarity):
                pairs.add((int(digests[rows[first]]), int(digests[rows[second]])))
        write_arrays(self.store.part("pairs", task, "npz"), pairs=np.array(sorted(pairs), np.uint64).reshape(-1, 2))
        return len(pairs)

    def _shared_keys(self, bands: range) -> list[Hashes]:
        """For each band the keys that more than one row has."""
        keys: dict[int, list[Hashes]] = {band: [] for band in bands}
        for _, signatures in self._signed_shards():
            for band in bands:
                keys[band].append(band_keys(signatures, band))
        shared_keys = []
        for band in bands:
            all_keys = np.concatenate([*keys[band], np.empty(0, np.uint64)])
            unique, counts = np.unique(all_keys, return_counts=True)
            shared_keys.append(unique[counts > 1])
        return shared_keys

    def _rows_with(self, bands: range, shared_keys: list[Hashes]) -> tuple[Hashes, Signatures]:
        """Digests and signatures of the rows that have a shared key in one of the bands."""
        digests, signatures = [np.empty(0, np.uint64)], [np.empty((0, PERMUTATIONS), np.uint32)]
        for shard_digests, shard_signatures in self._signed_shards():
            shares = np.zeros(len(shard_digests), bool)
            for band, shared in zip(bands, shared_keys, strict=True):
                shares |= np.isin(band_keys(shard_signatures, band), shared)
            digests.append(shard_digests[shares])
            signatures.append(shard_signatures[shares])
        return np.concatenate(digests), np.concatenate(signatures)

    def _signed_shards(self) -> Iterator[tuple[Hashes, Signatures]]:
        """Digests and signatures of each shard that has any."""
        for shard in range(self.shards):
            arrays = read_arrays(self.store.part("signatures", shard, "npz"))
            if len(arrays["digests"]):
                yield arrays["digests"].astype(np.uint64), arrays["signatures"].astype(np.uint32)


def digest_number(digest: str) -> int:
    """The first 64 bits of a hexadecimal digest; numbers sort as digests do."""
    return int(digest[:16], 16)
