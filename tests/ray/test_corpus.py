"""The corpus build on Ray Data: equal to the one in this process, whatever the shards and workers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from corpus_build.read.scan import ScanStep
from corpus_build.read.stage_input import stage_listing
from corpus_build.records import Scanned
from corpus_build.store import CorpusStore
from jobs.cluster.dataflow import run_step
from jobs.corpora.settings import CorpusConfig
from jobs.corpora.shard_steps import ShardStep
from jobs.corpus import main
from tests.corpus_build.notebooks import project, small_corpus, write
from tests.corpus_build.test_build import SPLIT, results
from tests.corpus_build.test_crash import KILLER, with_small_stack

pytestmark = pytest.mark.ray


@pytest.mark.parametrize(("workers", "shard_files"), [(1, 40), (3, 11)])
def test_workers_and_shards_do_not_show(tmp_path: Path, workers: int, shard_files: int) -> None:
    folder = write(tmp_path / "in", small_corpus())
    main(CorpusConfig(input=str(folder), out=str(tmp_path / "here"), quiet=True, split=SPLIT, local=True))
    settings = {"workers": workers, "shard_files": shard_files}
    main(CorpusConfig(input=str(folder), out=str(tmp_path / "ray"), quiet=True, split=SPLIT, **settings))
    assert results(tmp_path / "ray") == results(tmp_path / "here")


@dataclass(frozen=True)
class ScanWithSmallStack:
    """A builder of the scan whose stack is too small for the killer."""

    store: CorpusStore
    input: str

    def __call__(self) -> ShardStep:
        step = ScanStep(self.store, self.input, "tensorflow")
        return lambda shard: cast(int, with_small_stack(lambda: step(shard)))


def test_a_file_that_kills_its_worker_is_lost_alone(tmp_path: Path) -> None:
    files = [(f"{number}.ipynb", project(number)) for number in range(6)]
    folder = str(write(tmp_path / "in", [*files, ("3a.ipynb", KILLER)]))
    store = CorpusStore(str(tmp_path / "out"))
    shards = stage_listing(store, folder, 3, "").shards
    done = run_step(ScanWithSmallStack(store, folder), range(shards), 1)
    assert sorted(item.shard for item in done) == [0, 1, 2]
    rows = [row for shard in range(shards) for row in store.read("scan", shard, Scanned)]
    assert {row.place: row.reason for row in rows if row.reason} == {"3a.ipynb": "crash"}
    assert len(rows) == 7
