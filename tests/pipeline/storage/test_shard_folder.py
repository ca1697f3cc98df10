"""Long work in a folder: what is done stays done, whatever happens to the worker."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.errors import DLCodeGenError
from pipeline.storage.files import write_bytes
from pipeline.storage.shard_folder import (
    ShardFolder,
    begun,
    in_shards,
    read_description,
    stage_shards,
    write_description,
)
from tests.older_files import raise_version


def _write(url: str, rows: Sequence[str]) -> None:
    write_bytes(url, "\n".join(rows).encode())


@pytest.mark.parametrize("location", ["{tmp}/input", "memory://shards/input"])
def test_an_input_is_staged_in_shards(tmp_path: Path, location: str) -> None:
    folder = ShardFolder(location.format(tmp=tmp_path), "txt")
    staged = stage_shards(folder, in_shards("abcde", 2), _write)
    assert (staged.rows, staged.shards) == (5, 3)
    assert folder.pending(5) == [3, 4]


def test_the_digest_is_of_the_rows_not_of_their_shards(tmp_path: Path) -> None:
    def digest(rows: str, size: int) -> str:
        return stage_shards(ShardFolder(str(tmp_path / "in")), in_shards(rows, size), _write).digest

    assert digest("abcde", 2) == digest("abcde", 5) != digest("abcdE", 2)


def test_what_a_killed_writer_left_is_no_shard(tmp_path: Path) -> None:
    folder = ShardFolder(str(tmp_path))
    (tmp_path / ".tmp-1-part-000000.parquet").write_bytes(b"torn")
    (tmp_path / "part-000001.parquet").write_bytes(b"whole")
    assert folder.pending(2) == [0]
    assert [path.name for path in tmp_path.iterdir()] == ["part-000001.parquet"]


def test_a_shard_that_was_begun_and_never_finished_is_known_by_its_marker(tmp_path: Path) -> None:
    marker = str(tmp_path / "begun" / "000000-0")
    with contextlib.suppress(RuntimeError), begun(marker) as suspicious:
        assert not suspicious
        raise RuntimeError
    with begun(marker) as suspicious:
        assert suspicious
    with begun(marker) as suspicious:
        assert not suspicious


def test_the_description_is_there_once_all_is_staged(tmp_path: Path) -> None:
    path = tmp_path / "staged.json"
    assert read_description(str(path), 1, "out") is None
    write_description(str(path), {"rows": 5}, 1)
    assert read_description(str(path), 1, "out") == {"rows": 5}
    assert json.loads(path.read_text()) == {"layout_version": 1, "rows": 5}


def test_a_description_without_a_version_is_version_one(tmp_path: Path) -> None:
    (tmp_path / "staged.json").write_text('{"rows": 5}')
    assert read_description(str(tmp_path / "staged.json"), 1, "out") == {"rows": 5}


def test_a_newer_folder_is_refused_in_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "staged.json"
    write_description(str(path), {"rows": 5}, 1)
    raise_version(path)
    with pytest.raises(DLCodeGenError, match=r"out/a was written by a newer version.*; update.*choose another --out"):
        read_description(str(path), 1, "out/a")
    assert read_description(str(path), 2, "out/a") == {"rows": 5}
