"""Parquet files say the version of their layout, and nothing else about them changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.errors import DLCodeGenError
from pipeline.storage.arrow import schema_of
from pipeline.storage.parquet import iterate_records, read_columns, read_records, record_writer, write_records
from tests.older_files import raise_version, remove_versions


@dataclass(frozen=True)
class Word:
    text: str
    count: int


WORDS = [Word("layer", 3), Word("dense", 1)]


@pytest.fixture(params=["at once", "one by one"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "words.parquet"
    if request.param == "at once":
        write_records(str(path), WORDS, Word, 1)
    else:
        with record_writer(str(path), Word, 1) as writer:
            for word in WORDS:
                writer.add(word)
    return path


def test_records_come_back_and_the_columns_are_those_of_the_class(file: Path) -> None:
    assert read_records(str(file), Word, 1) == WORDS
    assert list(iterate_records(str(file), Word, 1)) == WORDS
    assert read_columns(str(file), ["count"], 1).to_pylist() == [{"count": 3}, {"count": 1}]
    assert pq.read_schema(file) == schema_of(Word)


def test_the_version_is_in_the_file(file: Path) -> None:
    assert pq.read_schema(file).metadata == {b"dlcodegen_layout_version": b"1"}


def test_a_file_without_a_version_is_version_one(file: Path) -> None:
    remove_versions(file.parent)
    assert not pq.read_schema(file).metadata
    assert read_records(str(file), Word, 1) == list(iterate_records(str(file), Word, 1)) == WORDS


def test_a_newer_file_is_refused_in_one_line_that_says_what_to_do(file: Path) -> None:
    raise_version(file)
    readers = (
        lambda: read_records(str(file), Word, 1),
        lambda: list(iterate_records(str(file), Word, 1)),
        lambda: read_columns(str(file), ["count"], 1),
    )
    for read in readers:
        with pytest.raises(
            DLCodeGenError, match=r"newer version of this program.*; update this program, or"
        ) as refusal:
            read()
        assert "\n" not in str(refusal.value)
    assert read_records(str(file), Word, 2) == WORDS
