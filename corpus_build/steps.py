"""The steps of the build over one shard each: what a worker does, whatever starts it.

A step reads what earlier steps wrote for its shard, writes one file of its own, and returns how many rows it did. A
shard whose worker died is done again file by file, each in a process of its own.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from corpus_build.careful import carefully
from corpus_build.deduplicate.ragged import packed, read_arrays, unpacked, write_arrays
from corpus_build.deduplicate.shingles import Hashes, word_shingles
from corpus_build.divide.overlap import OverlapIndex
from corpus_build.drops import Drop
from corpus_build.extract.extraction import extract_static
from corpus_build.extract.llm_extraction import extract_with_llm
from corpus_build.read.listing import Source, open_input
from corpus_build.read.scan import dropped, notebook_of, scan
from corpus_build.read.sources import Item, read_chosen, read_items
from corpus_build.records import Clustered, Extracted, Scanned
from corpus_build.store import CorpusStore, record_writer
from pipeline.llm.build import LLMBuilder
from pipeline.llm.protocol import LLM

REQUIREMENT_NGRAM, CODE_NGRAM = 2, 5
"""Words in a shingle where sets are compared: those of `pipeline.retrieval.firewall`."""

ASKED_AT_ONCE = 16
"""Notebooks about which a worker has questions under way."""

Step = Callable[[int], int]
"""Does one shard; returns how many rows it was."""


def chosen_items(store: CorpusStore, input: str, shard: int, rows: Collection[int]) -> Iterator[tuple[int, Item]]:
    """The items behind some rows of a shard, read once more."""
    if rows:
        fs, root = open_input(input)
        yield from read_chosen(fs, root, store.read("listing", shard, Source), rows)


@contextmanager
def without_cycle_search() -> Iterator[None]:
    """Reading makes many objects and no cycles of them: Python's search for cycles only takes time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@dataclass(frozen=True, slots=True)
class Overlap:
    """A row too similar to row number `other` of a set: by `requirement` or `code`, with the Jaccard similarity."""

    row: int
    other: int
    by: str
    similarity: float


@dataclass(frozen=True, slots=True)
class ScanStep:
    """Reads, filters and digests a shard's files."""

    store: CorpusStore
    input: str
    framework: str

    def __call__(self, shard: int) -> int:
        fs, root = open_input(self.input)
        count = 0
        with (
            self.store.begun("scan", shard) as suspicious,
            record_writer(self.store.part("scan", shard), Scanned) as writer,
            without_cycle_search(),
        ):
            for item in read_items(fs, root, self.store.read("listing", shard, Source)):
                writer.add(self._scanned(item, suspicious))
                count += 1
        return count

    def _scanned(self, item: Item, suspicious: bool) -> Scanned:
        try:
            return carefully(scan, suspicious, item, self.framework)
        except Drop as drop:
            return dropped(item, drop)


@dataclass(frozen=True, slots=True)
class ExtractStep:
    """Requirement, attributes and plan of a shard's representatives, with the shingles by which sets are compared.
    With `llm`, a language model is asked as well, about several notebooks at once."""

    store: CorpusStore
    input: str
    framework: str
    llm: LLMBuilder | None = None
    context: int | None = None

    def __call__(self, shard: int) -> int:
        chosen = {item.row: item for item in self.store.read("clusters", shard, Clustered) if not item.reason}
        requirements, codes = [], []
        with (
            self.store.begun("extracted", shard) as suspicious,
            record_writer(self.store.part("extracted", shard), Extracted) as writer,
        ):
            for found in self._extracted(shard, chosen, suspicious):
                requirements.append(word_shingles(found.requirement, REQUIREMENT_NGRAM))
                codes.append(word_shingles(found.code, CODE_NGRAM))
                writer.add(found, len(found.code))
            # Before the rows appear: their file means that the shard is done.
            write_arrays(
                self.store.part("shingles", shard, "npz"),
                **packed(requirements, "requirement"),
                **packed(codes, "code"),
            )
        return len(chosen)

    def _extracted(self, shard: int, chosen: dict[int, Clustered], suspicious: bool) -> Iterator[Extracted]:
        items = chosen_items(self.store, self.input, shard, chosen)
        static = ((item, self._static(item, chosen[row], suspicious)) for row, item in items)
        if self.llm is None:
            yield from (found for _, found in static)
            return
        llm = self.llm()
        while batch := list(islice(static, ASKED_AT_ONCE)):
            yield from asyncio.run(self._ask(llm, batch))

    def _static(self, item: Item, clustered: Clustered, suspicious: bool) -> Extracted:
        needs_layers = self.framework == "tensorflow"
        try:
            return carefully(extract_static, suspicious, item, clustered, needs_layers=needs_layers)
        except Drop as drop:
            return Extracted(row=clustered.row, place=item.place, id=item.id, reason=drop.reason, detail=drop.detail)

    async def _ask(self, llm: LLM, batch: list[tuple[Item, Extracted]]) -> list[Extracted]:
        calls = (
            extract_with_llm(llm, notebook_of(item), found, self.context) if not found.reason else _as_it_is(found)
            for item, found in batch
        )
        return list(await asyncio.gather(*calls))


async def _as_it_is(found: Extracted) -> Extracted:
    return found


@dataclass(frozen=True, slots=True)
class OverlapStep:
    """Compares a shard's extracted rows with the rows of a set, whose shingles lie in a file."""

    store: CorpusStore
    step: str
    requirement_similarity: float
    code_similarity: float

    def build(self) -> Step:
        """The step with its indexes, made once per worker."""
        arrays = read_arrays(self.store.path("work", self.step, "set.npz"))
        indexes = {
            "requirement": OverlapIndex(unpacked(arrays, "requirement"), self.requirement_similarity),
            "code": OverlapIndex(unpacked(arrays, "code"), self.code_similarity),
        }
        return lambda shard: self._compare(shard, indexes)

    def _compare(self, shard: int, indexes: dict[str, OverlapIndex]) -> int:
        arrays = read_arrays(self.store.part("shingles", shard, "npz"))
        rows = list(zip(unpacked(arrays, "requirement"), unpacked(arrays, "code"), strict=True))
        found = [hit for row, sets in enumerate(rows) for hit in _hits(row, sets, indexes)]
        self.store.write(self.step, shard, Overlap, found)
        return len(rows)


def _hits(row: int, sets: tuple[Hashes, Hashes], indexes: dict[str, OverlapIndex]) -> list[Overlap]:
    """A row's overlaps; `row` counts the extracted rows of the shard."""
    return [
        Overlap(row, other, by, round(similarity, 4))
        for (by, index), own in zip(indexes.items(), sets, strict=True)
        for other, similarity in index.similar(own)
    ]
