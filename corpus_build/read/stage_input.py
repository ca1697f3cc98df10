"""The listing of an input as shards of work, made once per build and checked on every rerun."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from corpus_build.read.listing import Source, list_sources
from corpus_build.store import CORPUS_VERSION, CorpusStore
from pipeline.errors import DLCodeGenError
from pipeline.foreign_text import without_secrets
from pipeline.storage.parquet import write_records
from pipeline.storage.shard_folder import STAGED_DIGITS, RowsDigest, read_description, stage_shards, write_description


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """How much there is to read."""

    input: str
    sources: int
    """Files, or row groups of tables."""
    shards: int
    digest: str
    """Of all sources with their sizes and times: it tells a changed input."""
    reads: str
    """Names what decides reading to extraction: settings and the Meta Kaggle folder."""
    shard_files: int


def stage_listing(store: CorpusStore, input: str, shard_files: int, reads: str) -> Listing:
    """Writes the listing, once; a build that was begun before is checked to be of the same input and settings.

    Raises DLCodeGenError where the folder belongs to another build, or the input has changed since.
    """
    known = read_description(store.path("work", "listing.json"), CORPUS_VERSION, store.folder)
    if known is not None:
        return _checked(store, Listing(**known), input, reads)
    shards = _shards(list_sources(input), shard_files)
    written = stage_shards(store.shards("listing"), shards, _write_sources)
    listing = Listing(
        input=without_secrets(input),
        sources=written.rows,
        shards=written.shards,
        digest=written.digest,
        reads=reads,
        shard_files=shard_files,
    )
    write_description(store.path("work", "listing.json"), asdict(listing), CORPUS_VERSION)
    return listing


def _shards(sources: Iterable[Source], shard_files: int) -> Iterator[list[Source]]:
    """Files by `shard_files`; a part of a table, which holds many notebooks, is a shard of its own."""
    waiting: list[Source] = []
    for source in sources:
        if source.is_table:
            yield [source]
            continue
        waiting.append(source)
        if len(waiting) >= shard_files:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _write_sources(url: str, sources: Sequence[Source]) -> None:
    write_records(url, sources, Source, CORPUS_VERSION)


def _checked(store: CorpusStore, known: Listing, input: str, reads: str) -> Listing:
    if without_secrets(known.input) != without_secrets(input):
        raise DLCodeGenError(f"{store.folder} holds a build of {known.input}; choose another --out for {input}")
    if known.reads != reads:
        raise DLCodeGenError(
            f"{store.folder} holds a build with other settings (framework, dedup, extraction or Meta Kaggle); choose "
            "another --out, or delete the folder to start over"
        )
    digest = RowsDigest()
    # In the order in which they were staged: tables come before the loose files that wait for a shard.
    for shard in _shards(list_sources(input), known.shard_files):
        for source in shard:
            digest.add(source)
    if digest.digits(STAGED_DIGITS) != known.digest:
        raise DLCodeGenError(
            f"the files under {input} have changed since the build in {store.folder} was begun; choose another --out, "
            "or delete the folder to start over"
        )
    return known
