"""What of a folder is read: files in the order of their paths, links to files, nothing hidden."""

from __future__ import annotations

import os
from pathlib import Path

from corpus_build.read.listing import list_sources
from tests.corpus_build.notebooks import write


def test_a_folder_is_listed_by_path(tmp_path: Path) -> None:
    names = ("b/2.ipynb", "a/10.ipynb", "a/9.ipynb", "c.py", ".git/x.ipynb", "a/.ipynb_checkpoints/9.ipynb", "note.txt")
    folder = write(tmp_path / "in", [(name, name.encode()) for name in names])
    sources = list(list_sources(str(folder)))
    assert [source.path for source in sources] == ["a/10.ipynb", "a/9.ipynb", "b/2.ipynb", "c.py"]
    assert [source.bytes for source in sources] == [10, 9, 9, 4]


def test_links_lead_to_files_but_not_into_folders(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", [("a/1.ipynb", b"12345")])
    (folder / "2.ipynb").symlink_to(folder / "a" / "1.ipynb")
    (folder / "3.ipynb").symlink_to(tmp_path / "gone")
    (folder / "a" / "round").symlink_to(folder)
    os.mkfifo(folder / "4.ipynb")
    assert [source.path for source in list_sources(str(folder))] == ["2.ipynb", "3.ipynb", "a/1.ipynb"]


def test_a_url_gives_the_same_listing(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", [("a/1.ipynb", b"12345"), ("2.ipynb", b"1")])
    by_url, by_path = list(list_sources(f"file://{folder}")), list(list_sources(str(folder)))
    assert [(source.path, source.bytes) for source in by_url] == [(source.path, source.bytes) for source in by_path]
