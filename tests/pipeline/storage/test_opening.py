"""Only files are opened, and what unpacks to more than can be meant is refused, wherever the program reads."""

from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus_build.read.listing import list_sources, open_input
from corpus_build.read.sources import RawNotebook, read_raw_notebooks
from jobs.scoring.one_file import score_file
from pipeline.config import PipelineSettings, load_settings
from pipeline.errors import DLCodeGenError
from pipeline.inputs import read_requirements
from pipeline.retrieval.sample_pool import load_known_plans, load_samples
from pipeline.storage.files import exists, read_bytes, write_bytes
from pipeline.storage.opening import UNPACKED_VARIABLE, UnpackedTooLargeError

READERS: dict[str, Callable[[str], object]] = {
    "input": lambda path: list(read_requirements(path)),
    "pool": load_samples,
    "plans": load_known_plans,
    "corpus": lambda path: list(_raw_notebooks(path)),
    "settings": lambda path: load_settings(PipelineSettings, path),
    "score": lambda path: list(score_file(path, None)),
    "any file": read_bytes,
}


def _raw_notebooks(path: str) -> list[RawNotebook]:
    return list(read_raw_notebooks(*open_input(path), list_sources(path)))


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as unix:
        here = os.open(path.parent, os.O_RDONLY)
        try:
            unix.bind(f"/proc/self/fd/{here}/{path.name}")  # a socket's path may have 107 characters
        finally:
            os.close(here)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _folder_link(path: Path) -> None:
    path.symlink_to(path.parent)


KINDS = {"a named pipe": _pipe, "a socket": _socket, "a device": _device, "a link to nothing": _loop}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_file_is_refused_in_one_line(tmp_path: Path, reader: str, kind: str) -> None:
    path = tmp_path / "x.jsonl"
    KINDS[kind](path)
    with pytest.raises(DLCodeGenError) as error:
        READERS[reader](str(path))
    # Of a link to nothing, an input says that there is no such file.
    assert kind in str(error.value) or (kind == "a link to nothing" and "no such file" in str(error.value))
    assert "\n" not in str(error.value)


@pytest.mark.timeout(20)
def test_in_a_folder_of_requirements_each_is_named_once_and_the_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"requirement": "Tell moths apart."}\n')
    (tmp_path / "z.jsonl").symlink_to(tmp_path / "a.jsonl")
    for number, make in enumerate((*KINDS.values(), _folder_link)):
        make(tmp_path / f"b{number}.jsonl")
    rows = list(read_requirements(str(tmp_path)))
    assert [row.failure.message if row.failure else row.requirement for row in rows] == [
        "Tell moths apart.",
        *(
            f"b{number}.jsonl: {kind}, not a regular file; copy what is in it to a file, or remove it"
            for number, kind in enumerate((*KINDS, "a folder"))
        ),
        "Tell moths apart.",
    ]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("extension", ["ipynb", "jsonl", "parquet"])
def test_in_a_folder_of_notebooks_each_is_a_file_that_cannot_be_read(tmp_path: Path, extension: str) -> None:
    (tmp_path / "a.py").write_text("import keras\n")
    for number, make in enumerate((*KINDS.values(), _folder_link)):
        make(tmp_path / f"b{number}.{extension}")
    good, *others = _raw_notebooks(str(tmp_path))
    assert good.data == b"import keras\n"
    assert len(others) == 5
    assert {getattr(other.data, "reason", "read") for other in others} == {"unreadable"}


@pytest.mark.parametrize("url", ["a::b", "::", "zip://a::b", "blah://a/b", "github://a"])
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_url_is_refused_in_one_line(reader: str, url: str) -> None:
    with pytest.raises(DLCodeGenError, match=r"::|blah|github") as error:
        READERS[reader](url)
    assert "\n" not in str(error.value)


def test_what_is_no_url_is_no_place_to_write_to() -> None:
    with pytest.raises(DLCodeGenError, match="'a' is none"):
        write_bytes("a::b", b"")
    with pytest.raises(DLCodeGenError, match="'a' is none"):
        exists("a::b")


@pytest.fixture
def a_megabyte(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files may unpack to a megabyte."""
    monkeypatch.setenv(UNPACKED_VARIABLE, "1000000")


def _parquet(path: Path, column: pa.Array) -> str:
    # Without the schema of Arrow, in which a dictionary would come back as one.
    pq.write_table(pa.table({"requirement": column, "code": column}), path, store_schema=False, compression="zstd")
    assert path.stat().st_size < 20_000
    return str(path)


def _repeated(path: Path) -> str:
    return _parquet(path, pa.DictionaryArray.from_arrays(pa.array([0] * 3000, pa.int32()), ["a" * 2000]))


def _long(path: Path) -> str:
    return _parquet(path, pa.array(["a" * 3_000_000]))


def _nulls(path: Path) -> str:
    return _parquet(path, pa.nulls(300_000, pa.string()))


def _nested(path: Path) -> str:
    return _parquet(path, pa.array([[0] * 3_000_000]))


@pytest.mark.usefixtures("a_megabyte")
@pytest.mark.parametrize("make", [_repeated, _long, _nulls, _nested])
def test_parquet_that_unpacks_to_too_much_is_refused(tmp_path: Path, make: Callable[[Path], str]) -> None:
    path = make(tmp_path / "x.parquet")
    for reader in ("input", "pool"):
        with pytest.raises(UnpackedTooLargeError, match=f"unpack to more than .* set {UNPACKED_VARIABLE}"):
            READERS[reader](path)
    assert getattr(_raw_notebooks(path)[-1].data, "reason", "") == "too_large"


@pytest.mark.usefixtures("a_megabyte")
def test_gzip_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n" * 3_000_000))
    with pytest.raises(UnpackedTooLargeError, match=r"x\.jsonl\.gz: 2,9.. bytes that unpack to more than 1,000,000"):
        READERS["input"](str(path))
    assert getattr(_raw_notebooks(str(path))[-1].data, "reason", "") == "too_large"


@pytest.mark.usefixtures("a_megabyte")
def test_a_file_may_unpack_to_many_times_its_size(tmp_path: Path) -> None:
    line = f'{{"requirement": "{os.urandom(8000).hex()}"}}\n'.encode()
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(line * 200))
    assert len(list(read_requirements(str(path)))) == 200


def test_a_bound_that_is_no_number_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(UNPACKED_VARIABLE, "1 GB")
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n"))
    with pytest.raises(DLCodeGenError, match=f"{UNPACKED_VARIABLE}=1 GB: give a number of bytes"):
        READERS["input"](str(path))
