"""The steps of deduplication over one shard, or over some of the bands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpus_build.careful import carefully
from corpus_build.deduplicate.minhash import BANDS, PERMUTATIONS, Signature, band_keys, signature, similar_pairs
from corpus_build.deduplicate.ragged import read_arrays, write_arrays
from corpus_build.deduplicate.shingles import Hashes, code_shingles
from corpus_build.drops import Drop
from corpus_build.read.scan import notebook_of
from corpus_build.read.sources import Item
from corpus_build.steps import chosen_items
from corpus_build.store import CorpusStore

BANDS_PER_TASK = 4
PAIR_TASKS = BANDS // BANDS_PER_TASK

Signatures = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class ToSign:
    """A row whose code is the first of its kind, with its code digest."""

    row: int
    digest: str


@dataclass(frozen=True, slots=True)
class SignStep:
    """MinHash signatures of a shard's rows that are the first of their kind."""

    store: CorpusStore
    input: str

    def __call__(self, shard: int) -> int:
        wanted = {item.row: item.digest for item in self.store.read("exact", shard, ToSign)}
        digests, signatures = [], []
        with self.store.begun("signatures", shard) as suspicious:
            for row, item in chosen_items(self.store, self.input, shard, wanted):
                try:
                    signatures.append(carefully(_signature, suspicious, item))
                except Drop:  # it stays unclustered; extraction reads it again and says what is wrong
                    continue
                digests.append(digest_number(wanted[row]))
        write_arrays(
            self.store.part("signatures", shard, "npz"),
            digests=np.array(digests, np.uint64),
            signatures=np.array(signatures, np.uint32).reshape(-1, PERMUTATIONS),
        )
        return len(digests)


def _signature(item: Item) -> Signature:
    return signature(code_shingles(notebook_of(item, prose=False).code))


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
        shared = self._shared_keys(bands)
        digests, signatures = self._rows(bands, shared)
        order = np.argsort(digests)  # rows in an order that does not depend on shards
        digests, signatures = digests[order], signatures[order]
        found: set[tuple[int, int]] = set()
        for band, keys_shared in zip(bands, shared, strict=True):
            keys = band_keys(signatures, band)
            places = np.flatnonzero(np.isin(keys, keys_shared))
            for first, second, _ in similar_pairs(keys[places], signatures[places], self.similarity):
                found.add((int(digests[places[first]]), int(digests[places[second]])))
        pairs = np.array(sorted(found), np.uint64).reshape(-1, 2)
        write_arrays(self.store.part("pairs", task, "npz"), pairs=pairs)
        return len(pairs)

    def _shared_keys(self, bands: range) -> list[Hashes]:
        """For each band the keys that more than one row has."""
        keys: list[list[Hashes]] = [[] for _ in bands]
        for _, signatures in self._shards():
            for place, band in enumerate(bands):
                keys[place].append(band_keys(signatures, band))
        shared = []
        for of_band in keys:
            unique, counts = np.unique(np.concatenate([*of_band, np.empty(0, np.uint64)]), return_counts=True)
            shared.append(unique[counts > 1])
        return shared

    def _rows(self, bands: range, shared: list[Hashes]) -> tuple[Hashes, Signatures]:
        digests, rows = [np.empty(0, np.uint64)], [np.empty((0, PERMUTATIONS), np.uint32)]
        for names, signatures in self._shards():
            near = np.zeros(len(names), bool)
            for band, keys in zip(bands, shared, strict=True):
                near |= np.isin(band_keys(signatures, band), keys)
            digests.append(names[near])
            rows.append(signatures[near])
        return np.concatenate(digests), np.concatenate(rows)

    def _shards(self) -> Iterator[tuple[Hashes, Signatures]]:
        for shard in range(self.shards):
            arrays = read_arrays(self.store.part("signatures", shard, "npz"))
            if len(arrays["digests"]):
                yield arrays["digests"].astype(np.uint64), arrays["signatures"].astype(np.uint32)


def digest_number(digest: str) -> int:
    """The first 64 bits of a hexadecimal digest; numbers sort as digests do."""
    return int(digest[:16], 16)
