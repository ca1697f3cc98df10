"""The first pass over the corpus: read, filter and digest each notebook, whatever its bytes are."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from corpus_build.careful import carefully
from corpus_build.drops import Drop
from corpus_build.read.filters.frameworks import check_framework
from corpus_build.read.filters.trained import check_trained
from corpus_build.read.listing import Source, open_input
from corpus_build.read.sources import RawNotebook, read_raw_notebooks
from corpus_build.records import Scanned
from corpus_build.store import CorpusStore, record_writer
from pipeline.time_limit import ROW_SECONDS


@dataclass(frozen=True, slots=True)
class ScanStep:
    """Reads, filters and digests a shard's files."""

    store: CorpusStore
    input: str
    framework: str
    row_seconds: float = ROW_SECONDS

    def __call__(self, shard: int) -> int:
        fs, root = open_input(self.input)
        count = 0
        with (
            self.store.begun("scan", shard) as suspicious,
            record_writer(self.store.part("scan", shard), Scanned) as writer,
            without_cycle_search(),
        ):
            for raw in read_raw_notebooks(fs, root, self.store.read("listing", shard, Source)):
                writer.add(self._scanned(raw, suspicious))
                count += 1
        return count

    def _scanned(self, raw: RawNotebook, suspicious: bool) -> Scanned:
        try:
            return carefully(scan, suspicious, self.row_seconds, raw, self.framework)
        except Drop as drop:
            return _dropped(raw, drop)


def scan(raw: RawNotebook, framework: str) -> Scanned:
    """The notebook's row: one of the framework with its digest, or the reason why it is dropped."""
    try:
        notebook = raw.parsed(prose=False)
        check_framework(notebook, framework)
        check_trained(notebook, framework)
    except Drop as drop:
        return _dropped(raw, drop)
    return Scanned(
        place=raw.place,
        id=raw.id,
        bytes=raw.size,
        executed_at=notebook.executed_at,
        time_source=notebook.time_source,
        code_digest=notebook.code_digest,
    )


@contextmanager
def without_cycle_search() -> Iterator[None]:
    """Reading makes many objects and no cycles of them: Python's search for cycles only takes time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _dropped(raw: RawNotebook, drop: Drop) -> Scanned:
    return Scanned(place=raw.place, id=raw.id, bytes=raw.size, reason=drop.reason, detail=drop.detail)
