"""The first pass over the corpus: read, filter and digest each notebook, whatever its bytes are."""

from __future__ import annotations

import hashlib

from corpus_build.code_digest import code_digest
from corpus_build.drops import Drop
from corpus_build.frameworks import check_framework
from corpus_build.reading import read_notebook
from corpus_build.records import Scanned
from corpus_build.sources import Item


def scan(item: Item, framework: str) -> Scanned:
    """The item's row: a notebook of the framework with its cells and digests, or the reason why it is dropped."""
    size = len(item.data) if isinstance(item.data, bytes) else 0
    try:
        if isinstance(item.data, Drop):
            raise item.data
        notebook = read_notebook(item.data, item.extension)
        check_framework(notebook, framework)
    except Drop as drop:
        return Scanned(place=item.place, id=item.id, bytes=size, reason=drop.reason, detail=drop.detail)
    return Scanned(
        place=item.place,
        id=item.id,
        bytes=size,
        title=notebook.title,
        executed_at=notebook.executed_at,
        time_source=notebook.time_source,
        file_digest=hashlib.sha256(item.data).hexdigest() if isinstance(item.data, bytes) else "",
        code_digest=code_digest(notebook.code_cells),
        cells=notebook.cells,
    )
