"""What of a folder is read: files in the order of their paths, links to files, nothing hidden."""

from __future__ import annotations

import os
from pathlib import Path

from fsspec.implementations.memory import MemoryFile, MemoryFileSystem

from corpus_build.read.listing import list_sources
from corpus_build.read.stage_input import stage_listing
from corpus_build.store import CorpusStore
from tests.corpus_build.notebooks import write


def test_a_folder_is_listed_by_path(tmp_path: Path) -> None:
    names = ("b/2.ipynb", "a/10.ipynb", "a/9.ipynb", "c.py", ".git/x.ipynb", "a/.ipynb_checkpoints/9.ipynb", "note.txt")
    folder = write(tmp_path / "in", [(name, name.encode()) for name in names])
    sources = list(list_sources(str(folder)))
    assert [source.path for source in sources] == ["a/10.ipynb", "a/9.ipynb", "b/2.ipynb", "c.py"]
    assert [source.bytes for source in sources] == [10, 9, 9, 4]


def test_links_lead_to_files_but_not_into_folders_and_pipes_are_listed(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", [("a/1.ipynb", b"12345")])
    (folder / "2.ipynb").symlink_to(folder / "a" / "1.ipynb")
    (folder / "3.ipynb").symlink_to(tmp_path / "gone")
    (folder / "a" / "round").symlink_to(folder)
    os.mkfifo(folder / "4.ipynb")
    assert [source.path for source in list_sources(str(folder))] == ["2.ipynb", "3.ipynb", "4.ipynb", "a/1.ipynb"]


def test_a_url_gives_the_same_listing(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", [("a/1.ipynb", b"12345"), ("2.ipynb", b"1")])
    by_url, by_path = list(list_sources(f"file://{folder}")), list(list_sources(str(folder)))
    assert [(source.path, source.bytes) for source in by_url] == [(source.path, source.bytes) for source in by_path]


def test_a_file_and_a_folder_may_share_a_name_in_an_object_store() -> None:
    store = MemoryFileSystem()
    store.pipe({"/shared/a.py": b"x = 1\n", "/shared/b.py": b"x = 2\n"})
    store.store["/shared/a.py/c.py"] = MemoryFile(data=b"x = 3\n")
    try:
        # This store gives the file when it is asked for what is in the folder.
        assert [source.path for source in list_sources("memory://shared")] == ["a.py", "b.py"]
    finally:
        store.rm("/shared", recursive=True)


def test_loose_files_and_tables_together_are_the_same_input_on_a_rerun(tmp_path: Path) -> None:
    folder = str(write(tmp_path / "in", [("a.py", b"x = 1\n"), ("b.jsonl", b"{}\n"), ("c.py", b"x = 2\n")]))
    store = CorpusStore(str(tmp_path / "out"))
    staged = stage_listing(store, folder, 2, "")
    assert stage_listing(store, folder, 2, "") == staged
