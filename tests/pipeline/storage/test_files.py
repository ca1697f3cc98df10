"""Files appear whole or not at all."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pipeline.storage.files import (
    atomic_writer,
    exists,
    fingerprint,
    join,
    names_in,
    read_bytes,
    remove_temporary,
    write_bytes,
)


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    write_bytes(join(str(tmp_path), "a", "file"), b"old")
    with contextlib.suppress(RuntimeError), atomic_writer(join(str(tmp_path), "a", "file")) as stream:
        stream.write(b"half of the n")
        raise RuntimeError
    assert read_bytes(join(str(tmp_path), "a", "file")) == b"old"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["file"]


def test_what_a_killed_writer_left_is_not_listed_and_is_removed(tmp_path: Path) -> None:
    write_bytes(join(str(tmp_path), "part-1"), b"x")
    (tmp_path / ".tmp-abc-part-2").write_bytes(b"torn")
    assert names_in(str(tmp_path)) == ["part-1"]
    remove_temporary(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["part-1"]


def test_a_write_that_fails_publishes_nothing_on_an_object_store() -> None:
    with contextlib.suppress(RuntimeError), atomic_writer("memory://bucket/broken/file") as stream:
        stream.write(b"half of the n")
        raise RuntimeError
    assert not exists("memory://bucket/broken/file")


def test_a_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("one")
    first = fingerprint(str(file))
    assert fingerprint(str(file)) == first
    file.write_text("three")
    assert fingerprint(str(file)) != first
    assert fingerprint("starter") == fingerprint("starter")


def test_object_stores_are_written_as_one_object() -> None:
    write_bytes("memory://bucket/run/results/part-1", b"data")
    assert exists("memory://bucket/run/results/part-1")
    assert names_in("memory://bucket/run/results") == ["part-1"]
    assert names_in("memory://bucket/nowhere") == []
