"""The first pass over the corpus: read, filter and digest each notebook, whatever its bytes are."""

from __future__ import annotations

from corpus_build.drops import Drop
from corpus_build.read.code_digest import code_digest
from corpus_build.read.frameworks import check_framework
from corpus_build.read.notebook import Notebook
from corpus_build.read.reading import read_notebook
from corpus_build.read.sources import Item
from corpus_build.records import Scanned


def scan(item: Item, framework: str) -> Scanned:
    """The item's row: a notebook of the framework with its digest, or the reason why it is dropped."""
    try:
        notebook = notebook_of(item, prose=False)
        check_framework(notebook, framework)
    except Drop as drop:
        return dropped(item, drop)
    return Scanned(
        place=item.place,
        id=item.id,
        bytes=_size(item),
        executed_at=notebook.executed_at,
        time_source=notebook.time_source,
        code_digest=code_digest(notebook.code_cells),
    )


def dropped(item: Item, drop: Drop) -> Scanned:
    """The row of an item that leaves the build."""
    return Scanned(place=item.place, id=item.id, bytes=_size(item), reason=drop.reason, detail=drop.detail)


def notebook_of(item: Item, *, prose: bool = True) -> Notebook:
    """The item's notebook, without `prose` its code alone. Raises Drop."""
    if isinstance(item.data, Drop):
        raise item.data
    return read_notebook(item.data, item.extension, prose=prose)


def _size(item: Item) -> int:
    return len(item.data) if isinstance(item.data, bytes) else 0
