"""Items measured in shards: resumable, bounded in time, and no item ends the run."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from jobs.scoring.item_shards import Measurement, measure_items
from pipeline.errors import DLCodeGenError, FaultError
from tests.older_files import raise_version, remove_versions
from tests.waiting import scaled

pytestmark = pytest.mark.ray


@dataclass(frozen=True, kw_only=True, slots=True)
class Length:
    length: int
    failure: str = ""


def lengths(items: Sequence[str], log: str = "") -> list[Length]:
    """Notes in `log` which items were measured."""
    if "kill" in items:
        os.kill(os.getpid(), 9)
    if "hang" in items:
        time.sleep(600)
    if "spin" in items:
        while True:
            pass
    if "orphan" in items:  # its worker dies, alone as well as with others
        in_child = multiprocessing.parent_process() is not None
        os.kill(os.getppid() if in_child else os.getpid(), 9)
        time.sleep(600)
    if "raise" in items:
        raise ValueError("a bug")
    if log:
        with open(log, "a") as file:
            file.write("".join(f"{item}\n" for item in items))
    return [Length(length=len(item)) for item in items]


def unmeasured(item: str, kind: str, message: str) -> Length:
    return Length(length=-1, failure=f"{kind}: {message}")


MEASUREMENT = Measurement(label="lengths", work=lengths, failed=unmeasured, record=Length)
ITEMS = ["a", "bb", "ccc", "dddd", "eeeee"]


class Logged:
    """A measurement that notes what it was given."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "log"
        self._work = str(folder / "work")
        self.measurement = replace(MEASUREMENT, work=partial(lengths, log=str(self._log)))

    def measure(self, items: Sequence[str] = ITEMS, **changes: str) -> list[Length]:
        return measure_items(replace(self.measurement, **changes), items, len(items), self._work, shard=2, quiet=True)

    def taken(self) -> set[str]:
        """The items that were measured since this was asked last."""
        items = set(self._log.read_text().split()) if self._log.exists() else set[str]()
        self._log.unlink(missing_ok=True)
        return items

    @property
    def files(self) -> list[Path]:
        return sorted(Path(self._work).iterdir())


@pytest.fixture
def logged(tmp_path: Path) -> Logged:
    """Five items, measured in three shards."""
    logged = Logged(tmp_path)
    assert [result.length for result in logged.measure()] == [1, 2, 3, 4, 5]
    assert logged.taken() == set(ITEMS)
    return logged


def test_a_second_call_finds_what_the_first_one_measured(logged: Logged) -> None:
    assert [result.length for result in logged.measure()] == [1, 2, 3, 4, 5]
    assert logged.taken() == set()


def test_a_shard_that_is_missing_is_measured_alone(logged: Logged) -> None:
    logged.files[0].unlink()
    assert [result.length for result in logged.measure()] == [1, 2, 3, 4, 5]
    assert len(logged.files) == 3
    assert logged.taken() in ({"a", "bb"}, {"ccc", "dddd"}, {"eeeee"})


def test_items_that_changed_are_measured_anew_with_their_shard(logged: Logged) -> None:
    assert [result.length for result in logged.measure(["a", "bb", "ccc", "!", "eeeee"])] == [1, 2, 3, 1, 5]
    assert logged.taken() == {"ccc", "!"}


def test_a_newer_measurement_measures_all_anew_and_leaves_the_older_results(logged: Logged) -> None:
    logged.measure(version="2")
    assert logged.taken() == set(ITEMS)
    logged.measure(version="1")
    assert logged.taken() == set()


def test_files_of_the_time_before_versions_are_results(logged: Logged) -> None:
    remove_versions(logged.files[0].parent)
    assert [result.length for result in logged.measure()] == [1, 2, 3, 4, 5]
    assert logged.taken() == set()


def test_a_file_of_a_newer_program_is_refused_not_replaced(logged: Logged) -> None:
    raise_version(logged.files[0])
    content = logged.files[0].read_bytes()
    with pytest.raises(DLCodeGenError, match="newer version of this program"):
        logged.measure()
    assert logged.files[0].read_bytes() == content


def test_an_item_that_takes_too_long_costs_itself_only_and_no_worker(tmp_path: Path) -> None:
    items = ["a", "spin", "bb"]
    results = measure_items(replace(MEASUREMENT, item_seconds=0.5), items, len(items), str(tmp_path), quiet=True)
    assert [result.length for result in results] == [1, -1, 2]
    assert results[1].failure.startswith("timeout: took more than 0.5 s of processor time")


def test_an_item_that_kills_hangs_or_raises_costs_itself_only(tmp_path: Path) -> None:
    measurement = replace(MEASUREMENT, item_seconds=scaled(4))
    items = ["a", "kill", "bb", "raise", "ccc", "dddd", "hang", "eeeee"]
    results = measure_items(measurement, iter(items), len(items), str(tmp_path), shard=3, quiet=True)
    assert [result.length for result in results] == [1, -1, 2, -1, 3, 4, -1, 5]
    assert results[1].failure.startswith("crash: the worker process died (signal SIGKILL)")
    assert results[6].failure.startswith("timeout")
    assert measure_items(replace(measurement, work=lengths), items, 8, str(tmp_path), shard=3, quiet=True) == results


def test_an_item_whose_rescue_dies_too_fails_alone_and_is_measured_again(tmp_path: Path) -> None:
    """As where memory is short, and the system kills the children's parent too."""
    items = ["a", "orphan", "bb", "ccc", "dddd"]
    results = measure_items(MEASUREMENT, items, len(items), str(tmp_path), shard=3, quiet=True)
    assert [result.length for result in results] == [1, -1, 2, 3, 4]
    assert results[1].failure == "machine: its process died (WorkerCrashedError)"
    assert len(list(tmp_path.iterdir())) == 1  # the shard that lost an item is not kept


def test_a_disk_that_cannot_be_written_ends_the_measuring_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file in the way")
    with pytest.raises(FaultError, match=r"work.*: .*exists.*the same command goes on"):
        measure_items(MEASUREMENT, ITEMS, 5, str(tmp_path / "work"), shard=2, quiet=True)
