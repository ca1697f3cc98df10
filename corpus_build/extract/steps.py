"""The step of extraction over one shard: by the code alone, or with a language model's answers as well."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from corpus_build.careful import carefully
from corpus_build.deduplicate.ragged import packed, write_arrays
from corpus_build.deduplicate.shingles import CODE_WORDS, REQUIREMENT_WORDS, Hashes, code_shingles, word_shingles
from corpus_build.drops import Drop
from corpus_build.extract.extraction import extract_static
from corpus_build.extract.llm_extraction import extract_with_llm
from corpus_build.read.sources import RawNotebook, read_chosen
from corpus_build.records import Clustered, Extracted
from corpus_build.store import CorpusStore, record_writer
from pipeline.llm.build import LLMBuilder
from pipeline.llm.protocol import LLM
from pipeline.time_limit import ROW_SECONDS

NOTEBOOKS_AT_ONCE = 16
"""Notebooks about which a worker has questions under way."""


@dataclass(frozen=True, slots=True)
class ExtractStep:
    """Requirement, attributes and plan of a shard's representatives, with the shingles by which sets are compared.

    With `llm`, a language model is asked as well, about several notebooks at once.
    """

    store: CorpusStore
    input: str
    framework: str
    llm: LLMBuilder | None = None
    context: int | None = None
    """The model's length in tokens."""
    row_seconds: float = ROW_SECONDS

    def __call__(self, shard: int) -> int:
        representatives: dict[int, Clustered] = {}
        for clustered in self.store.read("clusters", shard, Clustered):
            if not clustered.reason:
                representatives[clustered.row] = clustered
        requirements: list[Hashes] = []
        codes: list[Hashes] = []
        tokens: list[Hashes] = []
        with (
            self.store.begun("extracted", shard) as suspicious,
            record_writer(self.store.part("extracted", shard), Extracted) as writer,
        ):
            for extracted in self._extracted(shard, representatives, suspicious):
                requirements.append(word_shingles(extracted.requirement, REQUIREMENT_WORDS))
                codes.append(word_shingles(extracted.code, CODE_WORDS))
                tokens.append(code_shingles(extracted.code))
                writer.add(extracted, len(extracted.code))
            # Before the rows appear: their file means that the shard is done.
            write_arrays(
                self.store.part("shingles", shard, "npz"),
                **packed(requirements, "requirement"),
                **packed(codes, "code"),
                **packed(tokens, "tokens"),
            )
        return len(representatives)

    def _extracted(self, shard: int, representatives: Mapping[int, Clustered], suspicious: bool) -> Iterator[Extracted]:
        static = self._extracted_static(shard, representatives, suspicious)
        if self.llm is None:
            for _, extracted in static:
                yield extracted
            return
        llm = self.llm()
        while batch := list(islice(static, NOTEBOOKS_AT_ONCE)):
            yield from asyncio.run(self._ask_about(llm, batch))

    def _extracted_static(
        self, shard: int, representatives: Mapping[int, Clustered], suspicious: bool
    ) -> Iterator[tuple[RawNotebook, Extracted]]:
        for row, raw in read_chosen(self.store, self.input, shard, representatives):
            clustered = representatives[row]
            try:
                extracted = carefully(
                    extract_static, suspicious, self.row_seconds, raw, clustered, framework=self.framework
                )
            except Drop as drop:
                extracted = Extracted(row=row, place=raw.place, id=raw.id, reason=drop.reason, detail=drop.detail)
            yield raw, extracted

    async def _ask_about(self, llm: LLM, batch: list[tuple[RawNotebook, Extracted]]) -> list[Extracted]:
        calls = [self._with_answer(llm, raw, extracted) for raw, extracted in batch]
        return list(await asyncio.gather(*calls))

    async def _with_answer(self, llm: LLM, raw: RawNotebook, extracted: Extracted) -> Extracted:
        if extracted.reason:
            return extracted
        return await extract_with_llm(llm, raw.parsed(), extracted, self.context)
