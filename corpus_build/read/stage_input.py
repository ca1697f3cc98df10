"""The listing of an input as shards of work, made once per build and checked on every rerun."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from corpus_build.read.listing import Source, list_sources
from corpus_build.store import CorpusStore
from pipeline.errors import DLCodeGenError
from pipeline.storage.files import remove_temporary, write_bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """How much there is to read: sources (files, or row groups of tables) in shards, and a digest of them all.

    `reads` names what decides reading to extraction: settings and the Meta Kaggle folder.
    """

    input: str
    sources: int
    shards: int
    digest: str
    reads: str
    shard_files: int


def stage_listing(store: CorpusStore, input: str, shard_files: int, reads: str) -> Listing:
    """Writes the listing, once; a build that was begun before is checked to be of the same input and settings.

    Raises DLCodeGenError where the folder belongs to another build, or the input has changed since.
    """
    known = store.read_json("work", "listing.json")
    if known is not None:
        return _checked(store, Listing(**known), input, reads)
    try:
        write_bytes(store.path("work", "listing", ".begun"), b"")
    except OSError as error:
        raise DLCodeGenError(f"--out {store.folder}: cannot be written ({error}); choose another folder") from error
    remove_temporary(store.path("work", "listing"))
    digest, count, shard = hashlib.sha256(), 0, 0
    for chunk in _shards(list_sources(input), shard_files):
        for source in chunk:
            digest.update(repr(source).encode("utf-8", "surrogatepass"))
        store.write("listing", shard, Source, chunk)
        count, shard = count + len(chunk), shard + 1
    listing = Listing(
        input=input, sources=count, shards=shard, digest=digest.hexdigest()[:16], reads=reads, shard_files=shard_files
    )
    store.write_json(asdict(listing), "work", "listing.json")
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


def _checked(store: CorpusStore, known: Listing, input: str, reads: str) -> Listing:
    if known.input != input:
        raise DLCodeGenError(f"{store.folder} holds a build of {known.input}; choose another --out for {input}")
    if known.reads != reads:
        raise DLCodeGenError(
            f"{store.folder} holds a build with other settings (framework, dedup, extraction or Meta Kaggle); choose "
            "another --out, or delete the folder to start over"
        )
    digest = hashlib.sha256()
    for source in list_sources(input):
        digest.update(repr(source).encode("utf-8", "surrogatepass"))
    if digest.hexdigest()[:16] != known.digest:
        raise DLCodeGenError(
            f"the files under {input} have changed since the build in {store.folder} was begun; choose another --out, "
            "or delete the folder to start over"
        )
    return known
