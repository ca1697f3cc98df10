"""Examples in files: what the contract says of them, and the words."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pipeline.data_description.listing import FileKind, Folder, sampled
from pipeline.data_description.media_files import MediaFacts, media_facts
from pipeline.data_description.tables.folder import view_tables
from pipeline.data_description.wording import counted, listed
from pipeline.request.data_contract import DataInput, DataTarget, Layout

NOUNS: dict[FileKind, str] = {
    "image": "image",
    "audio": "recording",
    "video": "video",
    "text": "text",
    "table": "table",
}

_TABLES_OPENED = 20
"""Of tables that are an example each."""


@dataclass(kw_only=True, slots=True)
class MediaLayout:
    """Examples in folders: what the contract says of them, and the sentences."""

    inputs: tuple[DataInput, ...]
    targets: tuple[DataTarget, ...] = ()
    examples: int = 0
    words: str = ""
    rule: str = ""
    validation: str = ""
    held_out: str = ""
    unlabelled: str = ""
    notes: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def plain_files(root: str, base: Folder, paths: Sequence[str], kind: FileKind) -> MediaLayout:
    facts = facts_of_files(root, kind, paths)
    ending = common_ending(paths)
    if beginnings := _name_beginnings(paths):
        facts.notes.append(
            f"names begin with {listed(beginnings)}: if these are classes, list the files with theirs in a table, or "
            "move them into a folder per class"
        )
    deep = "" if base.of_kind(kind) else "*/"
    return MediaLayout(
        inputs=(input_of(facts, base.place(f"{deep}*{ending}"), "files"),),
        targets=(DataTarget(name="", kind="none"),),
        examples=len(paths),
        words=f"{len(paths):,} {facts.words}, without targets",
        rule="",
        notes=facts.notes,
        damaged=facts.damaged,
    )


def _name_beginnings(paths: Sequence[str]) -> list[str]:
    """How all names begin before the first number, where that may be classes: "cat", "dog" of cat.1.jpg, dog.7.jpg."""
    stems = [re.split(r"[\d._ -]", posixpath.basename(path), maxsplit=1)[0] for path in paths]
    counts = Counter(stems)
    few = 2 <= len(counts) <= 50 and "" not in counts and min(counts.values()) >= 3
    return sorted(counts) if few else []


def facts_of_files(root: str, kind: FileKind, paths: Sequence[str]) -> MediaFacts:
    facts = _table_facts(root, paths) if kind == "table" else media_facts(root, kind, paths)
    return replace(facts, words=facts.words or f"{NOUNS[kind]}s")


def input_of(facts: MediaFacts, path: str, layout: Layout) -> DataInput:
    return DataInput(name=facts.kind, kind=facts.kind, path=path, layout=layout, shape=facts.shape)


def common_ending(paths: Sequence[str]) -> str:
    """The ending of all names, such as ".jpg"; "" where they differ."""
    endings = {posixpath.splitext(path)[1] for path in paths[:10_000]}
    return endings.pop() if len(endings) == 1 else ""


def _table_facts(root: str, paths: Sequence[str]) -> MediaFacts:
    """Tables of which each is an example: a recording of sensors, a series."""
    chosen = sampled(paths, _TABLES_OPENED)
    tables = view_tables(root, chosen)
    facts = MediaFacts(kind="series", words="tables", shape=(None, None), damaged=tables.damaged)
    lengths = {view.sample.rows for view in tables.views}
    names = {view.names for view in tables.views}
    if tables.views:
        length = f"{min(lengths):,} to {max(lengths):,}" if len(lengths) > 1 else f"{min(lengths):,}"
        facts.words = f"tables of {length} rows"
        if len(names) == 1:
            (columns,) = names
            facts.words += f" and {counted(len(columns), 'column')} ({listed(columns)})"
            facts.shape = (lengths.pop() if len(lengths) == 1 and len(chosen) == len(paths) else None, len(columns))
    if len(chosen) < len(paths):
        facts.notes.append(f"{len(chosen)} of {len(paths):,} tables were opened")
    return facts
