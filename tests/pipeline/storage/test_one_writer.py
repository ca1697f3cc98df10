"""Two writers of one output: one of them works, the other says in a line who does; a dead one is no obstacle."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from multiprocessing import get_context
from pathlib import Path

import fsspec
import pytest

from pipeline.errors import DLCodeGenError
from pipeline.storage import one_writer as module
from pipeline.storage.files import join, names_in, read_json, write_bytes, write_json
from pipeline.storage.one_writer import CLAIM, SILENT_SECONDS, Claim, one_writer

_HOLD = "import sys, time; from pipeline.storage.one_writer import one_writer\n"
_HOLD += "with one_writer(sys.argv[1]): print('holds', flush=True); time.sleep(600)"


@pytest.fixture(params=["{tmp}/out", "memory://one-writer/out"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    location = str(request.param).format(tmp=tmp_path)
    yield location
    filesystem, path = fsspec.core.url_to_fs(location)
    if filesystem.exists(path):
        filesystem.rm(path, recursive=True)


def _claims(folder: str) -> list[str]:
    return [name for name in names_in(folder) if name.startswith(CLAIM)]


def _abandoned(folder: str, claim: Claim) -> None:
    write_json(join(folder, f"{CLAIM}{claim.number}.json"), asdict(claim))


def test_a_second_writer_is_told_who_writes_and_what_to_do(folder: str) -> None:
    with one_writer(folder):
        with (
            pytest.raises(DLCodeGenError, match=rf"process {os.getpid()}, since 20.*; wait .* or choose another --out"),
            one_writer(folder),
        ):
            raise AssertionError("two writers at once")
        assert len(_claims(folder)) == 1
    assert _claims(folder) == []
    with one_writer(folder):
        pass


def test_a_block_that_raises_gives_the_folder_back(folder: str) -> None:
    with pytest.raises(ZeroDivisionError), one_writer(folder):
        raise ZeroDivisionError
    assert _claims(folder) == []


def test_a_killed_writer_is_taken_over_at_once_and_its_torn_files_go(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    killed = subprocess.Popen([sys.executable, "-c", _HOLD, str(folder)], stdout=subprocess.PIPE)
    assert killed.stdout is not None
    assert killed.stdout.readline() == b"holds\n"
    write_bytes(str(folder / "projects" / "a" / ".tmp-1-project.py"), b"torn")
    with pytest.raises(DLCodeGenError, match=f"process {killed.pid}"), one_writer(str(folder)):
        raise AssertionError("two writers at once")
    assert list(folder.rglob(".tmp-*")) != []  # the living's
    killed.kill()
    killed.wait()
    start = time.monotonic()
    with one_writer(str(folder)):
        assert time.monotonic() - start < 2
        assert len(_claims(str(folder))) == 1
        assert list(folder.rglob(".tmp-*")) == []


def test_a_process_number_that_was_given_again_is_not_its_first_owner(folder: str) -> None:
    mine = module._new_claim()
    _abandoned(folder, replace(mine, number="0" * 32, process_start=mine.process_start - 3600, holds=True))
    with one_writer(folder):
        assert len(_claims(folder)) == 1


@pytest.mark.parametrize("holds", [True, False])
def test_a_writer_elsewhere_lives_as_long_as_it_is_heard(
    folder: str, holds: bool, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = replace(module._new_claim(), number="0" * 32, host="far", machine="far", holds=holds)
    _abandoned(folder, replace(elsewhere, heard=time.time() - SILENT_SECONDS / 2))
    refused = pytest.raises(DLCodeGenError, match=r"host far.*if it was killed, this works 3 minutes after")
    with refused, one_writer(folder):
        raise AssertionError("two writers at once")
    _abandoned(folder, replace(elsewhere, heard=time.time() - SILENT_SECONDS - 1))
    with caplog.at_level(logging.WARNING), one_writer(folder):
        (name,) = _claims(folder)
        assert (read_json(join(folder, name)) or {})["took_over"] == ["0" * 32]
    assert "host far" in caplog.text
    assert "taken over" in caplog.text


def test_a_writer_that_was_taken_over_ends_and_says_by_whom(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.05)  # else this test would take as long as a beat does
    with pytest.raises(DLCodeGenError, match=r"taken over by another run \(host far"), one_writer(folder):
        _be_taken_over(folder)


def _be_taken_over(folder: str) -> None:
    (mine,) = _claims(folder)
    number = mine.removeprefix(CLAIM).removesuffix(".json")
    _abandoned(folder, replace(module._new_claim(), host="far", machine="far", holds=True, took_over=(number,)))
    time.sleep(30)


def test_of_many_who_come_at_once_exactly_one_writes(tmp_path: Path) -> None:
    context = get_context("fork")
    start, leave = context.Event(), context.Event()
    results = context.Queue()
    many = [
        context.Process(target=_contend, args=(str(tmp_path), start, leave, results), daemon=True) for _ in range(6)
    ]
    for process in many:
        process.start()
    for _ in many:
        assert results.get(timeout=60) == "ready"
    start.set()
    ended = [results.get(timeout=60) for _ in many]
    leave.set()
    for process in many:
        process.join(60)
    assert sorted(ended) == ["refused"] * 5 + ["wrote"]
    assert _claims(str(tmp_path)) == []


def _contend(folder: str, start: threading.Event, leave: threading.Event, results: object) -> None:
    results.put("ready")  # type: ignore[attr-defined]
    start.wait()
    try:
        with one_writer(folder):
            results.put("wrote")  # type: ignore[attr-defined]
            leave.wait()
    except DLCodeGenError:
        results.put("refused")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "location", ["/dev/null", "/proc/nowhere/out", "nonesuch://bucket/out", "https://host.invalid/x"]
)
def test_a_place_that_cannot_be_written_is_named_before_any_work(location: str) -> None:
    refused = pytest.raises(DLCodeGenError, match=f"--out {location}: cannot be written .*; choose another folder")
    with refused, one_writer(location):
        raise AssertionError("nothing can be written there")
