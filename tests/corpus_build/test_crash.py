"""A file that really kills the process that reads it costs itself alone."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from corpus_build.careful import carefully
from corpus_build.drops import Drop
from corpus_build.extract.steps import ExtractStep
from corpus_build.read.scan import ScanStep
from corpus_build.records import Extracted, Scanned
from corpus_build.store import CorpusStore
from jobs.corpora.settings import CorpusConfig
from jobs.corpus import main
from tests.corpus_build.notebooks import code, markdown, notebook, project, write

FORK = multiprocessing.get_context("fork")
SMALL_STACK = 256 * 1024
DEEP = "-" * 2900 + "1"
"""An expression whose parsing needs more than SMALL_STACK of the C stack, but not more than the usual 8 MiB."""
TRAINED = (
    "import keras\nmodel = keras.Sequential([keras.layers.Dense(1)])\nmodel.compile(loss='mse')\nmodel.fit(a, b)\n"
)
KILLER = notebook(code(f'"""A docstring, so that only the tree shows the import."""\n{TRAINED}x = {DEEP}\n'))


def with_small_stack(work: Callable[[], object]) -> object:
    """What the work gives in a thread with a small stack. It may kill the process."""
    usual = threading.stack_size(SMALL_STACK)
    try:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(work).result()
    finally:
        threading.stack_size(usual)


def exit_code(work: Callable[[], object]) -> int | None:
    """The exit code of a process that does the work with a small stack."""
    child = FORK.Process(target=with_small_stack, args=(work,))
    child.start()
    child.join()
    return child.exitcode


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    files = [(f"{number}.ipynb", project(number, "2022-05-01T00:00:00Z")) for number in range(3)]
    return write(tmp_path / "in", [*files, ("killer.ipynb", KILLER)])


def test_the_killer_kills(corpus: Path, tmp_path: Path) -> None:
    config = CorpusConfig(input=str(corpus), out=str(tmp_path / "out"), quiet=True)
    assert exit_code(lambda: main(config)) == -signal.SIGSEGV


def test_the_shard_of_a_killed_worker_is_done_again_file_by_file(corpus: Path, tmp_path: Path) -> None:
    config = CorpusConfig(input=str(corpus), out=str(tmp_path / "out"), quiet=True)
    exit_code(lambda: main(config))
    assert exit_code(lambda: main(config)) == 0
    rows = {row.place: row for row in CorpusStore(config.out).read("scan", 0, Scanned)}
    assert {place: row.reason for place, row in rows.items()} == {
        "0.ipynb": "",
        "1.ipynb": "",
        "2.ipynb": "",
        "killer.ipynb": "crash",
    }
    assert "SIGSEGV" in rows["killer.ipynb"].detail
    assert not list((tmp_path / "out" / "work").rglob(".begun-*"))


def test_extraction_loses_the_file_alone_too(corpus: Path, tmp_path: Path) -> None:
    config = CorpusConfig(input=str(corpus), out=str(tmp_path / "out"), quiet=True)
    main(config)
    (tmp_path / "out" / "work" / "extracted" / "part-000000.parquet").unlink()
    store = CorpusStore(config.out)
    step = ExtractStep(store, config.input, "tensorflow")
    assert exit_code(lambda: step(0)) == -signal.SIGSEGV
    assert exit_code(lambda: step(0)) == 0
    assert {row.place: row.reason for row in store.read("extracted", 0, Extracted)} == {
        "0.ipynb": "",
        "1.ipynb": "",
        "2.ipynb": "",
        "killer.ipynb": "crash",
    }


def test_an_unforeseen_error_costs_the_file_alone() -> None:
    with pytest.raises(Drop, match="ZeroDivisionError: division by zero") as drop:
        carefully(lambda: 1 / 0, False, 60)
    assert drop.value.reason == "crash"


def test_a_shard_that_was_killed_for_no_fault_of_its_files_loses_none(corpus: Path, tmp_path: Path) -> None:
    config = CorpusConfig(input=str(corpus), out=str(tmp_path / "out"), quiet=True)
    main(config)
    store = CorpusStore(config.out)
    before = list(store.read("scan", 0, Scanned))
    (tmp_path / "out" / "work" / "scan" / "part-000000.parquet").unlink()
    (tmp_path / "out" / "work" / "scan" / ".begun-000000").touch()
    ScanStep(store, config.input, "tensorflow")(0)
    assert list(store.read("scan", 0, Scanned)) == before


def test_a_file_that_takes_too_long_is_lost_alone(corpus: Path, tmp_path: Path) -> None:
    slow = notebook(code(TRAINED), markdown("# %%\n" * 300_000))
    write(corpus, [("killer.ipynb", project(3)), ("slow.ipynb", slow)])
    config = CorpusConfig(input=str(corpus), out=str(tmp_path / "out"), quiet=True, row_seconds=0.5)
    main(config)
    rows = list(CorpusStore(config.out).read("extracted", 0, Extracted))
    assert {row.place: row.reason for row in rows if row.reason} == {"slow.ipynb": "timeout"}
    assert len(rows) == 5
